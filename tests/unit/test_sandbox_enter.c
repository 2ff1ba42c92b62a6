/* Goal: a sandbox is entered whole or not at all, on every kernel, and leaves no core file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <cmocka.h>

#include "tests/unit/sandbox_rig.h"

#define WENT_WRONG 254 /* what a child gives whose own step failed */

/* --- it is entered whole --- */

static int enter(const struct rig *r)
{
	return sandbox_enter(PROGRAM_INTAKE, &r->config, NULL) == OK ? 0 : 1;
}

static void *wait_for_it(void *lock)
{
	pthread_mutex_lock(lock);
	return NULL;
}

static int enter_beside_a_thread(const struct rig *r)
{
	pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
	pthread_t thread;

	pthread_mutex_lock(&held);
	if (pthread_create(&thread, NULL, wait_for_it, &held) != 0)
		return WENT_WRONG;
	return enter(r);
}

static int enter_twice(const struct rig *r)
{
	return enter(r) == 0 ? enter(r) : WENT_WRONG;
}

/* As on a kernel without it. */
static int without_landlock(int error)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	int wrong =
		!f ||
		seccomp_rule_add(f, SCMP_ACT_ERRNO(error), SCMP_SYS(landlock_create_ruleset), 0) ||
		seccomp_load(f);

	seccomp_release(f);
	return wrong;
}

static int enter_without_landlock(const struct rig *r)
{
	return without_landlock(ENOSYS) ? WENT_WRONG : enter(r);
}

static int enter_with_broken_landlock(const struct rig *r)
{
	return without_landlock(ENOMEM) ? WENT_WRONG : enter(r);
}

static int have_seccomp_without_landlock(const struct rig *r)
{
	if (without_landlock(EOPNOTSUPP) || enter(r))
		return WENT_WRONG;
	return result_of(socket(AF_UNIX, SOCK_STREAM, 0));
}

static void it_is_entered_whole_or_not_at_all(void **state)
{
	struct rig *r = *state;

	assert_int_equal(try_inside(r, NO_PROGRAM, enter), 0);
	assert_int_equal(try_inside(r, NO_PROGRAM, enter_twice), 1);
	assert_int_equal(try_inside(r, NO_PROGRAM, enter_beside_a_thread), 1);
	assert_int_equal(try_inside(r, NO_PROGRAM, enter_with_broken_landlock), 1);
	assert_int_equal(try_inside(r, NO_PROGRAM, enter_without_landlock), 0);
	assert_int_equal(try_inside(r, NO_PROGRAM, have_seccomp_without_landlock), EPERM);
	rig_configure(r, "sandbox = required\n");
	assert_int_equal(try_inside(r, NO_PROGRAM, enter_without_landlock), 1);
}

/* Only TCP and URLs of known schemes: the ports must be known. */
static void endpoints_must_be_understood(void **state)
{
	static const char *const bad[] = {"ipc:///tmp/x", "tcp://127.0.0.1", "tcp://:5570",
		"tcp://h:70000", "tcp://h:-1", "tcp://h:x", "5570xx"};
	struct rig *r = *state;
	struct sandbox_plan plan;
	char text[128];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "[broker]\nroutine = %s\n", bad[i]);
		write_file(r->home, "havre.conf", text);
		config_free(&r->config);
		assert_int_equal(
			config_load(r->home, PROGRAM_ADMIN, stderr, LANG_EN, &r->config), OK);
		assert_int_equal(sandbox_plan(PROGRAM_BROKER, &r->config, &plan), ERR_INVALID);
		assert_int_equal(sandbox_plan(PROGRAM_INTAKE, &r->config, &plan), ERR_INVALID);
		assert_int_equal(sandbox_plan(PROGRAM_ADMIN, &r->config, &plan), OK);
	}
}

