/* Goal: all backends of the store keep the promises of services/common/store/store.h, all in the
 * same way. Every test runs over every kind of transaction (store_stack.h). */
#include "tests/unit/store_stack.h"

static struct slice S(const char *s) {
	return slice_str(s);
}

static void
put(struct txn *t, int table, const char *key, const char *value)
{
	assert_int_equal(txn_put(t, table, S(key), S(value)), OK);
}

static void expect(struct txn *t, int table, const char *key, const char *value)
{
	struct slice v;

	assert_int_equal(txn_get(t, table, S(key), &v), OK);
	assert_true(slice_eq(v, S(value)));
}

static void expect_none(struct txn *t, int table, const char *key)
{
	struct slice v = S("untouched");

	assert_int_equal(txn_get(t, table, S(key), &v), ERR_NOT_FOUND);
	assert_true(slice_eq(v, S("untouched")));
}

/* All keys of the first table in order, read in both directions. */
static void expect_keys(struct txn *t, const char *const *keys, int n)
{
	struct slice at = {0}, value;
	uint64_t count = 0;

	for (int i = 0; i < n; i++) {
		assert_int_equal(txn_next(t, 0, at, true, &at, &value), OK);
		assert_true(slice_eq(at, S(keys[i])));
	}
	assert_int_equal(txn_next(t, 0, at, n > 0, &at, &value), ERR_NOT_FOUND);
	at = (struct slice){0};
	for (int i = n; i-- > 0;) {
		assert_int_equal(txn_prev(t, 0, at, &at, &value), OK);
		assert_true(slice_eq(at, S(keys[i])));
	}
	assert_int_equal(txn_count(t, 0, &count), OK);
	assert_int_equal(count, n);
}

static void writes_are_read_back(void **state)
{
	struct txn *t = stack_begin(*state);

	expect_none(t, 0, "a");
	assert_int_equal(txn_delete(t, 0, S("a")), ERR_NOT_FOUND);
	put(t, 0, "a", "1");
	put(t, 0, "empty", "");
	put(t, 1, "a", "other table");
	expect(t, 0, "a", "1");
	expect(t, 0, "empty", "");
	expect(t, 1, "a", "other table");
	expect_none(t, 2, "a");
	put(t, 0, "a", "a longer value in its place");
	expect(t, 0, "a", "a longer value in its place");
	assert_int_equal(txn_delete(t, 0, S("a")), OK);
	expect_none(t, 0, "a");
	assert_int_equal(txn_delete(t, 0, S("a")), ERR_NOT_FOUND);
	expect(t, 1, "a", "other table");
}

static void commit_keeps_and_abort_forgets(void **state)
{
	struct stack *k = *state;
	struct txn *t = stack_begin(k), *r;

	put(t, 0, "keep", "1");
	put(t, 0, "drop", "1");
	stack_commit(k);
	t = stack_begin(k);
	put(t, 0, "keep", "2");
	put(t, 0, "new", "2");
	assert_int_equal(txn_delete(t, 0, S("drop")), OK);
	stack_abort_to(k, 0);
	r = stack_read(k);
	expect(r, 0, "keep", "1");
	expect(r, 0, "drop", "1");
	expect_none(r, 0, "new");
	txn_abort(&r);
	assert_null(r);
	txn_abort(&r);

	t = stack_begin(k);
	put(t, 0, "keep", "3");
	assert_int_equal(txn_delete(t, 0, S("drop")), OK);
	stack_commit(k);
	r = stack_read(k);
	expect(r, 0, "keep", "3");
	expect_none(r, 0, "drop");
	assert_int_equal(txn_commit(&r), OK);
	assert_null(r);
}

