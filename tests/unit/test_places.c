/* Goal: places are persons, a household stays whole, full means waiting, and a year rolls over. */
#include "services/common/base/civil.h"
#include "services/screening/ledger.h"
#include "tests/unit/screening_rig.h"

static void set_cap(long cap)
{
	drive_config(d)->cap = cap;
}

static void a_recommended_household_gets_places_in_persons(void **state)
{
	const PlacesAnswer *p;

	(void)state;
	assert_int_equal(recommended(1, 4), STATE__PLACES_RESERVED);
	p = ask_places(0);
	assert_int_equal(p->year, 2026);
	assert_int_equal(p->cap, 250);
	assert_int_equal(p->reserved, 4);
	assert_int_equal(p->free, 246);
	assert_int_equal(ask(1)->places_reserved, 4);
	assert_int_equal(ask(1)->arrival_year, 2026);
	/* one version for the two changes of the step, each told */
	assert_int_equal(ask(1)->case_version, 2);
	assert_int_equal(ask(1)->n_history, 5);
	assert_int_equal(drive_count(d, KIND_REPORT_OUTCOME, "notify"), 3);
	must_verify();
}

/* Members who follow later are declared, and counted apart. */
static void only_who_travels_needs_a_place(void **state)
{
	struct facts f;

	(void)state;
	make_facts(&f, 1, 4);
	f.members[2].accompanying = false;
	f.members[0].accompanying = false; /* the principal applicant always travels */
	send_facts(&f);
	assert_int_equal(decide(1, EVENT__RECOMMEND), OK);
	assert_int_equal(ask_places(0)->reserved, 3);
}

static void a_full_year_waits_and_never_refuses(void **state)
{
	const PlacesAnswer *p;

	(void)state;
	set_cap(5);
	assert_int_equal(recommended(1, 3), STATE__PLACES_RESERVED);
	assert_int_equal(recommended(2, 3), STATE__WAITLISTED);
	p = ask_places(2026);
	assert_int_equal(p->reserved, 3);
	assert_int_equal(p->waitlisted_persons, 3);
	assert_int_equal(p->waitlisted_cases, 1);
	must_verify();
	leave(1, EVENT__WITHDRAW_CASE);
	assert_int_equal(state_of(2), STATE__PLACES_RESERVED);
	assert_int_equal(ask_places(0)->waitlisted_cases, 0);
	must_verify();
}

static void the_waiting_list_is_served_in_order(void **state)
{
	(void)state;
	set_cap(2);
	assert_int_equal(recommended(1, 2), STATE__PLACES_RESERVED);
	assert_int_equal(recommended(2, 2), STATE__WAITLISTED);
	assert_int_equal(recommended(3, 2), STATE__WAITLISTED);
	assert_int_equal(recommended(4, 2), STATE__WAITLISTED);
	protect(4, PROTECTION__EMERGENCY_CONFIRMED);
	leave(1, EVENT__REVOKE_CONSENT);
	assert_int_equal(state_of(4), STATE__PLACES_RESERVED);
	assert_int_equal(state_of(2), STATE__WAITLISTED);
	leave(4, EVENT__WITHDRAW_CASE);
	assert_int_equal(state_of(2), STATE__PLACES_RESERVED);
	assert_int_equal(state_of(3), STATE__WAITLISTED);
	must_verify();
}

/* Smaller households may go first three times; the fourth time the places are saved. */
static void a_household_is_passed_over_only_so_often(void **state)
{
	(void)state;
	set_cap(10);
	assert_int_equal(recommended(1, 6), STATE__PLACES_RESERVED);
	assert_int_equal(recommended(2, 5), STATE__WAITLISTED);
	assert_int_equal(recommended(3, 1), STATE__PLACES_RESERVED);
	assert_int_equal(recommended(4, 1), STATE__PLACES_RESERVED);
	assert_int_equal(recommended(5, 1), STATE__PLACES_RESERVED);
	assert_int_equal(recommended(6, 1), STATE__WAITLISTED);
	assert_int_equal(ask_places(0)->free, 1);
	leave(1, EVENT__WITHDRAW_CASE);
	assert_int_equal(state_of(2), STATE__PLACES_RESERVED);
	assert_int_equal(state_of(6), STATE__PLACES_RESERVED);
	must_verify();
}

