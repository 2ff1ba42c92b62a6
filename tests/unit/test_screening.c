/* Goal: screening registers, advises, queues and carries out what officers decide, and nothing
 * else.
 */
#include "tests/unit/screening_rig.h"

static const Outcome *outcome(void)
{
	return (const Outcome *)drive_sent(d, KIND_REPORT_OUTCOME, "notify");
}

static void must_report(unsigned i, Event event, State state)
{
	const Outcome *o = outcome();
	struct number n = number(i);

	assert_non_null(o);
	assert_string_equal(o->case_number, n.text);
	assert_string_equal(o->partner, "partner-a");
	assert_int_equal(o->submission.len, 16);
	assert_int_equal(o->event, event);
	assert_int_equal(o->state, state);
	assert_int_equal(o->at, now);
}

static const QueueAnswer *ask_queue(State state, uint32_t limit)
{
	QueueQuery q = QUEUE_QUERY__INIT;

	q.state = state;
	q.limit = limit;
	return (const QueueAnswer *)drive_ask(d, KIND_ASK_QUEUE, "officer-1", &q.base);
}

static void must_queue(const QueueAnswer *a, const unsigned *cases, size_t n)
{
	assert_int_equal(a->n_entries, n);
	for (size_t i = 0; i < n; i++) {
		struct number c = number(cases[i]);

		assert_string_equal(a->entries[i]->case_number, c.text);
	}
}

static enum err quarantined(void)
{
	enum err code = OK;

	assert_true(drive_quarantined(d, &code) <= 1);
	return code;
}

static void facts_become_a_case_in_review(void **state)
{
	const CaseAnswer *a;
	const QueueAnswer *q;

	(void)state;
	new_case(1, 3);
	must_report(1, EVENT__REGISTER, STATE__REGISTERED);
	assert_null(outcome());
	a = ask(1);
	assert_int_equal(a->result, OK);
	assert_int_equal(a->state, STATE__HUMAN_REVIEW);
	assert_int_equal(a->case_version, 1);
	assert_int_equal(a->facts->n_members, 3);
	assert_int_equal(a->n_history, 3);
	assert_int_equal(a->history[0]->from, STATE__NO_STATE);
	assert_int_equal(a->history[2]->to, STATE__HUMAN_REVIEW);
	assert_int_equal(a->history[2]->cause.len, MSG_ID_LEN);
	assert_memory_equal(a->history[2]->cause.data, drive_last_id(d), MSG_ID_LEN);
	assert_true(a->n_advice > 0);
	q = ask_queue(STATE__NO_STATE, 10);
	assert_int_equal(q->total, 1);
	must_queue(q, (const unsigned[]){1}, 1);
	assert_int_equal(q->entries[0]->persons, 3);
	assert_string_equal(q->entries[0]->partner, "partner-a");
	must_verify();
}

static void facts_come_once(void **state)
{
	(void)state;
	new_case(1, 3);
	new_case(1, 3);
	assert_int_equal(quarantined(), ERR_NO_TRANSITION);
	assert_int_equal(ask(1)->case_version, 1);
}

static void facts_that_are_not_a_case_are_set_aside(void **state)
{
	struct facts f;

	(void)state;
	make_facts(&f, 1, 1);
	f.facts.case_number = "";
	send_facts(&f);
	assert_int_equal(quarantined(), ERR_MALFORMED);
	make_facts(&f, 1, 1);
	f.facts.n_members = 0;
	send_facts(&f);
	assert_int_equal(quarantined(), ERR_MALFORMED);
	assert_int_equal(ask_queue(STATE__NO_STATE, 0)->total, 0);
}

static void who_is_in_the_home_country_is_parked_and_told(void **state)
{
	struct facts f;

	(void)state;
	make_facts(&f, 1, 1);
	f.facts.location_country = f.facts.home_country;
	send_facts(&f);
	must_report(1, EVENT__REGISTER, STATE__REGISTERED);
	must_report(1, EVENT__PARK, STATE__PARKED);
	assert_int_equal(ask_queue(STATE__NO_STATE, 0)->total, 0);
	assert_int_equal(ask_queue(STATE__PARKED, 0)->total, 1);
	assert_int_equal(decide(1, EVENT__UNPARK), OK);
	must_report(1, EVENT__UNPARK, STATE__HUMAN_REVIEW);
}

static void who_is_in_canada_waits_for_a_person(void **state)
{
	struct facts f;

	(void)state;
	make_facts(&f, 1, 1);
	f.facts.location_country = "CA";
	send_facts(&f);
	assert_int_equal(state_of(1), STATE__HUMAN_REVIEW);
	assert_true(ask_queue(STATE__NO_STATE, 0)->entries[0]->flags > 0);
	assert_int_equal(decide(1, EVENT__PLACE_OUT_OF_STREAM), OK);
	assert_int_equal(state_of(1), STATE__OUT_OF_STREAM);
}

