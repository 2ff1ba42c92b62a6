/* Goal: the checks of screening's store find what is wrong in it, and nothing else. */
#include "services/screening/cases.h"
#include "services/screening/ledger.h"
#include "tests/unit/screening_rig.h"

static enum err change_year(struct step *s, void *arg)
{
	ScreeningYear y = SCREENING_YEAR__INIT;
	struct key k = {0};

	y.reserved = *(uint32_t *)arg;
	ledger_year_key(&k, 2026);
	return record_put(s, T_YEARS, key_slice(&k), &y.base);
}

static void must_find(const char *what)
{
	struct findings f = verify();

	if (!f.n || strncmp(f.last, what, strlen(what)) != 0)
		print_error("expected %s, found %u: %s\n", what, f.n, f.last);
	assert_true(f.n > 0);
	assert_memory_equal(f.last, what, strlen(what));
}

static void a_wrong_balance_is_found(void **state)
{
	uint32_t wrong = 3, right = 4;

	(void)state;
	assert_int_equal(recommended(1, 4), STATE__PLACES_RESERVED);
	run(change_year, &wrong);
	must_find("I3 year 2026");
	run(change_year, &right);
	must_verify();
}

/* Replaces the ledger's first entry. */
static enum err change_entry(struct step *s, void *arg)
{
	struct number n = number(1);
	ScreeningEntry *e = arg;
	struct key k = {0};

	key_u64(&k, 1);
	e->case_number = n.text;
	e->partner = "partner-a";
	e->cause = (ProtobufCBinaryData){16, (uint8_t *)"0123456789abcdef"};
	return record_put(s, T_LEDGER, key_slice(&k), &e->base);
}

static void a_wrong_entry_is_found(void **state)
{
	ScreeningEntry e = SCREENING_ENTRY__INIT;

	(void)state;
	assert_int_equal(recommended(1, 4), STATE__PLACES_RESERVED);
	e.op = SCREENING_OP__SCREENING_RESERVE;
	e.year = 2026;
	e.persons = 4;
	e.cap = 3;
	run(change_entry, &e);
	must_find("I3 entry 1");
	e.cap = 250;
	e.limited = true;
	e.allotment = 3;
	run(change_entry, &e);
	must_find("I3 entry 1");
	e.limited = false;
	run(change_entry, &e);
	must_verify();
	e.op = SCREENING_OP__SCREENING_CONSUME;
	run(change_entry, &e);
	assert_true(verify().n > 0);
}

struct damage {
	State state;
	uint32_t persons;
};

static enum err change_case(struct step *s, void *arg)
{
	const struct damage *damage = arg;
	struct number n = number(1);
	ScreeningCase *c;
	enum err e;

	TRY(cases_load(s, n.text, &c));
	c->state = damage->state;
	c->persons = damage->persons;
	e = cases_save(s, c);
	screening_case__free_unpacked(c, NULL);
	return e;
}

static void a_case_that_does_not_fit_is_found(void **state)
{
	(void)state;
	assert_int_equal(recommended(1, 4), STATE__PLACES_RESERVED);
	run(change_case, &(struct damage){STATE__REFUSED, 4});
	must_find("I4");
	run(change_case, &(struct damage){STATE__TRANSMITTED, 4});
	must_find("I9");
	run(change_case, &(struct damage){STATE__PLACES_RESERVED, 5});
	must_find("I4");
	run(change_case, &(struct damage){STATE__PLACES_RESERVED, 4});
	must_verify();
}

/* A machine that sends a case to a negative state, past the handlers. */
static enum err machine_refuses(struct step *s, void *arg)
{
	struct number n = number(1);
	struct change change = {
		.event = EVENT__NOT_RECOMMEND, .who = WHO_PERSON, .actor = step_self(s)};
	ScreeningCase *c;
	enum err e;

	(void)arg;
	TRY(cases_load(s, n.text, &c));
	e = cases_apply(s, c, &change);
	screening_case__free_unpacked(c, NULL);
	return e;
}

static void a_refusal_without_an_officer_is_found(void **state)
{
	(void)state;
	new_case(1, 1);
	run(machine_refuses, NULL);
	assert_int_equal(verify().n, 2);
	must_find("I5");
}

static enum err lose_history(struct step *s, void *arg)
{
	struct slice key, value;

	(void)arg;
	TRY(step_prev(s, T_HISTORY, (struct slice){0}, &key, &value));
	return step_delete(s, T_HISTORY, key);
}

static void a_lost_change_is_found(void **state)
{
	(void)state;
	new_case(1, 1);
	run(lose_history, NULL);
	must_find("I9");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_wrong_balance_is_found),
		TEST(a_wrong_entry_is_found),
		TEST(a_case_that_does_not_fit_is_found),
		TEST(a_refusal_without_an_officer_is_found),
		TEST(a_lost_change_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
