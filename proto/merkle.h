/*
 * merkle.h - the tree of RFC 6962 section 2.1 with SHA-256: pure functions that check proofs and
 * compute roots. The broker's log (broker/log.h) stores the nodes; batches and `havre prove` use
 * only this.
 */
#ifndef HAVRE_PROTO_MERKLE_H
#define HAVRE_PROTO_MERKLE_H

#include "proto/bytes.h"
#include "proto/crypto.h"

#define PROOF_MOST 64

void merkle_leaf(struct slice data, uint8_t ret[HASH_LEN]);
void merkle_node(
	const uint8_t left[HASH_LEN], const uint8_t right[HASH_LEN], uint8_t ret[HASH_LEN]);

/* The root that leaf number `index` of `size` and the path lead to. ERR_INVALID: the path does not
 * fit index and size. */
MUST_USE enum err merkle_root_from_path(const uint8_t leaf[HASH_LEN], uint64_t index, uint64_t size,
	const uint8_t (*path)[HASH_LEN], size_t n, uint8_t ret_root[HASH_LEN]);
/* Does a tree of `new_size` continue the one of `old_size`? ERR_BAD_SIGNATURE when not. */
MUST_USE enum err merkle_check_consistency(uint64_t old_size, const uint8_t old_root[HASH_LEN],
	uint64_t new_size, const uint8_t new_root[HASH_LEN], const uint8_t (*proof)[HASH_LEN],
	size_t n);

/* The leaf of a logged envelope: merkle_leaf(received_at (8 bytes, big-endian) || envelope_hash):
 * the time of receipt is inside, so that it cannot be changed later. */
void log_leaf(int64_t received_at, const uint8_t envelope_hash[HASH_LEN], uint8_t ret[HASH_LEN]);

#endif
