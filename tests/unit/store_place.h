/*
 * store_place.h - an LMDB store in a folder of its own, and processes that open it. For the tests
 * of the LMDB store.
 */
#ifndef HAVRE_TEST_STORE_PLACE_H
#define HAVRE_TEST_STORE_PLACE_H

#include <sys/wait.h>

#include "tests/unit/store_stack.h"

struct place {
	char folder[32], store[48], data[64], temporary[64];
};

static const size_t megabyte = (size_t)1 << 20;

static inline enum err try_open(const struct place *p, struct store **ret)
{
	return store_open_lmdb(p->store, &stack_layout, megabyte, ret);
}

static inline struct store *open_store(const struct place *p)
{
	struct store *s = NULL;

	assert_int_equal(try_open(p, &s), OK);
	return s;
}

static inline enum err write_one(struct store *s, const char *key, const char *value)
{
	struct txn *t = NULL;

	TRY(store_begin(s, TXN_WRITE, &t));
	assert_int_equal(txn_put(t, 0, slice_str(key), slice_str(value)), OK);
	return txn_commit(&t);
}

static inline uint64_t count(struct store *s)
{
	struct txn *t = NULL;
	uint64_t n = 0;

	assert_int_equal(store_begin(s, TXN_READ, &t), OK);
	assert_int_equal(txn_count(t, 0, &n), OK);
	txn_abort(&t);
	return n;
}

/* Runs `child` in a process of its own and gives its exit code. */
static inline int in_child(int (*child)(const struct place *p), const struct place *p)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(child(p));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static inline int place_setup(void **state)
{
	static struct place p;

	snprintf(p.folder, sizeof(p.folder), "/tmp/havre-store-XXXXXX");
	if (!mkdtemp(p.folder))
		return -1;
	snprintf(p.store, sizeof(p.store), "%s/store", p.folder);
	snprintf(p.data, sizeof(p.data), "%s/data.mdb", p.store);
	snprintf(p.temporary, sizeof(p.temporary), "%s.new", p.store);
	*state = &p;
	return 0;
}

static inline int place_teardown(void **state)
{
	stack_remove_folder(((struct place *)*state)->folder);
	return 0;
}

/* A row of the list of tests. */
#define PLACE_TEST(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

#endif
