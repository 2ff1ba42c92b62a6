/* Goal: a link greets, carries, gives credit, notices silence and cuts, and connects anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/link_env.h"

static void greets_and_is_welcomed(void **state)
{
	struct env *e = *state;
	Frame *f;

	e->told.read_up_to[LANE_URGENT] = 7;
	open_link(e);
	assert_int_equal(link_post(e->link, LANE_URGENT, slice_str("x"), NULL), ERR_BUSY);
	f = expect(e, LANE_URGENT, FRAME__WHAT_HELLO);
	assert_int_equal(f->hello->protocol, 1);
	assert_int_equal(f->hello->read_up_to, 7);
	assert_int_equal(f->hello->credit, 4);
	frame__free_unpacked(f, NULL);
	assert_false(link_ready(e->link, LANE_URGENT));
	assert_int_equal(link_post(e->link, LANE_URGENT, slice_str("x"), NULL), ERR_BUSY);
	wire_welcome(&e->wire, LANE_URGENT, 7, 0);
	expect_told(e, "W1 ");
	assert_true(link_ready(e->link, LANE_URGENT));
	assert_false(link_ready(e->link, LANE_ROUTINE));
}

static void greets_again_until_welcomed(void **state)
{
	uint8_t before[WIRE_ID_MOST] = {0};
	struct env *e = *state;

	open_link(e);
	expect_only(e, LANE_ROUTINE, FRAME__WHAT_HELLO);
	memcpy(before, e->wire.peer[LANE_ROUTINE], WIRE_ID_MOST);
	expect_only(e, LANE_ROUTINE, FRAME__WHAT_HELLO);
	/* Still the same connection. */
	assert_memory_equal(before, e->wire.peer[LANE_ROUTINE], WIRE_ID_MOST);
	wire_welcome(&e->wire, LANE_ROUTINE, 0, 0);
	expect_told(e, "W0 ");
}

/* Its Welcome may answer the first: a proof that was asked for then must still be the right one. */
static void says_the_same_again(void **state)
{
	struct env *e = *state;
	Frame *first, *second;

	e->told.read_up_to[LANE_ROUTINE] = 7;
	open_link(e);
	first = expect(e, LANE_ROUTINE, FRAME__WHAT_HELLO);
	e->told.read_up_to[LANE_ROUTINE] = 9; /* what the program would say by now */
	second = expect(e, LANE_ROUTINE, FRAME__WHAT_HELLO);
	assert_int_equal(first->hello->read_up_to, 7);
	assert_int_equal(second->hello->read_up_to, 7);
	frame__free_unpacked(first, NULL);
	frame__free_unpacked(second, NULL);
	link_renew(e->link, LANE_ROUTINE, "test"); /* and on another connection it does */
	first = expect(e, LANE_ROUTINE, FRAME__WHAT_HELLO);
	assert_int_equal(first->hello->read_up_to, 9);
	frame__free_unpacked(first, NULL);
	wire_welcome(&e->wire, LANE_ROUTINE, 9, 0);
	expect_told(e, "W0 ");
}

static void finds_a_broker_that_comes_later(void **state)
{
	struct env *e = *state;

	wire_drop(&e->wire, LANE_ROUTINE);
	open_link(e);
	connect_lane(e, LANE_URGENT);
	assert_false(link_ready(e->link, LANE_ROUTINE));
	wire_raise(&e->wire, LANE_ROUTINE);
	connect_lane(e, LANE_ROUTINE);
}

