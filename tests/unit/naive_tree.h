/*
 * naive_tree.h - RFC 6962 section 2.1 word for word, by recursion over all leaves: slow, and
 * written without looking at proto/merkle.c, which the tests compare with it.
 */
#ifndef HAVRE_TEST_NAIVE_TREE_H
#define HAVRE_TEST_NAIVE_TREE_H

#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t naive_hash[32];

/* The largest power of two below n. */
static inline uint64_t naive_split(uint64_t n)
{
	uint64_t k = 1;

	while (k * 2 < n)
		k *= 2;
	return k;
}

/* MTH: the root over n leaf hashes. */
static inline void naive_root(const naive_hash *leaves, uint64_t n, naive_hash ret)
{
	uint8_t both[65] = {1};
	uint64_t k = naive_split(n);

	if (n == 0) {
		crypto_hash_sha256(ret, NULL, 0);
	} else if (n == 1) {
		memcpy(ret, leaves[0], 32);
	} else {
		naive_root(leaves, k, both + 1);
		naive_root(leaves + k, n - k, both + 33);
		crypto_hash_sha256(ret, both, sizeof(both));
	}
}

/* PATH(m, D[n]): appends to path[*len]. */
static inline void naive_path(
	const naive_hash *leaves, uint64_t n, uint64_t m, naive_hash *path, size_t *len)
{
	uint64_t k = naive_split(n);

	if (n <= 1)
		return;
	naive_path(m < k ? leaves : leaves + k, m < k ? k : n - k, m < k ? m : m - k, path, len);
	naive_root(m < k ? leaves + k : leaves, m < k ? n - k : k, path[(*len)++]);
}

/* SUBPROOF(m, D[n], whole); PROOF(m, D[n]) is this with whole = true. */
static inline void naive_proof(const naive_hash *leaves, uint64_t n, uint64_t m, bool whole,
	naive_hash *proof, size_t *len)
{
	uint64_t k = naive_split(n);

	if (m == n) {
		if (!whole)
			naive_root(leaves, n, proof[(*len)++]);
	} else if (m <= k) {
		naive_proof(leaves, k, m, whole, proof, len);
		naive_root(leaves + k, n - k, proof[(*len)++]);
	} else {
		naive_proof(leaves + k, n - k, m - k, false, proof, len);
		naive_root(leaves, k, proof[(*len)++]);
	}
}

#endif
