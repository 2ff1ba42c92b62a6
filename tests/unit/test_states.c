/* Goal: the table of states is whole, no machine enters a negative state, what is absent is
 * refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "services/screening/states.h"

#define STATES (STATE__DUPLICATE_MERGED + 1)

/* The domain's own list, written a second time on purpose. */
static const State negative[] = {STATE__RETURNED, STATE__NOT_RECOMMENDED, STATE__OUT_OF_STREAM,
	STATE__REFUSED, STATE__SPLIT, STATE__DUPLICATE_MERGED};

static bool in_domain_list(State s)
{
	for (size_t i = 0; i < sizeof(negative) / sizeof(negative[0]); i++)
		if (negative[i] == s)
			return true;
	return false;
}

static void negative_states_are_those_of_the_domain(void **state)
{
	(void)state;
	assert_int_equal(state__descriptor.n_values, STATES);
	for (int s = 0; s < STATES; s++)
		assert_int_equal(state_negative((State)s), in_domain_list((State)s));
	assert_false(state_negative(STATE__PARKED));
	assert_false(state_negative(STATE__WAITLISTED));
	assert_false(state_negative(STATE__DEFERRED));
}

static void no_machine_enters_a_negative_state(void **state)
{
	size_t n;
	const struct transition *t = states_all(&n);

	(void)state;
	for (size_t i = 0; i < n; i++)
		if (in_domain_list(t[i].to) && t[i].from != t[i].to)
			assert_int_equal(t[i].who, WHO_PERSON);
	for (int s = 0; s < STATES; s++)
		for (int e = 0; e < EVENT__DECLINE_UPP + 1; e++) {
			t = states_find((State)s, (Event)e, WHO_MACHINE, STATE__NO_STATE);
			assert_false(t && in_domain_list(t->to));
		}
}

static void every_state_is_reachable(void **state)
{
	bool seen[STATES] = {[STATE__NO_STATE] = true};
	bool more = true;
	size_t n;
	const struct transition *t = states_all(&n);

	(void)state;
	while (more) {
		more = false;
		for (size_t i = 0; i < n; i++)
			if (seen[t[i].from] && !seen[t[i].to])
				more = seen[t[i].to] = true;
	}
	for (int s = 0; s < STATES; s++)
		assert_true(seen[s]);
}

static void no_row_stands_twice(void **state)
{
	size_t n;
	const struct transition *t = states_all(&n);

	(void)state;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			assert_false(t[i].from == t[j].from && t[i].event == t[j].event &&
				     t[i].to == t[j].to);
}

static void what_is_absent_is_refused(void **state)
{
	(void)state;
	assert_null(states_find(STATE__HUMAN_REVIEW, EVENT__ACCEPT, WHO_PERSON, 0));
	assert_null(states_find(STATE__REGISTERED, EVENT__RECOMMEND, WHO_PERSON, 0));
	assert_null(states_find(STATE__WAITLISTED, EVENT__CLEAR_FOR_DEPARTURE, WHO_PERSON, 0));
	assert_null(states_find(STATE__ARRIVED, EVENT__WITHDRAW_CASE, WHO_MACHINE, 0));
	assert_null(states_find(STATE__CLOSED, EVENT__TAKE_UP, WHO_PERSON, 0));
}

static void each_keeps_to_its_own_transitions(void **state)
{
	(void)state;
	assert_null(states_find(STATE__HUMAN_REVIEW, EVENT__RECOMMEND, WHO_MACHINE, 0));
	assert_non_null(states_find(STATE__HUMAN_REVIEW, EVENT__RECOMMEND, WHO_PERSON, 0));
	assert_null(states_find(STATE__RECOMMENDED, EVENT__RESERVE_PLACES, WHO_PERSON, 0));
	assert_non_null(states_find(STATE__WAITLISTED, EVENT__RESERVE_PLACES, WHO_PERSON, 0));
	assert_non_null(states_find(STATE__WAITLISTED, EVENT__RESERVE_PLACES, WHO_MACHINE, 0));
	assert_false(event_is_decision(EVENT__MERGE_DUPLICATE));
	assert_false(event_is_decision(EVENT__REQUEST_ESCALATION));
	assert_true(event_is_decision(EVENT__ADJUST_HOUSEHOLD));
}

/* Whatever was approved before a roll-over comes back with the places. */
static void an_approval_survives_a_roll_over(void **state)
{
	(void)state;
	for (int s = 1; s < STATES; s++) {
		const struct transition *out, *back;

		out = states_find((State)s, EVENT__WAITLIST, WHO_MACHINE, STATE__NO_STATE);
		if (state_holds((State)s) != HOLDS_RESERVED)
			continue;
		assert_non_null(out);
		back = states_find(out->to, EVENT__RESERVE_PLACES, WHO_MACHINE, (State)s);
		assert_non_null(back);
		assert_int_equal(back->to, s);
	}
	assert_int_equal(states_find(STATE__WAITLISTED, EVENT__RESERVE_PLACES, WHO_MACHINE, 0)->to,
		STATE__PLACES_RESERVED);
}

/* A revoked consent is heard in every state in which a case can rest. */
static void a_consent_can_be_revoked_anywhere(void **state)
{
	static const State passing[] = {STATE__NO_STATE, STATE__REGISTERED, STATE__SCREENED,
		STATE__RECOMMENDED, STATE__CONSENT_REVOKED, STATE__DUPLICATE_MERGED};

	(void)state;
	for (int s = 0; s < STATES; s++) {
		bool passes = false;

		for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
			passes = passes || passing[i] == (State)s;
		assert_int_equal(
			states_find((State)s, EVENT__REVOKE_CONSENT, WHO_MACHINE, 0) == NULL,
			passes);
	}
}

static void states_and_events_have_names(void **state)
{
	(void)state;
	assert_string_equal(state_name(STATE__PARKED), "PARKED");
	assert_string_equal(event_name(EVENT__SPLIT_DECISION), "SPLIT_DECISION");
	assert_string_equal(state_name((State)999), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(negative_states_are_those_of_the_domain),
		cmocka_unit_test(no_machine_enters_a_negative_state),
		cmocka_unit_test(every_state_is_reachable),
		cmocka_unit_test(no_row_stands_twice),
		cmocka_unit_test(what_is_absent_is_refused),
		cmocka_unit_test(each_keeps_to_its_own_transitions),
		cmocka_unit_test(an_approval_survives_a_roll_over),
		cmocka_unit_test(a_consent_can_be_revoked_anywhere),
		cmocka_unit_test(states_and_events_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
