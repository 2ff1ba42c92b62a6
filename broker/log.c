/* The Merkle tree over the store seam. The recursions follow RFC 6962, sections 2.1 to 2.1.2, and
 * are at most 64 deep. */
#include "broker/log.h"
#include "broker/tables.h"

#include <sodium.h>

/* Leaves from `first` up to, not including, `end`; `first` is a multiple of every subtree that the
 * recursions cut from it. */
struct range {
	uint64_t first, end;
};

static void node_key(struct key *k, unsigned level, uint64_t index)
{
	*k = (struct key){0};
	key_u8(k, (uint8_t)level);
	key_u64(k, index);
}

static enum err node_get(struct txn *t, unsigned level, uint64_t index, uint8_t ret[HASH_LEN])
{
	struct slice v;
	struct key k;
	enum err e;

	node_key(&k, level, index);
	e = txn_get(t, TABLE_TREE, key_slice(&k), &v);
	if (e == ERR_NOT_FOUND || (e == OK && v.len != HASH_LEN))
		return ERR_CORRUPT;
	TRY(e);
	memcpy(ret, v.data, HASH_LEN);
	return OK;
}

static enum err node_put(struct txn *t, unsigned level, uint64_t index, const uint8_t h[HASH_LEN])
{
	struct key k;

	node_key(&k, level, index);
	return txn_put(t, TABLE_TREE, key_slice(&k), slice_of(h, HASH_LEN));
}

enum err tree_size(struct txn *t, uint64_t *ret)
{
	struct slice key, value;
	struct key above;
	enum err e;

	/* The last leaf is the last key of level 0. */
	node_key(&above, 1, 0);
	e = txn_prev(t, TABLE_TREE, key_slice(&above), &key, &value);
	if (e == ERR_NOT_FOUND) {
		*ret = 0;
		return OK;
	}
	TRY(e);
	if (key.len != 9 || key.data[0] != 0)
		return ERR_CORRUPT;
	*ret = be64_get(key.data + 1) + 1;
	return OK;
}

enum err tree_append(struct txn *t, uint64_t size, const uint8_t leaf[HASH_LEN])
{
	uint8_t hash[HASH_LEN], left[HASH_LEN];
	uint64_t index = size;

	memcpy(hash, leaf, HASH_LEN);
	TRY(node_put(t, 0, index, hash));
	/* An odd node completes the subtree above it. */
	for (unsigned level = 0; index & 1; level++, index >>= 1) {
		TRY(node_get(t, level, index - 1, left));
		merkle_node(left, hash, hash);
		TRY(node_put(t, level + 1, index >> 1, hash));
	}
	return OK;
}

/* The largest power of two that is less than n, which is at least 2. */
static uint64_t split(uint64_t n)
{
	return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

static enum err range_hash(struct txn *t, struct range r, uint8_t ret[HASH_LEN])
{
	uint64_t n = r.end - r.first, middle;
	uint8_t left[HASH_LEN], right[HASH_LEN];

	if ((n & (n - 1)) == 0) {
		unsigned level = (unsigned)__builtin_ctzll(n);

		return node_get(t, level, r.first >> level, ret);
	}
	middle = r.first + split(n);
	TRY(range_hash(t, (struct range){r.first, middle}, left));
	TRY(range_hash(t, (struct range){middle, r.end}, right));
	merkle_node(left, right, ret);
	return OK;
}

enum err tree_root(struct txn *t, uint64_t size, uint8_t ret[HASH_LEN])
{
	if (size > 0)
		return range_hash(t, (struct range){0, size}, ret);
	crypto_hash_sha256(ret, NULL, 0);
	return OK;
}

static enum err proof_add(struct txn *t, struct range r, struct tree_proof *p)
{
	if (p->n == PROOF_MOST)
		return ERR_INVALID;
	TRY(range_hash(t, r, p->hash[p->n]));
	p->n++;
	return OK;
}

static enum err path(struct txn *t, uint64_t index, struct range r, struct tree_proof *p)
{
	struct range left = r, right = r;

	if (r.end - r.first == 1)
		return OK;
	left.end = right.first = r.first + split(r.end - r.first);
	if (index < left.end) {
		TRY(path(t, index, left, p));
		return proof_add(t, right, p);
	}
	TRY(path(t, index, right, p));
	return proof_add(t, left, p);
}

enum err tree_inclusion(struct txn *t, uint64_t index, uint64_t size, struct tree_proof *ret)
{
	struct tree_proof p = {.n = 0};

	if (index >= size)
		return ERR_INVALID;
	TRY(path(t, index, (struct range){0, size}, &p));
	*ret = p;
	return OK;
}

/* `whole`: the old tree's root is this subtree, which the verifier has already. */
static enum err subproof(
	struct txn *t, uint64_t old_end, struct range r, bool whole, struct tree_proof *p)
{
	struct range left = r, right = r;

	if (old_end == r.end)
		return whole ? OK : proof_add(t, r, p);
	left.end = right.first = r.first + split(r.end - r.first);
	if (old_end <= left.end) {
		TRY(subproof(t, old_end, left, whole, p));
		return proof_add(t, right, p);
	}
	TRY(subproof(t, old_end, right, false, p));
	return proof_add(t, left, p);
}

enum err tree_consistency(
	struct txn *t, uint64_t old_size, uint64_t new_size, struct tree_proof *ret)
{
	struct tree_proof p = {.n = 0};

	if (old_size > new_size)
		return ERR_INVALID;
	if (old_size > 0)
		TRY(subproof(t, old_size, (struct range){0, new_size}, true, &p));
	*ret = p;
	return OK;
}
