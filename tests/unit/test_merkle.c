/* Goal: proto/merkle.h gives RFC 6962's roots and accepts right proofs and no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "proto/merkle.h"

#include "naive_tree.h"

#define MOST 40

static naive_hash leaves[MOST], roots[MOST + 1];

static int make_trees(void **state)
{
	(void)state;
	for (uint8_t i = 0; i < MOST; i++)
		merkle_leaf(slice_of(&i, 1), leaves[i]);
	for (uint64_t n = 0; n <= MOST; n++)
		naive_root(leaves, n, roots[n]);
	return sodium_init() < 0;
}

/* The eight inputs and their roots that Certificate Transparency's own tests use. */
static void the_known_roots(void **state)
{
	static const char *const inputs[] = {"", "00", "10", "2021", "3031", "40414243",
		"5051525354555657", "606162636465666768696a6b6c6d6e6f"};
	static const char *const known[] = {
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
	naive_hash known_leaves[8], root;

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		uint8_t bytes[16], expected[32];
		size_t len = strlen(inputs[i]) / 2, n = 0;
		naive_hash path[PROOF_MOST];

		assert_int_equal(hex_decode(bytes, len, inputs[i]), OK);
		assert_int_equal(hex_decode(expected, 32, known[i]), OK);
		merkle_leaf(slice_of(bytes, len), known_leaves[i]);
		naive_root(known_leaves, i + 1, root);
		assert_memory_equal(root, expected, 32);
		naive_path(known_leaves, i + 1, i, path, &n);
		assert_int_equal(
			merkle_root_from_path(known_leaves[i], i, i + 1, path, n, root), OK);
		assert_memory_equal(root, expected, 32);
	}
}

static void every_leaf_leads_to_the_root_by_its_path_only(void **state)
{
	(void)state;
	for (uint64_t size = 1; size <= MOST; size++)
		for (uint64_t at = 0; at < size; at++) {
			naive_hash path[PROOF_MOST + 1] = {{0}}, root, kept = {7};
			size_t n = 0;

			naive_path(leaves, size, at, path, &n);
			assert_int_equal(
				merkle_root_from_path(leaves[at], at, size, path, n, root), OK);
			assert_memory_equal(root, roots[size], 32);
			/* too short, too long: untouched */
			if (n)
				assert_int_equal(merkle_root_from_path(
							 leaves[at], at, size, path, n - 1, kept),
					ERR_INVALID);
			assert_int_equal(
				merkle_root_from_path(leaves[at], at, size, path, n + 1, kept),
				ERR_INVALID);
			assert_int_equal(kept[0], 7);
			/* each node counts */
			for (size_t i = 0; i < n; i++) {
				path[i][5] ^= 1;
				assert_int_equal(
					merkle_root_from_path(leaves[at], at, size, path, n, root),
					OK);
				assert_memory_not_equal(root, roots[size], 32);
				path[i][5] ^= 1;
			}
		}
}

static void another_place_gives_another_root(void **state)
{
	(void)state;
	for (uint64_t size = 2; size <= MOST; size++)
		for (uint64_t at = 0; at < size; at++)
			for (uint64_t wrong = 0; wrong < size + 3; wrong++) {
				naive_hash path[PROOF_MOST], root;
				size_t n = 0;

				naive_path(leaves, size, at, path, &n);
				if (wrong != at && merkle_root_from_path(leaves[at], wrong, size,
							   path, n, root) == OK)
					assert_memory_not_equal(root, roots[size], 32);
			}
	assert_int_equal(merkle_root_from_path(leaves[0], 0, 0, NULL, 0, roots[0]), ERR_INVALID);
}

static void growth_is_proved_for_all_pairs(void **state)
{
	(void)state;
	for (uint64_t new = 0; new <= MOST; new ++)
		for (uint64_t old = 0; old <= new; old++) {
			naive_hash proof[PROOF_MOST] = {{0}};
			size_t n = 0;

			if (old)
				naive_proof(leaves, new, old, true, proof, &n);
			assert_int_equal(merkle_check_consistency(
						 old, roots[old], new, roots[new], proof, n),
				OK);
			/* one node more */
			assert_int_equal(merkle_check_consistency(
						 old, roots[old], new, roots[new], proof, n + 1),
				ERR_BAD_SIGNATURE);
		}
}

static void check_broken(uint64_t old, uint64_t new, naive_hash *proof, size_t n)
{
	naive_hash wrong_old, wrong_new;

	memcpy(wrong_old, roots[old], 32);
	memcpy(wrong_new, roots[new], 32);
	wrong_old[0] ^= 1;
	wrong_new[0] ^= 1;
	assert_int_equal(merkle_check_consistency(old, wrong_old, new, roots[new], proof, n),
		ERR_BAD_SIGNATURE);
	assert_int_equal(merkle_check_consistency(old, roots[old], new, wrong_new, proof, n),
		ERR_BAD_SIGNATURE);
	if (n)
		assert_int_equal(
			merkle_check_consistency(old, roots[old], new, roots[new], proof, n - 1),
			ERR_BAD_SIGNATURE);
	for (size_t i = 0; i < n; i++) {
		proof[i][31] ^= 0x80;
		assert_int_equal(
			merkle_check_consistency(old, roots[old], new, roots[new], proof, n),
			ERR_BAD_SIGNATURE);
		proof[i][31] ^= 0x80;
	}
	for (uint64_t other = 1; other <= MOST; other++)
		if (other != old)
			assert_int_equal(merkle_check_consistency(
						 other, roots[old], new, roots[new], proof, n),
				ERR_BAD_SIGNATURE);
}

static void a_broken_proof_of_growth_is_refused(void **state)
{
	(void)state;
	for (uint64_t new = 1; new <= MOST; new ++)
		for (uint64_t old = 1; old <= new; old++) {
			naive_hash proof[PROOF_MOST] = {{0}};
			size_t n = 0;

			naive_proof(leaves, new, old, true, proof, &n);
			check_broken(old, new, proof, n);
		}
	assert_int_equal(
		merkle_check_consistency(3, roots[3], 5, roots[5], NULL, 0), ERR_BAD_SIGNATURE);
	assert_int_equal(
		merkle_check_consistency(5, roots[5], 4, roots[4], NULL, 0), ERR_BAD_SIGNATURE);
}

static void the_leaf_of_the_log_holds_time_and_hash(void **state)
{
	uint8_t data[40] = {0, 0, 0, 0, 0, 0, 1, 2}, expected[32], leaf[32], other[32];

	(void)state;
	memset(data + 8, 9, 32);
	merkle_leaf(slice_of(data, sizeof(data)), expected);
	log_leaf(258, data + 8, leaf);
	assert_memory_equal(leaf, expected, 32);
	log_leaf(259, data + 8, other);
	assert_memory_not_equal(leaf, other, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_known_roots),
		cmocka_unit_test(every_leaf_leads_to_the_root_by_its_path_only),
		cmocka_unit_test(another_place_gives_another_root),
		cmocka_unit_test(growth_is_proved_for_all_pairs),
		cmocka_unit_test(a_broken_proof_of_growth_is_refused),
		cmocka_unit_test(the_leaf_of_the_log_holds_time_and_hash),
	};

	return cmocka_run_group_tests(tests, make_trees, NULL);
}
