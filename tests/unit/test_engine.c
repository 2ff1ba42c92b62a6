/* Goal: each message has its whole effect exactly once, whatever crashes, or is set aside. */
#include "tests/unit/engine_rig.h"

#define THREAT KIND_SEND_THREAT
#define EXIT   KIND_SEND_EXIT
#define ACK    KIND_ACKNOWLEDGE_ALERT

static struct fixture *people;

static int make_people(void **state)
{
	(void)state;
	people = fixture_make();
	return 0;
}

static int free_people(void **state)
{
	(void)state;
	fixture_free(&people);
	return 0;
}

static void a_message_has_its_whole_effect(void **state)
{
	struct fixture_header h = {0};
	struct rig r;

	(void)state;
	for (int lmdb = 0; lmdb < 2; lmdb++) {
		struct buf in, out;
		struct delivery d;
		uint8_t id[MSG_ID_LEN];
		Outcome *o;
		int64_t at;

		rig_open(&r, people, lmdb);
		in = rig_message(&r, THREAT, "intake", "C-1");
		d = rig_next(&r, LANE_URGENT, &in);
		rig_begin(&r);
		assert_int_equal(engine_take(r.engine, &d), OK);
		assert_int_equal(engine_cursor(r.engine, LANE_URGENT), 0);
		rig_commit(&r);
		assert_int_equal(engine_cursor(r.engine, LANE_URGENT), 1);
		assert_int_equal(rig_number(&r, RIG_HANDLED, "C-1"), 1);
		assert_int_equal(engine_next_timer(r.engine, &at), OK);
		assert_int_equal(at, d.received_at + REMIND_AFTER);
		out = rig_sent(&r, LANE_ROUTINE, 0);
		o = (Outcome *)fixture_open(people, "notify", slice_buf(&out), &h);
		assert_string_equal(o->case_number, "C-1");
		assert_int_equal(o->at, d.received_at);
		assert_int_equal(h.created_at, d.received_at);
		assert_string_equal(h.sender, "urgent");
		outcome__free_unpacked(o, NULL);
		protobuf_c_message_free_unpacked(
			fixture_open(people, "urgent", slice_buf(&in), &h), NULL);
		memcpy(id, h.id, MSG_ID_LEN);
		protobuf_c_message_free_unpacked(
			fixture_open(people, "notify", slice_buf(&out), &h), NULL);
		assert_true(h.has_cause);
		assert_memory_equal(h.cause, id, MSG_ID_LEN);
		assert_int_equal(msg_id_time(h.id), msg_id_time(id));
		assert_memory_not_equal(h.id, id, MSG_ID_LEN);
		buf_free(&in);
		buf_free(&out);
		rig_close(&r);
	}
}

static void a_step_done_again_gives_the_same_bytes(void **state)
{
	struct rig r;

	(void)state;
	for (int lmdb = 0; lmdb < 2; lmdb++) {
		struct buf in, empty, first, again;
		struct delivery d;

		rig_open(&r, people, lmdb);
		in = rig_message(&r, THREAT, "intake", "C-1");
		d = rig_next(&r, LANE_URGENT, &in);
		rig_begin(&r);
		assert_int_equal(engine_take(r.engine, &d), OK);
		rig_commit(&r);
		first = rig_dump(&r);
		rig_close(&r);

		rig_open(&r, people, lmdb);
		empty = rig_dump(&r);
		for (int i = 0; i < 2; i++) { /* two crashes: before the commit */
			rig_begin(&r);
			assert_int_equal(engine_take(r.engine, &d), OK);
			rig_crash(&r);
			assert_int_equal(rig_outbox(&r), 0);
			assert_int_equal(rig_number(&r, RIG_HANDLED, "C-1"), 0);
		}
		rig_begin(&r);
		assert_int_equal(engine_take(r.engine, &d), OK);
		rig_commit(&r);
		again = rig_dump(&r);
		assert_true(rig_same(&first, &again));
		assert_false(rig_same(&first, &empty));
		rig_crash(&r); /* after the commit, before the broker hears of it */
		rig_begin(&r);
		assert_int_equal(engine_take(r.engine, &d), OK);
		rig_commit(&r);
		buf_free(&again);
		again = rig_dump(&r);
		assert_true(rig_same(&first, &again));
		buf_free(&in);
		buf_free(&empty);
		buf_free(&first);
		buf_free(&again);
		rig_close(&r);
	}
}

