/* Goal: the same person referred twice is one case by an officer's word only; a partner's
 * withdrawal ends its own referral, a revoked consent ends all; a danger is heard of while the case
 * goes on. */
#include "tests/unit/intake_rig.h"

static void a_likely_duplicate_waits_for_a_person(void **state)
{
	const char *a, *b;

	(void)state;
	a = submit(FIRST, "partner-a");
	b = submit(SECOND, "partner-c");
	assert_int_equal(drive_count(d, KIND_SEND_FACTS, NULL), 0);
	assert_string_equal(only_hold()->case_number, b);
	assert_string_equal(only_hold()->likely[0], a);
	assert_int_equal(say(b, "HV-NONE-NONE-N", false, 0), ERR_NO_TRANSITION);
	assert_int_equal(say(a, b, false, 0), ERR_NO_TRANSITION);
	assert_int_equal(say("HV-NONE-NONE-N", a, false, 0), ERR_UNKNOWN_CASE);
	assert_int_equal(say(b, a, true, REASON__NO_REASON), ERR_REASON_MISSING);
	assert_int_equal(say(b, a, false, 0), OK);
	assert_null(only_hold());
	assert_int_equal(drive_count(d, KIND_SEND_FACTS, "screening"), 1);
}

static void merged_means_told_and_gone(void **state)
{
	const char *a, *b;
	const CaseExit *x;
	const Outcome *o;

	(void)state;
	a = submit(FIRST, "partner-a");
	b = submit(SECOND, "partner-c");
	assert_int_equal(say(b, a, true, REASON__SAME_PERSON), OK);
	assert_int_equal(drive_count(d, KIND_SEND_FACTS, NULL), 0);
	o = (const Outcome *)drive_sent(d, KIND_REPORT_OUTCOME, "notify");
	assert_int_equal(o->event, EVENT__MERGE_DUPLICATE);
	assert_string_equal(o->partner, "partner-c");
	x = (const CaseExit *)drive_sent(d, KIND_SEND_EXIT, "urgent");
	assert_string_equal(x->merged_into, a);
	assert_string_equal(x->officer, "officer-1");
	assert_int_equal(drive_count(d, KIND_SEND_EXIT, "screening"), 0);
	assert_int_equal(say(b, a, true, REASON__SAME_PERSON), ERR_NO_TRANSITION);
}

/* An urgent request is not lost when its referral turns out to be the second one. */
static void an_urgent_request_survives_the_merge(void **state)
{
	const char *a, *b;
	const Threat *t;
	Referral *r = sample(SECOND);
	ThreatCode code[] = {THREAT_CODE__LIKELY_RETURNED};
	ProtectionRequest p = PROTECTION_REQUEST__INIT;

	(void)state;
	a = submit(FIRST, "partner-a");
	p.threats = code;
	p.n_threats = 1;
	r->protection = &p;
	r->narrative->threat_returned = "An invented threat.";
	drive_send(d, KIND_SUBMIT_URGENT, "partner-c", &r->base, NOW);
	r->protection = NULL;
	r->narrative->threat_returned = (char *)protobuf_c_empty_string;
	referral__free_unpacked(r, NULL);
	t = (const Threat *)drive_sent(d, KIND_SEND_THREAT, "urgent"); /* at once, held or not */
	assert_non_null(t);
	b = t->case_number;
	assert_int_equal(say(b, a, true, REASON__SAME_PERSON), OK);
	t = (const Threat *)drive_sent(d, KIND_SEND_THREAT, "urgent");
	assert_non_null(t);
	assert_string_equal(t->case_number, a);
	assert_int_equal(t->protection->threats[0], THREAT_CODE__LIKELY_RETURNED);
}

static void only_the_referrer_withdraws(void **state)
{
	const char *number;
	const Outcome *o;

	(void)state;
	number = submit(ORDINARY, "partner-a");
	withdraw(number, "partner-b", false);
	o = (const Outcome *)drive_sent(d, KIND_REPORT_OUTCOME, "notify");
	assert_string_equal(o->faults[0]->code, "NOT_YOUR_CASE");
	assert_int_equal(drive_count(d, KIND_SEND_EXIT, NULL), 0);
	withdraw(number, "partner-a", true);
	assert_int_equal(drive_count(d, KIND_SEND_EXIT, "screening"), 1);
	assert_int_equal(drive_count(d, KIND_SEND_EXIT, "urgent"), 1);
	withdraw(number, "partner-a", false);
	o = (const Outcome *)drive_sent(d, KIND_REPORT_OUTCOME, "notify");
	assert_string_equal(o->faults[0]->code, "CASE_HAS_LEFT");
}

