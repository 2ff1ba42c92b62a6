/* Goal: an engine follows a log that was recovered only from where it can give and take all again:
 * not one from before what it has forgotten, and one that was put back twice from where the two
 * part. */
#include "tests/unit/said_log.h"

/* One message, at 0; the newest backup has it. */
static void send_one(struct rig *r)
{
	make_admin(r);
	assert_ok(greet(r, LANE_URGENT, (struct said){.epoch = 1, .size = 1}));
	assert_ok(greet(r, LANE_ROUTINE, (struct said){.epoch = 1, .size = 1}));
	rig_do(r, THREAT, "intake", "C-1");
	receipt_one(r, LANE_ROUTINE);
	engine_safe(r->engine, LANE_ROUTINE, 1);
	rig_begin(r);
	rig_commit(r);
	assert_int_equal(rows(r, T_KEPT), 0);
}

/* What this program had sent at 0 is kept nowhere any more, and would be lost. */
static void a_log_from_before_what_was_forgotten_is_not_followed(void **state)
{
	const struct said old = {.epoch = 2, .size = 1, .recovered = true};
	const struct said newest = {.epoch = 3, .size = 1, .recovered = true, .was = 1, .from = 1};
	struct rig *r = *state;
	Hello h = HELLO__INIT;
	struct greeting said;

	send_one(r);
	for (int i = 0; i < 2; i++) {
		/* the other lane has forgotten nothing, and does not go on alone */
		assert_int_equal(greet(r, LANE_ROUTINE, old), ERR_ROLLED_BACK);
		assert_int_equal(greet(r, LANE_URGENT, old), ERR_ROLLED_BACK);
		rig_crash(r); /* nor after a start */
		make_admin(r);
	}
	assert_ok(engine_hello(r->engine, LANE_ROUTINE, &h, &said));
	assert_int_equal(h.log_epoch, 1);
	assert_int_equal(said.head.epoch, 1);
	/* the operator puts the newest one back instead */
	assert_ok(greet(r, LANE_URGENT, newest));
	assert_ok(greet(r, LANE_ROUTINE, newest));
}

static void a_copy_that_is_put_back_twice_is_followed_twice(void **state)
{
	struct rig *r = *state;
	struct buf sent, again = {0};
	Hello h = HELLO__INIT;
	struct greeting said;
	uint8_t id[MSG_ID_LEN];
	uint64_t place;

	make_admin(r);
	assert_ok(greet(r, LANE_ROUTINE, (struct said){.epoch = 1, .size = 1}));
	assert_ok(greet(r, LANE_ROUTINE,
		(struct said){.epoch = 5, .size = 1, .recovered = true, .was = 1}));
	rig_do(r, THREAT, "intake", "C-1");
	sent = rig_sent(r, LANE_ROUTINE, 0);
	receipt_one(r, LANE_ROUTINE); /* in epoch 5 */
	assert_int_equal(rig_outbox(r), 0);
	assert_ok(engine_hello(r->engine, LANE_ROUTINE, &h, &said));
	assert_int_equal(h.n_followed, 1);
	assert_int_equal(h.followed[0]->epoch, 5);
	assert_int_equal(h.followed[0]->from_size, 0);
	/* the log knows nothing of epoch 5, and both began at 0 */
	assert_ok(greet(r, LANE_ROUTINE, (struct said){.epoch = 7, .recovered = true, .was = 1}));
	assert_ok(engine_outbox_next(r->engine, LANE_ROUTINE, 0, &place, id, &again));
	assert_true(rig_same(&sent, &again));
	/* one after an epoch that is neither's is not */
	assert_int_equal(
		greet(r, LANE_ROUTINE, (struct said){.epoch = 9, .recovered = true, .was = 6}),
		ERR_ROLLED_BACK);
	rig_crash(r);
	assert_ok(engine_hello(r->engine, LANE_ROUTINE, &h, &said));
	assert_int_equal(h.n_followed, 1);
	assert_int_equal(h.followed[0]->epoch, 7);
	buf_free(&sent);
	buf_free(&again);
}

/* An old copy was put back first, and then the newest one: what was sent in between goes again,
 * though the second log was recovered from behind it only. */
static void what_was_sent_into_a_log_that_was_given_up_goes_again(void **state)
{
	struct rig *r = *state;

	make_admin(r);
	assert_ok(greet(r, LANE_ROUTINE, (struct said){.epoch = 1, .size = 1}));
	assert_ok(greet(r, LANE_ROUTINE,
		(struct said){.epoch = 5, .size = 1, .recovered = true, .was = 1}));
	rig_do(r, THREAT, "intake", "C-1");
	receipt_one(r, LANE_ROUTINE); /* at 0, in epoch 5 */
	assert_int_equal(rig_outbox(r), 0);
	assert_ok(greet(r, LANE_ROUTINE,
		(struct said){.epoch = 7, .size = 1, .recovered = true, .was = 1, .from = 1}));
	assert_int_equal(rig_outbox(r), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(a_log_from_before_what_was_forgotten_is_not_followed),
		RIG_TEST(a_copy_that_is_put_back_twice_is_followed_twice),
		RIG_TEST(what_was_sent_into_a_log_that_was_given_up_goes_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
