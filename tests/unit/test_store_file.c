/*
 * Goal: a file that lost its end is called damaged and does not end the process; one whose last
 * pages are free is not; a copy holds what was committed, and nobody writes over one.
 */
#include "tests/unit/store_place.h"

#include <sys/stat.h>

#define ROWS 200

static off_t length(const struct place *p)
{
	struct stat st;

	assert_int_equal(stat(p->data, &st), 0);
	return st.st_size;
}

static void fill(struct store *s, int from, int to)
{
	static const uint8_t value[3000];
	struct txn *t = NULL;

	assert_int_equal(store_begin(s, TXN_WRITE, &t), OK);
	for (int i = from; i < to; i++) {
		struct key k = {0};

		key_u64(&k, (uint64_t)i);
		assert_int_equal(txn_put(t, 0, key_slice(&k), slice_of(value, sizeof(value))), OK);
	}
	assert_int_equal(txn_commit(&t), OK);
}

static void a_file_that_lost_its_end_is_damaged(void **state)
{
	const struct place *p = *state;
	struct store *s = open_store(p);
	off_t whole;

	fill(s, 0, ROWS);
	store_free(&s);
	whole = length(p);
	for (off_t cut = 4096; cut < whole - 2 * 4096; cut += 64 * 4096) {
		off_t left = whole - cut;

		assert_int_equal(truncate(p->data, left), 0);
		assert_int_equal(try_open(p, &s), ERR_CORRUPT);
		assert_int_equal(
			store_open_lmdb_readonly(p->store, &stack_layout, &s), ERR_CORRUPT);
		assert_int_equal(length(p), left); /* it stays to be seen */
	}
}

/* What is found first is at the front, and whole. */
static void rows_at_the_end_may_not_be_missing(void **state)
{
	const struct place *p = *state;
	struct store *s = open_store(p);
	struct txn *t = NULL;

	fill(s, 0, ROWS);
	assert_int_equal(store_begin(s, TXN_WRITE, &t), OK);
	for (int i = 0; i < ROWS / 2; i++) {
		struct key k = {0};

		key_u64(&k, (uint64_t)i);
		assert_int_equal(txn_delete(t, 0, key_slice(&k)), OK);
	}
	assert_int_equal(txn_commit(&t), OK);
	for (int i = 0; i < 4; i++)
		assert_int_equal(write_one(s, "a", "1"), OK);
	store_free(&s);
	assert_int_equal(truncate(p->data, length(p) - 16 * 4096), 0);
	assert_int_equal(try_open(p, &s), ERR_CORRUPT);
}

/* LMDB does not write free pages at the end of the file. */
static void free_pages_at_the_end_may_be_missing(void **state)
{
	const struct place *p = *state;
	struct store *s = open_store(p);
	struct txn *t = NULL;
	off_t whole;

	fill(s, 0, ROWS);
	assert_int_equal(store_begin(s, TXN_WRITE, &t), OK);
	for (int i = 0; i < ROWS; i++) {
		struct key k = {0};

		key_u64(&k, (uint64_t)i);
		assert_int_equal(txn_delete(t, 0, key_slice(&k)), OK);
	}
	assert_int_equal(txn_commit(&t), OK);
	for (int i = 0; i < 4; i++) /* what is in use moves to the front */
		assert_int_equal(write_one(s, "a", "1"), OK);
	store_free(&s);
	whole = length(p);
	assert_int_equal(truncate(p->data, whole - 4096), 0);
	s = open_store(p);
	assert_int_equal(count(s), 1);
	assert_int_equal(length(p), whole);
	store_free(&s);
}

static void a_copy_holds_what_was_committed(void **state)
{
	const struct place *p = *state;
	struct store *s = open_store(p), *copy = NULL;
	struct txn *t = NULL;
	char to[256];

	snprintf(to, sizeof(to), "%s/copy", p->folder);
	fill(s, 0, ROWS);
	assert_int_equal(store_begin(s, TXN_WRITE, &t), OK); /* somebody writes meanwhile */
	assert_int_equal(txn_put(t, 0, slice_str("new"), slice_str("1")), OK);
	assert_int_equal(store_copy(s, to), OK);
	assert_int_equal(store_copy(s, to), ERR_EXISTS);
	assert_int_equal(txn_commit(&t), OK);
	assert_int_equal(store_open_lmdb_readonly(to, &stack_layout, &copy), OK);
	assert_int_equal(count(copy), ROWS);
	assert_int_equal(count(s), ROWS + 1);
	store_free(&copy);
	store_free(&s);
	assert_int_equal(store_open_memory(&stack_layout, &s), OK);
	assert_int_equal(store_copy(s, to), ERR_INVALID);
	store_free(&s);
	stack_remove_folder(to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_TEST(a_file_that_lost_its_end_is_damaged),
		PLACE_TEST(rows_at_the_end_may_not_be_missing),
		PLACE_TEST(free_pages_at_the_end_may_be_missing),
		PLACE_TEST(a_copy_holds_what_was_committed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
