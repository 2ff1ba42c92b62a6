/* Goal: a request for protection climbs until a person answers, and only the table's steps exist.
 */
#include "tests/unit/urgent_rig.h"

static enum err decide(uint32_t version, Event event, bool reason, int64_t at)
{
	Reason reasons[] = {REASON__NO_URGENT_NEED};
	SealedNote note = SEALED_NOTE__INIT;
	Decision dec = DECISION__INIT;
	const DecisionResult *r;

	note.sealed = (ProtobufCBinaryData){6, (uint8_t *)"sealed"};
	dec.note = reason ? &note : NULL;
	dec.case_number = CASE;
	dec.case_version = version;
	dec.event = event;
	dec.reasons = reasons;
	dec.n_reasons = reason;
	drive_send(d, KIND_DECIDE_PROTECTION, "officer-1", &dec.base, at);
	r = (const DecisionResult *)drive_sent(d, KIND_ANSWER_DECISION, "officer-1");
	assert_non_null(r);
	return (enum err)r->result;
}

static void alerts_go_to_the_first_rung(void **state)
{
	const Alert *a;

	(void)state;
	send_threat(FIXTURE_NOW);
	assert_int_equal(drive_count(d, KIND_RAISE_ALERT, "officer-1"), 1);
	assert_int_equal(drive_count(d, KIND_RAISE_ALERT, "officer-2"), 1);
	assert_int_equal(drive_count(d, KIND_RAISE_ALERT, "relay-smtp"), 1);
	assert_int_equal(drive_count(d, KIND_RAISE_ALERT, "relay-webhook"), 1);
	assert_int_equal(drive_count(d, KIND_RAISE_ALERT, "supervisor-1"), 0);
	assert_int_equal(drive_count(d, KIND_PROTECTION_CHANGED, "screening"), 1);
	assert_int_equal(drive_count(d, KIND_REPORT_OUTCOME, "notify"), 1);
	a = (const Alert *)drive_sent(d, KIND_RAISE_ALERT, "officer-1");
	assert_string_equal(a->case_number, CASE);
	assert_int_equal(a->rung, 1);
	assert_int_equal(a->due_at, FIXTURE_NOW + drive_config(d)->rung_1_s * 1000);
	assert_non_null(burning());
}

static void unanswered_climbs_and_repeats_on_the_last_rung(void **state)
{
	int64_t now = FIXTURE_NOW;
	const Alert *a;

	(void)state;
	send_threat(now);
	drive_forget(d);
	drive_timers(d, now + drive_config(d)->rung_1_s * 1000 - 1);
	assert_int_equal(drive_count(d, KIND_RAISE_ALERT, NULL), 0);
	now += drive_config(d)->rung_1_s * 1000;
	drive_timers(d, now);
	a = (const Alert *)drive_sent(d, KIND_RAISE_ALERT, "supervisor-1");
	assert_non_null(a);
	assert_int_equal(a->rung, 2);
	assert_int_equal(drive_count(d, KIND_RAISE_ALERT, "director-1"), 0);
	now += drive_config(d)->rung_2_s * 1000;
	drive_timers(d, now);
	assert_int_equal(drive_count(d, KIND_RAISE_ALERT, "director-1"), 1);
	drive_forget(d);
	now += drive_config(d)->rung_3_s * 1000;
	drive_timers(d, now);
	assert_int_equal(drive_count(d, KIND_RAISE_ALERT, "director-1"), 1);
	assert_int_equal(burning()->rung, 3);
}

/* After a long downtime the deadline is caught up, and the next one is counted from now. */
static void missed_deadlines_are_caught_up(void **state)
{
	int64_t late = FIXTURE_NOW + INT64_C(86400000);

	(void)state;
	send_threat(FIXTURE_NOW);
	drive_forget(d);
	drive_timers(d, late);
	assert_int_equal(drive_count(d, KIND_RAISE_ALERT, "supervisor-1"), 1);
	assert_int_equal(burning()->next_rung_at, late + drive_config(d)->rung_2_s * 1000);
}