static void run_history(struct rig *r, struct delivery *d, size_t n, size_t batch)
{
	for (size_t i = 0; i < n; i++) {
		if (i % batch == 0)
			rig_begin(r);
		assert_int_equal(engine_take(r->engine, &d[i]), OK);
		assert_int_equal(engine_timers(r->engine, FIXTURE_NOW + 2000), OK);
		if (i % batch == batch - 1 || i == n - 1)
			rig_commit(r);
	}
}

/* The same history gives the same bytes, however it is cut into batches and in every store. */
static void the_same_input_gives_the_same_store(void **state)
{
	static const enum kind kinds[] = {ACK, EXIT, THREAT, THREAT, EXIT, THREAT};
	static const char *const cases[] = {"C-1", "C-1", "C-1", "C-2", "C-3", "C-1"};
	enum { N = 6 };
	struct buf in[N], dump[4] = {0};
	struct delivery d[N];
	struct rig r;

	(void)state;
	for (int run = 0; run < 4; run++) {
		rig_open(&r, people, run == 3);
		for (int i = 0; i < N; i++) {
			if (run == 0)
				in[i] = rig_message(&r, kinds[i],
					kinds[i] == ACK ? "officer-1" : "intake", cases[i]);
			d[i] = rig_next(&r, catalogue_find(kinds[i])->lane, &in[i]);
		}
		run_history(&r, d, N, run == 1 ? 1 : run == 2 ? 3 : N);
		dump[run] = rig_dump(&r);
		assert_int_equal(rig_number(&r, RIG_ACKED, "C-1"), 1);
		assert_true(run == 0 || rig_same(&dump[0], &dump[run]));
		rig_close(&r);
	}
	for (int i = 0; i < N; i++)
		buf_free(&in[i]);
	for (int i = 0; i < 4; i++)
		buf_free(&dump[i]);
}

static void what_a_handler_refuses_leaves_no_trace(void **state)
{
	uint64_t seq = 0;
	struct rig r;

	(void)state;
	for (int lmdb = 0; lmdb < 2; lmdb++) {
		rig_open(&r, people, lmdb);
		r.plan = (struct rig_plan){.fail_case = "BAD", .fail = ERR_NO_TRANSITION};
		rig_begin(&r);
		assert_int_equal(rig_take(&r, THREAT, "intake", "C-1"), OK);
		assert_int_equal(rig_take(&r, THREAT, "intake", "BAD"), OK);
		/* it is told when it is committed, not before */
		assert_int_equal(rig_quarantined(&r, LANE_URGENT, &seq), OK);
		assert_int_equal(rig_take(&r, THREAT, "intake", "C-2"), OK);
		rig_commit(&r);
		assert_int_equal(r.plan.handled, 1);
		assert_int_equal(rig_number(&r, RIG_HANDLED, "BAD"), 0);
		assert_int_equal(rig_number(&r, RIG_HANDLED, "C-1"), 1);
		assert_int_equal(rig_number(&r, RIG_HANDLED, "C-2"), 1);
		assert_int_equal(rig_outbox(&r), 2);
		assert_int_equal(engine_cursor(r.engine, LANE_URGENT), 3);
		assert_int_equal(rig_quarantined(&r, LANE_URGENT, &seq), ERR_NO_TRANSITION);
		assert_int_equal(seq, 2);
		assert_int_equal(rig_quarantined(&r, LANE_URGENT, &seq), OK); /* told once */
		rig_crash(&r); /* the broker may not have heard */
		assert_int_equal(rig_quarantined(&r, LANE_ROUTINE, &seq), OK);
		assert_int_equal(rig_quarantined(&r, LANE_URGENT, &seq), ERR_NO_TRANSITION);
		rig_close(&r);
	}
}

