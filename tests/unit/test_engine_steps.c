/* Goal: waiting, timers and local steps do what step.h and engine.h say. */
#include "tests/unit/engine_rig.h"

#define THREAT KIND_SEND_THREAT
#define EXIT   KIND_SEND_EXIT
#define ACK    KIND_ACKNOWLEDGE_ALERT
#define DAY    (INT64_C(24) * 3600 * 1000)

static void timers(struct rig *r, int64_t now)
{
	rig_begin(r);
	assert_int_equal(engine_timers(r->engine, now), OK);
	rig_commit(r);
}

static int64_t next_timer(struct rig *r)
{
	int64_t at = 0;

	assert_int_equal(engine_next_timer(r->engine, &at), OK);
	return at;
}

/* --- messages that wait --- */

static void a_message_waits_for_what_it_is_about(void **state)
{
	struct rig *r = *state;
	uint64_t seq = 0;

	rig_do(r, ACK, "officer-1", "C-1");
	rig_do(r, EXIT, "intake", "C-1");
	rig_do(r, EXIT, "intake", "C-2");
	assert_int_equal(engine_cursor(r->engine, LANE_ROUTINE), 2); /* both count as processed */
	assert_int_equal(engine_cursor(r->engine, LANE_URGENT), 1);
	assert_int_equal(rig_outbox(r), 0);
	rig_crash(r);
	rig_do(r, THREAT, "intake", "C-1"); /* releases the exit, which releases the answer */
	assert_int_equal(rig_number(r, RIG_EXITS, "C-1"), 1);
	assert_int_equal(rig_number(r, RIG_ACKED, "C-1"), 1);
	assert_int_equal(rig_number(r, RIG_EXITS, "C-2"), 0);
	rig_do(r, THREAT, "intake", "C-1"); /* puts the key again: nothing waits any more */
	assert_int_equal(rig_number(r, RIG_EXITS, "C-1"), 1);
	timers(r, FIXTURE_NOW + 2 * DAY);
	assert_int_equal(rig_quarantined(r, LANE_URGENT, &seq), OK);
	assert_int_equal(rig_quarantined(r, LANE_ROUTINE, &seq), ERR_WAITED_TOO_LONG);
	assert_int_equal(seq, 2);
	assert_int_equal(rig_quarantined(r, LANE_ROUTINE, &seq), OK);
}

static void a_message_waits_for_a_day(void **state)
{
	struct rig *r = *state;
	uint64_t seq = 0;
	int64_t deadline;

	rig_do(r, EXIT, "intake", "C-1");
	deadline = FIXTURE_NOW + (int64_t)r->index + DAY;
	assert_int_equal(next_timer(r), deadline);
	timers(r, deadline - 1);
	assert_int_equal(rig_quarantined(r, LANE_ROUTINE, &seq), OK);
	timers(r, deadline);
	assert_int_equal(rig_quarantined(r, LANE_ROUTINE, &seq), ERR_WAITED_TOO_LONG);
	assert_int_equal(next_timer(r), INT64_MAX);
	rig_do(r, THREAT, "intake", "C-1");
	assert_int_equal(rig_number(r, RIG_EXITS, "C-1"), 0);
}

/* Also when the clock was far ahead once. */
static void a_message_waits_for_a_day_of_the_timers(void **state)
{
	struct rig *r = *state;

	rig_do(r, THREAT, "intake", "C-1");
	timers(r, FIXTURE_NOW + 300 * DAY);
	rig_do(r, EXIT, "intake", "C-2");
	assert_int_equal(next_timer(r), FIXTURE_NOW + 301 * DAY);
}

/* Released in the order of the log; what waits again keeps its deadline and its turn. */
static void what_waited_goes_on_in_order(void **state)
{
	struct rig *r = *state;
	struct fixture_header first, second, sent;
	struct buf in[2], out;
	struct delivery d;

	for (int i = 0; i < 2; i++) {
		in[i] = rig_message(r, EXIT, "intake", "C-1");
		d = rig_next(r, LANE_ROUTINE, &in[i]);
		rig_begin(r);
		assert_int_equal(engine_take(r->engine, &d), OK);
		rig_commit(r);
	}
	rig_do(r, THREAT, "intake", "C-1");
	protobuf_c_message_free_unpacked(
		fixture_open(r->f, "urgent", slice_buf(&in[0]), &first), NULL);
	protobuf_c_message_free_unpacked(
		fixture_open(r->f, "urgent", slice_buf(&in[1]), &second), NULL);
	out = rig_sent(r, LANE_URGENT, 0);
	protobuf_c_message_free_unpacked(
		fixture_open(r->f, "officer-1", slice_buf(&out), &sent), NULL);
	assert_memory_equal(sent.cause, first.id, MSG_ID_LEN);
	buf_free(&out);
	out = rig_sent(r, LANE_URGENT, 1);
	protobuf_c_message_free_unpacked(
		fixture_open(r->f, "officer-1", slice_buf(&out), &sent), NULL);
	assert_memory_equal(sent.cause, second.id, MSG_ID_LEN);
	assert_int_equal(sent.created_at, d.received_at);
	buf_free(&out);
	buf_free(&in[0]);
	buf_free(&in[1]);
}