static void an_answer_stops_the_ladder_once(void **state)
{
	const Alert *a;

	(void)state;
	send_threat(FIXTURE_NOW);
	drive_forget(d);
	acknowledge("officer-2", FIXTURE_NOW + 1000);
	a = (const Alert *)drive_sent(d, KIND_RAISE_ALERT, "relay-smtp");
	assert_non_null(a);
	assert_true(a->stand_down);
	assert_null(burning());
	assert_int_equal(drive_count(d, KIND_REPORT_OUTCOME, "notify"), 1);
	drive_forget(d);
	acknowledge("officer-1", FIXTURE_NOW + 2000); /* second: answered, no second effect */
	assert_int_equal(drive_count(d, KIND_RAISE_ALERT, NULL), 0);
	assert_int_equal(drive_count(d, KIND_ANSWER_DECISION, "officer-1"), 1);
	drive_forget(d);
	drive_timers(d, FIXTURE_NOW + drive_config(d)->rung_1_s * 1000);
	assert_int_equal(drive_count(d, KIND_RAISE_ALERT, NULL), 0);
}

static void an_owed_decision_raises_the_alert_again(void **state)
{
	(void)state;
	send_threat(FIXTURE_NOW);
	acknowledge("officer-1", FIXTURE_NOW);
	drive_forget(d);
	drive_timers(d, FIXTURE_NOW + drive_config(d)->decision_s * 1000);
	assert_int_equal(drive_count(d, KIND_RAISE_ALERT, "supervisor-1"), 1);
}

/* Of the protection axis, in the next word to screening. */
static uint32_t version_told(void)
{
	const ProtectionChange *p =
		(const ProtectionChange *)drive_sent(d, KIND_PROTECTION_CHANGED, "screening");

	assert_non_null(p);
	return p->case_version;
}

static void decisions_follow_the_table(void **state)
{
	(void)state;
	send_threat(FIXTURE_NOW);
	assert_int_equal(version_told(), 1);
	assert_int_equal(decide(7, EVENT__CONFIRM_EMERGENCY, false, FIXTURE_NOW), ERR_STALE);
	assert_int_equal(decide(1, EVENT__ACCEPT_UPP, false, FIXTURE_NOW), ERR_NO_TRANSITION);
	assert_int_equal(
		decide(1, EVENT__REQUEST_ESCALATION, false, FIXTURE_NOW), ERR_NO_TRANSITION);
	assert_non_null(burning());
	assert_int_equal(decide(1, EVENT__CONFIRM_EMERGENCY, false, FIXTURE_NOW), OK);
	assert_int_equal(version_told(), 2);
	assert_null(burning());
	assert_int_equal(decide(2, EVENT__DECLINE_UPP, false, FIXTURE_NOW), ERR_REASON_MISSING);
	assert_int_equal(decide(2, EVENT__DECLINE_UPP, true, FIXTURE_NOW), OK);
	assert_int_equal(decide(3, EVENT__ACCEPT_UPP, true, FIXTURE_NOW), ERR_NO_TRANSITION);
	drive_forget(d);
	send_threat(FIXTURE_NOW + 5000); /* a new danger raises a declined case again */
	assert_int_equal(drive_count(d, KIND_RAISE_ALERT, "officer-1"), 1);
}

static void unknown_cases_are_answered(void **state)
{
	const DecisionResult *r;

	(void)state;
	acknowledge("officer-1", FIXTURE_NOW);
	r = (const DecisionResult *)drive_sent(d, KIND_ANSWER_DECISION, "officer-1");
	assert_int_equal(r->result, ERR_UNKNOWN_CASE);
	assert_int_equal(decide(1, EVENT__CONFIRM_EMERGENCY, false, FIXTURE_NOW), ERR_UNKNOWN_CASE);
}