/* What can never fit must not stop the others. */
static void a_household_larger_than_the_year_waits_alone(void **state)
{
	(void)state;
	set_cap(4);
	drive_config(d)->passes = 0;
	assert_int_equal(recommended(1, 5), STATE__WAITLISTED);
	assert_int_equal(recommended(2, 1), STATE__PLACES_RESERVED);
	assert_int_equal(recommended(3, 4), STATE__WAITLISTED); /* could: so places are saved */
	assert_int_equal(recommended(4, 1), STATE__WAITLISTED);
	/* once consumed, the places of this year will not come back for them */
	accept_case(2);
	assert_int_equal(decide(2, EVENT__CLEAR_FOR_DEPARTURE), OK);
	assert_int_equal(decide(2, EVENT__ARRIVE), OK);
	assert_int_equal(recommended(5, 1), STATE__PLACES_RESERVED);
	must_verify();
}

static void a_partner_has_its_allotment(void **state)
{
	const PlacesAnswer *p;

	(void)state;
	give_allotment("partner-a", 2026, 3);
	assert_int_equal(recommended(1, 2), STATE__PLACES_RESERVED);
	assert_int_equal(recommended(2, 2), STATE__WAITLISTED);
	new_case_of("partner-b", 3, 2);
	assert_int_equal(decide(3, EVENT__RECOMMEND), OK);
	assert_int_equal(state_of(3), STATE__PLACES_RESERVED);
	p = ask_places(0);
	assert_int_equal(p->n_allotments, 2);
	assert_string_equal(p->allotments[0]->partner, "partner-a");
	assert_int_equal(p->allotments[0]->persons, 3);
	assert_int_equal(p->allotments[0]->used, 2);
	assert_int_equal(p->allotments[1]->persons, 0);
	assert_int_equal(p->allotments[1]->used, 2);
	must_verify();
}

/* Another partner's case takes no room from one that waits for its own partner's allotment. */
static void places_are_saved_within_the_allotment(void **state)
{
	(void)state;
	drive_config(d)->passes = 0;
	give_allotment("partner-a", 2026, 4);
	assert_int_equal(recommended(1, 2), STATE__PLACES_RESERVED);
	assert_int_equal(recommended(2, 3), STATE__WAITLISTED);
	assert_int_equal(recommended(3, 1), STATE__WAITLISTED);
	new_case_of("partner-b", 4, 3);
	assert_int_equal(decide(4, EVENT__RECOMMEND), OK);
	assert_int_equal(state_of(4), STATE__PLACES_RESERVED);
	leave(1, EVENT__WITHDRAW_CASE);
	assert_int_equal(state_of(2), STATE__PLACES_RESERVED);
	assert_int_equal(state_of(3), STATE__PLACES_RESERVED);
	must_verify();
}

static void a_birth_in_a_full_year_is_pending(void **state)
{
	(void)state;
	set_cap(4);
	assert_int_equal(recommended(1, 3), STATE__PLACES_RESERVED);
	assert_int_equal(recommended(2, 1), STATE__PLACES_RESERVED);
	accept_case(1);
	assert_int_equal(decide_value(1, EVENT__ADJUST_HOUSEHOLD, 4), OK);
	assert_int_equal(ask_places(0)->pending_persons, 1);
	assert_int_equal(ask(1)->places_reserved, 3);
	for (size_t i = 0; i < ask(1)->n_possible; i++)
		assert_int_not_equal(ask(1)->possible[i], EVENT__CLEAR_FOR_DEPARTURE);
	assert_int_equal(decide(1, EVENT__CLEAR_FOR_DEPARTURE), ERR_NO_TRANSITION);
	must_verify();
	leave(2, EVENT__WITHDRAW_CASE);
	assert_int_equal(ask_places(0)->pending_persons, 0);
	assert_int_equal(ask(1)->places_reserved, 4);
	assert_int_equal(decide(1, EVENT__CLEAR_FOR_DEPARTURE), OK);
	/* born on the way: arrived is the whole household or nobody */
	assert_int_equal(decide_value(1, EVENT__ADJUST_HOUSEHOLD, 5), OK);
	assert_int_equal(decide(1, EVENT__ARRIVE), ERR_NO_TRANSITION);
	assert_int_equal(decide_value(1, EVENT__ADJUST_HOUSEHOLD, 4), OK);
	assert_int_equal(decide(1, EVENT__ARRIVE), OK);
	assert_int_equal(ask(1)->places_consumed, 4);
	assert_int_equal(ask_places(0)->consumed, 4);
	must_verify();
}

