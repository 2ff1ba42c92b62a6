/* Goal: run a program under the filter of system calls that its unit asks systemd for.
 *   unit_filter CALLS FAMILIES PROGRAM [ARG...]
 * CALLS: a file with the names of the calls that are allowed. FAMILIES: numbers, by commas. */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void check(int result, const char *what)
{
	if (result >= 0)
		return;
	fprintf(stderr, "unit_filter: %s: %s\n", what, strerror(-result));
	exit(70);
}

/* The call `socket` is allowed by its family only. */
static void allow_calls(scmp_filter_ctx filter, const char *path)
{
	char name[64];
	FILE *f = fopen(path, "re");

	if (!f)
		check(-errno, path);
	while (fgets(name, sizeof(name), f)) {
		int number;

		name[strcspn(name, "\n")] = 0;
		number = seccomp_syscall_resolve_name(name);
		if (number != __NR_SCMP_ERROR && strcmp(name, "socket") != 0)
			check(seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0), name);
	}
	fclose(f);
}

static void allow_families(scmp_filter_ctx filter, char *families)
{
	for (char *one = strtok(families, ","); one; one = strtok(NULL, ","))
		check(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
			      SCMP_A0(SCMP_CMP_EQ, strtoul(one, NULL, 10))),
			"socket");
}

int main(int argc, char **argv)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));

	if (argc < 4 || !filter)
		return 64;
	allow_calls(filter, argv[1]);
	allow_families(filter, argv[2]);
	check(seccomp_load(filter), "load"); /* which sets that there are no new privileges */
	seccomp_release(filter);
	execv(argv[3], argv + 3);
	check(-errno, argv[3]);
}
