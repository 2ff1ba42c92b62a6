/*
 * recover_rig.h - for tests of the broker: its store is lost, or put back, and its next epoch
 * begins.
 */
#ifndef HAVRE_TESTS_RECOVER_RIG_H
#define HAVRE_TESTS_RECOVER_RIG_H

#include "services/common/store/recover.h"
#include "tests/unit/broker_rig.h"

/* Its only role becomes ADMIN. */
static inline void rig_admin(struct rig *r, const char *name)
{
	if (fixture_principal(r->f, name)->roles[0] == ROLE__ADMIN)
		return;
	fixture_principal(r->f, name)->roles[0] = ROLE__ADMIN;
	fixture_rebuild(r->f);
}

/* The log as it is now becomes a copy that was put back, and its epoch of this number begins:
 * `admin` signs for it. */
static inline void rig_recover(struct rig *r, const char *admin, uint64_t number)
{
	Recover word = RECOVER__INIT;
	uint8_t root[HASH_LEN], next[EPOCH_LEN] = {9};
	struct epoch was, to = {.number = 0};
	struct buf bytes = {0};
	struct txn *t;

	rig_admin(r, admin);
	core_free(&r->core);
	assert_ok(store_begin(r->store, TXN_WRITE, &t));
	assert_ok(epoch_load(t, TABLE_EPOCH, &was));
	assert_ok(tree_size(t, &word.from_size));
	assert_ok(tree_root(t, word.from_size, root));
	next[1] = (uint8_t)number;
	word.principal = "broker";
	word.was = (ProtobufCBinaryData){EPOCH_LEN, was.store};
	word.was_epoch = was.number;
	word.store = (ProtobufCBinaryData){EPOCH_LEN, next};
	word.epoch = number;
	word.root = (ProtobufCBinaryData){HASH_LEN, root};
	word.at = FIXTURE_NOW;
	assert_ok(recover_sign(&word, fixture_keys(r->f, admin), &bytes));
	memcpy(to.store, next, EPOCH_LEN);
	to.number = word.epoch;
	assert_ok(core_recovered(t, &word, NULL));
	assert_ok(epoch_enter(t, TABLE_EPOCH, &to, slice_buf(&bytes)));
	assert_ok(txn_commit(&t));
	buf_free(&bytes);
	rig_open_core(r);
}

/* Forgets the store: the log of before is known by its receipts only. */
static inline void rig_lose(struct rig *r)
{
	core_free(&r->core);
	store_free(&r->store);
	assert_ok(store_open_memory(&broker_layout, &r->store));
	rig_open_core(r);
}

/* The receipt of what is posted. receipt__free_unpacked. */
static inline Receipt *rig_posted(struct rig *r, const struct conn *c, const struct buf *b)
{
	Receipt *receipt;
	Frame *f;

	rig_post(r, c, b);
	rig_commit(r);
	f = rig_next(r, c, FRAME__WHAT_RECEIPT);
	receipt = f->receipt;
	f->what_case = FRAME__WHAT__NOT_SET;
	f->receipt = NULL;
	frame__free_unpacked(f, NULL);
	return receipt;
}

static inline enum err rig_resend(
	struct rig *r, const struct conn *c, const struct buf *b, const Receipt *receipt)
{
	struct verdict v;

	verify(fixture_registry(r->f), c, VIA_POST, r->now, slice_buf(b), &v);
	verify_receipt(fixture_registry(r->f), "broker", receipt, slice_buf(b), &v);
	core_given(r->core, c);
	return core_judged(r->core, c, VIA_POST, &v, slice_buf(b), r->now);
}

#endif
