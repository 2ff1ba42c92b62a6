/* Goal: unread urgent mail, the registry's end, a disk that fills and a reused id reach people,
 * once, and are stood down. */
#include "tests/unit/own_rig.h"
#include "tests/unit/recover_rig.h"

#include "services/common/store/store_backend.h"

static Warning *warned(struct rig *r, const char *to)
{
	return (Warning *)own_newest(r, KIND_WARN_OPERATOR, to);
}

static void unread_urgent_mail_is_told_and_stood_down(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, CONN_A, LANE_URGENT, "partner-a");
	struct conn reader = rig_conn(r, CONN_A + 1, LANE_URGENT, "intake");
	struct buf b = rig_urgent(r, "partner-a"), more = rig_urgent(r, "partner-b");
	struct conn d = rig_conn(r, CONN_A + 2, LANE_URGENT, "partner-b");
	int64_t since = r->now;
	Warning *w;

	rig_join(r, &c, 0);
	rig_join(r, &d, 0);
	rig_post(r, &c, &b);
	own_watch_later(r, 29999);
	assert_int_equal(own_logged(r, KIND_WARN_OPERATOR, NULL, 0), 0);
	rig_post(r, &d, &more);
	own_watch_later(r, 1);
	assert_int_equal(own_logged(r, KIND_WARN_OPERATOR, NULL, 0), OPERATORS);
	w = warned(r, "relay-smtp");
	assert_int_equal(w->code, WARNING_CODE__MAIL_UNREAD);
	assert_string_equal(w->about, "intake");
	assert_string_equal(w->sender, "partner-a");
	assert_int_equal(w->kind, KIND_REPORT_RISK);
	assert_int_equal(w->since_at, since);
	assert_int_equal(w->count, 2);
	assert_false(w->over);
	warning__free_unpacked(w, NULL);
	own_watch_later(r, 14 * MINUTE);
	rig_crash(r);
	own_watch_later(r, MINUTE - 1);
	assert_int_equal(own_logged(r, KIND_WARN_OPERATOR, NULL, 0), OPERATORS);
	own_watch_later(r, 1);
	assert_int_equal(own_logged(r, KIND_WARN_OPERATOR, NULL, 0), 2 * OPERATORS);
	/* one of two taken is not all: it waits as long as the other */
	rig_join(r, &reader, 0);
	rig_cursor(r, &reader, 1, NULL, 0);
	own_watch_later(r, MINUTE);
	assert_int_equal(own_logged(r, KIND_WARN_OPERATOR, NULL, 0), 2 * OPERATORS);
	rig_cursor(r, &reader, 2, NULL, 0);
	own_watch_later(r, 1000);
	assert_int_equal(own_logged(r, KIND_WARN_OPERATOR, NULL, 0), 3 * OPERATORS);
	w = warned(r, "officer-1");
	assert_true(w->over);
	assert_string_equal(w->about, "intake");
	warning__free_unpacked(w, NULL);
	own_watch_later(r, 60 * MINUTE);
	assert_int_equal(own_logged(r, KIND_WARN_OPERATOR, NULL, 0), 3 * OPERATORS);
	buf_free(&b);
	buf_free(&more);
}

static void there_is_no_alarm_about_alarms(void **state)
{
	struct rig *r = *state;
	struct conn urgent = rig_conn(r, CONN_A, LANE_URGENT, "urgent");
	Alert body = ALERT__INIT;
	struct buf to_officer =
		fixture_envelope(r->f, KIND_RAISE_ALERT, "urgent", "officer-1", &body.base);
	struct buf to_relay =
		fixture_envelope(r->f, KIND_RAISE_ALERT, "urgent", "relay-smtp", &body.base);

	rig_join(r, &urgent, 0);
	rig_post(r, &urgent, &to_officer); /* people come and go */
	own_watch_later(r, 10 * MINUTE);
	assert_int_equal(own_logged(r, KIND_WARN_OPERATOR, NULL, 0), 0);
	rig_post(r, &urgent, &to_relay);
	own_watch_later(r, 0);
	own_watch_later(r, MINUTE);
	/* to everybody but the relay that does not read */
	assert_int_equal(own_logged(r, KIND_WARN_OPERATOR, NULL, 0), OPERATORS - 1);
	/* the other relay does not read that either, and nobody hears of it */
	own_watch_later(r, 10 * MINUTE);
	assert_int_equal(own_logged(r, KIND_WARN_OPERATOR, NULL, 0), OPERATORS - 1);
	buf_free(&to_officer);
	buf_free(&to_relay);
}

