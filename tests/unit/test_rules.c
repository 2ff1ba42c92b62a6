/* Goal: each rule of the advice finds what its law says, cites it, and speaks both languages. */
#include "services/screening/rules.h"
#include "tests/unit/screening_rig.h"

static struct facts f;

/* The findings of one rule, and where they were: "members[1].age_at_lock". */
static const Advice *find(const struct advice *a, const char *rule)
{
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->rows[i]->rule, rule) == 0)
			return a->rows[i];
	return NULL;
}

static Finding finding(const char *rule)
{
	const Advice *row;
	struct advice a;
	Finding found;

	assert_int_equal(rules_advise(&f.facts, &a), OK);
	row = find(&a, rule);
	found = row ? row->finding : FINDING__NO_FINDING;
	advice_free(&a);
	return found;
}

static int fresh(void **state)
{
	(void)state;
	make_facts(&f, 1, 2);
	return 0;
}

static void every_rule_cites_and_speaks_both_languages(void **state)
{
	size_t n;
	const struct rule *r = rules_all(&n);

	(void)state;
	assert_true(n >= 20);
	for (size_t i = 0; i < n; i++, r++) {
		unsigned spoken = 0;

		assert_true(r->version > 0);
		assert_true(r->citation[0] && r->inputs[0]);
		assert_true(!r->test != !r->test_member);
		for (int w = 0; w < FINDINGS; w++) {
			assert_true(!r->words[w].en == !r->words[w].fr);
			if (!r->words[w].en || !r->words[w].fr)
				continue;
			spoken++;
			assert_true(r->words[w].en[0] && r->words[w].fr[0]);
			assert_string_not_equal(r->words[w].en, r->words[w].fr);
		}
		assert_true(spoken > 0);
		assert_null(r->words[FINDING__NO_FINDING].en);
	}
}

/* Nothing may suggest that the country that was fled be asked for anything. */
static void no_words_lead_to_the_home_state(void **state)
{
	static const char *const never[] = {"police", "embassy", "ambassade", "consul",
		"criminal record", "casier", "authorities", "autorités", "certificat"};
	size_t n;
	const struct rule *r = rules_all(&n);

	(void)state;
	for (size_t i = 0; i < n; i++)
		for (int w = 0; w < FINDINGS; w++)
			for (size_t k = 0; k < sizeof(never) / sizeof(never[0]); k++) {
				assert_false(
					r[i].words[w].en && strstr(r[i].words[w].en, never[k]));
				assert_false(
					r[i].words[w].fr && strstr(r[i].words[w].fr, never[k]));
			}
}

static void an_ordinary_case_needs_no_attention(void **state)
{
	struct advice a;

	(void)state;
	assert_int_equal(rules_advise(&f.facts, &a), OK);
	assert_int_equal(advice_attention(&a), 0);
	assert_non_null(find(&a, "HOUSEHOLD_TOGETHER"));
	advice_free(&a);
}

static void advice_names_what_it_used(void **state)
{
	struct advice a, again;
	const Advice *row;

	(void)state;
	f.members[1].age_at_lock = 25;
	assert_int_equal(rules_advise(&f.facts, &a), OK);
	row = find(&a, "DEPENDENT_CHILD");
	assert_int_equal(row->finding, FINDING__A_PERSON_DECIDES);
	assert_int_equal(row->n_inputs, 5);
	assert_string_equal(row->inputs[1], "members[1].age_at_lock");
	assert_string_equal(row->citation, "IRPR/RIPR 1(3), 2, 25.1(7)");
	assert_int_equal(row->rule_version, 1);
	assert_true(row->words->en[0] && row->words->fr[0]);
	assert_int_equal(advice_attention(&a), 1);
	/* the same facts, the same advice */
	assert_int_equal(rules_advise(&f.facts, &again), OK);
	assert_int_equal(a.n, again.n);
	for (size_t i = 0; i < a.n; i++) {
		assert_string_equal(a.rows[i]->rule, again.rows[i]->rule);
		assert_int_equal(a.rows[i]->finding, again.rows[i]->finding);
	}
	advice_free(&a);
	advice_free(&again);
}

static void where_the_person_is(void **state)
{
	(void)state;
	assert_int_equal(finding("OUTSIDE_HOME_COUNTRY"), FINDING__MET);
	assert_int_equal(finding("OUTSIDE_CANADA"), FINDING__NO_FINDING);
	f.facts.location_country = "ZZ";
	assert_int_equal(finding("OUTSIDE_HOME_COUNTRY"), FINDING__NOT_MET);
	f.facts.location_country = "CA";
	assert_int_equal(finding("OUTSIDE_CANADA"), FINDING__A_PERSON_DECIDES);
	f.facts.location_country = "";
	assert_int_equal(finding("OUTSIDE_HOME_COUNTRY"), FINDING__A_PERSON_DECIDES);
}

