/* Goal: havre-admin verify reports nothing while all is right, whether at rest or on its way,
 * counts what is in the stores, and says what it could not check. */
#include "tests/unit/verify_story.h"

static void what_is_right_is_not_reported(void **state)
{
	struct story *s = *state;
	struct verify *v = rig_verify(s->r, -1);
	const struct tallied *n = &v->counts;

	if (verify_broken(v))
		rig_print(v);
	for (int i = 0; i < CHECKS; i++)
		assert_int_equal(verify_result(v, (enum check)i),
			i == CHECK_1 || i == CHECK_8 ? RESULT_NOT_CHECKED : RESULT_OK);
	assert_int_equal(v->waiting, 0);
	assert_int_equal(n->entries, 5);
	assert_int_equal(n->accepted, 3);
	assert_int_equal(n->duplicates_held, 2);
	assert_int_equal(n->rejected, 1);
	assert_int_equal(n->cap, s->r->config.cap);
	assert_true(n->reserved > 0);
	assert_int_equal(n->free, n->cap - n->reserved);
	assert_int_equal(n->urgent_raised, 2);
	assert_int_equal(n->urgent_acknowledged, 1);
	assert_true(n->notices_delivered >= 8);
	verify_free(&v);
}

static void move_and_look(struct rig *r)
{
	do
		rig_must_be_sound(r);
	while (rig_move(r));
}

/* Whatever is in a mailbox, in an outbox, or in both at once. */
static void what_moves_is_not_a_fault(void **state)
{
	struct story s = {.r = rig_open()};
	struct verify *v;

	(void)state;
	tell_story(&s, move_and_look);
	submit(s.r, &(struct referral){URGENT_FILE, "T-9"});
	v = rig_verify(s.r, -1);
	assert_int_equal(v->waiting, 1);
	verify_free(&v);
	assert_true(rig_carry_in(s.r, INTAKE, LANE_URGENT));
	v = rig_verify(s.r, -1);
	assert_true(v->waiting > 0); /* in intake's outbox */
	verify_free(&v);
	rig_close(s.r);
}

static void without_a_store_its_checks_are_not_made(void **state)
{
	struct story *s = *state;
	struct verify *v = rig_verify(s->r, URGENT);

	assert_int_equal(verify_result(v, CHECK_6), RESULT_NOT_CHECKED);
	assert_int_equal(verify_result(v, CHECK_3), RESULT_OK);
	assert_int_equal(verify_result(v, CHECK_10), RESULT_OK);
	assert_false(verify_broken(v));
	verify_free(&v);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, story_setup, story_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_right_is_not_reported),
		cmocka_unit_test(what_moves_is_not_a_fault),
		TEST(without_a_store_its_checks_are_not_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
