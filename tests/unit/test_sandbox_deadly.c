/* Goal: a call that no program ever needs ends the process at once, whatever its arguments, in
 * every program; without a sandbox it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <cmocka.h>

#include "tests/unit/sandbox_rig.h"

#define NEVER (-1L) /* arguments that no call takes: outside of a sandbox they do nothing */

static const struct deadly {
	const char *name;
	long number;
	long args[5];
} deadly[] = {
#define DEADLY(name, ...)                                                                          \
	{                                                                                          \
#name, SYS_##name,                                                                 \
		{                                                                                  \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}
	/* another program; another process's memory */
	DEADLY(execve, 0, 0, 0),
	DEADLY(execveat, NEVER, 0, 0, 0, NEVER),
	DEADLY(process_vm_readv, NEVER, 0, 0, 0, 0),
	DEADLY(process_vm_writev, NEVER, 0, 0, 0, 0),
	DEADLY(ptrace, NEVER, 0, 0, 0),
	DEADLY(pidfd_getfd, NEVER, NEVER, NEVER),
	/* another view of the machine */
	DEADLY(mount, 0, 0, 0, 0, 0),
	DEADLY(umount2, 0, NEVER),
	DEADLY(pivot_root, 0, 0),
	DEADLY(move_mount, NEVER, 0, NEVER, 0, NEVER),
	DEADLY(open_tree, NEVER, 0, NEVER),
	DEADLY(fsopen, 0, NEVER),
	DEADLY(chroot, 0),
	DEADLY(unshare, NEVER),
	DEADLY(setns, NEVER, NEVER),
	/* another user */
	DEADLY(setuid, NEVER),
	DEADLY(setgid, NEVER),
	DEADLY(setreuid, NEVER, NEVER),
	DEADLY(setregid, NEVER, NEVER),
	DEADLY(setresuid, NEVER, NEVER, NEVER),
	DEADLY(setresgid, NEVER, NEVER, NEVER),
	DEADLY(setgroups, NEVER, 0),
	DEADLY(capset, 0, 0),
	/* the kernel's own programs, keys and modules */
	DEADLY(bpf, NEVER, 0, 0),
	DEADLY(perf_event_open, 0, NEVER, NEVER, NEVER, NEVER),
	DEADLY(userfaultfd, NEVER),
	DEADLY(io_uring_setup, 0, 0),
	DEADLY(io_uring_enter, NEVER, 0, 0, 0, 0),
	DEADLY(io_uring_register, NEVER, NEVER, 0, 0),
	DEADLY(keyctl, NEVER, 0, 0, 0, 0),
	DEADLY(add_key, 0, 0, 0, 0, 0),
	DEADLY(request_key, 0, 0, 0, 0),
	DEADLY(init_module, 0, 0, 0),
	DEADLY(finit_module, NEVER, 0, NEVER),
	DEADLY(delete_module, 0, 0),
	DEADLY(kexec_load, 0, NEVER, 0, NEVER),
	DEADLY(kexec_file_load, NEVER, NEVER, 0, 0, NEVER),
	/* the machine */
	DEADLY(reboot, 0, 0, 0, 0),
	DEADLY(swapon, 0, 0),
	DEADLY(settimeofday, NEVER, NEVER),
	DEADLY(clock_settime, NEVER, NEVER),
	DEADLY(sethostname, 0, NEVER),
	DEADLY(syslog, NEVER, 0, 0),
#undef DEADLY
};

#define CALLS (sizeof(deadly) / sizeof(deadly[0]))

/* One child: an argument of try_inside would need a function for each. */
static const struct deadly *chosen;

static int call_it(const struct rig *r)
{
	(void)r;
	return result_of(syscall(chosen->number, chosen->args[0], chosen->args[1], chosen->args[2],
		chosen->args[3], chosen->args[4]));
}

/* The sanitizers' own check for leaks traces: there only what it does not do is refused. */
static bool ends_as_it_should(int result)
{
	bool spared = SANITIZED_BUILD && chosen->number == SYS_ptrace;

	return spared ? result == EPERM : result == KILLED;
}

static void nothing_kills_without_a_sandbox(void **state)
{
	for (chosen = deadly; chosen < deadly + CALLS; chosen++) {
		int result = try_inside(*state, NO_PROGRAM, call_it);

		if (result < 0 || result == KILLED)
			print_error("%s gives %d\n", chosen->name, result);
		assert_true(result >= 0 && result != KILLED);
	}
}

static void each_ends_every_program(void **state)
{
	unsigned wrong = 0;

	for (int p = 0; p < PROGRAMS; p++)
		for (chosen = deadly; chosen < deadly + CALLS; chosen++) {
			int result = try_inside(*state, p, call_it);

			if (ends_as_it_should(result))
				continue;
			print_error("%s: %s gives %d\n", program_names[p], chosen->name, result);
			wrong++;
		}
	assert_int_equal(wrong, 0);
}

#if defined(__x86_64__)
/* The same numbers mean other calls in the table of 32 bits. */
static int call_by_32_bits(const struct rig *r)
{
	long result = 20; /* getpid there */

	(void)r;
	__asm__ volatile("int $0x80" : "+a"(result) : : "memory");
	return result > 0 ? 0 : ENOSYS;
}

static void another_table_of_calls_ends_every_program(void **state)
{
	for (int p = 0; p < PROGRAMS; p++)
		assert_int_equal(try_inside(*state, p, call_by_32_bits), KILLED);
	assert_int_not_equal(try_inside(*state, NO_PROGRAM, call_by_32_bits), KILLED);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(nothing_kills_without_a_sandbox),
		RIG_TEST(each_ends_every_program),
#if defined(__x86_64__)
		RIG_TEST(another_table_of_calls_ends_every_program),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
