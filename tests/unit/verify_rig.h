/*
 * verify_rig.h - for the tests of `havre-admin verify`: a whole Havre in memory, the real broker's
 * core and the real services over stores of their own, with messages that a test carries from one
 * to the other. All people are invented. What fails here fails the test.
 */
#ifndef HAVRE_TESTS_VERIFY_RIG_H
#define HAVRE_TESTS_VERIFY_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "broker/core.h"
#include "proto/json.h"
#include "proto/strict.h"
#include "services/admin/verify.h"
#include "services/client/client.h"
#include "services/common/base/civil.h"
#include "services/common/engine/engine.h"
#include "services/intake/intake.h"
#include "services/notify/notify.h"
#include "services/relay/relay.h"
#include "services/screening/screening.h"
#include "services/urgent/urgent.h"
#include "tests/unit/fixture.h"

#define assert_ok(call) assert_int_equal(call, OK)

enum member { INTAKE, SCREENING, URGENT, NOTIFY, PARTNER, SMTP, WEBHOOK, MEMBERS };
#define BROKER MEMBERS

struct rig {
	struct fixture *f;
	struct config config;
	struct core *core;
	int64_t now;
	uint64_t conn;
	struct {
		const char *name;
		const struct service *svc;
		struct store_layout layout;
		struct store *store;
		struct engine *engine;
	} of[MEMBERS + 1];
};

static inline enum err rig_start(struct step *s, void *svc)
{
	return ((const struct service *)svc)->on_start(s);
}

/* One committed step of a service. */
static inline void rig_step(
	struct rig *r, enum member m, enum err (*fn)(struct step *s, void *arg), void *arg)
{
	assert_ok(engine_begin(r->of[m].engine));
	assert_ok(engine_local(r->of[m].engine, r->now, fn, arg));
	assert_ok(engine_commit(r->of[m].engine));
}

static inline void rig_open_member(struct rig *r, enum member m)
{
	const struct service *svc = r->of[m].svc;

	assert_ok(engine_layout(svc, &r->of[m].layout));
	assert_ok(store_open_memory(&r->of[m].layout, &r->of[m].store));
	assert_ok(engine_open(svc, &r->config, r->of[m].store, fixture_keys(r->f, r->of[m].name),
		fixture_registry(r->f), &r->of[m].engine));
	if (svc->on_start)
		rig_step(r, m, rig_start, (void *)svc);
}

static inline void rig_open_broker(struct rig *r)
{
	struct core_options o = {.registry = fixture_registry(r->f), .principal = "broker"};

	r->of[BROKER].name = "broker";
	assert_ok(store_open_memory(&broker_layout, &r->of[BROKER].store));
	o.store = r->of[BROKER].store;
	o.sign_seed = keyring_sign_seed(fixture_keys(r->f, "broker"));
	assert_ok(core_open(&o, &r->core));
}

static inline struct rig *rig_open(void)
{
	static const struct rig names = {.of = {
						 [INTAKE] = {"intake", &intake_service},
						 [SCREENING] = {"screening", &screening_service},
						 [URGENT] = {"urgent", &urgent_service},
						 [NOTIFY] = {"notify", &notify_service},
						 [PARTNER] = {"partner-a", &client_service},
						 [SMTP] = {"relay-smtp", &relay_service},
						 [WEBHOOK] = {"relay-webhook", &relay_service},
					 }};
	struct rig *r = malloc(sizeof(*r));

	assert_non_null(r);
	*r = names;
	r->f = fixture_make();
	r->now = FIXTURE_NOW;
	assert_ok(civil_setup("America/Toronto"));
	assert_ok(config_load("/nonexistent", PROGRAM_ADMIN, stderr, LANG_EN, &r->config));
	rig_open_broker(r);
	for (int m = 0; m < MEMBERS; m++)
		rig_open_member(r, (enum member)m);
	return r;
}