static void a_released_message_can_be_refused(void **state)
{
	struct rig *r = *state;
	uint64_t seq = 0;

	rig_do(r, EXIT, "intake", "C-1");
	r->plan = (struct rig_plan){.fail_in = EXIT, .fail_case = "C-1", .fail = ERR_STALE};
	rig_do(r, THREAT, "intake", "C-1");
	assert_int_equal(rig_number(r, RIG_HANDLED, "C-1"), 1);
	assert_int_equal(rig_number(r, RIG_EXITS, "C-1"), 0);
	assert_int_equal(rig_quarantined(r, LANE_ROUTINE, &seq), ERR_STALE);
	assert_int_equal(seq, 1);
}

/* --- timers --- */

static void a_timer_fires_once_when_it_is_due(void **state)
{
	struct rig *r = *state;
	int64_t due;

	rig_do(r, THREAT, "intake", "C-1");
	rig_do(r, THREAT, "intake", "C-1"); /* moves it */
	rig_do(r, THREAT, "intake", "C-2");
	due = FIXTURE_NOW + (int64_t)r->index - 1 + REMIND_AFTER;
	assert_int_equal(next_timer(r), due);
	timers(r, due - 1);
	assert_int_equal(rig_number(r, RIG_REMINDED, "C-1"), 0);
	rig_crash(r);
	timers(r, due);
	assert_int_equal(rig_number(r, RIG_REMINDED, "C-1"), due);
	assert_int_equal(rig_number(r, RIG_REMINDED, "C-2"), 0);
	assert_int_equal(next_timer(r), due + 1);
	timers(r, due + 500); /* in time: its step is made at the time that it was due */
	assert_int_equal(rig_number(r, RIG_REMINDED, "C-1"), due);
	assert_int_equal(rig_number(r, RIG_REMINDED, "C-2"), due + 1);
	rig_do(r, THREAT, "intake", "C-3");
	due = next_timer(r);
	timers(r, due + 61000); /* late */
	assert_int_equal(rig_number(r, RIG_REMINDED, "C-3"), due + 61000);
	assert_int_equal(next_timer(r), INT64_MAX);
}

static void the_time_of_timers_never_runs_backwards(void **state)
{
	struct rig *r = *state;
	int64_t first;

	rig_do(r, THREAT, "intake", "C-1");
	first = next_timer(r) + 100000;
	timers(r, first);
	rig_do(r, THREAT, "intake", "C-2");
	rig_crash(r); /* also not over a restart */
	assert_true(next_timer(r) < first);
	timers(r, next_timer(r));
	assert_int_equal(rig_number(r, RIG_REMINDED, "C-2"), first);
}

static void a_timer_that_is_refused_stops_nothing(void **state)
{
	struct rig *r = *state;

	rig_do(r, THREAT, "intake", "C-1");
	rig_do(r, THREAT, "intake", "C-2");
	r->plan = (struct rig_plan){
		.fail_in = KIND_RAISE_ALERT, .fail_case = "C-1", .fail = ERR_STALE};
	timers(r, FIXTURE_NOW + DAY);
	assert_int_equal(rig_number(r, RIG_REMINDED, "C-1"), 0);
	assert_int_equal(rig_number(r, RIG_REMINDED, "C-2"), FIXTURE_NOW + DAY);
	/* nor is it lost: a ladder goes on climbing */
	assert_int_equal(next_timer(r), FIXTURE_NOW + DAY + 60000);
	r->plan.fail = OK;
	timers(r, FIXTURE_NOW + DAY + 60000);
	assert_int_equal(rig_number(r, RIG_REMINDED, "C-1"), FIXTURE_NOW + DAY + 60000);
	assert_int_equal(next_timer(r), INT64_MAX);
}

/* A timer that stops the process three times is put off; what came in the same turn is blameless.
 */