static void the_end_of_the_registry_is_told_in_time(void **state)
{
	struct rig *r = *state;
	int64_t end = fixture_message(r->f)->expires_at;
	Warning *w;

	own_watch_later(r, end - 31 * DAY - r->now);
	assert_int_equal(own_logged(r, KIND_WARN_OPERATOR, NULL, 0), 0);
	own_watch_later(r, 2 * DAY);
	assert_int_equal(own_logged(r, KIND_WARN_OPERATOR, NULL, 0), OPERATORS);
	own_watch_later(r, 6 * DAY);
	assert_int_equal(own_logged(r, KIND_WARN_OPERATOR, NULL, 0), OPERATORS);
	own_watch_later(r, DAY);
	assert_int_equal(own_logged(r, KIND_WARN_OPERATOR, NULL, 0), 2 * OPERATORS);
	/* expired: at once, then daily */
	own_watch_later(r, end - r->now);
	assert_int_equal(own_logged(r, KIND_WARN_OPERATOR, NULL, 0), 3 * OPERATORS);
	own_watch_later(r, DAY - 1);
	assert_int_equal(own_logged(r, KIND_WARN_OPERATOR, NULL, 0), 3 * OPERATORS);
	own_watch_later(r, 1);
	assert_int_equal(own_logged(r, KIND_WARN_OPERATOR, NULL, 0), 4 * OPERATORS);
	fixture_message(r->f)->expires_at += 365 * DAY;
	fixture_rebuild(r->f);
	assert_ok(core_use_registry(r->core, fixture_registry(r->f), r->now));
	own_watch_later(r, 1000);
	assert_int_equal(own_logged(r, KIND_WARN_OPERATOR, NULL, 0), 5 * OPERATORS);
	w = warned(r, "director-1");
	assert_int_equal(w->code, WARNING_CODE__REGISTRY_ENDS);
	assert_true(w->over);
	warning__free_unpacked(w, NULL);
}

static int fill;

static int say_fill(struct store *s)
{
	(void)s;
	return fill;
}

static void a_disk_that_fills_is_told(void **state)
{
	/* percent, and how often everybody was told until then */
	static const struct {
		int percent, told;
	} steps[] = {{89, 0}, {90, 1}, {97, 1}, {98, 2}, {90, 2}, {85, 2}, {84, 3}, {91, 4}};
	struct rig *r = *state;
	const struct store_ops *was = r->store->ops;
	struct store_ops ops = *was;
	Warning *w;

	ops.fill_percent = say_fill;
	r->store->ops = &ops;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		fill = steps[i].percent;
		own_watch_later(r, 1000);
		assert_int_equal(own_logged(r, KIND_WARN_OPERATOR, NULL, 0),
			(size_t)steps[i].told * OPERATORS);
		if (!steps[i].told)
			continue;
		w = warned(r, "officer-1");
		assert_int_equal(w->code, WARNING_CODE__DISK_FILLS);
		assert_int_equal(w->over, steps[i].told == 3);
		warning__free_unpacked(w, NULL);
	}
	r->store->ops = was;
	rig_crash(r);
	r->store->ops = &ops;
	own_watch_later(r, DAY - 1);
	assert_int_equal(own_logged(r, KIND_WARN_OPERATOR, NULL, 0), 4 * OPERATORS);
	own_watch_later(r, 1);
	assert_int_equal(own_logged(r, KIND_WARN_OPERATOR, NULL, 0), 5 * OPERATORS);
	r->store->ops = was;
}