static void carries_every_frame(void **state)
{
	uint8_t id[16], hash[32] = {1};
	struct env *e = *state;
	Frame *f, out = FRAME__INIT;
	Receipt r = RECEIPT__INIT;
	Refusal x = REFUSAL__INIT;
	Query q = QUERY__INIT;
	Answer a = ANSWER__INIT;

	open_and_connect(e);
	assert_int_equal(link_post(e->link, LANE_URGENT, slice_str("a post"), NULL), OK);
	f = expect(e, LANE_URGENT, FRAME__WHAT_POST);
	assert_memory_equal(f->post->envelope.data, "a post", 6);
	frame__free_unpacked(f, NULL);
	assert_int_equal(link_query(e->link, slice_str("a query")), OK);
	expect_only(e, LANE_ROUTINE, FRAME__WHAT_QUERY);
	assert_int_equal(link_answer(e->link, slice_str("an answer")), OK);
	expect_only(e, LANE_ROUTINE, FRAME__WHAT_ANSWER);

	memcpy(id, invented_id, sizeof(id));
	r.id = x.id = (ProtobufCBinaryData){16, id};
	r.envelope_hash = x.envelope_hash = (ProtobufCBinaryData){32, hash};
	out.what_case = FRAME__WHAT_RECEIPT;
	out.receipt = &r;
	wire_send(&e->wire, LANE_ROUTINE, &out);
	out.what_case = FRAME__WHAT_REFUSAL;
	out.refusal = &x;
	wire_send(&e->wire, LANE_ROUTINE, &out);
	wire_busy(&e->wire, LANE_ROUTINE, id, 250);
	out.what_case = FRAME__WHAT_QUERY;
	out.query = &q;
	q.envelope = (ProtobufCBinaryData){1, (uint8_t *)"q"};
	wire_send(&e->wire, LANE_ROUTINE, &out);
	out.what_case = FRAME__WHAT_ANSWER;
	out.answer = &a;
	a.envelope = (ProtobufCBinaryData){1, (uint8_t *)"a"};
	wire_send(&e->wire, LANE_ROUTINE, &out);
	expect_told(e, "R X B250 Qq Aa ");
}

/* Something is there in both lanes, and the link has not looked yet. */
static void await_both(struct env *e)
{
	for (int i = 0; i < LANES; i++) {
		zmq_pollitem_t item = {e->link->lanes[i].socket.dealer, 0, ZMQ_POLLIN, 0};

		assert_int_equal(zmq_poll(&item, 1, PATIENCE_MS), 1);
	}
}

/* Whatever else comes in between, the first is urgent, and each lane keeps its order. */
static void expect_order(struct env *e)
{
	const char *all[] = {"D1:1 ", "D1:2 ", "D0:1 ", "D0:2 ", "D0:3 "}, *at[5];
	int64_t until = link_clock() + PATIENCE_MS;

	while (strlen(e->told.text) < 25 && link_clock() < until)
		assert_int_equal(link_run(e->link, STEP_MS, -1), OK);
	for (int i = 0; i < 5; i++) {
		at[i] = strstr(e->told.text, all[i]);
		assert_non_null(at[i]);
	}
	assert_ptr_equal(at[0], e->told.text);
	assert_true(at[0] < at[1] && at[2] < at[3] && at[3] < at[4]);
	e->told.text[0] = 0;
}

static void delivers_urgent_first_and_gives_credit(void **state)
{
	Quarantined bad = QUARANTINED__INIT, *list[] = {&bad};
	Cursor first = CURSOR__INIT, second = CURSOR__INIT;
	struct env *e = *state;
	Frame *f;

	open_and_connect(e);
	for (uint64_t seq = 1; seq <= 3; seq++)
		wire_deliver(&e->wire, LANE_ROUTINE, seq, slice_str("r"));
	for (uint64_t seq = 1; seq <= 2; seq++)
		wire_deliver(&e->wire, LANE_URGENT, seq, slice_str("u"));
	await_both(e);
	expect_order(e);

	bad.seq = 2;
	bad.code = ERR_STALE;
	first.seq = 3;
	first.quarantined = list;
	first.n_quarantined = 1;
	assert_int_equal(link_cursor(e->link, LANE_ROUTINE, &first), OK);
	f = expect(e, LANE_ROUTINE, FRAME__WHAT_CURSOR);
	assert_int_equal(f->cursor->seq, 3);
	assert_int_equal(f->cursor->n_quarantined, 1);
	assert_int_equal(f->cursor->quarantined[0]->seq, 2);
	assert_int_equal(f->cursor->quarantined[0]->code, ERR_STALE);
	frame__free_unpacked(f, NULL);
	f = expect(e, LANE_ROUTINE, FRAME__WHAT_CREDIT);
	assert_int_equal(f->credit->more, 3);
	frame__free_unpacked(f, NULL);
	/* 4 of the hello less 3 taken, and 3 given back: 4 are right. */
	for (uint64_t seq = 4; seq <= 7; seq++)
		wire_deliver(&e->wire, LANE_ROUTINE, seq, slice_str("r"));
	expect_told(e, "D0:4 D0:5 D0:6 D0:7 ");
	second.seq = 7;
	assert_int_equal(link_cursor(e->link, LANE_ROUTINE, &second), OK);
	expect_only(e, LANE_ROUTINE, FRAME__WHAT_CURSOR);
	f = expect(e, LANE_ROUTINE, FRAME__WHAT_CREDIT);
	assert_int_equal(f->credit->more, 4);
	frame__free_unpacked(f, NULL);
}

