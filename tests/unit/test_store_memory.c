/* Goal: the faults that the memory store can inject, and the sharing map beneath it. */
#include "tests/unit/store_stack.h"

#include "services/common/store/omap.h"

static void put(struct txn *t, const char *key, const char *value)
{
	assert_int_equal(txn_put(t, 0, slice_str(key), slice_str(value)), OK);
}

static void expect(struct stack *k, const char *key, const char *value)
{
	struct txn *t = stack_read(k);
	struct slice v;
	enum err e = txn_get(t, 0, slice_str(key), &v);

	assert_int_equal(e, value ? OK : ERR_NOT_FOUND);
	assert_true(!value || slice_eq(v, slice_str(value)));
	txn_abort(&t);
}

static void a_failed_commit_changes_nothing(void **state)
{
	struct stack *k = *state;
	struct txn *t = stack_begin(k);

	put(t, "a", "1");
	stack_commit(k);
	store_memory_fail_next_commit(k->store, ERR_IO);
	t = stack_read(k);
	assert_int_equal(txn_commit(&t), OK); /* a reader's end is no commit */
	t = stack_begin(k);
	put(t, "a", "2");
	put(t, "b", "2");
	k->depth = 0;
	assert_int_equal(txn_commit(&k->txn[0]), ERR_IO);
	assert_null(k->txn[0]);
	expect(k, "a", "1");
	expect(k, "b", NULL);
	t = stack_begin(k);
	put(t, "a", "3");
	stack_commit(k);
	expect(k, "a", "3");
}

static void a_crash_forgets_what_is_open(void **state)
{
	struct stack *k = *state;
	struct txn *t = stack_begin(k);

	put(t, "a", "1");
	stack_commit(k);
	(void)stack_read(k);
	t = stack_begin(k);
	put(t, "a", "2");
	t = stack_push(k);
	put(t, "a", "3");
	t = stack_push(k);
	put(t, "b", "4");
	store_memory_fail_next_commit(k->store, ERR_IO);
	store_memory_crash(k->store);
	k->depth = 0;
	expect(k, "a", "1");
	expect(k, "b", NULL);
	t = stack_begin(k);
	put(t, "a", "5");
	stack_commit(k);
	expect(k, "a", "5");
	store_memory_crash(k->store);
	expect(k, "a", "5");
}

/* What is written to one map is not seen in its copy, at any size. */
static void copies_of_a_map_are_apart(void **state)
{
	struct omap m = {0}, copies[8] = {{0}};
	uint8_t key[8];
	size_t n = 0;

	(void)state;
	for (uint64_t i = 0; i < 800; i++) {
		if (i % 100 == 0)
			omap_copy(&m, &copies[i / 100]);
		be64_put(key, i * 0x9e3779b97f4a7c15);
		assert_int_equal(omap_set(&m, slice_of(key, 8), slice_of(&i, 8), 0), OK);
		be64_put(key, i / 3 * 0x9e3779b97f4a7c15);
		if (omap_remove(&m, slice_of(key, 8)) == OK)
			n++;
	}
	assert_int_equal(m.count, 800 - n);
	for (int c = 0; c < 8; c++) {
		const struct omap_entry *at = omap_next(&copies[c], (struct slice){0}, false);
		size_t seen = 0;

		for (; at; at = omap_next(&copies[c], at->key, true)) {
			uint64_t i;

			memcpy(&i, at->value.data, sizeof(i));
			assert_in_range(i, (c * 100 + 2) / 3, c * 100 - 1);
			seen++;
		}
		assert_int_equal(seen, copies[c].count);
		assert_int_equal(seen, c * 100 - (c * 100 + 2) / 3);
		omap_clear(&copies[c]);
	}
	omap_clear(&m);
	assert_null(m.root);
}

static int setup(void **state)
{
	static struct stack k;

	stack_open(&k, &stack_kinds[1]);
	*state = &k;
	return 0;
}

static int teardown(void **state)
{
	stack_close(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_failed_commit_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_crash_forgets_what_is_open, setup, teardown),
		cmocka_unit_test(copies_of_a_map_are_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
