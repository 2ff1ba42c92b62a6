#include "proto/merkle.h"

#include <sodium.h>

_Static_assert(HASH_LEN == crypto_hash_sha256_BYTES, "SHA-256");

static void hash_two(uint8_t first, struct slice a, struct slice b, uint8_t ret[HASH_LEN])
{
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, &first, 1);
	crypto_hash_sha256_update(&st, a.data, a.len);
	crypto_hash_sha256_update(&st, b.data, b.len);
	crypto_hash_sha256_final(&st, ret);
}

void merkle_leaf(struct slice data, uint8_t ret[HASH_LEN])
{
	hash_two(0, data, slice_of(NULL, 0), ret);
}

void merkle_node(const uint8_t left[HASH_LEN], const uint8_t right[HASH_LEN], uint8_t ret[HASH_LEN])
{
	hash_two(1, slice_of(left, HASH_LEN), slice_of(right, HASH_LEN), ret);
}

void log_leaf(int64_t received_at, const uint8_t envelope_hash[HASH_LEN], uint8_t ret[HASH_LEN])
{
	uint8_t time[8];

	be64_put(time, (uint64_t)received_at);
	hash_two(0, slice_of(time, sizeof(time)), slice_of(envelope_hash, HASH_LEN), ret);
}

/* RFC 9162, 2.1.3.2: the same tree as RFC 6962's, with the check written out. */
enum err merkle_root_from_path(const uint8_t leaf[HASH_LEN], uint64_t index, uint64_t size,
	const uint8_t (*path)[HASH_LEN], size_t n, uint8_t ret_root[HASH_LEN])
{
	uint8_t root[HASH_LEN];
	uint64_t at = index, last = size - 1;

	if (index >= size)
		return ERR_INVALID;
	memcpy(root, leaf, HASH_LEN);
	for (size_t i = 0; i < n; i++) {
		if (last == 0)
			return ERR_INVALID;
		if (at % 2 || at == last) {
			merkle_node(path[i], root, root);
			/* the last of its row, without a neighbour: it rises as it is */
			for (; at % 2 == 0 && at != 0; at /= 2)
				last /= 2;
		} else {
			merkle_node(root, path[i], root);
		}
		at /= 2;
		last /= 2;
	}
	if (last != 0)
		return ERR_INVALID;
	memcpy(ret_root, root, HASH_LEN);
	return OK;
}

/* RFC 9162, 2.1.4.2, for 0 < old_size < new_size. `seed` is the node that both trees share. */
static enum err check_growth(uint64_t old_size, const uint8_t old_root[HASH_LEN], uint64_t new_size,
	const uint8_t new_root[HASH_LEN], const uint8_t seed[HASH_LEN],
	const uint8_t (*proof)[HASH_LEN], size_t n)
{
	uint8_t old[HASH_LEN], new[HASH_LEN];
	uint64_t at = old_size - 1, last = new_size - 1;

	for (; at % 2; at /= 2)
		last /= 2;
	memcpy(old, seed, HASH_LEN);
	memcpy(new, seed, HASH_LEN);
	for (size_t i = 0; i < n; i++) {
		if (last == 0)
			return ERR_BAD_SIGNATURE;
		if (at % 2 || at == last) {
			merkle_node(proof[i], old, old);
			merkle_node(proof[i], new, new);
			for (; at % 2 == 0 && at != 0; at /= 2)
				last /= 2;
		} else {
			merkle_node(new, proof[i], new);
		}
		at /= 2;
		last /= 2;
	}
	if (last != 0 || memcmp(old, old_root, HASH_LEN) != 0 ||
		memcmp(new, new_root, HASH_LEN) != 0)
		return ERR_BAD_SIGNATURE;
	return OK;
}

enum err merkle_check_consistency(uint64_t old_size, const uint8_t old_root[HASH_LEN],
	uint64_t new_size, const uint8_t new_root[HASH_LEN], const uint8_t (*proof)[HASH_LEN],
	size_t n)
{
	if (old_size > new_size)
		return ERR_BAD_SIGNATURE;
	if (old_size == 0) /* every tree continues the empty one */
		return n == 0 ? OK : ERR_BAD_SIGNATURE;
	if (old_size == new_size)
		return n == 0 && memcmp(old_root, new_root, HASH_LEN) == 0 ? OK : ERR_BAD_SIGNATURE;
	/* a whole subtree on the left is its own first node, and is not repeated in the proof */
	if ((old_size & (old_size - 1)) == 0)
		return check_growth(old_size, old_root, new_size, new_root, old_root, proof, n);
	if (n == 0)
		return ERR_BAD_SIGNATURE;
	return check_growth(old_size, old_root, new_size, new_root, proof[0], proof + 1, n - 1);
}
