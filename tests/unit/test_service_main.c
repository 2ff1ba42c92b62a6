/* Goal: a service starts, hears signals, stops in order, and ends with the code of what is wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/node_env.h"

/* A process of its own that runs service_main; what it writes is read here. */
struct process {
	pid_t pid;
	FILE *output;
	char text[65536];
};

static void start(struct process *p, const struct service *svc, const char *home, const char *arg)
{
	char *argv[] = {"havre-test", "--home", (char *)home, "--lang", "fr", (char *)arg, NULL};
	int ends[2], argc = arg ? 6 : 5;

	*p = (struct process){0};
	assert_int_equal(pipe(ends), 0);
	p->pid = fork();
	assert_true(p->pid >= 0);
	if (p->pid == 0) {
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		argc = service_main(svc, argc, argv);
		fflush(NULL);
		_exit(argc);
	}
	close(ends[1]);
	p->output = fdopen(ends[0], "r");
	assert_non_null(p->output);
}

/* Reads lines until one has these words. False: it wrote them nowhere, and has ended. */
static bool writes(struct process *p, const char *words)
{
	size_t n = strlen(p->text);

	while (fgets(p->text + n, (int)(sizeof(p->text) - n), p->output)) {
		if (strstr(p->text + n, words))
			return true;
		n = strlen(p->text);
	}
	return strstr(p->text, words) != NULL;
}

static int ends_with(struct process *p)
{
	int status = 0;

	(void)writes(p, "\n\n\n");
	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
	(void)fclose(p->output);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void it_runs_until_a_signal(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT};
	struct env *e = *state;
	struct process p;
	char home[160];

	path_of(e, "intake", "", home);
	for (size_t i = 0; i < 2; i++) {
		start(&p, &reader, home, NULL);
		assert_true(writes(&p, "id=STARTED"));
		assert_int_equal(kill(p.pid, signals[i]), 0);
		assert_true(writes(&p, "id=STOPPED"));
		assert_int_equal(ends_with(&p), 0);
	}
}

static void a_signal_loads_the_registry(void **state)
{
	struct env *e = *state;
	struct process p;
	char home[160], line[64];
	uint64_t version = ++fixture_message(e->fixture)->version;

	path_of(e, "intake", "", home);
	start(&p, &reader, home, NULL);
	assert_true(writes(&p, "id=STARTED"));
	write_registry(e, "intake");
	assert_int_equal(kill(p.pid, SIGHUP), 0);
	snprintf(line, sizeof(line), "id=NODE-REGISTRY version=%llu", (unsigned long long)version);
	assert_true(writes(&p, line));
	/* One that is not accepted does not end it. */
	write_text(e, "intake", "registry", "nonsense");
	assert_int_equal(kill(p.pid, SIGHUP), 0);
	assert_true(writes(&p, "id=NODE-REGISTRY-REFUSED"));
	assert_int_equal(kill(p.pid, SIGTERM), 0);
	assert_int_equal(ends_with(&p), 0);
}

static void expect_end(const struct env *e, const char *arg, int code, const char *words)
{
	struct process p;
	char home[160];
	int got;

	path_of(e, "intake", "", home);
	start(&p, &reader, home, arg);
	got = ends_with(&p);
	if (got != code || !strstr(p.text, words))
		print_error("%s", p.text);
	assert_int_equal(got, code);
	assert_non_null(strstr(p.text, words));
}

static void it_ends_with_the_code_of_what_is_wrong(void **state)
{
	struct env *e = *state;
	char key[160];

	expect_end(e, "--check-config", 0, "La configuration est correcte.");
	expect_end(e, "--example-config", 0, "in_flight");
	expect_end(e, "--version", 0, HAVRE_VERSION);
	expect_end(e, "--help", 0, "SIGHUP relit les clés et le registre");
	expect_end(e, "--nonsense", 64, "");
	path_of(e, "intake", "key", key);
	assert_int_equal(chmod(key, 0644), 0);
	expect_end(e, NULL, 77, err_text(ERR_PERMISSIONS, LANG_FR));
	write_text(e, "intake", "havre.conf", "[link]\ncredit = many\n");
	expect_end(e, "--check-config", 65, "credit");
	expect_end(e, NULL, 65, "credit");
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup_alone, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_runs_until_a_signal),
		T(a_signal_loads_the_registry),
		T(it_ends_with_the_code_of_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