static void what_the_claim_says(void **state)
{
	(void)state;
	assert_int_equal(finding("PERSECUTION_GROUND"), FINDING__MET);
	assert_int_equal(finding("DEFENDER"), FINDING__MET);
	f.claim.n_grounds = f.claim.n_defender_of = 0;
	assert_int_equal(finding("PERSECUTION_GROUND"), FINDING__ATTENTION);
	assert_int_equal(finding("DEFENDER"), FINDING__ATTENTION);
	assert_int_equal(finding("DURABLE_SOLUTION"), FINDING__MET);
	f.claim.stay_in_country_of_asylum = PROSPECT__POSSIBLE;
	assert_int_equal(finding("DURABLE_SOLUTION"), FINDING__ATTENTION);
	f.claim.resettle_elsewhere = PROSPECT__OFFERED;
	assert_int_equal(finding("DURABLE_SOLUTION"), FINDING__A_PERSON_DECIDES);
	f.claim.stay_in_country_of_asylum = f.claim.resettle_elsewhere =
		PROSPECT__NO_PROSPECT_STATED;
	assert_int_equal(finding("DURABLE_SOLUTION"), FINDING__ATTENTION);
	f.facts.claim = NULL;
	assert_int_equal(finding("PERSECUTION_GROUND"), FINDING__ATTENTION);
	assert_int_equal(finding("DURABLE_SOLUTION"), FINDING__ATTENTION);
}

static void class_and_route(void **state)
{
	(void)state;
	assert_int_equal(finding("REFUGEE_CLASS"), FINDING__MET);
	assert_int_equal(finding("ROUTE"), FINDING__MET);
	f.facts.refugee_class = REFUGEE_CLASS__COUNTRY_OF_ASYLUM;
	assert_int_equal(finding("REFUGEE_CLASS"), FINDING__A_PERSON_DECIDES);
	f.facts.refugee_class = REFUGEE_CLASS__NO_CLASS;
	assert_int_equal(finding("REFUGEE_CLASS"), FINDING__ATTENTION);
	f.facts.route = ROUTE__UNHCR_REFERRAL;
	assert_int_equal(finding("ROUTE"), FINDING__A_PERSON_DECIDES);
}

static void urgent_need_and_its_programme(void **state)
{
	static ThreatCode threats[] = {THREAT_CODE__LIKELY_KILLED};

	(void)state;
	assert_int_equal(finding("URGENT_NEED"), FINDING__NO_FINDING);
	f.facts.priority = PRIORITY__URGENT;
	assert_int_equal(finding("URGENT_NEED"), FINDING__A_PERSON_DECIDES);
	assert_int_equal(finding("UPP_ROUTE"), FINDING__NO_FINDING);
	f.facts.priority = PRIORITY__NORMAL;
	f.protection.detained = true;
	assert_int_equal(finding("URGENT_NEED"), FINDING__A_PERSON_DECIDES);
	f.protection.detained = false;
	f.protection.removal_on = "2026-04-01";
	assert_int_equal(finding("URGENT_NEED"), FINDING__A_PERSON_DECIDES);
	f.protection.threats = threats;
	f.protection.n_threats = 1;
	assert_int_equal(finding("UPP_ROUTE"), FINDING__ATTENTION);
	f.facts.route = ROUTE__PRIVATE_SPONSORSHIP;
	assert_int_equal(finding("UPP_ROUTE"), FINDING__NOT_MET);
	f.facts.route = ROUTE__UNHCR_REFERRAL;
	f.facts.priority = PRIORITY__EMERGENCY;
	assert_int_equal(finding("UPP_ROUTE"), FINDING__NO_FINDING);
	f.facts.protection = NULL;
	assert_int_equal(finding("URGENT_NEED"), FINDING__A_PERSON_DECIDES);
}

