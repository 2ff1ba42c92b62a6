/*
 * log.h - the Merkle tree over the accepted envelopes (RFC 6962), in the table TREE of the
 * broker's store. Every complete subtree's hash is stored once, by (level, index), and never
 * changes: subtree i of level l covers the leaves i * 2^l to (i + 1) * 2^l - 1. Roots and proofs
 * of any size up to the present one are computed from some 64 of them at most.
 *
 * Everything works in the caller's transaction, reading or writing.
 */
#ifndef HAVRE_BROKER_LOG_H
#define HAVRE_BROKER_LOG_H

#include "proto/merkle.h"
#include "services/common/store/store.h"

/* A path of hashes from the leaf up. */
struct tree_proof {
	uint8_t hash[PROOF_MOST][HASH_LEN];
	size_t n;
};

MUST_USE enum err tree_size(struct txn *t, uint64_t *ret);
/* The new leaf's index is `size`, which must be tree_size. */
MUST_USE enum err tree_append(struct txn *t, uint64_t size, const uint8_t leaf[HASH_LEN]);
/* The root of the first `size` leaves. ERR_CORRUPT: a node is missing. */
MUST_USE enum err tree_root(struct txn *t, uint64_t size, uint8_t ret[HASH_LEN]);
/* ERR_INVALID: index >= size. */
MUST_USE enum err tree_inclusion(
	struct txn *t, uint64_t index, uint64_t size, struct tree_proof *ret);
/* ERR_INVALID: old_size > new_size. Empty when old_size is 0 or new_size. */
MUST_USE enum err tree_consistency(
	struct txn *t, uint64_t old_size, uint64_t new_size, struct tree_proof *ret);

#endif
