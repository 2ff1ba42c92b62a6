/*
 * own_rig.h - a broker's core that has its keys, and so hears and says things itself; officers who
 * sign acts; and what stands in the log then.
 */
#ifndef HAVRE_TESTS_OWN_RIG_H
#define HAVRE_TESTS_OWN_RIG_H

#include "tests/unit/broker_rig.h"
#include "tests/unit/trust_sample.h"

#define PEOPLE    13 /* of the fixture: everybody but the broker */
#define STAFF     4
#define OPERATORS 6 /* staff and the two relays */
#define MINUTE    INT64_C(60000)
#define DAY       INT64_C(86400000)

static inline int own_setup(void **state)
{
	struct rig *r;

	if (rig_setup(state))
		return 1;
	r = *state;
	r->speaks = true;
	core_free(&r->core);
	rig_open_core(r);
	return 0;
}

/* --- looking into the log --- */

/* How many of this kind, to this one (NULL: to anybody), stand in the log from `from` on. */
static inline size_t own_logged(struct rig *r, enum kind kind, const char *to, uint64_t from)
{
	struct txn *t = NULL;
	struct log_row row;
	size_t n = 0;

	assert_ok(store_begin(r->store, TXN_READ, &t));
	for (uint64_t i = from; log_row_get(t, i, &row) == OK; i++)
		n += row.kind == (uint32_t)kind && (!to || strcmp(row.recipient, to) == 0);
	txn_abort(&t);
	return n;
}

/* The newest of this kind to this one, opened. protobuf_c_message_free_unpacked. */
static inline ProtobufCMessage *own_newest(struct rig *r, enum kind kind, const char *to)
{
	ProtobufCMessage *m = NULL;
	struct txn *t = NULL;
	struct slice content;
	struct log_row row;
	struct key k;

	assert_ok(store_begin(r->store, TXN_READ, &t));
	for (uint64_t i = core_size(r->core); i-- > 0 && !m;) {
		assert_ok(log_row_get(t, i, &row));
		if (row.kind != (uint32_t)kind || strcmp(row.recipient, to) != 0)
			continue;
		index_key(&k, i);
		assert_ok(txn_get(t, TABLE_CONTENT, key_slice(&k), &content));
		m = fixture_open(r->f, to, content, NULL);
	}
	txn_abort(&t);
	assert_non_null(m);
	return m;
}

static inline void own_skip_all(struct rig *r)
{
	struct output *o;

	while ((o = core_output(r->core)))
		free(o);
}

static inline void own_watch_later(struct rig *r, int64_t later)
{
	r->now += later;
	assert_ok(core_watch(r->core, r->now));
	rig_commit(r);
	own_skip_all(r);
}

/* --- officers --- */

enum { CONN_A = 1, CONN_OFFICER_1 = 10, CONN_OFFICER_2, CONN_SUPERVISOR };

/* Posts what one officer has signed; a refusal gives its code. */
static inline enum err own_sign_by(
	struct rig *r, const char *who, const char *as, const SuspensionAct *a)
{
	SignedAct *s = sample_signed(r->f, a, as, NULL);
	struct buf b = fixture_envelope(r->f, KIND_PROPOSE_SUSPENSION, who, "broker", &s->base);
	struct conn c =
		rig_conn(r, CONN_OFFICER_1 + (uint64_t)who[strlen(who) - 1], LANE_URGENT, who);
	enum err e = OK;
	struct output *o;

	rig_hello(r, &c, 0, 0);
	rig_commit(r);
	own_skip_all(r);
	rig_post(r, &c, &b);
	rig_commit(r);
	while ((o = core_output(r->core))) {
		ProtobufCMessage *m = NULL;

		assert_ok(strict_unpack(&frame__descriptor, slice_of(o->frame, o->len), &m));
		if (((Frame *)m)->what_case == FRAME__WHAT_REFUSAL)
			e = (enum err)((Frame *)m)->refusal->code;
		protobuf_c_message_free_unpacked(m, NULL);
		free(o);
	}
	core_gone(r->core, c.id);
	buf_free(&b);
	signed_act__free_unpacked(s, NULL);
	return e;
}

static inline void own_suspend(struct rig *r, const char *who, bool lift, uint64_t serial)
{
	SuspensionAct a = sample_act(who, lift, serial);

	assert_ok(own_sign_by(r, "officer-1", "officer-1", &a));
	assert_ok(own_sign_by(r, "supervisor-1", "supervisor-1", &a));
}

static inline bool own_suspended(struct rig *r, const char *who)
{
	return registry_find(core_registry(r->core), who)->suspended;
}

#define OWN_TEST(name) cmocka_unit_test_setup_teardown(name, own_setup, rig_teardown)

#endif