static void a_deadly_timer_stops_nothing_for_long(void **state)
{
	struct rig *r = *state;
	uint64_t seq = 0;

	rig_do(r, THREAT, "intake", "C-1");
	rig_do(r, THREAT, "intake", "C-2");
	r->plan = (struct rig_plan){
		.fail_in = KIND_RAISE_ALERT, .fail_case = "C-1", .fail = ERR_INVALID};
	for (int death = 0; death < 3; death++) {
		rig_crash(r);
		rig_begin(r);
		assert_int_equal(rig_take(r, THREAT, "intake", "C-3"), OK);
		assert_int_equal(engine_timers(r->engine, FIXTURE_NOW + DAY), ERR_INVALID);
	}
	rig_crash(r);
	assert_int_equal(rig_number(r, RIG_HANDLED, "C-3"), 3);
	timers(r, FIXTURE_NOW + DAY);
	assert_int_equal(r->plan.handled, 3);
	assert_int_equal(rig_number(r, RIG_REMINDED, "C-2"), FIXTURE_NOW + DAY);
	assert_int_equal(rig_quarantined(r, LANE_URGENT, &seq), OK);
	assert_int_equal(next_timer(r), FIXTURE_NOW + DAY + 3600000);
	r->plan.fail = OK;
	timers(r, FIXTURE_NOW + DAY + 3600000);
	assert_int_equal(rig_number(r, RIG_REMINDED, "C-1"), FIXTURE_NOW + DAY + 3600000);
	assert_int_equal(next_timer(r), INT64_MAX);
}

/* A message was released, then the power failed: no other message need come for it to go on. */
static void what_was_released_goes_on_after_a_crash(void **state)
{
	struct rig *r = *state;

	rig_do(r, EXIT, "intake", "C-1");
	r->plan = (struct rig_plan){.fail_in = EXIT, .fail_case = "C-1", .fail = ERR_IO};
	rig_begin(r);
	assert_int_equal(rig_take(r, THREAT, "intake", "C-1"), ERR_IO);
	rig_crash(r);
	assert_int_equal(engine_cursor(r->engine, LANE_URGENT), 1);
	r->plan.fail = OK;
	assert_int_equal(engine_resume(r->engine), ERR_INVALID); /* not between commits */
	rig_begin(r);
	assert_int_equal(engine_resume(r->engine), OK);
	rig_commit(r);
	assert_int_equal(rig_number(r, RIG_EXITS, "C-1"), 1);
}

/* --- keys --- */

/* The key that is put is the store's own, of a record of the same step. */
static enum err put_again(struct step *s, void *arg)
{
	struct slice key, value;

	(void)arg;
	TRY(step_put(s, RIG_EXITS, slice_str("a key of some length"), slice_str("one")));
	TRY(step_next(s, RIG_EXITS, (struct slice){0}, false, &key, &value));
	TRY(step_put(s, RIG_EXITS, key, slice_str("two, and longer")));
	TRY(step_get(s, RIG_EXITS, slice_str("a key of some length"), &value));
	return slice_eq(value, slice_str("two, and longer")) ? OK : ERR_CORRUPT;
}

static void a_record_can_be_put_under_its_own_key(void **state)
{
	struct rig *r = *state;

	rig_begin(r);
	assert_int_equal(engine_local(r->engine, FIXTURE_NOW, put_again, NULL), OK);
	rig_commit(r);
}

static enum err look_for(struct step *s, void *name)
{
	struct slice v;
	enum err e = step_get(s, RIG_EXITS, slice_str(name), &v);
	ProtobufCMessage *m;

	assert_int_equal(case_get(s, RIG_EXITS, slice_str(name), name, &threat__descriptor, &m), e);
	return e;
}

/* A message names a case that cannot be: it is like one that is not there, and no failure. */
static void a_key_that_cannot_be_is_not_there(void **state)
{
	char long_name[600] = "";
	struct rig *r = *state;
	uint64_t seq = 0;

	memset(long_name, 'x', sizeof(long_name) - 1);
	assert_int_equal(engine_read(r->engine, FIXTURE_NOW, look_for, ""), ERR_NOT_FOUND);
	assert_int_equal(engine_read(r->engine, FIXTURE_NOW, look_for, long_name), ERR_NOT_FOUND);
	rig_do(r, ACK, "officer-1", "");
	assert_int_equal(rig_quarantined(r, LANE_URGENT, &seq), ERR_MALFORMED);
	rig_do(r, ACK, "officer-1", long_name);
	assert_int_equal(rig_quarantined(r, LANE_URGENT, &seq), ERR_MALFORMED);
	assert_int_equal(seq, 2);
}