/* The first referral was withdrawn while the second was held: the person is not lost with it. */
static void same_as_a_case_that_left_goes_on_itself(void **state)
{
	const char *a, *b;
	const Facts *f;

	(void)state;
	a = submit(FIRST, "partner-a");
	b = submit(SECOND, "partner-c");
	withdraw(a, "partner-a", false);
	assert_int_equal(say(b, a, true, REASON__SAME_PERSON), OK);
	assert_null(only_hold());
	f = (const Facts *)drive_sent(d, KIND_SEND_FACTS, "screening");
	assert_non_null(f);
	assert_string_equal(f->case_number, b);
}

/* Merged into a merged case: under the number of the one that goes on. So is a later danger. */
static void merges_lead_to_the_case_that_goes_on(void **state)
{
	const char *a, *b, *c;
	const CaseExit *x;
	const Threat *t;

	(void)state;
	a = submit(FIRST, "partner-a");
	b = submit(SECOND, "partner-c");
	c = submit(SECOND, "partner-b");
	assert_int_equal(say(b, a, true, REASON__SAME_PERSON), OK);
	assert_non_null(drive_sent(d, KIND_SEND_EXIT, "urgent"));
	assert_int_equal(say(c, b, true, REASON__SAME_PERSON), OK);
	x = (const CaseExit *)drive_sent(d, KIND_SEND_EXIT, "urgent");
	assert_string_equal(x->merged_into, a);
	report_risk(c, "partner-b");
	t = (const Threat *)drive_sent(d, KIND_SEND_THREAT, "urgent");
	assert_non_null(t);
	assert_string_equal(t->case_number, a);
}

static void a_consent_can_be_revoked_after_the_withdrawal(void **state)
{
	const char *number;
	const CaseExit *x;
	const Outcome *o;

	(void)state;
	number = submit(ORDINARY, "partner-a");
	withdraw(number, "partner-a", false);
	assert_non_null(drive_sent(d, KIND_SEND_EXIT, "screening"));
	withdraw(number, "partner-a", true);
	x = (const CaseExit *)drive_sent(d, KIND_SEND_EXIT, "screening");
	assert_non_null(x);
	assert_int_equal(x->event, EVENT__REVOKE_CONSENT);
	withdraw(number, "partner-a", true);
	o = (const Outcome *)drive_sent(d, KIND_REPORT_OUTCOME, "notify");
	assert_string_equal(o->faults[0]->code, "CASE_HAS_LEFT");
}

/* What was sent so far is looked at no more; the numbers in it stay valid. */
static void skip_sent(void)
{
	static const enum kind kinds[] = {KIND_REPORT_OUTCOME, KIND_SEND_EXIT, KIND_SEND_THREAT};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		while (drive_sent(d, kinds[i], NULL))
			;
}

/* Two partners of one person: `a` goes on, `b` was merged into it. */
static void merge_two(const char **ret_a, const char **ret_b)
{
	*ret_a = submit(FIRST, "partner-a");
	*ret_b = submit(SECOND, "partner-c");
	assert_int_equal(say(*ret_b, *ret_a, true, REASON__SAME_PERSON), OK);
	skip_sent();
}

static const Outcome *told(void)
{
	return (const Outcome *)drive_sent(d, KIND_REPORT_OUTCOME, "notify");
}

static void must_refuse(const char *number, const char *partner, bool revoked)
{
	const Outcome *o;

	withdraw(number, partner, revoked);
	assert_int_equal(drive_count(d, KIND_SEND_EXIT, NULL), 0);
	o = told();
	assert_non_null(o);
	assert_int_equal(o->event, EVENT__REJECT);
	assert_string_equal(o->partner, partner);
	assert_string_equal(o->faults[0]->code, "CASE_HAS_LEFT");
}

static void must_end_a_part(const char *number, const char *partner)
{
	const Outcome *o;

	withdraw(number, partner, false);
	assert_int_equal(drive_count(d, KIND_SEND_EXIT, NULL), 0);
	o = told();
	assert_non_null(o);
	assert_int_equal(o->event, EVENT__WITHDRAW_CASE);
	assert_true(o->part);
	assert_string_equal(o->case_number, number);
	assert_string_equal(o->partner, partner);
	must_refuse(number, partner, false);
}

/* Whoever goes first: the case ends when nobody's referral stands, under the number of the first,
 * and urgent and screening hear who asked. */
static void must_end_all(const char *number, const char *partner, const char *case_number)
{
	const CaseExit *x;

	withdraw(number, partner, false);
	x = (const CaseExit *)drive_sent(d, KIND_SEND_EXIT, "screening");
	assert_non_null(x);
	assert_string_equal(x->case_number, case_number);
	assert_string_equal(x->partner, partner);
	assert_memory_equal(x->submission.data, drive_last_id(d), MSG_ID_LEN);
	assert_non_null(drive_sent(d, KIND_SEND_EXIT, "urgent"));
	assert_null(told()); /* screening tells */
	must_refuse(number, partner, false);
}

static void the_first_withdraws_and_the_case_goes_on(void **state)
{
	const char *a, *b;

	(void)state;
	merge_two(&a, &b);
	must_end_a_part(a, "partner-a");
	report_risk(b, "partner-c"); /* the other one is heard */
	assert_non_null(drive_sent(d, KIND_SEND_THREAT, "urgent"));
	must_end_all(b, "partner-c", a);
}