static void answers_a_ping_and_pings_in_silence(void **state)
{
	struct env *e = *state;
	Frame out = FRAME__INIT;
	Ping ping = PING__INIT;

	open_and_connect(e);
	out.what_case = FRAME__WHAT_PING;
	out.ping = &ping;
	wire_send(&e->wire, LANE_ROUTINE, &out);
	expect_only(e, LANE_ROUTINE, FRAME__WHAT_PONG);
	/* Each answer is a new start: it stays connected for longer than the three heartbeats. */
	for (int i = 0; i < 4; i++) {
		expect_only(e, LANE_ROUTINE, FRAME__WHAT_PING);
		send_pong(e);
	}
	assert_true(link_ready(e->link, LANE_ROUTINE));
}

static void silence_ends_a_connection(void **state)
{
	uint8_t before[WIRE_ID_MOST] = {0};
	struct env *e = *state;

	open_link(e);
	connect_lane(e, LANE_URGENT);
	memcpy(before, e->wire.peer[LANE_URGENT], WIRE_ID_MOST);
	expect_only(e, LANE_URGENT, FRAME__WHAT_PING);
	expect_only(e, LANE_URGENT, FRAME__WHAT_PING);
	expect_told(e, "L1 ");
	assert_false(link_ready(e->link, LANE_URGENT));
	connect_lane(e, LANE_URGENT);
	assert_memory_not_equal(before, e->wire.peer[LANE_URGENT], WIRE_ID_MOST);
}

static void a_cut_is_noticed(void **state)
{
	struct env *e = *state;

	e->config.heartbeat_s = 3600;
	open_and_connect(e);
	wire_drop(&e->wire, LANE_ROUTINE);
	expect_told(e, "L0 ");
	assert_true(link_ready(e->link, LANE_URGENT));
	assert_int_equal(link_post(e->link, LANE_ROUTINE, slice_str("x"), NULL), ERR_BUSY);
	wire_raise(&e->wire, LANE_ROUTINE);
	e->told.read_up_to[LANE_ROUTINE] = 9;
	connect_lane(e, LANE_ROUTINE);
}

/* A key is one principal's only: notify has the broker's while the broker has notify's. */
static void swap_keys(struct env *e)
{
	uint8_t *one = fixture_principal(e->fixture, "broker")->keys[0]->transport_key.data;
	uint8_t *two = fixture_principal(e->fixture, "notify")->keys[0]->transport_key.data;
	uint8_t between[CURVE_KEY_LEN];

	memcpy(between, one, CURVE_KEY_LEN);
	memcpy(one, two, CURVE_KEY_LEN);
	memcpy(two, between, CURVE_KEY_LEN);
	fixture_rebuild(e->fixture);
}

static void the_brokers_key_is_the_registrys(void **state)
{
	struct env *e = *state;
	void *monitor = zmq_socket(e->wire.context, ZMQ_PAIR);
	int refused = 0;

	swap_keys(e);
	assert_int_equal(
		zmq_socket_monitor(e->wire.routers[LANE_ROUTINE], "inproc://refused",
			ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
				ZMQ_EVENT_HANDSHAKE_FAILED_AUTH),
		0);
	assert_int_equal(zmq_connect(monitor, "inproc://refused"), 0);
	open_link(e);
	while (refused < 2) {
		zmq_msg_t m;

		assert_int_equal(link_run(e->link, STEP_MS, -1), OK);
		zmq_msg_init(&m);
		if (zmq_msg_recv(&m, monitor, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&m))
			refused++;
		zmq_msg_close(&m);
	}
	zmq_close(monitor);
	assert_null(wire_take(&e->wire, LANE_ROUTINE));
	swap_keys(e);
	assert_int_equal(link_use_registry(e->link, fixture_registry(e->fixture)), OK);
	connect_lane(e, LANE_ROUTINE);
}

