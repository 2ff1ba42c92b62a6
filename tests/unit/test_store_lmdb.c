/*
 * Goal: the LMDB store can be read beside its writer, tells how full it is, and loses nothing that
 * was committed when it is full or a sync fails.
 */
#include "tests/unit/store_place.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static bool fail_sync;

/* Takes the place of the C library's. */
int fdatasync(int fd)
{
	if (fail_sync) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

static int child_counts_readonly(const struct place *p)
{
	struct store *s = NULL;
	struct txn *t = NULL;
	uint64_t n = 0;

	if (store_open_lmdb_readonly(p->store, &stack_layout, &s) != OK)
		return 200;
	if (store_begin(s, TXN_WRITE, &t) != ERR_INVALID)
		return 201;
	if (store_begin(s, TXN_READ, &t) != OK || txn_count(t, 0, &n) != OK)
		return 202;
	txn_abort(&t);
	store_free(&s);
	return (int)n;
}

static void a_reader_may_stand_beside(void **state)
{
	struct store *s = open_store(*state);

	assert_int_equal(write_one(s, "a", "1"), OK);
	assert_int_equal(write_one(s, "b", "1"), OK);
	assert_int_equal(in_child(child_counts_readonly, *state), 2);
	assert_int_equal(write_one(s, "c", "1"), OK);
	assert_int_equal(store_reap_readers(s), OK);
	store_free(&s);
	assert_int_equal(in_child(child_counts_readonly, *state), 3);
}

/* The owner of the store must be able to open it after root has looked into it. */
static void roots_look_leaves_no_file_of_root(void **state)
{
	const struct place *p = *state;
	char data[PATH_MAX], lock[PATH_MAX];
	struct store *s = open_store(*state);
	struct stat st;

	store_free(&s);
	snprintf(data, sizeof(data), "%s/data.mdb", p->store);
	snprintf(lock, sizeof(lock), "%s/lock.mdb", p->store);
	if (geteuid() != 0)
		return; /* nobody else can give a file away */
	assert_int_equal(chown(data, 65534, 65534), 0);
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(in_child(child_counts_readonly, *state), 0);
	assert_int_equal(stat(lock, &st), 0);
	assert_int_equal(st.st_uid, 65534);
}

static int child_dies_reading(const struct place *p)
{
	struct store *s = NULL;
	struct txn *t = NULL;

	if (store_open_lmdb_readonly(p->store, &stack_layout, &s) != OK)
		return 200;
	return store_begin(s, TXN_READ, &t);
}

/* Its snapshot would pin every page that is freed from then on. */
static void a_dead_reader_is_reaped(void **state)
{
	static const uint8_t value[100000];
	struct store *s = open_store(*state);
	struct txn *t = NULL;

	assert_int_equal(write_one(s, "a", "1"), OK);
	assert_int_equal(in_child(child_dies_reading, *state), OK);
	assert_int_equal(store_reap_readers(s), OK);
	for (int i = 0; i < 30; i++) {
		assert_int_equal(store_begin(s, TXN_WRITE, &t), OK);
		assert_int_equal(txn_put(t, 0, slice_str("a"), slice_of(value, sizeof(value))), OK);
		assert_int_equal(txn_commit(&t), OK);
	}
	store_free(&s);
}

/* Puts until one fails; through an overlay, merging fails. */
static enum err fill_up(struct store *s, bool overlaid)
{
	static const uint8_t value[3000];
	struct txn *t = NULL, *o = NULL;
	struct slice got;
	enum err e = OK;

	assert_int_equal(store_begin(s, TXN_WRITE, &t), OK);
	for (int i = 0; e == OK && i < 2000; i++) {
		struct key k = {0};

		key_u64(&k, (uint64_t)i);
		if (overlaid && !o)
			assert_int_equal(txn_begin_overlay(t, &o), OK);
		e = txn_put(o ? o : t, 1, key_slice(&k), slice_of(value, sizeof(value)));
		if (o && i % 10 == 9)
			e = txn_commit(&o);
	}
	assert_null(o);
	assert_int_equal(txn_get(t, 0, slice_str("a"), &got), e);
	assert_int_equal(txn_put(t, 0, slice_str("b"), slice_str("1")), e);
	assert_int_equal(txn_begin_overlay(t, &o), e);
	assert_int_equal(txn_commit(&t), e);
	assert_null(t);
	return e;
}

static void a_full_store_keeps_what_it_had(void **state)
{
	struct store *s = open_store(*state);
	struct txn *t = NULL;
	uint64_t n = 1;

	assert_int_equal(write_one(s, "a", "1"), OK);
	assert_int_equal(fill_up(s, false), ERR_FULL);
	assert_int_equal(fill_up(s, true), ERR_FULL);
	store_free(&s);
	s = open_store(*state);
	assert_int_equal(count(s), 1);
	assert_int_equal(store_begin(s, TXN_READ, &t), OK);
	assert_int_equal(txn_count(t, 1, &n), OK);
	assert_int_equal(n, 0);
	txn_abort(&t);
	assert_int_equal(write_one(s, "b", "1"), OK);
	store_free(&s);
}

static void fill_rises_and_falls(void **state)
{
	static const uint8_t value[100000];
	struct store *s = open_store(*state);
	struct txn *t = NULL;
	int empty = store_fill_percent(s), full;

	assert_in_range(empty, 0, 5);
	assert_int_equal(store_begin(s, TXN_WRITE, &t), OK);
	for (const char *c = "abcdefgh"; *c; c++)
		assert_int_equal(txn_put(t, 0, slice_of(c, 1), slice_of(value, sizeof(value))), OK);
	assert_int_equal(store_fill_percent(s), empty);
	assert_int_equal(txn_commit(&t), OK);
	full = store_fill_percent(s);
	assert_in_range(full, 75, 85);
	assert_int_equal(store_begin(s, TXN_WRITE, &t), OK);
	for (const char *c = "abcdefgh"; *c; c++)
		assert_int_equal(txn_delete(t, 0, slice_of(c, 1)), OK);
	assert_int_equal(txn_commit(&t), OK);
	assert_in_range(store_fill_percent(s), 0, 5);
	store_free(&s);
}

static void after_a_failed_sync_nothing_is_written(void **state)
{
	struct store *s = open_store(*state);
	struct txn *t = NULL;

	assert_int_equal(write_one(s, "a", "1"), OK);
	fail_sync = true;
	assert_int_equal(write_one(s, "b", "1"), ERR_IO);
	fail_sync = false;
	assert_int_equal(store_begin(s, TXN_WRITE, &t), ERR_IO);
	assert_null(t);
	assert_int_equal(store_begin(s, TXN_WRITE, &t), ERR_IO);
	assert_int_equal(count(s), 1);
	store_free(&s);
	s = open_store(*state);
	assert_int_equal(count(s), 1);
	assert_int_equal(write_one(s, "b", "1"), OK);
	store_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_TEST(a_reader_may_stand_beside),
		PLACE_TEST(roots_look_leaves_no_file_of_root),
		PLACE_TEST(a_dead_reader_is_reaped),
		PLACE_TEST(a_full_store_keeps_what_it_had),
		PLACE_TEST(fill_rises_and_falls),
		PLACE_TEST(after_a_failed_sync_nothing_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
