/* Goal: what contradicts itself in a referral, a risk report or a withdrawal is found: one change
 * to a right one gives exactly the fault of the rule that it breaks, and none when none is broken.
 */
#include "tests/unit/referral_changes.h"

static void a_right_referral_has_no_fault(void **state)
{
	json_t *json = from_quotes(family);

	(void)state;
	expect(&referral__descriptor, json, "family", "");
	json_decref(json);
}

static void an_empty_referral_tells_everything_that_is_missing(void **state)
{
	json_t *json = json_object();

	(void)state;
	expect(&referral__descriptor, json, "empty",
		"reference REQUIRED, made_at REQUIRED, language REQUIRED, route REQUIRED, "
		"refugee_class REQUIRED, home_country REQUIRED, location_country REQUIRED, "
		"priority REQUIRED, primary_category REQUIRED, case_size REQUIRED, persons "
		"REQUIRED, "
		"claim REQUIRED, consent REQUIRED, declaration REQUIRED, narrative REQUIRED");
	json_decref(json);
}

static void persons_belong_together(void **state)
{
	static const struct change rows[] = {
		{"case_size", "5", "case_size COUNT_DIFFERS"},
		{"persons[2].number", "4", "persons[2].number NUMBER_DIFFERS"},
		{"persons[0].relationship", "'SPOUSE'",
			"persons[0].relationship FIRST_IS_PRINCIPAL, "
			"persons[1].relationship ONE_PARTNER_ONLY"},
		{"persons[3].relationship", "'PRINCIPAL_APPLICANT'",
			"persons[3].relationship FIRST_IS_PRINCIPAL"},
		{"persons[0].accompanying", "false",
			"persons[0].accompanying PRINCIPAL_ACCOMPANIES"},
		{"persons[2].relationship", "'SPOUSE'",
			"persons[2].relationship ONE_PARTNER_ONLY, "
			"persons[3].relationship GRANDCHILD_WITHOUT_CHILD"},
		{"persons[0].separation", "'BY_PERSECUTION'",
			"persons[0].separation SEPARATION_OF_PARTNERS"},
		{"persons[1].relationship", "'SPOUSE'",
			"persons[1].separation SEPARATION_OF_PARTNERS"},
		{"persons[2].hidden_from", "[5]", "persons[2].hidden_from[0] NO_SUCH_PERSON"},
		{"persons[2].hidden_from", "[0]", "persons[2].hidden_from[0] NO_SUCH_PERSON"},
		{"persons[2].hidden_from", "[1,3]",
			"persons[2].hidden_from[1] HIDDEN_FROM_ONESELF"},
		{"location_country", "'MM'", ""},
		{"location_country", "'CA'", ""},
	};

	(void)state;
	TRY_CHANGES(referral, family, rows);
}

/* The partner was born in 1985, the principal applicant in 1990. */
static void a_child_is_younger_than_one_of_the_partners(void **state)
{
	static const struct change rows[] = {
		{"persons[2].identity.born_on", "'1988-01-01'", ""},
		{"persons[2].identity.born_on", "'1984-12-31'",
			"persons[2].identity.born_on OLDER_THAN_PARENT"},
		{"persons[3].identity.born_on", "'1985-01-01'",
			"persons[3].identity.born_on OLDER_THAN_PARENT, "
			"persons[3] CONSENT_PERSON_MISSING"},
		{"persons[1].identity.born_on", "'1991-01-01'",
			"persons[2].identity.born_on OLDER_THAN_PARENT",
			"persons[2].identity.born_on", "'1989-01-01'"},
	};

	(void)state;
	TRY_CHANGES(referral, family, rows);
}

/* Person 3 is 18 on the day on which the referral was made; person 2 does not accompany. */
static void consent_covers_the_adults(void **state)
{
	static const struct change rows[] = {
		{"consent.persons", "[1]", "persons[2] CONSENT_PERSON_MISSING"},
		{"consent.persons", "[3]", "persons[0] CONSENT_PERSON_MISSING"},
		{"consent.persons", "[1]", "", "persons[2].identity.born_on", "'2008-01-11'"},
		{"consent.persons", "[1,3,5]", "consent.persons[2] NO_SUCH_PERSON"},
		{"persons[1].accompanying", "true", "persons[1] CONSENT_PERSON_MISSING"},
		{"consent.scopes", "['SHARE_WITH_UNHCR']", "consent.scopes CONSENT_SCOPE_MISSING"},
		{"declaration.interviewed", NULL, "declaration.interviewed NOT_INTERVIEWED"},
	};

	(void)state;
	TRY_CHANGES(referral, family, rows);
}