static void sizes_have_limits(void **state)
{
	const size_t max = (size_t)16 << 20;
	uint8_t *big = test_calloc(1, max + 1), key[512] = {1};
	struct txn *t = stack_begin(*state);
	struct key bad = {.bad = true};
	struct slice k, v;

	assert_int_equal(txn_put(t, 0, S(""), S("v")), ERR_INVALID);
	assert_int_equal(txn_put(t, 0, slice_of(key, 512), S("v")), ERR_INVALID);
	assert_int_equal(txn_put(t, 0, key_slice(&bad), S("v")), ERR_INVALID);
	assert_int_equal(txn_append(t, 0, S(""), S("v")), ERR_INVALID);
	assert_int_equal(txn_get(t, 0, S(""), &v), ERR_INVALID);
	assert_int_equal(txn_delete(t, 0, slice_of(key, 512)), ERR_INVALID);
	assert_int_equal(txn_next(t, 0, slice_of(key, 512), false, &k, &v), ERR_INVALID);
	assert_int_equal(txn_prev(t, 0, key_slice(&bad), &k, &v), ERR_INVALID);
	assert_int_equal(txn_put(t, -1, S("k"), S("v")), ERR_INVALID);
	assert_int_equal(txn_put(t, STACK_TABLES, S("k"), S("v")), ERR_INVALID);

	big[max - 1] = 9;
	assert_int_equal(txn_put(t, 0, S("k"), slice_of(big, max + 1)), ERR_INVALID);
	assert_int_equal(txn_append(t, 0, S("k"), slice_of(big, max + 1)), ERR_INVALID);
	assert_int_equal(txn_put(t, 0, slice_of(key, 511), slice_of(big, max)), OK);
	stack_commit(*state);
	t = stack_read(*state);
	assert_int_equal(txn_get(t, 0, slice_of(key, 511), &v), OK);
	assert_true(slice_eq(v, slice_of(big, max)));
	txn_abort(&t);
	test_free(big);
}

static void append_only_goes_up(void **state)
{
	static const char *const keys[] = {"a", "b", "ba", "c"};
	struct txn *t = stack_begin(*state);

	assert_int_equal(txn_append(t, 0, S("a"), S("1")), OK);
	assert_int_equal(txn_append(t, 0, S("b"), S("2")), OK);
	stack_commit(*state);
	t = stack_begin(*state);
	assert_int_equal(txn_append(t, 0, S("b"), S("x")), ERR_EXISTS);
	assert_int_equal(txn_append(t, 0, S("aa"), S("x")), ERR_EXISTS);
	assert_int_equal(txn_append(t, 0, S("ba"), S("3")), OK);
	assert_int_equal(txn_append(t, 0, S("b"), S("x")), ERR_EXISTS);
	assert_int_equal(txn_append(t, 1, S("a"), S("other table")), OK);
	put(t, 0, "c", "4");
	assert_int_equal(txn_append(t, 0, S("bb"), S("x")), ERR_EXISTS);
	expect_keys(t, keys, 4);
	expect(t, 0, "b", "2");
	stack_commit(*state);
	t = stack_read(*state);
	expect_keys(t, keys, 4);
	txn_abort(&t);
}

/* The last key is gone, a smaller one is appended, and the last comes back. */
static void append_below_what_comes_back(void **state)
{
	static const char *const keys[] = {"a", "m", "z"};
	struct txn *t = stack_begin(*state);

	put(t, 0, "a", "1");
	put(t, 0, "z", "1");
	stack_commit(*state);
	t = stack_begin(*state);
	assert_int_equal(txn_delete(t, 0, S("z")), OK);
	assert_int_equal(txn_append(t, 0, S("m"), S("2")), OK);
	put(t, 0, "z", "3");
	stack_commit(*state);
	t = stack_read(*state);
	expect_keys(t, keys, 3);
	expect(t, 0, "z", "3");
	txn_abort(&t);
}

static void scans_find_the_neighbours(void **state)
{
	static const char *const keys[] = {"\x01", "a", "aa", "b", "\x7f", "\x80", "\xff\xff"};
	static const struct {
		const char *at, *same_or_after, *after, *before;
	} rows[] = {
		{"", "\x01", "\x01", "\xff\xff"},
		{"\x01", "\x01", "a", NULL},
		{"Z", "a", "a", "\x01"},
		{"a", "a", "aa", "\x01"},
		{"a\x01", "aa", "aa", "a"},
		{"\x7f", "\x7f", "\x80", "b"},
		{"\xff\xff", "\xff\xff", NULL, "\x80"},
		{"\xff\xff\x01", NULL, NULL, "\xff\xff"},
	};
	struct txn *t = stack_begin(*state);
	struct slice k, v;

	expect_keys(t, NULL, 0);
	for (int i = 0; i < 7; i++) /* in mixed order */
		put(t, 0, keys[i * 3 % 7], keys[i * 3 % 7]);
	expect_keys(t, keys, 7);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *const want[] = {rows[i].same_or_after, rows[i].after, rows[i].before};

		for (int way = 0; way < 3; way++) {
			enum err e = way == 2 ? txn_prev(t, 0, S(rows[i].at), &k, &v)
					      : txn_next(t, 0, S(rows[i].at), way, &k, &v);

			assert_int_equal(e, want[way] ? OK : ERR_NOT_FOUND);
			assert_true(e != OK || slice_eq(k, S(want[way])));
			assert_true(e != OK || slice_eq(v, k));
		}
	}
}

