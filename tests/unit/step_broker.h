/*
 * step_broker.h - for tests: the real broker without its loop and threads. It takes a step when
 * the test says so, and the test says what goes wrong on the way.
 */
#ifndef HAVRE_TESTS_STEP_BROKER_H
#define HAVRE_TESTS_STEP_BROKER_H

#include <stdlib.h>
#include <time.h>

#include "broker/core.h"
#include "broker/socket.h"
#include "broker/zap.h"
#include "proto/strict.h"
#include "tests/unit/fixture.h"

/* cmocka.h is included before this. */

struct step_broker {
	struct fixture *fixture; /* borrowed */
	void *context, *sockets[LANES];
	char endpoints[LANES][64];
	struct who *who;
	struct zap *zap;
	struct store *store;
	struct core *core;
	/* What goes wrong: */
	bool mute;               /* what it sends is lost */
	unsigned lets, busy;     /* after so many posts, so many are put off */
	int64_t ahead;           /* its clock, in ms: of the machine's */
	enum err refuse_queries; /* OK: they are taken */
	unsigned posts, queries; /* that came, those above too */
};

static inline int64_t broker_now(void)
{
	return (int64_t)time(NULL) * 1000;
}

static inline void broker_listen(struct step_broker *b, enum lane lane)
{
	size_t len = sizeof(b->endpoints[lane]);

	assert_int_equal(socket_listen(b->context, lane,
				 *b->endpoints[lane] ? b->endpoints[lane] : "tcp://127.0.0.1:*",
				 keyring_transport_secret(fixture_keys(b->fixture, "broker")),
				 &b->sockets[lane]),
		OK);
	assert_int_equal(
		zmq_getsockopt(b->sockets[lane], ZMQ_LAST_ENDPOINT, b->endpoints[lane], &len), 0);
}

/* Every connection of the lane ends; nobody listens until broker_listen. */
static inline void broker_cut(struct step_broker *b, enum lane lane)
{
	zmq_unbind(b->sockets[lane], b->endpoints[lane]);
	zmq_close(b->sockets[lane]);
	b->sockets[lane] = NULL;
}

static inline void broker_open(struct step_broker *b, struct fixture *f)
{
	const struct keyring *keys = fixture_keys(f, "broker");
	struct registry *registry = NULL;
	struct core_options o;

	*b = (struct step_broker){.fixture = f, .context = zmq_ctx_new()};
	assert_int_equal(registry_from_message(fixture_message(f), &registry), OK);
	assert_int_equal(who_open(&registry, &b->who), OK);
	assert_int_equal(zap_open(b->context, b->who, &b->zap), OK);
	assert_int_equal(store_open_memory(&broker_layout, &b->store), OK);
	o = (struct core_options){.store = b->store,
		.registry = who_now(b->who),
		.principal = "broker",
		.sign_seed = keyring_sign_seed(keys)};
	assert_int_equal(core_open(&o, &b->core), OK);
	for (int i = 0; i < LANES; i++)
		broker_listen(b, (enum lane)i);
}

static inline void broker_close(struct step_broker *b)
{
	for (int i = 0; i < LANES; i++)
		if (b->sockets[i])
			zmq_close(b->sockets[i]);
	zmq_ctx_shutdown(b->context);
	zap_free(&b->zap);
	zmq_ctx_term(b->context);
	core_free(&b->core);
	store_free(&b->store);
	who_free(&b->who);
}

static inline void broker_refuse(
	struct step_broker *b, const struct conn *from, struct slice envelope, enum err code)
{
	Refusal *r = fixture_refusal(b->fixture, envelope, code, broker_now());
	struct outputs out = {0};
	struct output *o;
	Frame f = FRAME__INIT;

	f.what_case = FRAME__WHAT_REFUSAL;
	f.refusal = r;
	assert_int_equal(outputs_add(&out, from->id, &f), OK);
	o = outputs_take(&out);
	assert_int_equal(socket_send(b->sockets, o), OK);
	free(o);
	refusal__free_unpacked(r, NULL);
}

static inline bool broker_puts_off(
	struct step_broker *b, const struct conn *from, struct slice envelope)
{
	bool full = b->lets == 0 && b->busy > 0;

	if (b->lets > 0)
		b->lets--;
	else if (full)
		b->busy--;
	return !core_lets(b->core, from, envelope) || full;
}

static inline void broker_judge(struct step_broker *b, const struct conn *from, enum via via,
	const ProtobufCBinaryData *bytes)
{
	struct slice envelope = slice_of(bytes->data, bytes->len);
	int64_t now = broker_now() + b->ahead;
	struct verdict v;

	b->posts += via == VIA_POST;
	b->queries += via == VIA_QUERY;
	if (via == VIA_POST && broker_puts_off(b, from, envelope)) {
		assert_int_equal(core_busy(b->core, from, via, envelope), OK);
	} else if (via == VIA_QUERY && b->refuse_queries != OK) {
		broker_refuse(b, from, envelope, b->refuse_queries);
	} else {
		if (via == VIA_POST)
			core_given(b->core, from);
		verify(who_now(b->who), from, via, now, envelope, &v);
		assert_int_equal(core_judged(b->core, from, via, &v, envelope, now), OK);
	}
}

static inline void broker_frame(struct step_broker *b, const struct conn *from, const Frame *f)
{
	switch (f->what_case) {
	case FRAME__WHAT_POST:
		broker_judge(b, from, VIA_POST, &f->post->envelope);
		break;
	case FRAME__WHAT_QUERY:
		broker_judge(b, from, VIA_QUERY, &f->query->envelope);
		break;
	case FRAME__WHAT_ANSWER:
		broker_judge(b, from, VIA_ANSWER, &f->answer->envelope);
		break;
	default:
		assert_int_equal(core_control(b->core, from, f, broker_now()), OK);
	}
}

static inline void broker_receive(struct step_broker *b, enum lane lane)
{
	const char *why;
	struct conn from;
	zmq_msg_t m;

	while (b->sockets[lane] && socket_receive(b->sockets[lane], lane, &from, &m, &why) == OK) {
		ProtobufCMessage *f = NULL;

		assert_int_equal(strict_unpack(&frame__descriptor,
					 slice_of(zmq_msg_data(&m), zmq_msg_size(&m)), &f),
			OK);
		broker_frame(b, &from, (Frame *)f);
		protobuf_c_message_free_unpacked(f, NULL);
		zmq_msg_close(&m);
	}
}

/* Takes all that is there, commits, sends. */
static inline void broker_step(struct step_broker *b)
{
	struct output *o;

	for (int i = 0; i < LANES; i++)
		broker_receive(b, (enum lane)i);
	assert_int_equal(core_commit(b->core), OK);
	while ((o = core_output(b->core))) {
		/* Where nobody listens now, there is nobody to send to. */
		if (!b->mute && socket_send(b->sockets, o) != OK)
			core_gone(b->core, o->conn);
		free(o);
	}
}

#endif
