/* Goal: inside its sandbox no program can do what it does not need: every class of things is tried
 * in every program and refused, and works outside of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/netlink.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <cmocka.h>

#include "tests/unit/sandbox_rig.h"

#define P(program) (1u << PROGRAM_##program)
#define ALL        ((1u << PROGRAMS) - 1)
/* A sanitized build may do a little more. */
#define SHIPPED(programs) (SANITIZED_BUILD ? 0 : (programs))

/* --- files --- */

static int open_in(const char *folder, const char *name, int flags)
{
	char path[128];

	path_in(folder, name, path);
	return result_of_fd(open(path, flags | O_CLOEXEC, 0600));
}

static int read_outside(const struct rig *r)
{
	return open_in(r->outside, "file", O_RDONLY);
}

static int list_outside(const struct rig *r)
{
	return open_in(r->outside, ".", O_RDONLY | O_DIRECTORY);
}

static int write_outside(const struct rig *r)
{
	return open_in(r->outside, "file", O_WRONLY);
}

static int truncate_outside(const struct rig *r)
{
	char path[128];

	path_in(r->outside, "file", path);
	return result_of(truncate(path, 1));
}

static int open_to_all(const struct rig *r)
{
	char path[128];

	path_in(r->outside, "file", path);
	return result_of(chmod(path, 0644));
}

static int make_outside(const struct rig *r)
{
	return open_in(r->outside, "new", O_WRONLY | O_CREAT);
}

static int make_folder_outside(const struct rig *r)
{
	char path[128];

	path_in(r->outside, "folder", path);
	return result_of(mkdir(path, 0700));
}

static int delete_outside(const struct rig *r)
{
	char path[128];

	path_in(r->outside, "file", path);
	return result_of(unlink(path));
}

static int move_outside(const struct rig *r)
{
	char from[128], to[128];

	path_in(r->home, "mine", from);
	path_in(r->outside, "mine", to);
	return result_of(rename(from, to));
}