static enum err set_and_cancel(struct step *s, void *arg)
{
	(void)arg;
	assert_int_equal(step_timer_set(s, "no-such", slice_str("k"), 5), ERR_INVALID);
	TRY(step_timer_set(s, "remind", slice_str("k"), FIXTURE_NOW));
	TRY(step_timer_set(s, "remind", slice_str("l"), FIXTURE_NOW - 1));
	TRY(step_timer_cancel(s, "remind", slice_str("l")));
	return step_timer_cancel(s, "remind", slice_str("never set"));
}

static void a_timer_can_be_cancelled(void **state)
{
	struct rig *r = *state;

	rig_begin(r);
	assert_int_equal(engine_local(r->engine, FIXTURE_NOW, set_and_cancel, NULL), OK);
	rig_commit(r);
	assert_int_equal(next_timer(r), FIXTURE_NOW);
	timers(r, FIXTURE_NOW);
	assert_int_equal(next_timer(r), INT64_MAX);
}

/* --- local steps --- */

static enum err send_wrongly(struct step *s, void *arg)
{
	Alert a = ALERT__INIT;
	AlertsQuery q = ALERTS_QUERY__INIT;

	(void)arg;
	assert_int_equal(step_send(s, KIND_RAISE_ALERT, "nobody", &a.base), ERR_UNKNOWN_RECIPIENT);
	assert_int_equal(step_send(s, KIND_RAISE_ALERT, "partner-a", &a.base), ERR_NOT_PERMITTED);
	assert_int_equal(step_send(s, THREAT, "urgent", &a.base), ERR_INVALID); /* another body */
	assert_int_equal(step_send_service(s, KIND_ASK_ALERTS, &q.base), ERR_INVALID);
	return step_send(s, KIND_RAISE_ALERT, "relay-smtp", &a.base);
}

static enum err fail_after(struct step *s, void *arg)
{
	TRY(send_wrongly(s, NULL));
	return *(enum err *)arg;
}

static void a_local_step_is_whole_or_nothing(void **state)
{
	struct rig *r = *state;
	struct fixture_header h;
	enum err wish = ERR_USAGE;
	struct buf sent;

	rig_begin(r);
	assert_int_equal(engine_local(r->engine, FIXTURE_NOW, fail_after, &wish), ERR_USAGE);
	assert_int_equal(engine_local(r->engine, FIXTURE_NOW, send_wrongly, NULL), OK);
	rig_commit(r);
	assert_int_equal(rig_outbox(r), 1);
	sent = rig_sent(r, LANE_URGENT, 0);
	protobuf_c_message_free_unpacked(
		fixture_open(r->f, "relay-smtp", slice_buf(&sent), &h), NULL);
	assert_false(h.has_cause); /* a person's own act */
	assert_int_equal(h.created_at, FIXTURE_NOW);
	buf_free(&sent);
}

static void an_older_registry_is_refused(void **state)
{
	struct rig *r = *state;
	uint64_t seen = 77;

	assert_int_equal(engine_seen_registry(r->engine, &seen), OK);
	assert_int_equal(seen, 0);
	rig_begin(r);
	assert_int_equal(engine_note_registry(r->engine, 3), OK);
	assert_int_equal(engine_note_registry(r->engine, 3), OK);
	assert_int_equal(engine_note_registry(r->engine, 2), ERR_ROLLED_BACK);
	rig_commit(r);
	rig_crash(r);
	assert_int_equal(engine_seen_registry(r->engine, &seen), OK);
	assert_int_equal(seen, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(a_message_waits_for_what_it_is_about),
		RIG_TEST(a_message_waits_for_a_day),
		RIG_TEST(a_message_waits_for_a_day_of_the_timers),
		RIG_TEST(what_waited_goes_on_in_order),
		RIG_TEST(a_released_message_can_be_refused),
		RIG_TEST(a_timer_fires_once_when_it_is_due),
		RIG_TEST(the_time_of_timers_never_runs_backwards),
		RIG_TEST(a_timer_that_is_refused_stops_nothing),
		RIG_TEST(a_deadly_timer_stops_nothing_for_long),
		RIG_TEST(what_was_released_goes_on_after_a_crash),
		RIG_TEST(a_record_can_be_put_under_its_own_key),
		RIG_TEST(a_key_that_cannot_be_is_not_there),
		RIG_TEST(a_timer_can_be_cancelled),
		RIG_TEST(a_local_step_is_whole_or_nothing),
		RIG_TEST(an_older_registry_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