struct visit {
	struct txn *t;
	int seen, stop_at;
};

static enum err delete_seen(void *arg, struct slice key, struct slice value)
{
	struct visit *v = arg;

	assert_true(slice_eq(key, value));
	if (++v->seen == v->stop_at)
		return ERR_WAIT;
	return txn_delete(v->t, 0, key);
}

static void each_walks_a_prefix(void **state)
{
	static const char *const keys[] = {"a", "b", "b\x01", "bb", "b\xff", "c"};
	static const char *const left[] = {"a", "bb", "b\xff", "c"};
	static const char *const ends[] = {"a", "c"};
	struct txn *t = stack_begin(*state);
	struct visit v = {t, 0, 3};

	assert_int_equal(txn_each(t, 0, S("b"), delete_seen, &v), OK);
	for (int i = 0; i < 6; i++)
		put(t, 0, keys[i], keys[i]);
	stack_commit(*state);
	v.t = t = stack_begin(*state);
	assert_int_equal(txn_each(t, 0, S("b"), delete_seen, &v), ERR_WAIT);
	assert_int_equal(v.seen, 3);
	expect_keys(t, left, 4);
	v = (struct visit){t, 0, 0};
	assert_int_equal(txn_each(t, 0, S("b"), delete_seen, &v), OK);
	assert_int_equal(v.seen, 2);
	expect_keys(t, ends, 2);
	v = (struct visit){t, 0, 0};
	assert_int_equal(txn_each(t, 0, S(""), delete_seen, &v), OK);
	assert_int_equal(v.seen, 2);
	expect_keys(t, NULL, 0);
}

static void a_reader_keeps_its_snapshot(void **state)
{
	struct txn *t = stack_begin(*state), *before = stack_read(*state), *between;
	struct slice kept;

	put(t, 0, "a", "1");
	expect_none(before, 0, "a");
	stack_commit(*state);
	expect_none(before, 0, "a");
	between = stack_read(*state);
	assert_int_equal(txn_get(between, 0, S("a"), &kept), OK);
	for (const char *round = "2345678"; *round; round++) {
		t = stack_begin(*state);
		put(t, 0, "a", (char[]){*round, 0});
		put(t, 0, "b", "new");
		stack_commit(*state);
	}
	assert_true(slice_eq(kept, S("1")));
	expect_none(between, 0, "b");
	expect_keys(before, NULL, 0);
	txn_abort(&before);
	txn_abort(&between);
	between = stack_read(*state);
	expect(between, 0, "a", "8");
	txn_abort(&between);
}

static void only_one_writes(void **state)
{
	struct stack *k = *state;
	struct txn *second = NULL, *r = stack_read(k);
	struct slice v;

	assert_int_equal(txn_put(r, 0, S("a"), S("1")), ERR_INVALID);
	assert_int_equal(txn_append(r, 0, S("a"), S("1")), ERR_INVALID);
	assert_int_equal(txn_delete(r, 0, S("a")), ERR_INVALID);
	assert_int_equal(txn_begin_overlay(r, &second), ERR_INVALID);
	assert_int_equal(txn_get(r, 0, S("a"), &v), ERR_NOT_FOUND);
	txn_abort(&r);
	stack_begin(k);
	assert_int_equal(store_begin(k->store, TXN_WRITE, &second), ERR_BUSY);
	assert_null(second);
	stack_commit(k);
	stack_begin(k);
}