static void categories_and_priority(void **state)
{
	static const struct change rows[] = {
		{"secondary_category", "'LEGAL_AND_PHYSICAL_PROTECTION'",
			"secondary_category SAME_CATEGORY_TWICE"},
		{"secondary_category", "'LACK_OF_FORESEEABLE_ALTERNATIVES'", ""},
		{"primary_category", "'LACK_OF_FORESEEABLE_ALTERNATIVES'",
			"primary_category MAINLY_SECONDARY"},
		{"priority", "'URGENT'", "narrative.priority_justification PRIORITY_NEEDS_WORDS"},
		{"priority", "'URGENT'", "", "narrative.priority_justification", "'Words.'"},
		{"priority", "'EMERGENCY'", "protection.threats EMERGENCY_NEEDS_THREAT",
			"narrative.priority_justification", "'Words.'"},
	};

	(void)state;
	TRY_CHANGES(referral, family, rows);
}

static void threats_and_their_words(void **state)
{
	static const struct change rows[] = {
		{"protection", "{}", "protection.threats REQUIRED"},
		{"protection", "{'detained':true}", ""},
		{"protection", "{'threats':['LIKELY_KILLED']}",
			"narrative.threat_killed THREAT_NEEDS_WORDS"},
		{"protection", "{'threats':['LIKELY_VIOLENCE','LIKELY_RETURNED']}",
			"narrative.threat_returned THREAT_NEEDS_WORDS", "narrative.threat_violence",
			"'Words.'"},
		{"protection", "{'threats':['LIKELY_KILLED']}", "",
			"persons[2].narrative.threat_killed", "'Words.'"},
		{"narrative.threat_killed", "'Words.'",
			"narrative.threat_killed WORDS_NEED_THREAT"},
		{"persons[2].narrative.threat_returned", "'Words.'",
			"persons[2].narrative.threat_returned WORDS_NEED_THREAT"},
	};

	(void)state;
	TRY_CHANGES(referral, family, rows);
}

static void risk_reports(void **state)
{
	static const char right[] =
		"{'case_number':'HV-2222-2222-2','protection':{'threats':['LIKELY_RETURNED']},"
		"'narrative':{'threat_returned':'Words.'}}";
	static const struct change rows[] = {
		{"case_number", "'HV-2222-2222-2'", ""},
		{"case_number", "'HV-2222-2222-3'", "case_number BAD_CASE_NUMBER"},
		{"case_number", NULL, "case_number REQUIRED"},
		{"protection", NULL,
			"protection REQUIRED, narrative.threat_returned WORDS_NEED_THREAT"},
		{"protection", "{}",
			"protection.threats REQUIRED, "
			"narrative.threat_returned WORDS_NEED_THREAT"},
		{"protection", "{'detained':true}", "", "narrative", NULL},
		{"narrative", NULL, "narrative.threat_returned THREAT_NEEDS_WORDS"},
		{"protection.removal_on", "'2026-01-01'", ""},
	};

	(void)state;
	TRY_CHANGES(risk_report, right, rows);
}

static void withdrawals(void **state)
{
	static const char right[] = "{'case_number':'HV-2222-2222-2','consent_revoked':true}";
	static const struct change rows[] = {
		{"reason", "'AT_APPLICANTS_WISH'", ""},
		{"case_number", NULL, "case_number REQUIRED"},
		{"case_number", "'HV-2222-2223-2'", "case_number BAD_CASE_NUMBER"},
	};

	(void)state;
	TRY_CHANGES(withdrawal, right, rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_right_referral_has_no_fault),
		cmocka_unit_test(an_empty_referral_tells_everything_that_is_missing),
		cmocka_unit_test(persons_belong_together),
		cmocka_unit_test(a_child_is_younger_than_one_of_the_partners),
		cmocka_unit_test(consent_covers_the_adults),
		cmocka_unit_test(categories_and_priority),
		cmocka_unit_test(threats_and_their_words),
		cmocka_unit_test(risk_reports),
		cmocka_unit_test(withdrawals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