static void another_key_of_the_broker_ends_the_connections(void **state)
{
	struct env *e = *state;

	e->config.heartbeat_s = 3600;
	open_and_connect(e);
	assert_int_equal(link_use_registry(e->link, fixture_registry(e->fixture)), OK);
	assert_int_equal(link_run(e->link, 0, -1), OK);
	assert_true(link_ready(e->link, LANE_ROUTINE) && link_ready(e->link, LANE_URGENT));
	swap_keys(e);
	assert_int_equal(link_use_registry(e->link, fixture_registry(e->fixture)), OK);
	expect_told(e, "L0 L1 ");
}

static void a_registry_without_a_broker_is_refused(void **state)
{
	struct env *e = *state;

	e->config.broker_name = "nobody";
	assert_int_equal(link_open(&e->config, fixture_keys(e->fixture, "intake"),
				 fixture_registry(e->fixture), &link_test_ops, &e->told, &e->link),
		ERR_UNKNOWN_RECIPIENT);
	assert_null(e->link);
	e->config.broker_name = "broker";
	e->config.urgent = "no endpoint";
	assert_int_equal(link_open(&e->config, fixture_keys(e->fixture, "intake"),
				 fixture_registry(e->fixture), &link_test_ops, &e->told, &e->link),
		ERR_INVALID);
	assert_null(e->link);
}

/* The link looks at the registry once: a key whose day is to come is one of those it will try. */
static void a_key_of_tomorrow_is_known_today(void **state)
{
	struct env *e = *state;
	Key *key = fixture_principal(e->fixture, "broker")->keys[0];

	open_and_connect(e);
	key->not_before = INT64_MAX;
	fixture_rebuild(e->fixture);
	assert_int_equal(link_use_registry(e->link, fixture_registry(e->fixture)), OK);
	key->not_before = 0;
	key->not_after = 1;
	fixture_rebuild(e->fixture);
	assert_int_equal(
		link_use_registry(e->link, fixture_registry(e->fixture)), ERR_UNKNOWN_RECIPIENT);
	key->not_after = 0;
	key->retired = true;
	fixture_rebuild(e->fixture);
	assert_int_equal(
		link_use_registry(e->link, fixture_registry(e->fixture)), ERR_UNKNOWN_RECIPIENT);
}

static void an_error_of_the_user_ends_the_run(void **state)
{
	struct env *e = *state;
	int64_t until = link_clock() + PATIENCE_MS;
	enum err got = OK;

	open_and_connect(e);
	e->told.answer = ERR_CORRUPT;
	wire_deliver(&e->wire, LANE_ROUTINE, 1, slice_str("r"));
	while (got == OK && link_clock() < until)
		got = link_run(e->link, STEP_MS, -1);
	assert_int_equal(got, ERR_CORRUPT);
}

static void a_descriptor_wakes_it(void **state)
{
	struct env *e = *state;
	int ends[2];

	e->config.heartbeat_s = 3600;
	open_and_connect(e);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	/* Would sleep for an hour, but for the descriptor. */
	assert_int_equal(link_run(e->link, 3600 * 1000, ends[0]), OK);
	close(ends[0]);
	close(ends[1]);
}

static void what_is_queued_leaves_before_the_end(void **state)
{
	struct env *e = *state;
	Frame *f = NULL;
	int64_t until;

	open_and_connect(e);
	assert_int_equal(link_post(e->link, LANE_ROUTINE, slice_str("last words"), NULL), OK);
	link_free(&e->link);
	assert_null(e->link);
	until = link_clock() + PATIENCE_MS;
	while (!f && link_clock() < until)
		f = wire_take(&e->wire, LANE_ROUTINE);
	assert_true(f && f->what_case == FRAME__WHAT_POST);
	frame__free_unpacked(f, NULL);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(greets_and_is_welcomed),
		T(greets_again_until_welcomed),
		T(says_the_same_again),
		T(finds_a_broker_that_comes_later),
		T(carries_every_frame),
		T(delivers_urgent_first_and_gives_credit),
		T(answers_a_ping_and_pings_in_silence),
		T(silence_ends_a_connection),
		T(a_cut_is_noticed),
		T(the_brokers_key_is_the_registrys),
		T(another_key_of_the_broker_ends_the_connections),
		T(a_key_of_tomorrow_is_known_today),
		T(a_registry_without_a_broker_is_refused),
		T(an_error_of_the_user_ends_the_run),
		T(a_descriptor_wakes_it),
		T(what_is_queued_leaves_before_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