static void the_second_withdraws_and_the_case_goes_on(void **state)
{
	const char *a, *b;

	(void)state;
	merge_two(&a, &b);
	must_end_a_part(b, "partner-c");
	must_end_all(a, "partner-a", a);
}

static const Threat *threat(void)
{
	return (const Threat *)drive_sent(d, KIND_SEND_THREAT, "urgent");
}

/* A life at risk: who withdrew is heard while the case goes on, and told so; after its end each is
 * told what to do, and people hear of it. */
static void must_be_heard(int i)
{
	const char *numbers[2], *partners[2] = {"partner-a", "partner-c"};
	const Threat *t;
	const Outcome *o;

	merge_two(&numbers[0], &numbers[1]);
	must_end_a_part(numbers[i], partners[i]);
	report_risk(numbers[i], partners[i]);
	t = threat();
	assert_non_null(t);
	assert_string_equal(t->case_number, numbers[0]);
	o = told();
	assert_int_equal(o->event, EVENT__REQUEST_ESCALATION);
	assert_true(o->answer);
	assert_string_equal(o->case_number, numbers[i]);
	assert_string_equal(o->partner, partners[i]);
	assert_string_equal(o->merged_into, "");
	assert_memory_equal(o->submission.data, drive_last_id(d), MSG_ID_LEN);
	report_risk(numbers[!i], partners[!i]); /* of this one's urgent tells */
	assert_non_null(threat());
	assert_null(told());
	must_end_all(numbers[!i], partners[!i], numbers[0]);
	for (int k = 0; k < 2; k++) {
		report_risk(numbers[k], partners[k]);
		assert_null(threat());
		o = told();
		assert_int_equal(o->event, EVENT__REJECT);
		assert_string_equal(o->faults[0]->code, "RISK_CASE_HAS_LEFT");
		assert_non_null(drive_sent(d, KIND_WARN_OPERATOR, "officer-1"));
	}
}

static void the_first_withdrew_and_is_heard_of_a_danger(void **state)
{
	(void)state;
	must_be_heard(0);
}

static void the_second_withdrew_and_is_heard_of_a_danger(void **state)
{
	(void)state;
	must_be_heard(1);
}

/* The consent is the person's. */
static void a_revoked_consent_ends_it_for_both(void **state)
{
	OpenIdentity q = OPEN_IDENTITY__INIT;
	const IdentityOpened *opened;
	const char *numbers[2];
	const CaseExit *x;

	(void)state;
	merge_two(&numbers[0], &numbers[1]);
	withdraw(numbers[1], "partner-c", true);
	x = (const CaseExit *)drive_sent(d, KIND_SEND_EXIT, "screening");
	assert_non_null(x);
	assert_string_equal(x->case_number, numbers[0]);
	assert_int_equal(x->event, EVENT__REVOKE_CONSENT);
	skip_sent();
	q.reason = REASON__DECISION_REVIEW;
	for (int i = 0; i < 2; i++) {
		q.case_number = (char *)numbers[i];
		drive_send(d, KIND_OPEN_IDENTITY, "officer-2", &q.base, NOW);
		opened = (const IdentityOpened *)drive_sent(d, KIND_IDENTITY_OPENED, "officer-2");
		assert_int_equal(opened->result, ERR_CONSENT_WITHDRAWN);
	}
	must_refuse(numbers[0], "partner-a", true);
	must_refuse(numbers[1], "partner-c", true);
}

/* A merged case that has others merged into it hands them on. */
static void a_chain_of_merges_ends_with_the_last_referral(void **state)
{
	const char *a, *b, *c;

	(void)state;
	a = submit(FIRST, "partner-a");
	b = submit(SECOND, "partner-c");
	c = submit(SECOND, "partner-b");
	assert_int_equal(say(c, b, true, REASON__SAME_PERSON), OK);
	assert_int_equal(say(b, a, true, REASON__SAME_PERSON), OK);
	skip_sent();
	must_end_a_part(b, "partner-c");
	must_end_a_part(a, "partner-a");
	must_end_all(c, "partner-b", a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_likely_duplicate_waits_for_a_person),
		T(merged_means_told_and_gone),
		T(an_urgent_request_survives_the_merge),
		T(only_the_referrer_withdraws),
		T(same_as_a_case_that_left_goes_on_itself),
		T(merges_lead_to_the_case_that_goes_on),
		T(a_consent_can_be_revoked_after_the_withdrawal),
		T(the_first_withdraws_and_the_case_goes_on),
		T(the_second_withdraws_and_the_case_goes_on),
		T(the_first_withdrew_and_is_heard_of_a_danger),
		T(the_second_withdrew_and_is_heard_of_a_danger),
		T(a_revoked_consent_ends_it_for_both),
		T(a_chain_of_merges_ends_with_the_last_referral),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