static void after_an_internal_error_nothing_is_committed(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, people, false);
	r.plan = (struct rig_plan){.fail_case = "C-1", .fail = ERR_NOT_FOUND};
	rig_begin(&r);
	assert_int_equal(rig_take(&r, THREAT, "intake", "C-1"), ERR_NOT_FOUND);
	assert_int_equal(rig_take(&r, THREAT, "intake", "C-2"), ERR_NOT_FOUND);
	assert_int_equal(engine_commit(r.engine), ERR_NOT_FOUND);
	assert_int_equal(engine_begin(r.engine), ERR_NOT_FOUND);
	rig_crash(&r);
	rig_begin(&r);
	store_memory_fail_next_commit(r.store, ERR_IO);
	assert_int_equal(engine_commit(r.engine), ERR_IO);
	assert_int_equal(engine_begin(r.engine), ERR_IO);
	assert_int_equal(engine_cursor(r.engine, LANE_URGENT), 0);
	rig_close(&r);
}

static void deliveries_come_in_order_and_once(void **state)
{
	struct buf in;
	struct delivery d;
	struct rig r;

	(void)state;
	rig_open(&r, people, false);
	in = rig_message(&r, THREAT, "intake", "C-1");
	d = rig_next(&r, LANE_URGENT, &in);
	assert_int_equal(engine_take(r.engine, &d), ERR_INVALID); /* no batch */
	rig_begin(&r);
	d.seq = 2;
	assert_int_equal(engine_take(r.engine, &d), ERR_INVALID);
	d.seq = 1;
	assert_int_equal(engine_take(r.engine, &d), OK);
	assert_int_equal(engine_take(r.engine, &d), OK);
	rig_commit(&r);
	assert_int_equal(rig_number(&r, RIG_HANDLED, "C-1"), 1);
	assert_int_equal(engine_cursor(r.engine, LANE_URGENT), 1);
	assert_int_equal(engine_cursor(r.engine, LANE_ROUTINE), 0);
	buf_free(&in);
	rig_close(&r);
}

/* --- what is refused --- */

static const uint8_t another_seed[SIGN_SEED_LEN] = {7};
static const uint8_t another_key[KEY_ID_LEN] = {7};

static const struct bad {
	const char *what;
	enum kind kind;
	const char *from, *to; /* whose keys sign, whose keys open */
	struct envelope_spec spec;
	enum lane lane;
	enum err code;
} bad[] = {
	{"forged", THREAT, "intake", "urgent", {.sign_seed = another_seed}, LANE_URGENT,
		ERR_BAD_SIGNATURE},
	{"another key", THREAT, "intake", "urgent", {.key_id = another_key}, LANE_URGENT,
		ERR_UNKNOWN_KEY},
	{"unknown sender", THREAT, "intake", "urgent", {.sender = "nobody"}, LANE_URGENT,
		ERR_UNKNOWN_SENDER},
	{"not its sender", THREAT, "partner-a", "urgent", {0}, LANE_URGENT, ERR_NOT_PERMITTED},
	{"of another", THREAT, "partner-a", "urgent", {.sender = "intake"}, LANE_URGENT,
		ERR_UNKNOWN_KEY},
	{"wrong recipient", EXIT, "intake", "screening", {0}, LANE_ROUTINE, ERR_NOT_FOR_ME},
	{"sealed to another", EXIT, "intake", "screening", {.recipient = "urgent"}, LANE_ROUTINE,
		ERR_NOT_FOR_ME},
	{"sealed to me, for another", EXIT, "intake", "urgent", {.recipient = "screening"},
		LANE_ROUTINE, ERR_NOT_FOR_ME},
	{"wrong lane", THREAT, "intake", "urgent", {0}, LANE_ROUTINE, ERR_WRONG_LANE},
	{"no handler", KIND_DECIDE_PROTECTION, "officer-1", "urgent", {0}, LANE_URGENT,
		ERR_UNKNOWN_KIND},
	{"a question", KIND_ASK_ALERTS, "officer-1", "urgent", {0}, LANE_ROUTINE,
		ERR_NOT_PERMITTED},
};

