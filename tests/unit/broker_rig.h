/*
 * broker_rig.h - a broker's core over a store, driven as the front drives it, without sockets: for
 * the tests of the broker. What fails here fails the test.
 */
#ifndef HAVRE_TEST_BROKER_RIG_H
#define HAVRE_TEST_BROKER_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "broker/core.h"
#include "broker/log.h"
#include "proto/case.pb-c.h"
#include "proto/checkpoint.h"
#include "proto/referral.pb-c.h"
#include "proto/strict.h"
#include "tests/unit/fixture.h"

#define assert_ok(call) assert_int_equal(call, OK)

struct rig {
	struct fixture *f;
	struct store *store;
	struct core *core;
	uint64_t store_bytes;
	int64_t now;
	bool speaks; /* the core has the broker's keys */
};

static inline void rig_open_core(struct rig *r)
{
	struct core_options o = {
		.store = r->store,
		.store_bytes = r->store_bytes,
		.registry = fixture_registry(r->f),
		.principal = "broker",
		.sign_seed = keyring_sign_seed(fixture_keys(r->f, "broker")),
		.keys = r->speaks ? fixture_keys(r->f, "broker") : NULL,
		.unread_ms = 30000,
	};

	assert_ok(core_open(&o, &r->core));
}

static inline int rig_setup(void **state)
{
	struct rig *r = calloc(1, sizeof *r);

	assert_non_null(r);
	r->f = fixture_make();
	r->now = FIXTURE_NOW;
	assert_ok(store_open_memory(&broker_layout, &r->store));
	rig_open_core(r);
	*state = r;
	return 0;
}

static inline int rig_teardown(void **state)
{
	struct rig *r = *state;

	core_free(&r->core);
	store_free(&r->store);
	fixture_free(&r->f);
	free(r);
	return 0;
}

/* The process dies and starts again: what was not committed is gone. */
static inline void rig_crash(struct rig *r)
{
	core_free(&r->core);
	store_memory_crash(r->store);
	rig_open_core(r);
}

static inline struct conn rig_conn(
	const struct rig *r, uint64_t id, enum lane lane, const char *who)
{
	struct conn c = {.id = id, .lane = lane};

	snprintf(c.peer.principal, sizeof c.peer.principal, "%s", who);
	memcpy(c.peer.key_id, keyring_key_id(fixture_keys(r->f, who)), KEY_ID_LEN);
	return c;
}

static inline void rig_control(struct rig *r, const struct conn *c, const Frame *f)
{
	assert_ok(core_control(r->core, c, f, r->now));
}

static inline void rig_hello(
	struct rig *r, const struct conn *c, uint64_t read_up_to, uint32_t credit)
{
	Hello hello = HELLO__INIT;
	Frame f = FRAME__INIT;

	hello.protocol = 1;
	hello.read_up_to = read_up_to;
	hello.credit = credit;
	f.what_case = FRAME__WHAT_HELLO;
	f.hello = &hello;
	rig_control(r, c, &f);
}

static inline void rig_credit(struct rig *r, const struct conn *c, uint32_t more)
{
	Credit credit = CREDIT__INIT;
	Frame f = FRAME__INIT;

	credit.more = more;
	f.what_case = FRAME__WHAT_CREDIT;
	f.credit = &credit;
	rig_control(r, c, &f);
}

static inline void rig_cursor(
	struct rig *r, const struct conn *c, uint64_t seq, Quarantined **quarantined, size_t n)
{
	Cursor cursor = CURSOR__INIT;
	Frame f = FRAME__INIT;

	cursor.seq = seq;
	cursor.quarantined = quarantined;
	cursor.n_quarantined = n;
	f.what_case = FRAME__WHAT_CURSOR;
	f.cursor = &cursor;
	rig_control(r, c, &f);
}

static inline void rig_judged(
	struct rig *r, const struct conn *c, enum via via, const struct buf *envelope)
{
	struct verdict v;

	verify(fixture_registry(r->f), c, via, r->now, slice_buf(envelope), &v);
	assert_ok(core_judged(r->core, c, via, &v, slice_buf(envelope), r->now));
}

static inline void rig_post(struct rig *r, const struct conn *c, const struct buf *envelope)
{
	rig_judged(r, c, VIA_POST, envelope);
}

static inline void rig_commit(struct rig *r)
{
	assert_ok(core_commit(r->core));
}

/* The next frame that leaves: it must be of this kind, for this connection.
 * frame__free_unpacked. */
static inline Frame *rig_next(struct rig *r, const struct conn *c, Frame__WhatCase what)
{
	struct output *o = core_output(r->core);
	ProtobufCMessage *m = NULL;

	assert_non_null(o);
	assert_int_equal(o->conn, c->id);
	assert_ok(strict_unpack(&frame__descriptor, slice_of(o->frame, o->len), &m));
	free(o);
	assert_int_equal(((Frame *)m)->what_case, what);
	return (Frame *)m;
}

static inline void rig_skip(struct rig *r, const struct conn *c, Frame__WhatCase what)
{
	frame__free_unpacked(rig_next(r, c, what), NULL);
}

static inline void rig_nothing(struct rig *r)
{
	assert_null(core_output(r->core));
}

/* Hello, committed, and its welcome taken. */
static inline void rig_join(struct rig *r, const struct conn *c, uint32_t credit)
{
	rig_hello(r, c, 0, credit);
	rig_commit(r);
	rig_skip(r, c, FRAME__WHAT_WELCOME);
}

/* A receipt that is right for the envelope. */
static inline uint64_t rig_receipt(
	struct rig *r, const struct conn *c, const struct buf *envelope, int64_t *ret_at)
{
	Frame *f = rig_next(r, c, FRAME__WHAT_RECEIPT);
	uint64_t index = f->receipt->index;

	assert_ok(receipt_verify(f->receipt, slice_buf(envelope), "broker",
		keyring_sign_pk(fixture_keys(r->f, "broker"))));
	if (ret_at)
		*ret_at = f->receipt->received_at;
	frame__free_unpacked(f, NULL);
	return index;
}

/* A refusal that is signed. */
static inline void rig_refusal(struct rig *r, const struct conn *c, enum err code)
{
	Frame *f = rig_next(r, c, FRAME__WHAT_REFUSAL);

	assert_ok(refusal_verify(f->refusal, keyring_sign_pk(fixture_keys(r->f, "broker"))));
	assert_int_equal(f->refusal->code, code);
	frame__free_unpacked(f, NULL);
}

/* A delivery of this seq that holds exactly the envelope. */
static inline void rig_delivery(
	struct rig *r, const struct conn *c, uint64_t seq, const struct buf *envelope)
{
	Frame *f = rig_next(r, c, FRAME__WHAT_DELIVERY);
	ProtobufCBinaryData got = f->delivery->envelope;

	assert_int_equal(f->delivery->seq, seq);
	assert_true(slice_eq(slice_of(got.data, got.len), slice_buf(envelope)));
	frame__free_unpacked(f, NULL);
}

/* A partner's withdrawal to intake, in the routine lane; a report of a risk, in the urgent one. */
static inline struct buf rig_routine(struct rig *r, const char *from)
{
	Withdrawal body = WITHDRAWAL__INIT;

	return fixture_envelope(r->f, KIND_WITHDRAW_REFERRAL, from, "intake", &body.base);
}

static inline struct buf rig_urgent(struct rig *r, const char *from)
{
	RiskReport body = RISK_REPORT__INIT;

	return fixture_envelope(r->f, KIND_REPORT_RISK, from, "intake", &body.base);
}

#endif