static inline void rig_close(struct rig *r)
{
	core_free(&r->core);
	for (int m = 0; m <= MEMBERS; m++) {
		engine_free(&r->of[m].engine);
		store_free(&r->of[m].store);
		free((void *)r->of[m].layout.tables);
	}
	config_free(&r->config);
	fixture_free(&r->f);
	free(r);
}

/* --- the network --- */

static inline struct conn rig_hello(
	struct rig *r, const char *who, enum lane lane, uint64_t read_up_to)
{
	struct conn c = {.id = r->conn + 1, .lane = lane};
	Hello hello = HELLO__INIT;
	Frame f = FRAME__INIT;

	if (r->conn++) /* one at a time */
		core_gone(r->core, r->conn - 1);

	snprintf(c.peer.principal, sizeof(c.peer.principal), "%s", who);
	memcpy(c.peer.key_id, keyring_key_id(fixture_keys(r->f, who)), KEY_ID_LEN);
	hello.protocol = 1;
	hello.read_up_to = read_up_to;
	f.what_case = FRAME__WHAT_HELLO;
	f.hello = &hello;
	assert_ok(core_control(r->core, &c, &f, r->now));
	return c;
}

/* The receipt that left the broker, among welcomes. */
static inline Frame *rig_receipt(struct rig *r)
{
	Frame *found = NULL;
	struct output *o;

	while ((o = core_output(r->core))) {
		ProtobufCMessage *m = NULL;

		assert_ok(strict_unpack(&frame__descriptor, slice_of(o->frame, o->len), &m));
		free(o);
		assert_int_not_equal(((Frame *)m)->what_case, FRAME__WHAT_REFUSAL);
		if (((Frame *)m)->what_case == FRAME__WHAT_RECEIPT)
			found = (Frame *)m;
		else
			protobuf_c_message_free_unpacked(m, NULL);
	}
	return found;
}

/* 0 for people, who have no store here. */
static inline uint64_t rig_read_up_to(const struct rig *r, const char *who, enum lane lane)
{
	for (int m = 0; m < MEMBERS; m++)
		if (strcmp(r->of[m].name, who) == 0)
			return engine_cursor(r->of[m].engine, lane);
	return 0;
}

/* Into the broker's log. frame__free_unpacked. */
static inline Frame *rig_post(
	struct rig *r, const char *from, enum lane lane, struct slice envelope)
{
	struct conn c = rig_hello(r, from, lane, rig_read_up_to(r, from, lane));
	struct verdict v;
	Frame *f;

	r->now += 1000;
	verify(fixture_registry(r->f), &c, VIA_POST, r->now, envelope, &v);
	assert_ok(core_judged(r->core, &c, VIA_POST, &v, envelope, r->now));
	assert_ok(core_commit(r->core));
	f = rig_receipt(r);
	assert_non_null(f);
	return f;
}

/* What a person sends, without a store of its own. */
static inline void rig_send(struct rig *r, enum kind kind, const char *from, const char *to,
	const ProtobufCMessage *body)
{
	struct buf b = fixture_envelope(r->f, kind, from, to, body);

	frame__free_unpacked(rig_post(r, from, catalogue_find(kind)->lane, slice_buf(&b)), NULL);
	buf_free(&b);
}

/* One message from the outbox to the broker, and its receipt back. */
static inline bool rig_carry_out(struct rig *r, enum member m, enum lane lane)
{
	struct engine *e = r->of[m].engine;
	uint8_t id[MSG_ID_LEN];
	struct buf b = {0};
	uint64_t place;
	Frame *f;

	if (engine_outbox_next(e, lane, 0, &place, id, &b) != OK)
		return false;
	f = rig_post(r, r->of[m].name, lane, slice_buf(&b));
	assert_ok(engine_begin(e));
	assert_ok(engine_receipt(e, f->receipt, r->now));
	assert_ok(engine_commit(e));
	frame__free_unpacked(f, NULL);
	buf_free(&b);
	return true;
}