static int read_passwords(const struct rig *r)
{
	(void)r;
	return result_of_fd(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int read_maps(const struct rig *r)
{
	(void)r;
	return result_of_fd(open("/proc/self/maps", O_RDONLY | O_CLOEXEC));
}

static int wait_for_nobody(const struct rig *r)
{
	(void)r;
	return syscall(SYS_wait4, -1, NULL, WNOHANG, NULL) == 0 || errno == ECHILD ? 0 : errno;
}

static int link_elsewhere(const struct rig *r)
{
	char path[128];

	path_in(r->home, "symlink", path);
	return result_of(symlink("/etc/passwd", path));
}

static int make_pipe_file(const struct rig *r)
{
	char path[128];

	path_in(r->home, "fifo", path);
	return result_of(mkfifo(path, 0600));
}

static int give_away(const struct rig *r)
{
	char path[128];

	path_in(r->home, "mine", path);
	return result_of(chown(path, geteuid(), getegid()));
}

static int watch_files(const struct rig *r)
{
	(void)r;
	return result_of_fd(inotify_init1(IN_CLOEXEC));
}

/* --- processes and memory --- */

static int start_process(const struct rig *r)
{
	pid_t pid = fork();

	(void)r;
	if (pid == 0)
		_exit(0);
	return result_of(pid);
}

static int signal_another(const struct rig *r)
{
	(void)r;
	return result_of(kill(getppid(), 0));
}

static int signal_as_thread(const struct rig *r)
{
	(void)r;
	return result_of(tgkill(getppid(), getppid(), 0));
}

static int run_memory(const struct rig *r)
{
	void *p = mmap(
		NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)r;
	return p == MAP_FAILED ? errno : 0;
}

static int make_memory_run(const struct rig *r)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)r;
	return p == MAP_FAILED ? 255 : result_of(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int file_of_memory(const struct rig *r)
{
	(void)r;
	return result_of_fd(memfd_create("memory", MFD_CLOEXEC));
}

static int share_memory(const struct rig *r)
{
	int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);

	(void)r;
	if (id < 0)
		return errno;
	return result_of(shmctl(id, IPC_RMID, NULL));
}

static int change_limit(const struct rig *r)
{
	struct rlimit limit;

	(void)r;
	if (getrlimit(RLIMIT_CORE, &limit) != 0)
		return 255;
	return result_of(setrlimit(RLIMIT_CORE, &limit));
}

static int change_priority(const struct rig *r)
{
	(void)r;
	return result_of(setpriority(PRIO_PROCESS, 0, 19));
}

static int change_process(const struct rig *r)
{
	(void)r;
	return result_of(prctl(PR_SET_TIMERSLACK, 1L, 0L, 0L, 0L));
}

/* --- the network --- */

static int try_socket(int family, int type, int protocol)
{
	return result_of_fd(socket(family, type | SOCK_CLOEXEC, protocol));
}

static int socket_unix(const struct rig *r)
{
	(void)r;
	return try_socket(AF_UNIX, SOCK_STREAM, 0);
}

static int socket_netlink(const struct rig *r)
{
	(void)r;
	return try_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
}

static int socket_udp(const struct rig *r)
{
	(void)r;
	return try_socket(AF_INET, SOCK_DGRAM, 0);
}

static int socket_udp6(const struct rig *r)
{
	(void)r;
	return try_socket(AF_INET6, SOCK_DGRAM, 0);
}

static int socket_tcp(const struct rig *r)
{
	(void)r;
	return try_socket(AF_INET, SOCK_STREAM, 0);
}

static int socket_pair(const struct rig *r)
{
	int ends[2];

	(void)r;
	return result_of(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
}

/* A kernel that has none of it lets nobody out by it. */
static int unless_missing(int result)
{
	return result == EPROTONOSUPPORT || result == EOPNOTSUPP ? 0 : result;
}

static int socket_mptcp(const struct rig *r)
{
	(void)r;
	return unless_missing(try_socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP));
}

static int socket_sctp(const struct rig *r)
{
	(void)r;
	return unless_missing(try_socket(AF_INET6, SOCK_STREAM, IPPROTO_SCTP));
}

static int connect_by_sending(const struct rig *r)
{
	struct sockaddr_in at = local_address(r->elsewhere);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (s < 0)
		return errno;
	return unless_missing(result_of(
		sendto(s, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&at, sizeof(at)) < 0 ? -1 : 0));
}

static int use_port(uint16_t port, int (*use)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_in at = local_address(port);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return s < 0 ? errno : result_of(use(s, (struct sockaddr *)&at, sizeof(at)));
}

static int connect_elsewhere(const struct rig *r)
{
	return use_port(r->elsewhere, connect);
}

static int connect_there(const struct rig *r)
{
	return use_port(r->port, connect);
}

static int bind_any(const struct rig *r)
{
	(void)r;
	return use_port(0, bind);
}

static int bind_there(const struct rig *r)
{
	return use_port(r->bindable, bind);
}

static int control_device(const struct rig *r)
{
	int ends[2], on = 1;

	(void)r;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return 255;
	return result_of(ioctl(ends[0], FIOASYNC, &on));
}

#define REFUSED(attempt, programs)                                                                 \
	{                                                                                          \
#attempt, attempt, programs, false                                                 \
	}
#define BY_LANDLOCK(attempt, programs)                                                             \
	{                                                                                          \
#attempt, attempt, programs, true                                                  \
	}

/* What is tried, the programs that may not, and whether only Landlock is in the way. */
static const struct {
	const char *name;
	attempt_fn *attempt;
	unsigned refused;
	bool by_landlock;
} attempts[] = {
	BY_LANDLOCK(read_outside, ALL & ~P(ADMIN)),
	BY_LANDLOCK(list_outside, ALL & ~P(ADMIN)),
	BY_LANDLOCK(write_outside, ALL & ~P(ADMIN)),
	REFUSED(truncate_outside, ALL),
	REFUSED(open_to_all, ALL),
	BY_LANDLOCK(make_outside, ALL & ~P(ADMIN)),
	BY_LANDLOCK(make_folder_outside, ALL & ~P(ADMIN)),
	BY_LANDLOCK(delete_outside, ALL & ~P(ADMIN)),
	BY_LANDLOCK(move_outside, ALL & ~P(ADMIN)),
	BY_LANDLOCK(read_passwords, ALL & ~P(ADMIN)),
	BY_LANDLOCK(read_maps, SHIPPED(ALL & ~P(ADMIN))),
	REFUSED(wait_for_nobody, SHIPPED(ALL)),
	REFUSED(link_elsewhere, ALL),
	REFUSED(make_pipe_file, ALL),
	REFUSED(give_away, ALL),
	REFUSED(watch_files, ALL),
	REFUSED(start_process, ALL),
	REFUSED(signal_another, ALL),
	REFUSED(signal_as_thread, ALL),
	REFUSED(run_memory, ALL),
	REFUSED(make_memory_run, ALL),
	REFUSED(file_of_memory, ALL),
	REFUSED(share_memory, ALL),
	REFUSED(change_limit, ALL),
	REFUSED(change_priority, ALL),
	REFUSED(change_process, ALL),
	REFUSED(socket_unix, ALL),
	REFUSED(socket_netlink, ALL),
	REFUSED(socket_udp, ALL),
	REFUSED(socket_udp6, ALL),
	REFUSED(socket_tcp, P(ADMIN)),
	REFUSED(socket_pair, ALL & ~P(RELAY)),
	REFUSED(socket_mptcp, ALL),
	REFUSED(socket_sctp, ALL),
	REFUSED(connect_by_sending, ALL),
	BY_LANDLOCK(connect_elsewhere, ALL),
	REFUSED(connect_there, P(BROKER) | P(ADMIN)),
	BY_LANDLOCK(bind_any, ALL),
	REFUSED(bind_there, ALL & ~P(BROKER)),
	REFUSED(control_device, ALL),
};

#define ATTEMPTS (sizeof(attempts) / sizeof(attempts[0]))

static void restore_files(const struct rig *r)
{
	char path[128];

	path_in(r->outside, "mine", path);
	unlink(path);
	path_in(r->outside, "folder", path);
	rmdir(path);
	path_in(r->outside, "new", path);
	unlink(path);
	path_in(r->home, "symlink", path);
	unlink(path);
	path_in(r->home, "fifo", path);
	unlink(path);
	write_file(r->outside, "file", "outside");
	write_file(r->home, "mine", "mine");
}

static bool is_refusal_of_the_system(int result)
{
	return result == EPERM || result == EACCES || result == EXDEV || result == EOPNOTSUPP;
}

#define LANDLOCK_WITH_PORTS 4

static int landlock_version(void)
{
	struct landlock l = {.fd = -1};

	assert_int_equal(landlock_open(LANDLOCK_NEWEST, &l), OK);
	landlock_close(&l);
	return l.abi;
}

/* Which of the attempts are made. */
enum by { BY_ANY, BY_SECCOMP_ALONE, BY_LANDLOCK_ALONE };

static unsigned count_wrong(const struct rig *r, int program, enum by by)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < ATTEMPTS; i++) {
		bool refused = program != NO_PROGRAM && attempts[i].refused & 1u << program;
		int result;

		if (by != BY_ANY && attempts[i].by_landlock != (by == BY_LANDLOCK_ALONE))
			continue;
		restore_files(r);
		result = try_inside(r, program, attempts[i].attempt);
		if (refused ? is_refusal_of_the_system(result) : result == 0)
			continue;
		print_error("%s: %s gives %d\n", program < 0 ? "nobody" : program_names[program],
			attempts[i].name, result);
		wrong++;
	}
	return wrong;
}

static void everything_works_without_a_sandbox(void **state)
{
	assert_int_equal(count_wrong(*state, NO_PROGRAM, BY_ANY), 0);
}

static void each_program_is_refused_what_it_does_not_need(void **state)
{
	unsigned wrong = 0;

	for (int p = 0; p < PROGRAMS; p++)
		wrong += count_wrong(*state, p, BY_SECCOMP_ALONE);
	assert_int_equal(wrong, 0);
}

static void each_program_is_refused_other_files_and_ports(void **state)
{
	unsigned wrong = 0;
	int version = landlock_version();

	if (version < LANDLOCK_WITH_PORTS) {
		print_message("this kernel has Landlock %d: files and ports need %d\n", version,
			LANDLOCK_WITH_PORTS);
		skip();
	}
	for (int p = 0; p < PROGRAMS; p++)
		wrong += count_wrong(*state, p, BY_LANDLOCK_ALONE);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(everything_works_without_a_sandbox),
		RIG_TEST(each_program_is_refused_what_it_does_not_need),
		RIG_TEST(each_program_is_refused_other_files_and_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
