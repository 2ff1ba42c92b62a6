/* Goal: the broker tells since when it has a message that is in no backup, and nothing once all is.
 */
#include "tests/unit/recover_rig.h"

#include "broker/core_state.h"
#include "broker/report.h"
#include "services/common/base/metrics.h"

static bool tells_unsaved(struct rig *r, int64_t since_s)
{
	struct metrics m = {.process = "broker"};
	char line[96];
	bool told;

	assert_ok(core_report(r->core, r->now, &m));
	assert_ok(buf_append(&m.text, "", 1));
	snprintf(line, sizeof line,
		"havre_unsaved_oldest_timestamp_seconds{process=\"broker\"} %lld\n",
		(long long)since_s);
	told = strstr((const char *)m.text.data, since_s ? line : "havre_unsaved") != NULL;
	buf_free(&m.text);
	return told;
}

static void what_is_in_no_backup_is_told(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	struct safe safe = {.done = 1};

	rig_join(r, &c, 8);
	assert_false(tells_unsaved(r, 0));
	for (int i = 0; i < 2; i++, r->now += 60000) {
		struct buf b = rig_routine(r, "partner-a");

		receipt__free_unpacked(rig_posted(r, &c, &b), NULL);
		buf_free(&b);
	}
	assert_true(tells_unsaved(r, FIXTURE_NOW / 1000));
	for (; safe.done <= 2; safe.done++) {
		safe.epoch = r->core->epoch;
		assert_ok(core_safe(r->core, &safe));
		rig_commit(r);
		assert_int_equal(tells_unsaved(r, FIXTURE_NOW / 1000 + 60), safe.done == 1);
	}
	assert_false(tells_unsaved(r, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_is_in_no_backup_is_told, rig_setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