static void heightened_risks(void **state)
{
	(void)state;
	assert_int_equal(finding("RISK_MARKERS"), FINDING__NO_FINDING);
	f.markers[0] = f.markers[1] = RISK_MARKER__LGBTQ2;
	f.claim.n_risk_markers = 2;
	assert_int_equal(rules_markers(&f.facts), 1);
	assert_int_equal(finding("RISK_MARKERS"), FINDING__ATTENTION);
	assert_int_equal(finding("INTERSECTING_RISKS"), FINDING__NO_FINDING);
	assert_int_equal(finding("VULNERABLE"), FINDING__NO_FINDING);
	f.markers[1] = RISK_MARKER__SURVIVOR_OF_TORTURE;
	assert_int_equal(finding("INTERSECTING_RISKS"), FINDING__ATTENTION);
	assert_int_equal(finding("VULNERABLE"), FINDING__ATTENTION);
	f.claim.n_risk_markers = 0;
	f.facts.secondary_category = CATEGORY__MEDICAL_NEEDS;
	assert_int_equal(finding("VULNERABLE"), FINDING__ATTENTION);
}

static void flags_only_flag(void **state)
{
	static Flag flags[] = {FLAG__CONVICTION};

	(void)state;
	assert_int_equal(finding("ADMISSIBILITY_FLAGS"), FINDING__NO_FINDING);
	f.facts.flags = flags;
	f.facts.n_flags = 1;
	assert_int_equal(finding("ADMISSIBILITY_FLAGS"), FINDING__A_PERSON_DECIDES);
}

static void the_age_of_a_child_is_locked(void **state)
{
	static const struct {
		unsigned at_lock, when_made;
		bool partner, condition;
		Finding want;
	} rows[] = {
		{21, 21, false, false, FINDING__MET},
		{21, 21, true, false, FINDING__NOT_MET},
		{22, 22, false, false, FINDING__NOT_MET},
		{22, 22, false, true, FINDING__MET},
		{40, 40, true, true, FINDING__MET},
		{22, 21, false, false, FINDING__A_PERSON_DECIDES},
		{22, 21, false, true, FINDING__MET},
		{21, 22, false, false, FINDING__A_PERSON_DECIDES},
		{18, 17, false, false, FINDING__MET},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		f.members[1].age_at_lock = rows[i].at_lock;
		f.members[1].age_when_made = rows[i].when_made;
		f.members[1].has_partner = rows[i].partner;
		f.members[1].dependent_by_condition = rows[i].condition;
		assert_int_equal(finding("DEPENDENT_CHILD"), rows[i].want);
		f.members[1].relationship = RELATIONSHIP__GRANDCHILD;
		assert_int_equal(finding("DEPENDENT_CHILD"), rows[i].want);
		f.members[1].relationship = RELATIONSHIP__CHILD;
	}
}

static void who_is_family(void **state)
{
	(void)state;
	assert_int_equal(finding("PARTNER"), FINDING__NO_FINDING);
	assert_int_equal(finding("CHILD_OF_A_CHILD"), FINDING__NO_FINDING);
	assert_int_equal(finding("FOLLOWS_LATER"), FINDING__NO_FINDING);
	f.members[1].relationship = RELATIONSHIP__GRANDCHILD;
	assert_int_equal(finding("CHILD_OF_A_CHILD"), FINDING__ATTENTION);
	f.members[1].relationship = RELATIONSHIP__SPOUSE;
	f.members[1].accompanying = false;
	assert_int_equal(finding("PARTNER"), FINDING__MET);
	assert_int_equal(finding("FOLLOWS_LATER"), FINDING__ATTENTION);
	assert_int_equal(finding("PARTNER_KEPT_APART"), FINDING__NO_FINDING);
	f.members[1].separation = SEPARATION__BY_PENAL_CONTROL;
	assert_int_equal(finding("PARTNER_KEPT_APART"), FINDING__ATTENTION);
	f.members[1].relationship = RELATIONSHIP__COMMON_LAW_PARTNER;
	assert_int_equal(finding("PARTNER_KEPT_APART"), FINDING__MET);
	assert_int_equal(finding("PRINCIPAL_APPLICANT"), FINDING__NO_FINDING);
	f.members[0].relationship = RELATIONSHIP__SPOUSE;
	assert_int_equal(finding("PRINCIPAL_APPLICANT"), FINDING__A_PERSON_DECIDES);
	f.facts.n_members = 1;
	assert_int_equal(finding("HOUSEHOLD_TOGETHER"), FINDING__NO_FINDING);
}

#define TEST(fn) cmocka_unit_test_setup(fn, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_rule_cites_and_speaks_both_languages),
		TEST(no_words_lead_to_the_home_state),
		TEST(an_ordinary_case_needs_no_attention),
		TEST(advice_names_what_it_used),
		TEST(where_the_person_is),
		TEST(what_the_claim_says),
		TEST(class_and_route),
		TEST(urgent_need_and_its_programme),
		TEST(heightened_risks),
		TEST(flags_only_flag),
		TEST(the_age_of_a_child_is_locked),
		TEST(who_is_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