static void the_queue_goes_by_protection_then_risk_then_time(void **state)
{
	struct facts f;

	(void)state;
	new_case(1, 1);
	new_case(2, 1);
	make_facts(&f, 3, 1);
	f.claim.n_risk_markers = 3;
	f.markers[0] = RISK_MARKER__WOMAN_DEFENDER;
	f.markers[1] = RISK_MARKER__INDIGENOUS;
	f.markers[2] = RISK_MARKER__INDIGENOUS;
	send_facts(&f);
	new_case(4, 1);
	protect(4, PROTECTION__ESCALATION_REQUESTED);
	must_queue(ask_queue(STATE__NO_STATE, 0), (const unsigned[]){4, 3, 1, 2}, 4);
	assert_int_equal(ask_queue(STATE__NO_STATE, 0)->entries[1]->markers, 2);
	protect(2, PROTECTION__EMERGENCY_CONFIRMED);
	protect(4, PROTECTION__UPP_DECLINED);
	must_queue(ask_queue(STATE__NO_STATE, 0), (const unsigned[]){2, 3, 1, 4}, 4);
	must_verify();
}

static void the_queue_is_bounded_and_counts_all(void **state)
{
	const QueueAnswer *q;

	(void)state;
	for (unsigned i = 1; i <= 5; i++)
		new_case(i, 1);
	assert_int_equal(decide(5, EVENT__RETURN), OK);
	q = ask_queue(STATE__NO_STATE, 2);
	assert_int_equal(q->n_entries, 2);
	assert_int_equal(q->total, 4);
	q = ask_queue(STATE__HUMAN_REVIEW, 3);
	assert_int_equal(q->n_entries, 3);
	assert_int_equal(q->total, 4);
	must_queue(ask_queue(STATE__RETURNED, 0), (const unsigned[]){5}, 1);
	assert_int_equal(ask_queue(STATE__NO_STATE, 100000)->n_entries, 4);
}

static void a_change_of_protection_makes_decisions_stale(void **state)
{
	struct number n = number(1);
	Decision dec = decision(&n, 1, EVENT__NOT_RECOMMEND);
	const DecisionResult *r;

	(void)state;
	new_case(1, 1);
	protect(1, PROTECTION__EMERGENCY_CONFIRMED);
	r = send_decision(&dec);
	assert_int_equal(r->result, ERR_STALE);
	assert_int_equal(r->case_version, 2);
	assert_int_equal(r->protection, PROTECTION__EMERGENCY_CONFIRMED);
	assert_int_equal(r->state, STATE__HUMAN_REVIEW);
	must_verify();
}

static void what_comes_before_its_case_waits(void **state)
{
	(void)state;
	protect(1, PROTECTION__EMERGENCY_CONFIRMED);
	leave(1, EVENT__WITHDRAW_CASE);
	assert_int_equal(ask(1)->result, ERR_UNKNOWN_CASE);
	new_case(1, 1);
	assert_int_equal(ask(1)->protection, PROTECTION__EMERGENCY_CONFIRMED);
	assert_int_equal(state_of(1), STATE__WITHDRAWN);
	assert_int_equal(quarantined(), OK);
	must_verify();
}

static void an_older_word_on_protection_changes_nothing(void **state)
{
	(void)state;
	protect_as(1, PROTECTION__EMERGENCY_CONFIRMED, 3);
	protect_as(1, PROTECTION__ESCALATION_REQUESTED, 1); /* both before the facts */
	new_case(1, 1);
	assert_int_equal(ask(1)->protection, PROTECTION__EMERGENCY_CONFIRMED);
	protect_as(1, PROTECTION__ESCALATION_REQUESTED, 2);
	assert_int_equal(ask(1)->protection, PROTECTION__EMERGENCY_CONFIRMED);
	protect_as(1, PROTECTION__EMERGENCY_CONFIRMED, 6); /* asked again: heard of, all the same */
	protect_as(1, PROTECTION__UPP_DECLINED, 5);
	assert_int_equal(ask(1)->protection, PROTECTION__EMERGENCY_CONFIRMED);
	protect_as(1, PROTECTION__UPP_ACCEPTED, 7);
	assert_int_equal(ask(1)->protection, PROTECTION__UPP_ACCEPTED);
	assert_int_equal(quarantined(), OK);
	must_verify();
}

