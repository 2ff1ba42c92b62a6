/* The rows of sandbox.def as a seccomp filter. */
#include <asm/ioctls.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

#include "services/common/sandbox/sandbox_inside.h"

#define ARGS_MOST 3

struct arg {
	unsigned number;
	uint64_t mask; /* 0: there is no such argument */
	uint64_t value;
};

struct call {
	unsigned needs;
	int number;
	uint32_t action;
	struct arg args[ARGS_MOST];
};

/* clang-format off */
static const struct call calls[] = {
#define ARG(number, mask, value) {number, mask, (uint64_t)(value)}
#define CALL(need, name) {need, SCMP_SYS(name), SCMP_ACT_ALLOW, {{0}}},
#define CALL_IF(need, name, ...) {need, SCMP_SYS(name), SCMP_ACT_ALLOW, {__VA_ARGS__}},
#define REFUSE(error, name, ...) {EVERY, SCMP_SYS(name), SCMP_ACT_ERRNO(error), {__VA_ARGS__}},
#define KILL(name) {EVERY, SCMP_SYS(name), SCMP_ACT_KILL_PROCESS, {{0}}},
#include "services/common/sandbox/sandbox.def"
};
/* clang-format on */

/* libseccomp returns negative errnos. */
static enum err done(int result)
{
	if (result >= 0)
		return OK;
	errno = -result;
	return ERR_SANDBOX;
}

static unsigned conditions(const struct call *c, struct scmp_arg_cmp ret[ARGS_MOST])
{
	unsigned n = 0;

	for (; n < ARGS_MOST && c->args[n].mask; n++)
		ret[n] = SCMP_CMP64(
			c->args[n].number, SCMP_CMP_MASKED_EQ, c->args[n].mask, c->args[n].value);
	return n;
}

/* A call that the sanitizers make is not deadly for them. */
static bool spared(const struct call *c)
{
	return SANITIZED_BUILD && c->number == SCMP_SYS(ptrace) && c->action != SCMP_ACT_ALLOW;
}

static enum err add_calls(scmp_filter_ctx f, unsigned needs)
{
	struct scmp_arg_cmp list[ARGS_MOST];

	for (const struct call *c = calls; c < calls + sizeof(calls) / sizeof(calls[0]); c++)
		if (c->needs & needs && !spared(c))
			TRY(done(seccomp_rule_add_array(
				f, c->action, c->number, conditions(c, list), list)));
	/* abort and raise, and no other process */
	return done(seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
		SCMP_A0_64(SCMP_CMP_MASKED_EQ, UINT32_MAX, (uint64_t)getpid())));
}

enum err seccomp_enter(unsigned needs)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	enum err e;

	if (!f) {
		errno = ENOMEM;
		return ERR_SANDBOX;
	}
	/* a call by another table of calls (32 bits, x32) */
	e = done(seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS));
	/* a tree: some hundred comparisons a call would be felt */
	if (e == OK)
		e = done(seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2));
	if (e == OK)
		e = add_calls(f, needs);
	if (e == OK)
		e = done(seccomp_load(f));
	seccomp_release(f);
	return e;
}
