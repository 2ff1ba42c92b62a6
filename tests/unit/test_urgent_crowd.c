/* Goal: who asks for many, or again and again, neither floods the people on duty nor silences nor
 * delays any request. */
#include <stdio.h>

#include "tests/unit/urgent_rig.h"

/* The i-th case of a flood. */
static const char *many(int i)
{
	static char number[32];

	snprintf(number, sizeof(number), "HV-MANY-%04d-A", i);
	return number;
}

static size_t burn(void)
{
	AlertsQuery q = ALERTS_QUERY__INIT;

	return ((const AlertsAnswer *)drive_ask(d, KIND_ASK_ALERTS, "officer-1", &q.base))
		->n_alerts;
}

static size_t alerts(const char *to)
{
	size_t n = drive_count(d, KIND_RAISE_ALERT, to);

	drive_forget(d);
	return n;
}

/* Each beyond the bound is registered, listed and climbs; its people hear of all of them at once.
 */
static void many_requests_of_one_partner_are_alerted_together(void **state)
{
	const struct config *c = drive_config(d);
	int most = (int)c->crowd;
	int64_t now = FIXTURE_NOW;
	const Alert *a;

	(void)state;
	for (int i = 0; i < most; i++)
		send_threat_of(many(i), "partner-a", now);
	assert_int_equal(alerts("officer-1"), most);
	send_threat_of(many(most), "partner-a", now);
	a = (const Alert *)drive_sent(d, KIND_RAISE_ALERT, "officer-1");
	assert_int_equal(a->crowd, most + 1);
	assert_int_equal(alerts("relay-smtp"), 1);
	for (int i = most + 1; i < most + 5; i++)
		send_threat_of(many(i), "partner-a", now);
	send_threat_of(many(0), "partner-a", now); /* the same one again makes no noise, either */
	assert_int_equal(drive_count(d, KIND_REPORT_OUTCOME, "notify"), 5);
	assert_int_equal(alerts("officer-1"), 0);
	assert_int_equal(burn(), most + 5);
	send_threat_of(CASE, "partner-b", now); /* is not drowned */
	assert_int_equal(alerts("officer-1"), 1);
	/* on the next rungs: one for each, and one for all the others */
	now += c->rung_1_s * 1000;
	drive_timers(d, now);
	assert_int_equal(alerts("supervisor-1"), most + 1 + 1);
	now += c->rung_2_s * 1000;
	drive_timers(d, now);
	assert_int_equal(alerts("director-1"), most + 1 + 1);
	for (int i = 0; i < 3; i++) { /* and again and again, as long as there is one */
		now += c->rung_3_s * 1000;
		drive_timers(d, now);
		assert_int_equal(alerts("director-1"), most + 1 + 1);
	}
}

static void an_answer_to_some_leaves_the_others_burning(void **state)
{
	const struct config *c = drive_config(d);
	int most = (int)c->crowd, all = most + 5, raised = 0;
	int64_t now = FIXTURE_NOW;

	(void)state;
	for (int i = 0; i < all; i++)
		send_threat_of(many(i), "partner-a", now);
	drive_forget(d);
	for (int i = 0; i < all - 1; i++) {
		acknowledge_of(many(i), "officer-1", now);
		raised += drive_count(d, KIND_RAISE_ALERT, "relay-smtp") > 0;
		drive_forget(d);
	}
	assert_int_equal(raised, most + 1); /* stood down: what people had heard of */
	assert_int_equal(burn(), 1);
	now += c->rung_1_s * 1000;
	drive_timers(d, now);
	assert_int_equal(alerts("supervisor-1"), 1);
	/* an hour later each has its own again */
	now += INT64_C(3600000);
	send_threat_of(many(all), "partner-a", now);
	send_threat_of(many(all + 1), "partner-a", now);
	assert_int_equal(drive_count(d, KIND_RAISE_ALERT, "officer-1"), 2);
	assert_int_equal(((const Alert *)drive_sent(d, KIND_RAISE_ALERT, "officer-1"))->crowd, 0);
}

/* Who asks again and again does not keep an alert on its rung. */
static void asking_again_puts_nothing_off(void **state)
{
	int64_t at = FIXTURE_NOW, due;

	(void)state;
	send_threat(at);
	at += drive_config(d)->rung_1_s * 1000;
	drive_timers(d, at);
	due = burning()->next_rung_at;
	drive_forget(d);
	send_threat(at + 1000);
	assert_int_equal(drive_count(d, KIND_RAISE_ALERT, "supervisor-1"), 1);
	assert_int_equal(burning()->rung, 2);
	assert_int_equal(burning()->next_rung_at, due);
	drive_forget(d);
	drive_timers(d, due);
	assert_int_equal(drive_count(d, KIND_RAISE_ALERT, "director-1"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(many_requests_of_one_partner_are_alerted_together),
		T(an_answer_to_some_leaves_the_others_burning),
		T(asking_again_puts_nothing_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
