/* Goal: an engine takes the broker's word for its log only with the proof that it grew, or with an
 * administrator's word that it was recovered; then it sends again what the log may have lost, and
 * does nothing twice. A store that was put back does the same again, and its timers wait. */
#include "tests/unit/said_log.h"

static void the_log_only_grows(void **state)
{
	struct rig *r = *state;

	make_admin(r);
	assert_ok(greet(r, LANE_ROUTINE, (struct said){.epoch = 1, .size = 1}));
	assert_ok(greet(r, LANE_ROUTINE, (struct said){.epoch = 1, .size = 2}));
	assert_ok(greet(r, LANE_ROUTINE, (struct said){.epoch = 1, .size = 2}));
	/* smaller; of the same size and another; of another epoch that nobody signed for */
	assert_int_equal(
		greet(r, LANE_ROUTINE, (struct said){.epoch = 1, .size = 1}), ERR_ROLLED_BACK);
	assert_int_equal(
		greet(r, LANE_ROUTINE, (struct said){.epoch = 1, .size = 2, .broken = true}),
		ERR_ROLLED_BACK);
	assert_int_equal(
		greet(r, LANE_ROUTINE, (struct said){.epoch = 2, .size = 2}), ERR_ROLLED_BACK);
	assert_int_equal(
		greet_signed(r, LANE_ROUTINE,
			&(struct said){.epoch = 2, .size = 2, .recovered = true}, "officer-1"),
		ERR_BAD_SIGNATURE);
	/* one is left out */
	assert_int_equal(
		greet(r, LANE_ROUTINE, (struct said){.epoch = 3, .size = 2, .recovered = true}),
		ERR_ROLLED_BACK);
	assert_int_equal(
		greet(r, LANE_ROUTINE, (struct said){.epoch = 1, .size = 2, .fenced = true}),
		ERR_FENCED);
	assert_ok(greet(r, LANE_ROUTINE, (struct said){.epoch = 2, .size = 1, .recovered = true}));
	/* and back again it goes no more */
	assert_int_equal(
		greet(r, LANE_ROUTINE, (struct said){.epoch = 1, .size = 2}), ERR_ROLLED_BACK);
}

/* Both lanes share the newest head. What a Welcome proves is held against what its own Hello said,
 * also when the other lane has seen more by then; and the head does not go back to it. */
static void a_welcome_to_an_older_hello_is_no_rollback(void **state)
{
	const struct said first = {.epoch = 1, .size = 1}, second = {.epoch = 1, .size = 2};
	struct rig *r = *state;
	Hello hello = HELLO__INIT;
	struct greeting old, now;

	assert_ok(greet(r, LANE_URGENT, first));
	assert_ok(engine_hello(r->engine, LANE_ROUTINE, &hello, &old));
	assert_ok(greet(r, LANE_URGENT, second));
	assert_ok(answer(r, LANE_ROUTINE, &old, &first, NULL));
	assert_ok(answer(r, LANE_ROUTINE, &old, &second, NULL));
	assert_ok(engine_hello(r->engine, LANE_ROUTINE, &hello, &now));
	assert_int_equal(now.head.size, 2);
	/* and to what it did not say it is none: so one connection has one Hello (test_link.c) */
	assert_int_equal(answer(r, LANE_ROUTINE, &now, &first, NULL), ERR_ROLLED_BACK);
}

static void what_was_receipted_is_kept_until_it_is_safe(void **state)
{
	struct rig *r = *state;

	assert_ok(greet(r, LANE_ROUTINE, (struct said){.epoch = 1, .size = 1}));
	rig_do(r, THREAT, "intake", "C-1");
	receipt_one(r, LANE_ROUTINE);
	assert_int_equal(rig_outbox(r), 0);
	assert_int_equal(rows(r, T_KEPT), 1);
	assert_int_equal(rows(r, T_SEEN), 1);
	rig_crash(r);
	engine_safe(r->engine, LANE_ROUTINE, 1); /* its index is 0 */
	engine_safe(r->engine, LANE_URGENT, r->index + 1);
	rig_begin(r);
	rig_commit(r);
	assert_int_equal(rows(r, T_KEPT), 0);
	assert_int_equal(rows(r, T_SEEN), 0);
}