/* Of those who are told nobody has a key: it is not taken for told. */
static void an_alarm_that_nobody_hears_is_raised_again(void **state)
{
	static const char *const all[OPERATORS] = {"officer-1", "officer-2", "supervisor-1",
		"director-1", "relay-smtp", "relay-webhook"};
	struct rig *r = *state;
	struct conn c = rig_conn(r, CONN_A, LANE_URGENT, "partner-a");
	struct buf b = rig_urgent(r, "partner-a");

	for (size_t i = 0; i < OPERATORS; i++)
		fixture_principal(r->f, all[i])->keys[0]->not_after = r->now;
	fixture_rebuild(r->f);
	assert_ok(core_use_registry(r->core, fixture_registry(r->f), r->now));
	rig_commit(r);
	own_skip_all(r);
	rig_join(r, &c, 0);
	rig_post(r, &c, &b);
	own_watch_later(r, 30000);
	own_watch_later(r, MINUTE);
	assert_int_equal(own_logged(r, KIND_WARN_OPERATOR, NULL, 0), 0);
	for (size_t i = 0; i < OPERATORS; i++)
		fixture_principal(r->f, all[i])->keys[0]->not_after = 0;
	fixture_rebuild(r->f);
	assert_ok(core_use_registry(r->core, fixture_registry(r->f), r->now));
	own_watch_later(r, MINUTE);
	assert_int_equal(own_logged(r, KIND_WARN_OPERATOR, NULL, 0), OPERATORS);
	own_watch_later(r, 15 * MINUTE - 1);
	assert_int_equal(own_logged(r, KIND_WARN_OPERATOR, NULL, 0), OPERATORS);
	buf_free(&b);
}

static void a_reused_id_is_told(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, CONN_A, LANE_URGENT, "partner-a");
	uint8_t id[MSG_ID_LEN] = {0};
	struct envelope_spec spec = {.kind = KIND_REPORT_RISK, .id = id, .created_at = FIXTURE_NOW};
	RiskReport body = RISK_REPORT__INIT;
	struct buf first, second;
	Warning *w;

	be64_put(id, (uint64_t)FIXTURE_NOW << 16);
	first = fixture_envelope_of(r->f, "partner-a", "intake", &spec, &body.base);
	second = fixture_envelope_of(r->f, "partner-a", "intake", &spec, &body.base);
	rig_join(r, &c, 0);
	rig_post(r, &c, &first);
	rig_post(r, &c, &second);
	rig_post(r, &c, &second);
	rig_commit(r);
	assert_int_equal(own_logged(r, KIND_WARN_OPERATOR, NULL, 0), OPERATORS);
	w = warned(r, "relay-webhook");
	assert_int_equal(w->code, WARNING_CODE__ID_TWICE);
	assert_string_equal(w->about, "partner-a");
	warning__free_unpacked(w, NULL);
	buf_free(&first);
	buf_free(&second);
}

/* Whoever drops what was delivered before must not drop another alarm. */
static void no_alarm_is_taken_for_one_of_a_lost_log(void **state)
{
	struct rig *r = *state;
	uint8_t first[MSG_ID_LEN];
	Warning *w;

	for (int epoch = 0; epoch < 2; epoch++) {
		struct conn c = rig_conn(r, CONN_A, LANE_URGENT, "partner-a");
		struct buf b = rig_urgent(r, "partner-a");

		rig_join(r, &c, 0);
		rig_post(r, &c, &b);
		own_watch_later(r, 30000);
		w = warned(r, "relay-webhook");
		assert_int_equal(w->delivery.len, MSG_ID_LEN);
		if (epoch == 0)
			memcpy(first, w->delivery.data, MSG_ID_LEN);
		else
			assert_memory_not_equal(first, w->delivery.data, MSG_ID_LEN);
		warning__free_unpacked(w, NULL);
		buf_free(&b);
		rig_lose(r);
		rig_recover(r, "partner-b", 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OWN_TEST(unread_urgent_mail_is_told_and_stood_down),
		OWN_TEST(there_is_no_alarm_about_alarms),
		OWN_TEST(the_end_of_the_registry_is_told_in_time),
		OWN_TEST(a_disk_that_fills_is_told),
		OWN_TEST(an_alarm_that_nobody_hears_is_raised_again),
		OWN_TEST(a_reused_id_is_told),
		OWN_TEST(no_alarm_is_taken_for_one_of_a_lost_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