static void a_household_can_change_wherever_it_stands(void **state)
{
	(void)state;
	set_cap(6);
	new_case(1, 2);
	assert_int_equal(decide_value(1, EVENT__ADJUST_HOUSEHOLD, 0), ERR_NO_TRANSITION);
	assert_int_equal(decide_value(1, EVENT__ADJUST_HOUSEHOLD, 1001), ERR_NO_TRANSITION);
	assert_int_equal(decide_value(1, EVENT__ADJUST_HOUSEHOLD, 3), OK);
	assert_int_equal(decide(1, EVENT__RECOMMEND), OK);
	assert_int_equal(ask(1)->places_reserved, 3);
	assert_int_equal(recommended(2, 4), STATE__WAITLISTED);
	assert_int_equal(decide_value(2, EVENT__ADJUST_HOUSEHOLD, 5), OK);
	assert_int_equal(ask_places(0)->waitlisted_persons, 5);
	must_verify();
	/* a death: the places go to who waits, as soon as they are enough */
	assert_int_equal(decide_value(2, EVENT__ADJUST_HOUSEHOLD, 4), OK);
	assert_int_equal(decide_value(1, EVENT__ADJUST_HOUSEHOLD, 2), OK);
	assert_int_equal(state_of(2), STATE__PLACES_RESERVED);
	must_verify();
}

static void a_negative_decision_gives_the_places_back(void **state)
{
	(void)state;
	set_cap(4);
	assert_int_equal(recommended(1, 4), STATE__PLACES_RESERVED);
	assert_int_equal(recommended(2, 4), STATE__WAITLISTED);
	assert_int_equal(decide(1, EVENT__TRANSMIT), OK);
	assert_int_equal(decide(1, EVENT__START_PROCESSING), OK);
	assert_int_equal(decide(1, EVENT__DEFER), OK);
	assert_int_equal(ask(1)->places_reserved, 4); /* not a denial */
	assert_int_equal(decide(1, EVENT__RESUME), OK);
	assert_int_equal(decide(1, EVENT__SPLIT_DECISION), OK);
	assert_int_equal(ask(1)->places_reserved, 0);
	assert_int_equal(state_of(2), STATE__PLACES_RESERVED);
	assert_int_equal(decide(1, EVENT__TAKE_UP), OK);
	assert_int_equal(decide(1, EVENT__RECOMMEND), OK);
	assert_int_equal(state_of(1), STATE__WAITLISTED);
	assert_int_equal(decide(1, EVENT__TAKE_UP), OK);
	assert_int_equal(ask_places(0)->waitlisted_cases, 0);
	must_verify();
}

/* Only the stream for human rights defenders draws on these places. */
static void another_route_draws_no_places(void **state)
{
	struct facts f;

	(void)state;
	make_facts(&f, 1, 3);
	f.facts.route = ROUTE__PRIVATE_SPONSORSHIP;
	send_facts(&f);
	assert_int_equal(decide(1, EVENT__RECOMMEND), ERR_NO_TRANSITION);
	assert_int_equal(ask_places(0)->reserved, 0);
	assert_int_equal(decide(1, EVENT__PLACE_OUT_OF_STREAM), OK);
}

/* An accepted person who is dead or cannot be found holds no places for ever. */
static void an_officer_can_look_again_until_the_arrival(void **state)
{
	(void)state;
	assert_int_equal(recommended(1, 3), STATE__PLACES_RESERVED);
	accept_case(1);
	assert_int_equal(decide(1, EVENT__TAKE_UP), OK);
	assert_int_equal(state_of(1), STATE__HUMAN_REVIEW);
	assert_int_equal(ask_places(0)->reserved, 0);
	must_verify();
}

static void an_arrival_consumes_and_stays_counted(void **state)
{
	(void)state;
	assert_int_equal(recommended(1, 3), STATE__PLACES_RESERVED);
	accept_case(1);
	assert_int_equal(decide(1, EVENT__CLEAR_FOR_DEPARTURE), OK);
	assert_int_equal(decide(1, EVENT__ARRIVE), OK);
	assert_int_equal(decide(1, EVENT__HAND_OVER), OK);
	assert_int_equal(decide(1, EVENT__OPEN_WINDOW), OK);
	leave(1, EVENT__REVOKE_CONSENT);
	assert_int_equal(state_of(1), STATE__CONSENT_REVOKED);
	assert_int_equal(ask_places(0)->consumed, 3);
	assert_int_equal(ask_places(0)->reserved, 0);
	must_verify();
}