static void leave(Event event, int64_t at)
{
	CaseExit x = CASE_EXIT__INIT;

	x.case_number = CASE;
	x.event = event;
	drive_send(d, KIND_SEND_EXIT, "intake", &x.base, at);
	drive_forget(d);
}

/* A partner's withdrawal may be forced: what nobody has answered goes on climbing. */
static void a_withdrawal_silences_nothing(void **state)
{
	(void)state;
	send_threat(FIXTURE_NOW);
	leave(EVENT__WITHDRAW_CASE, FIXTURE_NOW + 1);
	drive_timers(d, FIXTURE_NOW + drive_config(d)->rung_1_s * 1000);
	assert_int_equal(drive_count(d, KIND_RAISE_ALERT, "supervisor-1"), 1);
	assert_non_null(burning());
	acknowledge("officer-1", FIXTURE_NOW + drive_config(d)->rung_1_s * 1000 + 1);
	drive_forget(d);
	assert_null(burning());
	drive_timers(d, FIXTURE_NOW + drive_config(d)->decision_s * 2000);
	assert_int_equal(drive_count(d, KIND_RAISE_ALERT, NULL), 0); /* nothing is owed any more */
}

static void a_case_that_was_merged_or_answered_stops(void **state)
{
	(void)state;
	send_threat(FIXTURE_NOW);
	leave(EVENT__MERGE_DUPLICATE, FIXTURE_NOW + 1);
	drive_timers(d, FIXTURE_NOW + drive_config(d)->rung_1_s * 1000);
	assert_int_equal(drive_count(d, KIND_RAISE_ALERT, NULL), 0);
	assert_null(burning());
}

/* What an officer looked at stays the present version while the alert climbs. */
static void climbing_makes_no_decision_stale(void **state)
{
	(void)state;
	send_threat(FIXTURE_NOW);
	drive_timers(d, FIXTURE_NOW + drive_config(d)->rung_1_s * 1000);
	assert_int_equal(decide(1, EVENT__CONFIRM_EMERGENCY, false, FIXTURE_NOW + 1000000), OK);
}

static void use_registry(void)
{
	fixture_rebuild(fixture);
	engine_use_registry(drive_engine(d), fixture_registry(fixture));
}

static void suspend(const char *const *names, bool suspended)
{
	for (; *names; names++)
		fixture_principal(fixture, *names)->suspended = suspended;
	use_registry();
}

/* One officer's retired key keeps the alert from nobody else. */
static void who_has_no_key_is_left_out(void **state)
{
	enum err code;

	(void)state;
	fixture_principal(fixture, "officer-2")->keys[0]->retired = true;
	use_registry();
	send_threat(FIXTURE_NOW);
	assert_int_equal(drive_quarantined(d, &code), 0);
	assert_int_equal(drive_count(d, KIND_RAISE_ALERT, "officer-1"), 1);
	assert_int_equal(drive_count(d, KIND_RAISE_ALERT, "relay-smtp"), 1);
	assert_int_equal(drive_count(d, KIND_RAISE_ALERT, "officer-2"), 0);
	assert_non_null(burning());
}

static void a_rung_where_nobody_stands_is_climbed_at_once(void **state)
{
	static const char *const first[] = {
		"officer-1", "officer-2", "relay-smtp", "relay-webhook", NULL};
	const Alert *a;

	(void)state;
	suspend(first, true);
	send_threat(FIXTURE_NOW);
	a = (const Alert *)drive_sent(d, KIND_RAISE_ALERT, "supervisor-1");
	assert_non_null(a);
	assert_int_equal(a->rung, 2);
	assert_int_equal(a->due_at, FIXTURE_NOW + drive_config(d)->rung_2_s * 1000);
	assert_int_equal(drive_count(d, KIND_RAISE_ALERT, "director-1"), 0);
}

