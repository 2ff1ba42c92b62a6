/*
 * wire_broker.h - for tests of what talks to a broker: the broker's two sockets, without a broker
 * behind them. The test takes each frame and says what comes back.
 */
#ifndef HAVRE_TESTS_WIRE_BROKER_H
#define HAVRE_TESTS_WIRE_BROKER_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zmq.h>

#include "proto/strict.h"
#include "services/common/node/link.h"
#include "tests/unit/fixture.h"

/* cmocka.h is included before this. */

#define WIRE_ID_MOST 16

struct wire {
	void *context;
	void *routers[LANES];
	char endpoints[LANES][64];
	const uint8_t *secret;
	/* Who sent the last frame of the lane: a new connection has a new id. */
	uint8_t peer[LANES][WIRE_ID_MOST];
	size_t peer_len[LANES];
};

static inline void wire_bind(struct wire *w, enum lane lane, const char *endpoint)
{
	void *router = zmq_socket(w->context, ZMQ_ROUTER);
	size_t len = sizeof(w->endpoints[lane]);
	int one = 1, zero = 0;

	assert_non_null(router);
	assert_int_equal(zmq_setsockopt(router, ZMQ_CURVE_SERVER, &one, sizeof(one)), 0);
	assert_int_equal(zmq_setsockopt(router, ZMQ_CURVE_SECRETKEY, w->secret, 32), 0);
	assert_int_equal(zmq_setsockopt(router, ZMQ_LINGER, &zero, sizeof(zero)), 0);
	assert_int_equal(zmq_bind(router, endpoint), 0);
	assert_int_equal(zmq_getsockopt(router, ZMQ_LAST_ENDPOINT, w->endpoints[lane], &len), 0);
	w->routers[lane] = router;
}

static inline void wire_open(struct wire *w, const struct keyring *broker)
{
	*w = (struct wire){.context = zmq_ctx_new(), .secret = keyring_transport_secret(broker)};
	assert_non_null(w->context);
	for (int i = 0; i < LANES; i++)
		wire_bind(w, (enum lane)i, "tcp://127.0.0.1:*");
}

/* Connections end, and nobody is there until wire_raise, which binds the same endpoint. */
static inline void wire_drop(struct wire *w, enum lane lane)
{
	if (w->routers[lane]) {
		zmq_unbind(w->routers[lane], w->endpoints[lane]);
		zmq_close(w->routers[lane]);
	}
	w->routers[lane] = NULL;
}

static inline void wire_raise(struct wire *w, enum lane lane)
{
	char endpoint[64];

	memcpy(endpoint, w->endpoints[lane], sizeof(endpoint));
	wire_bind(w, lane, endpoint);
}

static inline void wire_close(struct wire *w)
{
	for (int i = 0; i < LANES; i++)
		wire_drop(w, (enum lane)i);
	zmq_ctx_term(w->context);
}

/* The next frame of the lane, if one is there: frame__free_unpacked. */
static inline Frame *wire_take(struct wire *w, enum lane lane)
{
	ProtobufCMessage *f = NULL;
	zmq_msg_t m;
	int len;

	if (!w->routers[lane])
		return NULL;
	len = zmq_recv(w->routers[lane], w->peer[lane], WIRE_ID_MOST, ZMQ_DONTWAIT);
	if (len < 0)
		return NULL;
	w->peer_len[lane] = (size_t)len;
	zmq_msg_init(&m);
	assert_true(zmq_msg_recv(&m, w->routers[lane], 0) >= 0);
	assert_false(zmq_msg_more(&m));
	assert_int_equal(
		strict_unpack(&frame__descriptor, slice_of(zmq_msg_data(&m), zmq_msg_size(&m)), &f),
		OK);
	zmq_msg_close(&m);
	return (Frame *)f;
}

/* To whoever sent the last frame. */
static inline void wire_send_bytes(struct wire *w, enum lane lane, struct slice bytes, int flags)
{
	assert_true(zmq_send(w->routers[lane], w->peer[lane], w->peer_len[lane], ZMQ_SNDMORE) >= 0);
	assert_true(zmq_send(w->routers[lane], bytes.data, bytes.len, flags) >= 0);
}

static inline void wire_send(struct wire *w, enum lane lane, const Frame *f)
{
	struct buf b = {0};

	assert_int_equal(strict_pack(&f->base, &b), OK);
	wire_send_bytes(w, lane, slice_buf(&b), 0);
	buf_free(&b);
}

static inline void wire_welcome(
	struct wire *w, enum lane lane, uint64_t read_up_to, uint64_t waiting)
{
	Frame f = FRAME__INIT;
	Welcome welcome = WELCOME__INIT;

	welcome.protocol = 1;
	welcome.broker = "broker";
	welcome.read_up_to = read_up_to;
	welcome.waiting = waiting;
	f.what_case = FRAME__WHAT_WELCOME;
	f.welcome = &welcome;
	wire_send(w, lane, &f);
}

static inline void wire_deliver(struct wire *w, enum lane lane, uint64_t seq, struct slice envelope)
{
	Frame f = FRAME__INIT;
	Delivery d = DELIVERY__INIT;

	d.seq = seq;
	d.envelope = (ProtobufCBinaryData){envelope.len, (uint8_t *)envelope.data};
	f.what_case = FRAME__WHAT_DELIVERY;
	f.delivery = &d;
	wire_send(w, lane, &f);
}

static inline void wire_busy(
	struct wire *w, enum lane lane, const uint8_t id[MSG_ID_LEN], uint32_t retry_ms)
{
	Frame f = FRAME__INIT;
	Busy b = BUSY__INIT;

	b.id = (ProtobufCBinaryData){MSG_ID_LEN, (uint8_t *)id};
	b.retry_ms = retry_ms;
	f.what_case = FRAME__WHAT_BUSY;
	f.busy = &b;
	wire_send(w, lane, &f);
}

/* A configuration's part that a link reads. */
static inline void wire_config(const struct wire *w, struct config *c)
{
	c->broker_name = "broker";
	c->routine = (char *)w->endpoints[LANE_ROUTINE];
	c->urgent = (char *)w->endpoints[LANE_URGENT];
	c->credit = 4;
	c->in_flight = 4;
	c->heartbeat_s = 1;
}

/* Links look at the real clock for the broker's key: let the fixture's keys be valid now. */
static inline void fixture_is_now(struct fixture *f)
{
	Registry *r = fixture_message(f);

	r->expires_at = ((int64_t)time(NULL) + 365 * 24 * 3600) * 1000;
	for (size_t i = 0; i < r->n_principals; i++) {
		r->principals[i]->not_before = 0;
		for (size_t j = 0; j < r->principals[i]->n_keys; j++)
			r->principals[i]->keys[j]->not_before = 0;
	}
	fixture_rebuild(f);
}

#endif