static void an_officer_names_the_year(void **state)
{
	(void)state;
	set_cap(3);
	new_case(1, 3);
	assert_int_equal(decide_value(1, EVENT__RECOMMEND, 2025), ERR_NO_TRANSITION);
	assert_int_equal(decide_value(1, EVENT__RECOMMEND, 2032), ERR_NO_TRANSITION);
	assert_int_equal(decide_value(1, EVENT__RECOMMEND, 2026), OK);
	assert_int_equal(recommended(2, 2), STATE__WAITLISTED);
	assert_int_equal(decide(2, EVENT__RESERVE_PLACES), ERR_NO_TRANSITION);
	assert_int_equal(decide_value(2, EVENT__RESERVE_PLACES, 2027), OK);
	assert_int_equal(ask(2)->arrival_year, 2027);
	assert_int_equal(ask_places(2027)->reserved, 2);
	assert_int_equal(ask_places(0)->waitlisted_cases, 0);
	must_verify();
}

static enum err closing_result(void)
{
	const ProtobufCMessage *m = drive_sent(d, KIND_ANSWER_DECISION, "supervisor-1");

	assert_non_null(m);
	return (enum err)((const DecisionResult *)m)->result;
}

/* One step: the reservations first, then the waiting list, each approval kept. */
static void a_year_rolls_over_before_the_waiting_list(void **state)
{
	(void)state;
	set_cap(6);
	assert_int_equal(recommended(1, 3), STATE__PLACES_RESERVED);
	assert_int_equal(recommended(2, 3), STATE__PLACES_RESERVED);
	assert_int_equal(recommended(3, 2), STATE__WAITLISTED);
	new_case(4, 2);
	assert_int_equal(decide_value(4, EVENT__RECOMMEND, 2027), OK);
	accept_case(2);
	close_year(2026);
	assert_int_equal(closing_result(), OK);
	assert_int_equal(ask_places(2026)->reserved, 0);
	assert_int_equal(ask_places(0)->year, 2027);
	assert_int_equal(ask_places(2027)->reserved, 5);
	assert_int_equal(ask(1)->arrival_year, 2027);
	assert_int_equal(state_of(1), STATE__PLACES_RESERVED);
	/* what did not fit waits for a person, and for places */
	assert_int_equal(state_of(2), STATE__WAITLISTED);
	assert_int_equal(state_of(3), STATE__WAITLISTED);
	assert_int_equal(ask_places(0)->waitlisted_persons, 5);
	must_verify();
	leave(1, EVENT__WITHDRAW_CASE);
	assert_int_equal(state_of(2), STATE__ACCEPTED);
	must_verify();
	close_year(2026);
	assert_int_equal(closing_result(), ERR_STALE);
	close_year(2027);
	assert_int_equal(closing_result(), ERR_NO_TRANSITION);
}

static void what_rolled_over_without_places_stands_in_the_queue(void **state)
{
	QueueQuery q = QUEUE_QUERY__INIT;
	const QueueAnswer *a;

	(void)state;
	set_cap(3);
	assert_int_equal(recommended(1, 3), STATE__PLACES_RESERVED);
	new_case(2, 3);
	assert_int_equal(decide_value(2, EVENT__RECOMMEND, 2027), OK);
	assert_int_equal(decide(1, EVENT__TRANSMIT), OK);
	close_year(2026);
	a = (const QueueAnswer *)drive_ask(d, KIND_ASK_QUEUE, "officer-1", &q.base);
	assert_int_equal(a->total, 2);
	assert_int_equal(a->entries[0]->state, STATE__WAITLISTED);
	q.state = STATE__WAITLISTED;
	a = (const QueueAnswer *)drive_ask(d, KIND_ASK_QUEUE, "officer-1", &q.base);
	assert_int_equal(a->total, 1);
	assert_int_equal(decide_value(1, EVENT__RESERVE_PLACES, 2028), OK);
	assert_int_equal(state_of(1), STATE__TRANSMITTED);
	must_verify();
}

/* Who is taken back into review has no approval to keep. */
static void a_review_ends_what_was_kept(void **state)
{
	(void)state;
	set_cap(3);
	assert_int_equal(recommended(1, 3), STATE__PLACES_RESERVED);
	new_case(2, 3);
	assert_int_equal(decide_value(2, EVENT__RECOMMEND, 2027), OK);
	accept_case(1);
	close_year(2026);
	assert_int_equal(state_of(1), STATE__WAITLISTED);
	assert_int_equal(decide(1, EVENT__TAKE_UP), OK);
	assert_int_equal(decide(1, EVENT__RECOMMEND), OK);
	assert_int_equal(state_of(1), STATE__WAITLISTED);
	leave(2, EVENT__WITHDRAW_CASE);
	assert_int_equal(state_of(1), STATE__PLACES_RESERVED);
	must_verify();
}