/* The next message of the mailbox to its reader, and the cursor back. */
static inline bool rig_carry_in(struct rig *r, enum member m, enum lane lane)
{
	struct engine *e = r->of[m].engine;
	struct delivery d = {.lane = lane, .seq = engine_cursor(e, lane) + 1};
	struct log_row row;
	struct txn *t = NULL;
	struct key k;
	enum err err;

	assert_ok(store_begin(r->of[BROKER].store, TXN_READ, &t));
	mailbox_key(&k, r->of[m].name, lane, d.seq);
	err = number_get(t, TABLE_MAILBOX, key_slice(&k), &d.index);
	if (err == OK) {
		assert_ok(log_row_get(t, d.index, &row));
		d.received_at = row.received_at;
		index_key(&k, d.index);
		assert_ok(txn_get(t, TABLE_CONTENT, key_slice(&k), &d.envelope));
		assert_ok(engine_begin(e));
		assert_ok(engine_take(e, &d));
		assert_ok(engine_commit(e));
	}
	txn_abort(&t);
	if (err != OK)
		return false;
	(void)rig_hello(r, r->of[m].name, lane, d.seq);
	assert_ok(core_commit(r->core));
	assert_null(rig_receipt(r));
	return true;
}

/* One step of anybody; false: all is at rest. */
static inline bool rig_move(struct rig *r)
{
	for (int m = 0; m < MEMBERS; m++)
		for (int lane = LANES - 1; lane >= 0; lane--)
			if (rig_carry_out(r, (enum member)m, (enum lane)lane) ||
				rig_carry_in(r, (enum member)m, (enum lane)lane))
				return true;
	return false;
}

static inline void rig_rest(struct rig *r)
{
	while (rig_move(r))
		;
}

/* --- what verify says --- */

static inline struct verify *rig_verify(const struct rig *r, int without)
{
	struct parts list[MEMBERS + 1] = {0};
	struct verify *v = NULL;
	size_t n = 0;

	for (int m = 0; m <= MEMBERS; m++) {
		struct parts *p = &list[n];

		if (m == without)
			continue;
		n++;
		p->config = r->config;
		p->keys = (struct keyring *)fixture_keys(r->f, r->of[m].name); /* borrowed */
		p->registry = (struct registry *)fixture_registry(r->f);
		p->roles = roles_of(registry_find(p->registry, r->of[m].name));
		p->store = r->of[m].store;
	}
	assert_ok(verify_new(list, n, FIXTURE_NOW, LANG_EN, &v));
	assert_ok(verify_run(v));
	for (size_t i = 0; i < v->n_homes; i++)
		v->homes[i].parts = NULL; /* the list ends here */
	return v;
}

static inline void rig_print(const struct verify *v)
{
	for (int i = 0; i < CHECKS; i++)
		for (unsigned k = 0; k < v->tallies[i].found && k < FINDINGS_KEPT; k++)
			print_error("%s %s\n", check_id((enum check)i), v->tallies[i].first[k]);
}

static inline void rig_must_be_sound(const struct rig *r)
{
	struct verify *v = rig_verify(r, -1);

	if (verify_broken(v))
		rig_print(v);
	assert_false(verify_broken(v));
	verify_free(&v);
}

/* This check is broken, and says so in these words. */
static inline void rig_must_find(const struct rig *r, enum check check, const char *words)
{
	struct verify *v = rig_verify(r, -1);
	const struct tally *t = &v->tallies[check];
	bool said = false;

	for (unsigned i = 0; i < t->found && i < FINDINGS_KEPT; i++)
		said = said || strstr(t->first[i], words);
	if (!said || verify_result(v, check) != RESULT_BROKEN) {
		rig_print(v);
		fail_msg("%s does not find: %s", check_id(check), words);
	}
	verify_free(&v);
}

#endif