static void a_decision_is_refused_with_its_reason(void **state)
{
	struct number n = number(1), unknown = number(2);
	Decision dec = decision(&n, 1, EVENT__NOT_RECOMMEND);
	Decision other = decision(&unknown, 1, EVENT__RECOMMEND);

	(void)state;
	new_case(1, 1);
	drive_forget(d);
	assert_int_equal(send_decision(&other)->result, ERR_UNKNOWN_CASE);
	other.case_number = "";
	assert_int_equal(send_decision(&other)->result, ERR_UNKNOWN_CASE);
	dec.case_version = 2;
	assert_int_equal(send_decision(&dec)->result, ERR_STALE);
	dec.case_version = 1;
	dec.n_reasons = 0;
	assert_int_equal(send_decision(&dec)->result, ERR_REASON_MISSING);
	dec.reasons = (Reason[]){REASON__NO_REASON};
	dec.n_reasons = 1;
	assert_int_equal(send_decision(&dec)->result, ERR_REASON_MISSING);
	dec.reasons[0] = REASON__NOT_CREDIBLE;
	dec.event = EVENT__ACCEPT;
	assert_int_equal(send_decision(&dec)->result, ERR_NO_TRANSITION);
	/* not with the word of an officer either: these are intake's and urgent's */
	dec.event = EVENT__MERGE_DUPLICATE;
	assert_int_equal(send_decision(&dec)->result, ERR_NO_TRANSITION);
	dec.event = EVENT__DECLINE_UPP;
	assert_int_equal(send_decision(&dec)->result, ERR_NO_TRANSITION);
	assert_int_equal(ask(1)->case_version, 1);
	assert_int_equal(ask(1)->n_history, 3);
	assert_null(outcome());
	/* a refusal is given in writing */
	assert_int_equal(decide(1, EVENT__RECOMMEND), OK);
	assert_int_equal(decide(1, EVENT__TRANSMIT), OK);
	assert_int_equal(decide(1, EVENT__START_PROCESSING), OK);
	dec.case_version = ask(1)->case_version;
	dec.event = EVENT__REFUSE;
	dec.reasons[0] = REASON__NOT_CREDIBLE;
	dec.note = NULL;
	assert_int_equal(send_decision(&dec)->result, ERR_REASON_MISSING);
	assert_int_equal(decide(1, EVENT__REFUSE), OK);
}

static void a_decision_is_applied_once_and_told_with_its_reasons(void **state)
{
	struct number n = number(1);
	Decision dec = decision(&n, 1, EVENT__NOT_RECOMMEND);
	SealedNote note = SEALED_NOTE__INIT;
	const DecisionResult *r;
	const Outcome *o;
	const Change *c;

	(void)state;
	new_case(1, 1);
	drive_forget(d);
	note.sealed = (ProtobufCBinaryData){6, (uint8_t *)"sealed"};
	dec.note = &note;
	r = send_decision(&dec);
	assert_int_equal(r->result, OK);
	assert_int_equal(r->case_version, 2);
	assert_int_equal(r->state, STATE__NOT_RECOMMENDED);
	o = outcome();
	assert_non_null(o);
	assert_int_equal(o->n_reasons, 1);
	assert_int_equal(o->reasons[0], REASON__DECISION_REVIEW);
	assert_int_equal(o->note->sealed.len, 6);
	assert_int_equal(send_decision(&dec)->result, ERR_STALE);
	c = ask(1)->history[3];
	assert_string_equal(c->actor, "officer-1");
	assert_int_equal(c->reasons[0], REASON__DECISION_REVIEW);
	assert_int_equal(c->from, STATE__HUMAN_REVIEW);
	must_verify();
	/* and it can be looked at again */
	assert_int_equal(decide(1, EVENT__TAKE_UP), OK);
	assert_int_equal(state_of(1), STATE__HUMAN_REVIEW);
}

static bool may(const CaseAnswer *a, Event event)
{
	for (size_t i = 0; i < a->n_possible; i++)
		if (a->possible[i] == event)
			return true;
	return false;
}

static void an_officer_sees_what_can_be_decided(void **state)
{
	const CaseAnswer *a;

	(void)state;
	new_case(1, 1);
	a = ask(1);
	assert_int_equal(a->n_possible, 6);
	assert_true(may(a, EVENT__RECOMMEND) && may(a, EVENT__RETURN) && may(a, EVENT__PARK));
	assert_false(may(a, EVENT__ACCEPT) || may(a, EVENT__MERGE_DUPLICATE));
	assert_int_equal(decide(1, EVENT__RECOMMEND), OK);
	a = ask(1);
	assert_true(may(a, EVENT__TRANSMIT));
	assert_false(may(a, EVENT__WAITLIST));
}

