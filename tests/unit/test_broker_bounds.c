/* Goal: what one key can make the broker hold is bounded: unread frames over all its connections
 * and hellos, its connections, its questions, the lines in the log that it causes. */
#include "tests/unit/broker_rig.h"

#include "broker/flow.h"
#include "broker/mailbox.h"
#include "broker/query.h"
#include "broker/tally.h"

#define BIG_TEXT (900 * 1024)
#define BIG      24

/* What left for the connection since the last look. */
struct seen {
	size_t bytes;
	unsigned welcomes, deliveries;
	uint64_t last_seq, nonce;
};

static void note(struct seen *s, const Frame *f)
{
	s->welcomes += f->what_case == FRAME__WHAT_WELCOME;
	if (f->what_case == FRAME__WHAT_PING && f->ping->nonce)
		s->nonce = f->ping->nonce;
	if (f->what_case == FRAME__WHAT_DELIVERY) {
		s->deliveries++;
		s->last_seq = f->delivery->seq;
	}
}

static void look(struct rig *r, uint64_t conn, struct seen *s)
{
	struct output *o;

	do {
		rig_commit(r);
		while ((o = core_output(r->core))) {
			ProtobufCMessage *m;

			assert_ok(
				strict_unpack(&frame__descriptor, slice_of(o->frame, o->len), &m));
			if (o->conn == conn) {
				s->bytes += o->len;
				note(s, (const Frame *)m);
			}
			protobuf_c_message_free_unpacked(m, NULL);
			free(o);
		}
	} while (core_more(r->core));
}

static void send_pong(struct rig *r, const struct conn *c, uint64_t nonce)
{
	Pong pong = PONG__INIT;
	Frame f = FRAME__INIT;

	pong.nonce = nonce;
	f.what_case = FRAME__WHAT_PONG;
	f.pong = &pong;
	rig_control(r, c, &f);
}

/* Referrals of nearly a MiB each wait for intake. */
static void fill_mailbox(struct rig *r)
{
	struct conn sender = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	Narrative narrative = NARRATIVE__INIT;
	Referral body = REFERRAL__INIT;
	char *text = malloc(BIG_TEXT + 1);
	struct seen seen = {0};

	memset(text, 'x', BIG_TEXT);
	text[BIG_TEXT] = '\0';
	narrative.persecution = text;
	body.narrative = &narrative;
	rig_join(r, &sender, 0);
	for (int i = 0; i < BIG; i++) {
		struct buf b = fixture_envelope(
			r->f, KIND_SUBMIT_REFERRAL, "partner-a", "intake", &body.base);

		rig_post(r, &sender, &b);
		look(r, 0, &seen);
		buf_free(&b);
	}
	free(text);
}

/* It says that it has read what it has not, and hello again and again. */
static void who_reads_nothing_gets_little(void **state)
{
	struct rig *r = *state;
	struct conn reader = rig_conn(r, 2, LANE_ROUTINE, "intake");
	struct seen seen = {0}, after = {0};

	fill_mailbox(r);
	for (int i = 0; i < 4 * BIG; i++) {
		rig_hello(r, &reader, 0, CREDIT_MOST);
		look(r, reader.id, &seen);
		rig_cursor(r, &reader, seen.last_seq, NULL, 0);
		look(r, reader.id, &seen);
	}
	assert_true(seen.deliveries >= 4);
	assert_in_range(seen.bytes, FLOW_MOST, FLOW_MOST + FLIGHT_BYTES_MOST + (2u << 20));
	assert_true(seen.nonce != 0);
	/* A guessed answer opens nothing; the right one does. */
	send_pong(r, &reader, seen.nonce + 1);
	send_pong(r, &reader, 0);
	rig_hello(r, &reader, 0, CREDIT_MOST);
	look(r, reader.id, &after);
	assert_int_equal(after.bytes, 0);
	for (int i = 0; i < BIG && after.last_seq < BIG; i++) {
		send_pong(r, &reader, after.nonce ? after.nonce : seen.nonce);
		rig_hello(r, &reader, after.last_seq ? after.last_seq : seen.last_seq, CREDIT_MOST);
		look(r, reader.id, &after);
	}
	assert_int_equal(after.last_seq, BIG);
}

static void who_reads_gets_all_without_a_hello(void **state)
{
	struct rig *r = *state;
	struct conn reader = rig_conn(r, 2, LANE_ROUTINE, "intake");
	struct seen seen = {0};

	fill_mailbox(r);
	rig_hello(r, &reader, 0, CREDIT_MOST);
	for (int i = 0; i < 4 * BIG && seen.last_seq < BIG; i++) {
		look(r, reader.id, &seen);
		send_pong(r, &reader, seen.nonce);
		rig_cursor(r, &reader, seen.last_seq, NULL, 0);
	}
	assert_int_equal(seen.deliveries, BIG);
	assert_int_equal(seen.welcomes, 1);
}

