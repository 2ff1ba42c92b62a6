/*
 * sandbox_rig.h - a home, a folder outside of it, two listening ports, and children that enter a
 * program's sandbox and try something. For the tests of the sandbox.
 */
#ifndef HAVRE_TESTS_SANDBOX_RIG_H
#define HAVRE_TESTS_SANDBOX_RIG_H

/* cmocka.h is included before this. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "services/common/base/file.h"
#include "services/common/base/log.h"
#include "services/common/sandbox/sandbox_inside.h"

#define PROGRAMS (PROGRAM_ADMIN + 1)
#define KILLED   1000 /* what a child that the sandbox killed is said to have given */

static const char *const program_names[PROGRAMS] = {"broker", "intake", "screening", "urgent",
	"notify", "relay", "havre", "havre-staff", "havre-admin"};

struct rig {
	char folder[64], home[80], outside[80];
	int listener, other;      /* sockets */
	uint16_t port, elsewhere; /* theirs: of the configuration, and not */
	uint16_t bindable;        /* of the configuration too, and nobody's */
	struct config config;
};

static inline struct sockaddr_in local_address(uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static inline uint16_t listen_somewhere(int *ret_socket)
{
	struct sockaddr_in at = local_address(0);
	socklen_t len = sizeof(at);

	*ret_socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(*ret_socket >= 0);
	assert_int_equal(bind(*ret_socket, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(*ret_socket, 8), 0);
	assert_int_equal(getsockname(*ret_socket, (struct sockaddr *)&at, &len), 0);
	return ntohs(at.sin_port);
}

static inline void path_in(const char *folder, const char *name, char ret[128])
{
	snprintf(ret, 128, "%s/%s", folder, name);
}

static inline void write_file(const char *folder, const char *name, const char *text)
{
	char path[128];

	path_in(folder, name, path);
	assert_int_equal(file_replace(path, slice_str(text), 0600), OK);
}

/* The configuration of PROGRAM_ADMIN may have every key. */
static inline void rig_configure(struct rig *r, const char *more)
{
	char text[512];

	snprintf(text, sizeof(text),
		"[havre]\nstore_mib = 16\n%s[broker]\nroutine = tcp://127.0.0.1:%u\n"
		"urgent = tcp://127.0.0.1:%u\n[relay]\nurl = smtp://127.0.0.1:%u\n",
		more, r->port, r->bindable, r->port);
	write_file(r->home, "havre.conf", text);
	config_free(&r->config);
	assert_int_equal(config_load(r->home, PROGRAM_ADMIN, stderr, LANG_EN, &r->config), OK);
}

static inline int rig_setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	int unused;

	assert_non_null(r);
	snprintf(r->folder, sizeof(r->folder), "/tmp/havre-sandbox-XXXXXX");
	assert_non_null(mkdtemp(r->folder));
	snprintf(r->home, sizeof(r->home), "%s/home", r->folder);
	snprintf(r->outside, sizeof(r->outside), "%s/outside", r->folder);
	assert_int_equal(mkdir(r->home, 0700), 0);
	assert_int_equal(mkdir(r->outside, 0700), 0);
	r->port = listen_somewhere(&r->listener);
	r->elsewhere = listen_somewhere(&r->other);
	r->bindable = listen_somewhere(&unused);
	close(unused);
	rig_configure(r, "");
	log_setup("test", LOG_ERROR);
	*state = r;
	return 0;
}

static inline int rig_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline int rig_teardown(void **state)
{
	struct rig *r = *state;

	close(r->listener);
	close(r->other);
	config_free(&r->config);
	assert_int_equal(nftw(r->folder, rig_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
	free(r);
	return 0;
}

/* 0: done; else its errno. */
typedef int attempt_fn(const struct rig *r);

/* What -1 with errno is here. */
static inline int result_of(long result)
{
	return result < 0 ? errno : 0;
}

static inline int result_of_fd(int fd)
{
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

#define NO_PROGRAM (-1) /* no sandbox: the attempt as everybody may make it */
#define NOT_INSIDE 200  /* the sandbox could not be entered */

/* What the attempt gives in a child of its own, inside the program's sandbox. */
static inline int try_inside(const struct rig *r, int program, attempt_fn *attempt)
{
	int status = 0, result;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (program != NO_PROGRAM &&
			sandbox_enter((enum program)program, &r->config, NULL) != OK)
			_exit(NOT_INSIDE);
		result = attempt(r);
		_exit(result > 255 ? 255 : result);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? KILLED : -WTERMSIG(status);
	assert_int_not_equal(WEXITSTATUS(status), NOT_INSIDE);
	return WEXITSTATUS(status);
}

#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

#endif