static void a_pending_birth_rolls_over_with_its_household(void **state)
{
	(void)state;
	set_cap(3);
	assert_int_equal(recommended(1, 2), STATE__PLACES_RESERVED);
	assert_int_equal(recommended(2, 1), STATE__PLACES_RESERVED);
	assert_int_equal(decide_value(1, EVENT__ADJUST_HOUSEHOLD, 3), OK);
	new_case(3, 1);
	assert_int_equal(decide_value(3, EVENT__RECOMMEND, 2027), OK);
	leave(2, EVENT__WITHDRAW_CASE);
	assert_int_equal(ask(1)->places_reserved, 3);
	assert_int_equal(decide_value(1, EVENT__ADJUST_HOUSEHOLD, 4), OK);
	/* three do not fit beside one: nobody of the four is left behind */
	close_year(2026);
	assert_int_equal(state_of(1), STATE__WAITLISTED);
	assert_int_equal(ask_places(0)->waitlisted_persons, 4);
	assert_int_equal(ask_places(0)->pending_persons, 0);
	must_verify();
}

static void a_birth_stays_pending_over_the_year(void **state)
{
	(void)state;
	set_cap(3);
	assert_int_equal(recommended(1, 3), STATE__PLACES_RESERVED);
	assert_int_equal(decide_value(1, EVENT__ADJUST_HOUSEHOLD, 4), OK);
	close_year(2026);
	assert_int_equal(state_of(1), STATE__PLACES_RESERVED);
	assert_int_equal(ask(1)->places_reserved, 3);
	assert_int_equal(ask_places(0)->pending_persons, 1);
	must_verify();
}

/* At the first moment of the civil year where dates are counted, also after years of downtime. */
static void the_year_closes_by_itself(void **state)
{
	int64_t due;

	(void)state;
	assert_int_equal(recommended(1, 3), STATE__PLACES_RESERVED);
	assert_int_equal(engine_next_timer(drive_engine(d), &due), OK);
	assert_true(due == civil_year_start(2027));
	drive_timers(d, due - 1);
	assert_int_equal(ask_places(0)->year, 2026);
	drive_timers(d, civil_year_start(2029));
	assert_int_equal(ask_places(0)->year, 2029);
	assert_int_equal(ask(1)->arrival_year, 2029);
	assert_int_equal(ask_places(2029)->reserved, 3);
	assert_int_equal(engine_next_timer(drive_engine(d), &due), OK);
	assert_true(due == civil_year_start(2030));
	must_verify();
}

static void a_larger_cap_serves_the_list_at_the_next_start(void **state)
{
	(void)state;
	set_cap(2);
	assert_int_equal(recommended(1, 2), STATE__PLACES_RESERVED);
	assert_int_equal(recommended(2, 2), STATE__WAITLISTED);
	set_cap(4);
	run(start, NULL);
	assert_int_equal(state_of(2), STATE__PLACES_RESERVED);
	set_cap(1); /* and a smaller one takes nothing away */
	run(start, NULL);
	assert_int_equal(ask_places(0)->free, 0);
	assert_int_equal(recommended(3, 1), STATE__WAITLISTED);
	must_verify();
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_recommended_household_gets_places_in_persons),
		TEST(only_who_travels_needs_a_place),
		TEST(a_full_year_waits_and_never_refuses),
		TEST(the_waiting_list_is_served_in_order),
		TEST(a_household_is_passed_over_only_so_often),
		TEST(a_household_larger_than_the_year_waits_alone),
		TEST(a_partner_has_its_allotment),
		TEST(places_are_saved_within_the_allotment),
		TEST(a_birth_in_a_full_year_is_pending),
		TEST(a_household_can_change_wherever_it_stands),
		TEST(a_negative_decision_gives_the_places_back),
		TEST(another_route_draws_no_places),
		TEST(an_officer_can_look_again_until_the_arrival),
		TEST(an_arrival_consumes_and_stays_counted),
		TEST(an_officer_names_the_year),
		TEST(a_year_rolls_over_before_the_waiting_list),
		TEST(what_rolled_over_without_places_stands_in_the_queue),
		TEST(a_review_ends_what_was_kept),
		TEST(a_pending_birth_rolls_over_with_its_household),
		TEST(a_birth_stays_pending_over_the_year),
		TEST(the_year_closes_by_itself),
		TEST(a_larger_cap_serves_the_list_at_the_next_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