/* Nobody at all: it stays on the ladder until there is somebody. */
static void with_nobody_to_alert_it_stays_on_the_ladder(void **state)
{
	static const char *const all[] = {"officer-1", "officer-2", "relay-smtp", "relay-webhook",
		"supervisor-1", "director-1", NULL};

	(void)state;
	suspend(all, true);
	send_threat(FIXTURE_NOW);
	assert_int_equal(drive_count(d, KIND_RAISE_ALERT, NULL), 0);
	suspend(all, false);
	drive_timers(d, FIXTURE_NOW + drive_config(d)->rung_3_s * 1000);
	assert_int_equal(drive_count(d, KIND_RAISE_ALERT, "director-1"), 1);
}

/* Confirmed is not yet accepted: the clock goes on. */
static void a_confirmed_emergency_has_a_clock(void **state)
{
	(void)state;
	send_threat(FIXTURE_NOW);
	assert_int_equal(decide(1, EVENT__CONFIRM_EMERGENCY, false, FIXTURE_NOW), OK);
	drive_forget(d);
	drive_timers(d, FIXTURE_NOW + drive_config(d)->decision_s * 1000);
	assert_int_equal(drive_count(d, KIND_RAISE_ALERT, "supervisor-1"), 1);
	drive_forget(d);
	assert_int_equal(decide(2, EVENT__ACCEPT_UPP, false, FIXTURE_NOW), OK);
	drive_forget(d);
	drive_timers(d, FIXTURE_NOW + 3 * drive_config(d)->decision_s * 1000);
	assert_int_equal(drive_count(d, KIND_RAISE_ALERT, NULL), 0);
}

static void no_reason_is_not_a_reason(void **state)
{
	Reason none[] = {REASON__NO_REASON};
	Decision dec = DECISION__INIT;
	const DecisionResult *r;

	(void)state;
	send_threat(FIXTURE_NOW);
	dec.case_number = CASE;
	dec.case_version = 1;
	dec.event = EVENT__DECLINE_UPP;
	dec.reasons = none;
	dec.n_reasons = 1;
	drive_send(d, KIND_DECIDE_PROTECTION, "officer-1", &dec.base, FIXTURE_NOW);
	r = (const DecisionResult *)drive_sent(d, KIND_ANSWER_DECISION, "officer-1");
	assert_int_equal(r->result, ERR_REASON_MISSING);
}

/* A later report does not take the earlier threat off the alert. */
static void a_later_report_adds_to_the_request(void **state)
{
	ProtectionRequest p = PROTECTION_REQUEST__INIT;
	Threat t = THREAT__INIT;
	const Alert *a;

	(void)state;
	send_threat(FIXTURE_NOW);
	drive_forget(d);
	p.removal_on = "2026-04-01";
	t.case_number = CASE;
	t.partner = "partner-a";
	t.protection = &p;
	drive_send(d, KIND_SEND_THREAT, "intake", &t.base, FIXTURE_NOW + 1);
	a = (const Alert *)drive_sent(d, KIND_RAISE_ALERT, "officer-1");
	assert_int_equal(a->n_threats, 1);
	assert_int_equal(a->threats[0], THREAT_CODE__LIKELY_KILLED);
	assert_string_equal(a->removal_on, "2026-04-01");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(alerts_go_to_the_first_rung),
		T(unanswered_climbs_and_repeats_on_the_last_rung),
		T(missed_deadlines_are_caught_up),
		T(an_answer_stops_the_ladder_once),
		T(an_owed_decision_raises_the_alert_again),
		T(decisions_follow_the_table),
		T(unknown_cases_are_answered),
		T(a_withdrawal_silences_nothing),
		T(a_case_that_was_merged_or_answered_stops),
		T(climbing_makes_no_decision_stale),
		T(who_has_no_key_is_left_out),
		T(a_rung_where_nobody_stands_is_climbed_at_once),
		T(with_nobody_to_alert_it_stays_on_the_ladder),
		T(a_confirmed_emergency_has_a_clock),
		T(no_reason_is_not_a_reason),
		T(a_later_report_adds_to_the_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