/* What was read may be written elsewhere, though pages move meanwhile. */
static void a_value_may_be_copied_within(void **state)
{
	struct txn *t = stack_begin(*state);
	uint8_t value[700];
	struct slice v;

	for (size_t i = 0; i < sizeof(value); i++)
		value[i] = (uint8_t)(i * 7);
	put(t, 0, "grows", "x");
	assert_int_equal(txn_put(t, 0, S("m"), slice_of(value, sizeof(value))), OK);
	assert_int_equal(txn_get(t, 0, S("m"), &v), OK);
	assert_int_equal(txn_put(t, 0, S("grows"), v), OK);
	assert_int_equal(txn_get(t, 0, S("grows"), &v), OK);
	assert_true(slice_eq(v, slice_of(value, sizeof(value))));
	for (int i = 0; i < 300; i++) {
		struct key k = {0};

		key_u8(&k, i % 2 ? 'a' : 'z');
		key_u64(&k, (uint64_t)(300 - i));
		assert_int_equal(txn_get(t, 0, S("m"), &v), OK);
		assert_int_equal(txn_put(t, 0, key_slice(&k), v), OK);
		assert_int_equal(txn_get(t, 0, key_slice(&k), &v), OK);
		assert_true(slice_eq(v, slice_of(value, sizeof(value))));
		assert_int_equal(txn_put(t, 0, S("m"), v), OK);
	}
}

static void an_overlay_is_undone_alone(void **state)
{
	static const char *const keys[] = {"b", "c", "d"};
	struct stack *k = *state;
	struct txn *t = stack_begin(k), *o;
	int depth = k->depth;

	put(t, 0, "a", "1");
	put(t, 0, "b", "1");
	o = stack_push(k);
	put(o, 0, "x", "2");
	assert_int_equal(txn_delete(o, 0, S("b")), OK);
	expect_none(o, 0, "b");
	expect(o, 0, "a", "1");
	stack_abort_to(k, depth);
	expect(t, 0, "b", "1");
	expect_none(t, 0, "x");
	o = stack_push(k);
	assert_int_equal(txn_delete(o, 0, S("a")), OK);
	put(o, 0, "b", "3");
	put(o, 0, "c", "3");
	assert_int_equal(txn_append(o, 0, S("d"), S("3")), OK);
	put(o, 0, "gone", "3");
	assert_int_equal(txn_delete(o, 0, S("gone")), OK);
	expect_keys(o, keys, 3);
	stack_commit_to(k, depth);
	expect_keys(t, keys, 3);
	stack_commit(k);
	t = stack_read(k);
	expect_keys(t, keys, 3);
	expect(t, 0, "b", "3");
	txn_abort(&t);
}

static int setup(void **state)
{
	struct stack *k = malloc(sizeof(*k));

	if (!k)
		return -1;
	stack_open(k, *state);
	*state = k;
	return 0;
}

static int teardown(void **state)
{
	stack_close(*state);
	free(*state);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest each[] = {
		cmocka_unit_test(writes_are_read_back),
		cmocka_unit_test(commit_keeps_and_abort_forgets),
		cmocka_unit_test(sizes_have_limits),
		cmocka_unit_test(append_only_goes_up),
		cmocka_unit_test(append_below_what_comes_back),
		cmocka_unit_test(scans_find_the_neighbours),
		cmocka_unit_test(each_walks_a_prefix),
		cmocka_unit_test(a_reader_keeps_its_snapshot),
		cmocka_unit_test(only_one_writes),
		cmocka_unit_test(a_value_may_be_copied_within),
		cmocka_unit_test(an_overlay_is_undone_alone),
	};
	enum { N = sizeof(each) / sizeof(each[0]) };
	struct CMUnitTest tests[N];
	int failed = 0;

	for (int kind = 0; kind < STACK_KINDS; kind++) {
		for (int i = 0; i < N; i++) {
			tests[i] = each[i];
			tests[i].setup_func = setup;
			tests[i].teardown_func = teardown;
			tests[i].initial_state = (void *)&stack_kinds[kind];
		}
		failed += cmocka_run_group_tests_name(stack_kinds[kind].name, tests, NULL, NULL);
	}
	return failed;
}