static void a_recovered_log_gets_all_again_and_gives_nothing_twice(void **state)
{
	struct rig *r = *state;
	struct buf one = rig_message(r, THREAT, "intake", "C-1"), first = {0}, sent, again;
	struct delivery d;
	uint8_t id[MSG_ID_LEN];
	uint64_t place;

	make_admin(r);
	assert_ok(greet(r, LANE_ROUTINE, (struct said){.epoch = 1, .size = 1}));
	assert_ok(greet(r, LANE_URGENT, (struct said){.epoch = 1, .size = 1}));
	d = rig_next(r, LANE_URGENT, &one);
	rig_begin(r);
	assert_ok(engine_take(r->engine, &d));
	rig_commit(r);
	sent = rig_sent(r, LANE_ROUTINE, 0);
	receipt_one(r, LANE_ROUTINE);
	assert_int_equal(rig_outbox(r), 0);

	const struct said recovered = {.epoch = 2, .recovered = true};
	assert_ok(greet(r, LANE_URGENT, recovered));
	assert_int_equal(engine_cursor(r->engine, LANE_URGENT), 0);
	assert_int_equal(rig_outbox(r), 0); /* the other lane has not heard of it */
	assert_ok(greet(r, LANE_ROUTINE, recovered));
	again = rig_sent(r, LANE_ROUTINE, 0);
	assert_true(rig_same(&sent, &again));
	buf_free(&again);
	assert_ok(engine_outbox_next(r->engine, LANE_ROUTINE, 0, &place, id, &again));
	assert_ok(engine_first_receipt(r->engine, id, &first));
	assert_true(first.len > 0);
	rig_crash(r);
	/* the sender of the threat sent it again as well: the same message, elsewhere in the log */
	d.index += 7;
	rig_begin(r);
	assert_ok(engine_take(r->engine, &d));
	rig_commit(r);
	assert_int_equal(engine_cursor(r->engine, LANE_URGENT), 1);
	assert_int_equal(rig_number(r, RIG_HANDLED, "C-1"), 1);
	assert_int_equal(rig_outbox(r), 1);
	/* a further recovery finds it under its new place */
	assert_ok(greet(r, LANE_URGENT, (struct said){.epoch = 3, .recovered = true}));
	d.index += 7;
	rig_begin(r);
	assert_ok(engine_take(r->engine, &d));
	rig_commit(r);
	assert_int_equal(rig_number(r, RIG_HANDLED, "C-1"), 1);
	buf_free(&first);
	buf_free(&one);
	buf_free(&sent);
	buf_free(&again);
}

static void what_waits_goes_on_once(void **state)
{
	struct rig *r = *state;
	struct buf exit_case = rig_message(r, EXIT, "intake", "C-1");
	struct delivery d;

	make_admin(r);
	assert_ok(greet(r, LANE_ROUTINE, (struct said){.epoch = 1, .size = 1}));
	d = rig_next(r, LANE_ROUTINE, &exit_case);
	rig_begin(r);
	assert_ok(engine_take(r->engine, &d));
	rig_commit(r);
	assert_int_equal(rows(r, T_PARKED), 1);
	assert_ok(greet(r, LANE_ROUTINE, (struct said){.epoch = 2, .recovered = true}));
	assert_int_equal(rows(r, T_PARKED), 1); /* its sender may never come back */
	d.index += 7;
	rig_begin(r);
	assert_ok(engine_take(r->engine, &d));
	rig_commit(r);
	assert_int_equal(rows(r, T_PARKED), 1);
	rig_do(r, THREAT, "intake", "C-1");
	assert_int_equal(rows(r, T_PARKED), 0);
	assert_int_equal(rig_number(r, RIG_EXITS, "C-1"), 1);
	buf_free(&exit_case);
}

