/* Goal: a message that stops the process three times is set aside, and only that one. */
#include "tests/unit/engine_rig.h"

#define THREAT KIND_SEND_THREAT
#define EXIT   KIND_SEND_EXIT

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

static void three_deaths_set_a_message_aside(void **state)
{
	uint64_t seq = 0;
	struct rig r;

	(void)state;
	for (int lmdb = 0; lmdb < 2; lmdb++) {
		rig_open(&r, people, lmdb);
		rig_do(&r, THREAT, "intake", "C-1");
		r.plan = (struct rig_plan){.fail_case = "DEADLY", .fail = ERR_INVALID};
		for (int death = 0; death < 3; death++) {
			rig_begin(&r);
			assert_int_equal(rig_take(&r, THREAT, "intake", "DEADLY"), ERR_INVALID);
			assert_int_equal(r.plan.handled, death + 1);
			rig_crash(&r);
		}
		rig_begin(&r);
		assert_int_equal(rig_take(&r, THREAT, "intake", "DEADLY"), OK);
		assert_int_equal(rig_take(&r, THREAT, "intake", "C-2"), OK);
		rig_commit(&r);
		assert_int_equal(r.plan.handled, 3);
		assert_int_equal(rig_quarantined(&r, LANE_URGENT, &seq), ERR_HANDLER_DIED);
		assert_int_equal(seq, 2);
		assert_int_equal(rig_number(&r, RIG_HANDLED, "C-2"), 1);
		assert_int_equal(engine_cursor(r.engine, LANE_URGENT), 3);
		rig_close(&r);
	}
}

/* Deaths of a message that another one released are its own, and the other's effect stays. */
static void deaths_of_a_released_message_are_its_own(void **state)
{
	uint64_t seq = 0;
	struct rig r;

	(void)state;
	rig_open(&r, people, false);
	rig_do(&r, EXIT, "intake", "C-1");
	r.plan = (struct rig_plan){.fail_in = EXIT, .fail_case = "C-1", .fail = ERR_INVALID};
	for (int death = 0; death < 3; death++) {
		rig_begin(&r);
		assert_int_equal(
			rig_take(&r, THREAT, "intake", death ? "C-2" : "C-1"), ERR_INVALID);
		assert_int_equal(r.plan.handled, death + 1);
		rig_crash(&r);
		assert_int_equal(engine_cursor(r.engine, LANE_URGENT), 1);
	}
	rig_do(&r, THREAT, "intake", "C-2");
	assert_int_equal(r.plan.handled, 3);
	assert_int_equal(rig_number(&r, RIG_HANDLED, "C-1"), 1);
	assert_int_equal(rig_number(&r, RIG_HANDLED, "C-2"), 1);
	assert_int_equal(rig_quarantined(&r, LANE_URGENT, &seq), OK);
	assert_int_equal(rig_quarantined(&r, LANE_ROUTINE, &seq), ERR_HANDLER_DIED);
	assert_int_equal(seq, 1);
	rig_close(&r);
}

/* Two deaths, then it succeeds: the count is forgotten. A full disk is no death. */
static void only_deaths_in_a_row_count(void **state)
{
	uint64_t seq = 0;
	struct rig r;

	(void)state;
	rig_open(&r, people, false);
	r.plan = (struct rig_plan){.fail_case = "C-1", .fail = ERR_FULL};
	for (int i = 0; i < 6; i++) {
		if (i == 4)
			r.plan.fail = ERR_INVALID;
		rig_begin(&r);
		assert_int_equal(rig_take(&r, THREAT, "intake", "C-1"), r.plan.fail);
		assert_int_equal(r.plan.handled, i + 1);
		rig_crash(&r);
	}
	r.plan.fail = OK;
	rig_do(&r, THREAT, "intake", "C-1");
	assert_int_equal(rig_number(&r, RIG_HANDLED, "C-1"), 1);
	assert_int_equal(rig_quarantined(&r, LANE_URGENT, &seq), OK);
	rig_close(&r);
}

/* Past the first 1024 of a lane, a whole batch is one commit. */
static void a_batch_is_one_commit(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, people, false);
	rig_begin(&r);
	store_memory_fail_next_commit(r.store, ERR_IO);
	assert_int_equal(rig_take(&r, EXIT, "intake", "C-1"), ERR_IO); /* careful */
	rig_crash(&r);
	rig_begin(&r);
	for (int i = 0; i < 1024; i++)
		assert_int_equal(rig_take(&r, EXIT, "intake", "C-1"), OK);
	rig_commit(&r);
	rig_begin(&r);
	store_memory_fail_next_commit(r.store, ERR_IO);
	for (int i = 0; i < 256; i++)
		assert_int_equal(rig_take(&r, EXIT, "intake", "C-1"), OK);
	assert_int_equal(engine_commit(r.engine), ERR_IO);
	assert_int_equal(engine_cursor(r.engine, LANE_ROUTINE), 1024);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_deaths_set_a_message_aside),
		cmocka_unit_test(deaths_of_a_released_message_are_its_own),
		cmocka_unit_test(only_deaths_in_a_row_count),
		cmocka_unit_test(a_batch_is_one_commit),
	};

	return cmocka_run_group_tests(tests, make_people, free_people);
}
