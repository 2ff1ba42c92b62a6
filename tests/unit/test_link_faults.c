/* Goal: whatever the broker sends that makes no sense ends the connection, and only that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/link_env.h"

/* What makes no sense; each ends the connection. */
static void send_garbage(struct env *e)
{
	wire_send_bytes(&e->wire, LANE_ROUTINE, slice_str("not a frame"), 0);
}

static void send_nothing(struct env *e)
{
	wire_send_bytes(&e->wire, LANE_ROUTINE, slice_str(""), 0);
}

/* Each would be right alone. */
static void send_two_parts(struct env *e)
{
	Frame f = FRAME__INIT;
	Pong pong = PONG__INIT;
	struct buf b = {0};

	f.what_case = FRAME__WHAT_PONG;
	f.pong = &pong;
	assert_int_equal(strict_pack(&f.base, &b), OK);
	wire_send_bytes(&e->wire, LANE_ROUTINE, slice_buf(&b), ZMQ_SNDMORE);
	assert_true(zmq_send(e->wire.routers[LANE_ROUTINE], b.data, b.len, 0) >= 0);
	buf_free(&b);
}

/* Right, but for its size. */
static void send_too_large(struct env *e)
{
	uint8_t *bytes = calloc(1, FRAME_MOST);
	Frame f = FRAME__INIT;
	Query q = QUERY__INIT;

	assert_non_null(bytes);
	q.envelope = (ProtobufCBinaryData){FRAME_MOST, bytes};
	f.what_case = FRAME__WHAT_QUERY;
	f.query = &q;
	wire_send(&e->wire, LANE_ROUTINE, &f);
	free(bytes);
}

static void send_hello(struct env *e)
{
	Frame f = FRAME__INIT;
	Hello hello = HELLO__INIT;

	f.what_case = FRAME__WHAT_HELLO;
	f.hello = &hello;
	wire_send(&e->wire, LANE_ROUTINE, &f);
}

static void send_gap(struct env *e)
{
	wire_deliver(&e->wire, LANE_ROUTINE, 2, slice_str("r"));
}

static void send_seq_nought(struct env *e)
{
	wire_deliver(&e->wire, LANE_ROUTINE, 0, slice_str("r"));
}

static void send_short_id(struct env *e)
{
	Frame f = FRAME__INIT;
	Receipt r = RECEIPT__INIT;

	r.id = (ProtobufCBinaryData){3, (uint8_t *)"abc"};
	f.what_case = FRAME__WHAT_RECEIPT;
	f.receipt = &r;
	wire_send(&e->wire, LANE_ROUTINE, &f);
}

static void send_other_protocol(struct env *e)
{
	Frame f = FRAME__INIT;
	Welcome w = WELCOME__INIT;

	w.protocol = 2;
	w.broker = "broker";
	f.what_case = FRAME__WHAT_WELCOME;
	f.welcome = &w;
	wire_send(&e->wire, LANE_ROUTINE, &f);
}

static void send_other_broker(struct env *e)
{
	Frame f = FRAME__INIT;
	Welcome w = WELCOME__INIT;

	w.protocol = 1;
	w.broker = "intake";
	f.what_case = FRAME__WHAT_WELCOME;
	f.welcome = &w;
	wire_send(&e->wire, LANE_ROUTINE, &f);
}

static void what_makes_no_sense_ends_a_connection(void **state)
{
	static void (*const sends[])(struct env *) = {send_garbage, send_nothing, send_two_parts,
		send_too_large, send_hello, send_gap, send_seq_nought, send_short_id,
		send_other_protocol, send_other_broker};
	struct env *e = *state;

	e->config.heartbeat_s = 3600;
	open_and_connect(e);
	for (size_t i = 0; i < sizeof(sends) / sizeof(sends[0]); i++) {
		/* A sound frame first: the pause before the next connection stays short. */
		send_pong(e);
		sends[i](e);
		expect_told(e, "L0 ");
		connect_lane(e, LANE_ROUTINE);
	}
}

static void more_than_the_credit_ends_a_connection(void **state)
{
	struct env *e = *state;

	e->config.heartbeat_s = 3600;
	open_and_connect(e);
	for (uint64_t seq = 1; seq <= 5; seq++)
		wire_deliver(&e->wire, LANE_ROUTINE, seq, slice_str("r"));
	expect_told(e, "D0:1 D0:2 D0:3 D0:4 L0 ");
}

static void nothing_but_a_welcome_comes_first(void **state)
{
	struct env *e = *state;

	e->config.heartbeat_s = 3600;
	open_link(e);
	expect_only(e, LANE_ROUTINE, FRAME__WHAT_HELLO);
	wire_deliver(&e->wire, LANE_ROUTINE, 1, slice_str("r"));
	/* It was not welcomed, so that nothing is told: but the greeting comes anew. */
	connect_lane(e, LANE_ROUTINE);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_makes_no_sense_ends_a_connection),
		T(more_than_the_credit_ends_a_connection),
		T(nothing_but_a_welcome_comes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
