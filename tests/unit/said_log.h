/*
 * said_log.h - for tests of what an engine makes of a Welcome: what the broker says of its log,
 * whose two leaves are made up.
 */
#ifndef HAVRE_TESTS_SAID_LOG_H
#define HAVRE_TESTS_SAID_LOG_H

#include "services/common/engine/engine_internal.h"
#include "services/common/store/recover.h"
#include "proto/merkle.h"
#include "tests/unit/engine_rig.h"

#include <sodium.h>

#define assert_ok(call) assert_int_equal(call, OK)
#define THREAT          KIND_SEND_THREAT
#define EXIT            KIND_SEND_EXIT

/* What the broker says; the log's leaves are made up. */
struct said {
	uint64_t epoch, size, base, cursor, safe;
	uint64_t was, from; /* of the recovery; 0: the epoch before it, the beginning of the log */
	bool fenced, recovered, broken;
};

static const uint8_t leaves[2][HASH_LEN] = {{1}, {2}};

static inline void root_of(uint64_t size, uint8_t ret[HASH_LEN])
{
	crypto_hash_sha256(ret, NULL, 0);
	if (size == 1)
		memcpy(ret, leaves[0], HASH_LEN);
	if (size == 2)
		merkle_node(leaves[0], leaves[1], ret);
}

static inline void make_admin(struct rig *r)
{
	fixture_principal(r->f, "director-1")->roles[0] = ROLE__ADMIN;
	fixture_rebuild(r->f);
	engine_use_registry(r->engine, fixture_registry(r->f));
}

/* The log was recovered from there on: that is collected again. */
static inline struct buf sign_word(struct rig *r, const struct said *says, const char *signer)
{
	static uint8_t was[EPOCH_LEN] = {1}, next[EPOCH_LEN] = {2};
	Recover word = RECOVER__INIT;
	struct buf out = {0};
	uint8_t root[HASH_LEN];

	root_of(says->from, root);
	word.principal = "broker";
	word.was = (ProtobufCBinaryData){EPOCH_LEN, was};
	word.was_epoch = says->was ? says->was : says->epoch - 1;
	word.store = (ProtobufCBinaryData){EPOCH_LEN, next};
	word.epoch = says->epoch;
	word.from_size = says->from;
	word.root = (ProtobufCBinaryData){HASH_LEN, root};
	word.at = FIXTURE_NOW;
	assert_ok(recover_sign(&word, fixture_keys(r->f, signer), &out));
	return out;
}

/* The Welcome to a Hello of the lane. `signer` of the recovery, when there is one. */
static inline enum err answer(struct rig *r, enum lane lane, const struct greeting *said,
	const struct said *says, const char *signer)
{
	struct checkpoint head = {.epoch = says->epoch, .size = says->size};
	ProtobufCBinaryData proof = {HASH_LEN, (uint8_t *)leaves[1]}, word = {0};
	struct buf note = {0}, bytes = {0};
	Welcome w = WELCOME__INIT;
	enum err e;

	root_of(says->size, head.root);
	head.root[0] ^= says->broken;
	assert_ok(checkpoint_sign(
		&head, "broker", keyring_sign_seed(fixture_keys(r->f, "broker")), &note));
	w.broker = "broker";
	w.checkpoint = (ProtobufCBinaryData){note.len, note.data};
	w.base_seq = says->base;
	w.read_up_to = says->cursor;
	w.safe = says->safe;
	w.fenced = says->fenced;
	if (said->head.size == 1 && says->size == 2 && said->head.epoch == says->epoch) {
		w.consistency = &proof;
		w.n_consistency = 1;
	}
	if (says->recovered) {
		bytes = sign_word(r, says, signer);
		word = (ProtobufCBinaryData){bytes.len, bytes.data};
		w.recovers = &word;
		w.n_recovers = 1;
	}
	rig_begin(r);
	e = engine_welcome(r->engine, lane, said, &w, FIXTURE_NOW);
	rig_commit(r);
	buf_free(&note);
	buf_free(&bytes);
	return e;
}

static inline enum err greet_signed(
	struct rig *r, enum lane lane, const struct said *says, const char *signer)
{
	Hello hello = HELLO__INIT;
	struct greeting said;

	assert_ok(engine_hello(r->engine, lane, &hello, &said));
	return answer(r, lane, &said, says, signer);
}

static inline enum err greet(struct rig *r, enum lane lane, struct said says)
{
	return greet_signed(r, lane, &says, "director-1");
}

static inline uint64_t rows(struct rig *r, int table)
{
	struct txn *t = NULL;
	uint64_t n = 0;

	assert_ok(store_begin(r->store, TXN_READ, &t));
	assert_ok(txn_count(t, table, &n));
	txn_abort(&t);
	return n;
}

/* The first message of the lane's outbox is receipted. */
static inline void receipt_one(struct rig *r, enum lane lane)
{
	struct buf sent = rig_sent(r, lane, 0);
	Receipt *receipt = fixture_receipt(r->f, slice_buf(&sent), FIXTURE_NOW + 5);

	rig_begin(r);
	assert_ok(engine_receipt(r->engine, receipt, FIXTURE_NOW));
	rig_commit(r);
	receipt__free_unpacked(receipt, NULL);
	buf_free(&sent);
}

#endif