static void endpoints_give_ports_and_names(void **state)
{
	static const struct {
		const char *url;
		uint16_t port;
		bool name;
	} good[] = {
		{"smtp://127.0.0.1:2525", 2525, false},
		{"smtp://mail.example", 25, true},
		{"smtps://mail.example", 465, true},
		{"http://[::1]:8080/path?x=1:2", 8080, false},
		{"https://[::1]", 443, false},
		{"https://user:pass@hooks.example/a@b", 443, true},
		{"https://1.2.3.4:1/", 1, false},
	};
	struct rig *r = *state;
	struct sandbox_plan plan;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		free(r->config.relay_url);
		r->config.relay_url = strdup(good[i].url);
		assert_int_equal(sandbox_plan(PROGRAM_RELAY, &r->config, &plan), OK);
		assert_int_equal(plan.ports[2].number, good[i].port);
		assert_int_equal(plan.ports[2].use, TO);
		assert_int_equal(plan.n_ports, good[i].name ? 4 : 3);
		assert_int_equal(!!(plan.needs & RESOLVE), good[i].name);
	}
}

/* --- every version of Landlock --- */

static int version;

static int files_by_version(const struct rig *r)
{
	struct landlock l = {.fd = -1};
	char path[128];

	if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) != 0 || landlock_open(version, &l) != OK ||
		l.abi != version || landlock_allow(&l, r->home, WRITE) != OK ||
		landlock_allow_port(&l, &(struct sandbox_port){TO, r->port}) != OK ||
		landlock_enter(&l) != OK)
		return WENT_WRONG;
	path_in(r->home, "mine", path);
	if (file_replace(path, slice_str("x"), 0600) != OK)
		return WENT_WRONG;
	path_in(r->outside, "file", path);
	return result_of_fd(open(path, O_RDONLY | O_CLOEXEC));
}

static void an_older_kernel_gives_what_it_has(void **state)
{
	struct landlock newest = {.fd = -1};

	write_file(((struct rig *)*state)->outside, "file", "outside");
	assert_int_equal(landlock_open(LANDLOCK_NEWEST, &newest), OK);
	landlock_close(&newest);
	for (version = 1; version <= newest.abi; version++)
		assert_int_equal(try_inside(*state, NO_PROGRAM, files_by_version), EACCES);
}

/* --- cores, umask --- */

static int give_up(const struct rig *r)
{
	(void)r;
	signal(SIGABRT, SIG_DFL);
	abort();
}

/* Gives up in the home, where it may write a core if anything may. Gives whether one was
 * made. */
static bool dumps(const struct rig *r, int inside)
{
	struct rlimit limit;
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (chdir(r->home) != 0 || getrlimit(RLIMIT_CORE, &limit) != 0)
			_exit(WENT_WRONG);
		limit.rlim_cur = limit.rlim_max;
		if (geteuid() == 0)
			limit.rlim_cur = limit.rlim_max = RLIM_INFINITY;
		if (setrlimit(RLIMIT_CORE, &limit) != 0 || (inside && enter(r) != 0))
			_exit(WENT_WRONG);
		give_up(r);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	return WCOREDUMP(status);
}

static void nothing_leaves_a_core(void **state)
{
	assert_false(dumps(*state, true));
	if (!dumps(*state, false)) /* this machine makes none at all */
		skip();
}

static int program;

static int mode_of_a_file(const struct rig *r)
{
	char path[128];
	struct stat st;
	int fd;

	path_in(r->home, "new", path);
	unlink(path);
	umask(0);
	if (sandbox_enter((enum program)program, &r->config, NULL) != OK)
		return WENT_WRONG;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	return fd < 0 || fstat(fd, &st) != 0 ? WENT_WRONG : (int)(st.st_mode & 077);
}

static void files_are_for_their_owner_but_those_of_people(void **state)
{
	for (program = 0; program < PROGRAMS; program++)
		assert_int_equal(try_inside(*state, NO_PROGRAM, mode_of_a_file),
			program >= PROGRAM_CLIENT ? 066 : 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(it_is_entered_whole_or_not_at_all),
		RIG_TEST(endpoints_must_be_understood),
		RIG_TEST(endpoints_give_ports_and_names),
		RIG_TEST(an_older_kernel_gives_what_it_has),
		RIG_TEST(nothing_leaves_a_core),
		RIG_TEST(files_are_for_their_owner_but_those_of_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
