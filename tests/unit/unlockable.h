/*
 * unlockable.h - a while in which no memory can be locked.
 */
#ifndef HAVRE_TESTS_UNLOCKABLE_H
#define HAVRE_TESTS_UNLOCKABLE_H

/* cmocka.h is included before this. */

#include <sys/resource.h>
#include <unistd.h>

struct unlockable {
	struct rlimit before;
	uid_t user;
};

static inline void unlockable_begin(struct unlockable *u)
{
	struct rlimit none = {0};

	u->user = geteuid();
	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &u->before), 0);
	none.rlim_max = u->before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &none), 0);
	if (u->user == 0) /* root may lock without limit */
		assert_int_equal(seteuid(65534), 0);
}

static inline void unlockable_end(const struct unlockable *u)
{
	assert_int_equal(seteuid(u->user), 0);
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &u->before), 0);
}

#endif