static void what_was_set_aside_is_set_aside_again(void **state)
{
	struct rig *r = *state;
	struct buf bad;
	struct delivery d;
	uint64_t seq = 0;

	make_admin(r);
	r->plan = (struct rig_plan){.fail_case = "BAD", .fail = ERR_NO_TRANSITION};
	assert_ok(greet(r, LANE_URGENT, (struct said){.epoch = 1, .size = 1}));
	bad = rig_message(r, THREAT, "intake", "BAD");
	d = rig_next(r, LANE_URGENT, &bad);
	rig_begin(r);
	assert_ok(engine_take(r->engine, &d));
	rig_commit(r);
	assert_int_equal(rig_quarantined(r, LANE_URGENT, &seq), ERR_NO_TRANSITION);
	assert_ok(greet(r, LANE_URGENT, (struct said){.epoch = 2, .recovered = true}));
	assert_int_equal(rows(r, T_QUARANTINE), 0);
	rig_begin(r);
	assert_ok(engine_take(r->engine, &d));
	rig_commit(r);
	assert_int_equal(rows(r, T_QUARANTINE), 1);
	buf_free(&bad);
}

/* What a service does with a message and the timer that it sets: everything that it sent. */
static struct buf all_sent(struct rig *r)
{
	struct buf out = {0};

	for (int lane = 0; lane < LANES; lane++)
		for (int i = 0;; i++) {
			struct buf b = rig_sent(r, (enum lane)lane, i);

			if (b.len == 0)
				break;
			assert_ok(buf_append(&out, b.data, b.len));
			buf_free(&b);
		}
	return out;
}

static void put_back(struct rig *r)
{
	struct txn *t;

	engine_free(&r->engine);
	assert_ok(store_begin(r->store, TXN_WRITE, &t));
	assert_ok(engine_recovered(t, NULL, NULL));
	assert_ok(txn_commit(&t));
	rig_crash(r);
}

static void take_at(struct rig *r, struct delivery d, uint64_t seq, int64_t at)
{
	d.seq = seq;
	d.index = seq;
	d.received_at = at;
	rig_begin(r);
	assert_ok(engine_take(r->engine, &d));
	rig_commit(r);
}

static void a_restored_store_does_the_same_again(void **state)
{
	struct rig *r = *state;
	struct buf a = rig_message(r, THREAT, "intake", "C-1"),
		   b = rig_message(r, THREAT, "intake", "C-2"), before, after;
	struct delivery one = rig_next(r, LANE_URGENT, &a), two = one;
	int64_t at = FIXTURE_NOW, due;
	struct rig other;

	two.envelope = slice_buf(&b);
	assert_ok(greet(r, LANE_URGENT, (struct said){.epoch = 1, .size = 1}));
	take_at(r, one, 1, at);
	rig_begin(r);
	assert_ok(engine_timers(r->engine, at + REMIND_AFTER + 40)); /* a little late */
	rig_commit(r);
	take_at(r, two, 2, at + REMIND_AFTER + 90);
	before = all_sent(r);

	/* the same people, and a store of before all that */
	rig_open(&other, r->f, false);
	put_back(&other);
	assert_true(engine_catching_up(other.engine));
	assert_ok(engine_next_timer(other.engine, &due));
	assert_int_equal(due, INT64_MAX);
	assert_ok(greet(&other, LANE_ROUTINE, (struct said){.epoch = 1, .size = 1}));
	assert_ok(greet(&other, LANE_URGENT, (struct said){.epoch = 1, .size = 1, .cursor = 2}));
	take_at(&other, one, 1, at);
	rig_begin(&other);
	assert_ok(engine_timers(other.engine, at + 100000)); /* not by itself */
	rig_commit(&other);
	assert_int_equal(rig_number(&other, RIG_REMINDED, "C-1"), 0);
	take_at(&other, two, 2, at + REMIND_AFTER + 90);
	assert_int_equal(rig_number(&other, RIG_REMINDED, "C-1"), at + REMIND_AFTER);
	after = all_sent(&other);
	assert_true(before.len > 0);
	assert_true(rig_same(&before, &after));
	/* caught up: the clock rules again */
	assert_false(engine_catching_up(other.engine));
	assert_ok(engine_next_timer(other.engine, &due));
	assert_int_equal(due, at + REMIND_AFTER + 90 + REMIND_AFTER);
	rig_close(&other);
	buf_free(&a);
	buf_free(&b);
	buf_free(&before);
	buf_free(&after);
}