static void a_merge_needs_an_officer(void **state)
{
	struct number n = number(1), into = number(2);
	CaseExit x = CASE_EXIT__INIT;
	const CaseAnswer *a;

	(void)state;
	new_case(1, 1);
	new_case(2, 1);
	x.case_number = n.text;
	x.merged_into = into.text;
	x.event = EVENT__MERGE_DUPLICATE;
	drive_send(d, KIND_SEND_EXIT, "intake", &x.base, now);
	assert_int_equal(quarantined(), ERR_NOT_PERMITTED);
	x.officer = "partner-a";
	drive_send(d, KIND_SEND_EXIT, "intake", &x.base, now);
	assert_int_equal(quarantined(), ERR_NOT_PERMITTED);
	assert_int_equal(state_of(1), STATE__HUMAN_REVIEW);
	x.officer = "officer-2";
	drive_send(d, KIND_SEND_EXIT, "intake", &x.base, now);
	a = ask(1);
	assert_int_equal(a->state, STATE__DUPLICATE_MERGED);
	assert_string_equal(a->history[3]->actor, "officer-2");
	assert_int_equal(a->history[3]->n_reasons, 1);
	must_verify();
}

static void who_leaves_is_out_of_the_queue(void **state)
{
	const Outcome *told;

	(void)state;
	new_case(1, 1);
	new_case(2, 1);
	drive_forget(d);
	leave(1, EVENT__WITHDRAW_CASE);
	must_report(1, EVENT__WITHDRAW_CASE, STATE__WITHDRAWN);
	leave(2, EVENT__REVOKE_CONSENT);
	must_report(2, EVENT__REVOKE_CONSENT, STATE__CONSENT_REVOKED);
	assert_int_equal(ask_queue(STATE__NO_STATE, 0)->total, 0);
	drive_forget(d);
	leave(1, EVENT__WITHDRAW_CASE); /* too late: the partner hears that, and nothing changes */
	told = (const Outcome *)drive_sent(d, KIND_REPORT_OUTCOME, "notify");
	assert_non_null(told);
	assert_int_equal(told->event, EVENT__REJECT);
	assert_string_equal(told->partner, "partner-b"); /* who asked */
	assert_string_equal(told->faults[0]->code, "CASE_HAS_LEFT");
	assert_int_equal(state_of(1), STATE__WITHDRAWN);
	leave(1, EVENT__RECOMMEND);
	assert_int_equal(quarantined(), ERR_MALFORMED);
	leave(1, EVENT__REVOKE_CONSENT);
	assert_int_equal(state_of(1), STATE__CONSENT_REVOKED);
	must_verify();
}

/* Whoever reads the store finds no codes about the person: only order, numbers and principals. */
struct search {
	const char *text;
	bool found;
};

static enum err search_value(void *arg, struct slice key, struct slice value)
{
	struct search *s = arg;

	s->found = s->found || memmem(key.data, key.len, s->text, strlen(s->text)) ||
		   memmem(value.data, value.len, s->text, strlen(s->text));
	return OK;
}

static enum err search_store(struct step *s, void *arg)
{
	for (int table = T_CASES; table <= T_META; table++)
		TRY(step_each(s, table, (struct slice){0}, search_value, arg));
	return OK;
}

static void facts_are_not_stored_in_clear(void **state)
{
	struct search country = {"a country with no code", false}, partner = {"partner-a", false};
	struct facts f;

	(void)state;
	make_facts(&f, 1, 1);
	f.facts.home_country = "a country with no code";
	send_facts(&f);
	assert_int_equal(decide(1, EVENT__RECOMMEND), OK);
	run(search_store, &country);
	assert_false(country.found);
	run(search_store, &partner); /* the search can find something: the ledger */
	assert_true(partner.found);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(facts_become_a_case_in_review),
		TEST(facts_come_once),
		TEST(facts_that_are_not_a_case_are_set_aside),
		TEST(who_is_in_the_home_country_is_parked_and_told),
		TEST(who_is_in_canada_waits_for_a_person),
		TEST(the_queue_goes_by_protection_then_risk_then_time),
		TEST(the_queue_is_bounded_and_counts_all),
		TEST(a_change_of_protection_makes_decisions_stale),
		TEST(what_comes_before_its_case_waits),
		TEST(an_older_word_on_protection_changes_nothing),
		TEST(a_decision_is_refused_with_its_reason),
		TEST(a_decision_is_applied_once_and_told_with_its_reasons),
		TEST(an_officer_sees_what_can_be_decided),
		TEST(a_merge_needs_an_officer),
		TEST(who_leaves_is_out_of_the_queue),
		TEST(facts_are_not_stored_in_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