static struct buf bad_envelope(const struct bad *b)
{
	static const Threat threat = THREAT__INIT;
	static const CaseExit case_exit = CASE_EXIT__INIT;
	static const Decision decision = DECISION__INIT;
	static const AlertsQuery query = ALERTS_QUERY__INIT;
	const ProtobufCMessage *body = b->kind == THREAT                   ? &threat.base
				       : b->kind == EXIT                   ? &case_exit.base
				       : b->kind == KIND_DECIDE_PROTECTION ? &decision.base
									   : &query.base;
	struct envelope_spec spec = b->spec;

	spec.kind = b->kind;
	spec.created_at = FIXTURE_NOW;
	return fixture_envelope_of(people, b->from, b->to, &spec, body);
}

static void what_is_not_right_is_set_aside(void **state)
{
	uint64_t seq = 0;
	struct rig r;

	(void)state;
	rig_open(&r, people, false);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf in = bad_envelope(&bad[i]);
		struct delivery d = rig_next(&r, bad[i].lane, &in);
		enum err got;

		rig_begin(&r);
		assert_int_equal(engine_take(r.engine, &d), OK);
		rig_commit(&r);
		got = rig_quarantined(&r, bad[i].lane, &seq);
		if (got != bad[i].code || seq != d.seq)
			fail_msg("%s: %s", bad[i].what, err_name(got));
		assert_int_equal(engine_cursor(r.engine, bad[i].lane), d.seq);
		buf_free(&in);
	}
	assert_int_equal(rig_outbox(&r), 0);
	rig_do(&r, THREAT, "intake", "C-1");
	assert_int_equal(rig_number(&r, RIG_HANDLED, "C-1"), 1);
	rig_close(&r);
}

static void garbage_is_set_aside(void **state)
{
	struct buf in, garbage = {0};
	struct delivery d;
	uint64_t seq = 0;
	struct rig r;

	(void)state;
	rig_open(&r, people, false);
	in = rig_message(&r, THREAT, "intake", "C-1");
	assert_int_equal(buf_append(&garbage, "\xff\xff\xff", 3), OK);
	d = rig_next(&r, LANE_URGENT, &garbage);
	rig_begin(&r);
	assert_int_equal(engine_take(r.engine, &d), OK);
	in.data[in.len / 2] ^= 1; /* inside the seal */
	d = rig_next(&r, LANE_URGENT, &in);
	assert_int_equal(engine_take(r.engine, &d), OK);
	rig_commit(&r);
	assert_int_equal(rig_quarantined(&r, LANE_URGENT, &seq), ERR_BAD_SIGNATURE);
	assert_int_equal(seq, 2);
	assert_int_equal(engine_cursor(r.engine, LANE_URGENT), 2);
	assert_int_equal(rig_outbox(&r), 0);
	buf_free(&in);
	buf_free(&garbage);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_has_its_whole_effect),
		cmocka_unit_test(a_step_done_again_gives_the_same_bytes),
		cmocka_unit_test(the_same_input_gives_the_same_store),
		cmocka_unit_test(what_a_handler_refuses_leaves_no_trace),
		cmocka_unit_test(after_an_internal_error_nothing_is_committed),
		cmocka_unit_test(deliveries_come_in_order_and_once),
		cmocka_unit_test(what_is_not_right_is_set_aside),
		cmocka_unit_test(garbage_is_set_aside),
	};

	return cmocka_run_group_tests(tests, make_people, free_people);
}