/* The mailbox that said how far the store had come is gone: its timers would wait for ever. */
static void a_recovered_log_ends_the_catching_up(void **state)
{
	struct rig *r = *state;

	make_admin(r);
	put_back(r);
	make_admin(r);
	assert_ok(greet(r, LANE_ROUTINE, (struct said){.epoch = 1, .size = 1}));
	assert_ok(greet(r, LANE_URGENT, (struct said){.epoch = 1, .size = 1, .cursor = 5}));
	assert_true(engine_catching_up(r->engine));
	assert_ok(greet(r, LANE_URGENT, (struct said){.epoch = 2, .recovered = true}));
	assert_false(engine_catching_up(r->engine));
	rig_crash(r);
	assert_false(engine_catching_up(r->engine));
}

static void the_next_epoch_begins_under_a_process_that_runs(void **state)
{
	const struct epoch next = {.number = 2, .store = {7}};
	struct rig *r = *state;
	Hello h = HELLO__INIT;
	struct greeting said;
	bool other = true;
	struct txn *t;

	assert_ok(greet(r, LANE_ROUTINE, (struct said){.epoch = 1, .size = 1}));
	assert_ok(engine_look_again(r->engine, &other));
	assert_false(other);
	assert_ok(store_begin(r->store, TXN_WRITE, &t));
	assert_ok(engine_recovered(t, NULL, NULL));
	assert_ok(epoch_enter(t, T_EPOCH, &next, slice_str("signed")));
	assert_ok(txn_commit(&t));
	for (int i = 0; i < 2; i++) { /* the second time it is no news */
		assert_ok(engine_look_again(r->engine, &other));
		assert_int_equal(other, i == 0);
	}
	assert_true(engine_catching_up(r->engine));
	assert_ok(engine_hello(r->engine, LANE_ROUTINE, &h, &said));
	assert_int_equal(h.store_epoch, 2);
	assert_int_equal(h.recover.len, 6);
}

static void a_copy_is_not_written_to(void **state)
{
	struct rig *r = *state;
	struct txn *t;

	engine_free(&r->engine);
	assert_ok(store_begin(r->store, TXN_WRITE, &t));
	assert_ok(epoch_stop(t, T_EPOCH, ERR_RESTORED));
	assert_ok(txn_commit(&t));
	rig_crash(r);
	assert_int_equal(engine_begin(r->engine), ERR_RESTORED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(the_log_only_grows),
		RIG_TEST(a_welcome_to_an_older_hello_is_no_rollback),
		RIG_TEST(what_was_receipted_is_kept_until_it_is_safe),
		RIG_TEST(a_recovered_log_gets_all_again_and_gives_nothing_twice),
		RIG_TEST(what_waits_goes_on_once),
		RIG_TEST(what_was_set_aside_is_set_aside_again),
		RIG_TEST(a_restored_store_does_the_same_again),
		RIG_TEST(a_recovered_log_ends_the_catching_up),
		RIG_TEST(the_next_epoch_begins_under_a_process_that_runs),
		RIG_TEST(a_copy_is_not_written_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
