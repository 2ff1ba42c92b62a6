/* Goal: the broker's log gives the roots and proofs of RFC 6962 at every size, also after it was
 * closed and opened again, and its proofs convince proto/merkle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "broker/log.h"
#include "broker/tables.h"
#include "tests/unit/naive_tree.h"

#define LEAVES 70

struct state {
	struct store *store;
	naive_hash leaves[LEAVES];
};

static int setup(void **state)
{
	struct state *s = calloc(1, sizeof *s);

	assert_non_null(s);
	assert_int_equal(store_open_memory(&broker_layout, &s->store), OK);
	for (uint64_t i = 0; i < LEAVES; i++)
		merkle_leaf(slice_of(&i, sizeof i), s->leaves[i]);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct state *s = *state;

	store_free(&s->store);
	free(s);
	return 0;
}

static void append_from(struct txn *t, const struct state *s, uint64_t first, uint64_t end)
{
	for (uint64_t i = first; i < end; i++)
		assert_int_equal(tree_append(t, i, s->leaves[i]), OK);
}

static void check_roots(struct txn *t, const struct state *s, uint64_t size)
{
	uint8_t root[HASH_LEN], naive[HASH_LEN];

	for (uint64_t n = 0; n <= size; n++) {
		assert_int_equal(tree_root(t, n, root), OK);
		naive_root(s->leaves, n, naive);
		assert_memory_equal(root, naive, HASH_LEN);
	}
}

static void roots_are_those_of_the_naive_tree(void **state)
{
	struct state *s = *state;
	struct txn *t;
	uint64_t size;

	assert_int_equal(store_begin(s->store, TXN_WRITE, &t), OK);
	for (uint64_t n = 0; n < LEAVES; n++) {
		assert_int_equal(tree_size(t, &size), OK);
		assert_int_equal(size, n);
		append_from(t, s, n, n + 1);
		check_roots(t, s, n + 1);
	}
	txn_abort(&t);
}

static void check_inclusion(struct txn *t, const struct state *s, uint64_t index, uint64_t size)
{
	naive_hash path[PROOF_MOST];
	uint8_t root[HASH_LEN], reached[HASH_LEN];
	struct tree_proof p;
	size_t n = 0;

	assert_int_equal(tree_inclusion(t, index, size, &p), OK);
	naive_path(s->leaves, size, index, path, &n);
	assert_int_equal(p.n, n);
	assert_memory_equal(p.hash, path, n * HASH_LEN);
	assert_int_equal(tree_root(t, size, root), OK);
	assert_int_equal(merkle_root_from_path(s->leaves[index], index, size,
				 (const uint8_t(*)[HASH_LEN])p.hash, p.n, reached),
		OK);
	assert_memory_equal(root, reached, HASH_LEN);
}

static void every_leaf_is_proved_in_every_tree(void **state)
{
	struct state *s = *state;
	struct tree_proof p;
	struct txn *t;

	assert_int_equal(store_begin(s->store, TXN_WRITE, &t), OK);
	append_from(t, s, 0, LEAVES);
	for (uint64_t size = 1; size <= LEAVES; size++)
		for (uint64_t index = 0; index < size; index++)
			check_inclusion(t, s, index, size);
	assert_int_equal(tree_inclusion(t, 5, 5, &p), ERR_INVALID);
	assert_int_equal(tree_inclusion(t, 0, LEAVES + 1, &p), ERR_CORRUPT);
	txn_abort(&t);
}

static void check_consistency(struct txn *t, const struct state *s, uint64_t m, uint64_t n)
{
	naive_hash proof[PROOF_MOST];
	uint8_t before[HASH_LEN], after[HASH_LEN];
	struct tree_proof p;
	size_t len = 0;

	assert_int_equal(tree_consistency(t, m, n, &p), OK);
	naive_proof(s->leaves, n, m, true, proof, &len);
	assert_int_equal(p.n, len);
	assert_memory_equal(p.hash, proof, len * HASH_LEN);
	assert_int_equal(tree_root(t, m, before), OK);
	assert_int_equal(tree_root(t, n, after), OK);
	assert_int_equal(merkle_check_consistency(
				 m, before, n, after, (const uint8_t(*)[HASH_LEN])p.hash, p.n),
		OK);
	after[0] ^= 1;
	assert_int_not_equal(merkle_check_consistency(
				     m, before, n, after, (const uint8_t(*)[HASH_LEN])p.hash, p.n),
		OK);
}

static void every_tree_continues_every_older_one(void **state)
{
	struct state *s = *state;
	struct tree_proof p;
	struct txn *t;

	assert_int_equal(store_begin(s->store, TXN_WRITE, &t), OK);
	append_from(t, s, 0, LEAVES);
	for (uint64_t n = 1; n <= LEAVES; n++)
		for (uint64_t m = 1; m <= n; m++)
			check_consistency(t, s, m, n);
	assert_int_equal(tree_consistency(t, 0, LEAVES, &p), OK);
	assert_int_equal(p.n, 0);
	assert_int_equal(tree_consistency(t, 3, 2, &p), ERR_INVALID);
	txn_abort(&t);
}

static void a_log_on_disk_goes_on_where_it_was(void **state)
{
	const struct state *s = *state;
	char folder[] = "/tmp/havre-log-XXXXXX", path[64], command[96];
	struct store *store;
	struct txn *t;
	uint64_t size;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/store", folder);
	for (uint64_t n = 0; n < LEAVES; n += 7) {
		assert_int_equal(store_open_lmdb(path, &broker_layout, 16 << 20, &store), OK);
		assert_int_equal(store_begin(store, TXN_WRITE, &t), OK);
		assert_int_equal(tree_size(t, &size), OK);
		assert_int_equal(size, n);
		append_from(t, s, n, n + 7);
		check_roots(t, s, n + 7);
		assert_int_equal(txn_commit(&t), OK);
		store_free(&store);
	}
	snprintf(command, sizeof command, "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

static void a_missing_node_is_noticed(void **state)
{
	struct state *s = *state;
	uint8_t root[HASH_LEN];
	struct key k = {0};
	struct txn *t;

	assert_int_equal(store_begin(s->store, TXN_WRITE, &t), OK);
	append_from(t, s, 0, 4);
	key_u8(&k, 1);
	key_u64(&k, 1);
	assert_int_equal(txn_delete(t, TABLE_TREE, key_slice(&k)), OK);
	assert_int_equal(tree_root(t, 4, root), OK); /* the node above it is there */
	assert_int_equal(tree_inclusion(t, 0, 4, &(struct tree_proof){.n = 0}), ERR_CORRUPT);
	txn_abort(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(roots_are_those_of_the_naive_tree, setup, teardown),
		cmocka_unit_test_setup_teardown(
			every_leaf_is_proved_in_every_tree, setup, teardown),
		cmocka_unit_test_setup_teardown(
			every_tree_continues_every_older_one, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_log_on_disk_goes_on_where_it_was, setup, teardown),
		cmocka_unit_test_setup_teardown(a_missing_node_is_noticed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