/* The ones that it left behind hold frames, too. */
static void a_key_has_few_connections(void **state)
{
	struct rig *r = *state;
	struct conn last = rig_conn(r, 100, LANE_ROUTINE, "intake");
	struct conn other = rig_conn(r, 200, LANE_ROUTINE, "screening");
	struct seen asked = {0}, seen = {0};

	for (uint64_t id = 1; id <= FLOW_CONNECTIONS; id++) {
		struct conn c = rig_conn(r, id, LANE_ROUTINE, "intake");

		seen = (struct seen){0};
		rig_hello(r, &c, 0, 0);
		look(r, id, &seen);
		assert_int_equal(seen.welcomes, 1);
	}
	seen = (struct seen){0};
	rig_hello(r, &last, 0, 0);
	look(r, 1, &asked);
	assert_true(asked.bytes > 0 && asked.welcomes == 0);
	rig_hello(r, &last, 0, 0);
	look(r, last.id, &seen);
	assert_int_equal(seen.welcomes, 0);
	rig_hello(r, &other, 0, 0);
	look(r, other.id, &seen);
	assert_int_equal(seen.welcomes, 1);
	core_gone(r->core, 1);
	rig_hello(r, &last, 0, 0);
	look(r, last.id, &seen);
	assert_int_equal(seen.welcomes, 2);
}

/* Its session ends, and what it holds is still counted. */
static void a_stuck_connection_is_not_forgotten(void **state)
{
	struct rig *r = *state;
	struct seen seen = {0};

	for (uint64_t id = 1; id <= FLOW_CONNECTIONS; id++) {
		struct conn c = rig_conn(r, id, LANE_ROUTINE, "intake");

		rig_hello(r, &c, 0, 0);
		look(r, id, &seen);
		core_stuck(r->core, id);
		assert_false(core_knows(r->core, &c));
	}
	struct conn last = rig_conn(r, 100, LANE_ROUTINE, "intake");

	seen = (struct seen){0};
	rig_hello(r, &last, 0, 0);
	look(r, last.id, &seen);
	assert_int_equal(seen.welcomes, 0);
}

static void above_the_sum_only_who_reads_gets_more(void **state)
{
	struct conn c = {.id = 0, .lane = LANE_ROUTINE};
	struct flows *f = NULL;
	uint64_t nonce = 0;

	(void)state;
	assert_ok(flows_open((const uint8_t[SIGN_SEED_LEN]){1}, slice_str("test"), &f));
	for (uint64_t id = 1; id <= FLOW_ALL / FLOW_MOST; id++) {
		c.id = id;
		be64_put(c.peer.key_id, id);
		assert_ok(flow_join(f, &c));
		assert_true(flow_room(f, id));
		assert_true(flow_sent(f, id, FLOW_MOST - 1, &nonce));
		assert_true(id == FLOW_ALL / FLOW_MOST || flow_room(f, id));
		assert_false(flow_sent(f, id, 1, &nonce));
		assert_false(flow_room(f, id));
	}
	c.id = 5000;
	be64_put(c.peer.key_id, 5000);
	assert_ok(flow_join(f, &c));
	assert_true(flow_room(f, c.id));
	assert_true(flow_sent(f, c.id, FLOW_ASK, &nonce));
	assert_false(flow_room(f, c.id));
	assert_true(flow_pong(f, c.id, nonce));
	assert_int_equal(flow_unread(f, c.id), 0);
	flow_gone(f, 1);
	assert_true(flow_sent(f, c.id, FLOW_ASK, &nonce));
	assert_true(flow_room(f, c.id));
	flows_free(&f);
}

static void one_asker_does_not_take_every_place(void **state)
{
	struct query q = {.asker = "officer-1", .asked = "screening", .conn = 1};
	struct queries *all = calloc(1, sizeof *all);
	uint64_t conn = 0;

	(void)state;
	for (unsigned i = 0; i < QUERIES_OF_ONE; i++) {
		q.id[0] = (uint8_t)i;
		assert_ok(queries_add(all, &q, 0));
	}
	assert_ok(queries_add(all, &q, 0)); /* the same again is no other */
	q.id[1] = 1;
	assert_int_equal(queries_add(all, &q, 0), ERR_BUSY);
	strcpy(q.asker, "officer-2");
	assert_ok(queries_add(all, &q, 0));
	strcpy(q.asker, "officer-1");
	q.id[1] = 0;
	assert_ok(queries_answer(all, "officer-1", "screening", q.id, 0, &conn));
	q.id[1] = 1;
	assert_ok(queries_add(all, &q, 0));
	assert_ok(queries_add(all, &q, QUERY_EXPIRES_MS));
	free(all);
}

static void lines_come_at_powers_of_two(void **state)
{
	struct tallies t = {0};
	uint64_t count = 0, written = 0;
	char name[49];

	(void)state;
	for (int i = 1; i <= 1000; i++)
		written += tally(&t, "partner-a", "BAD_SIGNATURE", &count);
	assert_int_equal(written, 10);
	assert_int_equal(count, 512);
	assert_true(tally(&t, "partner-a", "MALFORMED", &count));
	assert_int_equal(count, 1);
	assert_true(tally(&t, "partner-b", "BAD_SIGNATURE", &count));
	for (int i = 0; i < 2 * TALLIES_MOST; i++) {
		snprintf(name, sizeof name, "p%d", i);
		tally(&t, name, "MALFORMED", &count);
	}
	assert_int_equal(t.n, TALLIES_MOST);
	assert_int_equal(t.others, TALLIES_MOST + 3);
	tallies_clear(&t);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		T(who_reads_nothing_gets_little),
		T(who_reads_gets_all_without_a_hello),
		T(a_key_has_few_connections),
		T(a_stuck_connection_is_not_forgotten),
		cmocka_unit_test(above_the_sum_only_who_reads_gets_more),
		cmocka_unit_test(one_asker_does_not_take_every_place),
		cmocka_unit_test(lines_come_at_powers_of_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
