#include "services/screening/rule_tests.h"

#include <stdbool.h>
#include <string.h>

/* R2: a child is dependent below this age. */
#define ADULT_CHILD 22

static bool in_canada(const Facts *f)
{
	return strcmp(f->location_country, "CA") == 0;
}

Finding rule_outside_home_country(const Facts *f)
{
	if (!f->home_country[0] || !f->location_country[0])
		return FINDING__A_PERSON_DECIDES;
	return strcmp(f->home_country, f->location_country) == 0 ? FINDING__NOT_MET : FINDING__MET;
}

Finding rule_outside_canada(const Facts *f)
{
	return in_canada(f) ? FINDING__A_PERSON_DECIDES : FINDING__NO_FINDING;
}

Finding rule_persecution_ground(const Facts *f)
{
	for (size_t i = 0; f->claim && i < f->claim->n_grounds; i++)
		if (f->claim->grounds[i] != GROUND__NO_GROUND)
			return FINDING__MET;
	return FINDING__ATTENTION;
}

Finding rule_defender(const Facts *f)
{
	for (size_t i = 0; f->claim && i < f->claim->n_defender_of; i++)
		if (f->claim->defender_of[i] != DEFENCE__NO_DEFENCE)
			return FINDING__MET;
	return FINDING__ATTENTION;
}

Finding rule_durable_solution(const Facts *f)
{
	Prospect ways[3];
	int none = 0;

	if (!f->claim)
		return FINDING__ATTENTION;
	ways[0] = f->claim->return_home;
	ways[1] = f->claim->stay_in_country_of_asylum;
	ways[2] = f->claim->resettle_elsewhere;
	for (int i = 0; i < 3; i++) {
		if (ways[i] == PROSPECT__OFFERED)
			return FINDING__A_PERSON_DECIDES;
		none += ways[i] == PROSPECT__NONE_REASONABLE;
	}
	return none == 3 ? FINDING__MET : FINDING__ATTENTION;
}

Finding rule_refugee_class(const Facts *f)
{
	switch (f->refugee_class) {
	case REFUGEE_CLASS__CONVENTION_REFUGEE_ABROAD:
		return FINDING__MET;
	case REFUGEE_CLASS__COUNTRY_OF_ASYLUM:
		return FINDING__A_PERSON_DECIDES;
	default:
		return FINDING__ATTENTION;
	}
}

Finding rule_route(const Facts *f)
{
	return f->route == ROUTE__HRD_STREAM ? FINDING__MET : FINDING__A_PERSON_DECIDES;
}

static bool has_threat(const Facts *f)
{
	for (size_t i = 0; f->protection && i < f->protection->n_threats; i++)
		if (f->protection->threats[i] != THREAT_CODE__NO_THREAT)
			return true;
	return false;
}

Finding rule_urgent_need(const Facts *f)
{
	bool pressed = f->protection && (f->protection->detained || f->protection->removal_on[0]);
	bool asked = f->priority == PRIORITY__URGENT || f->priority == PRIORITY__EMERGENCY;

	return has_threat(f) || pressed || asked ? FINDING__A_PERSON_DECIDES : FINDING__NO_FINDING;
}

Finding rule_upp_route(const Facts *f)
{
	if (!has_threat(f) && f->priority != PRIORITY__EMERGENCY)
		return FINDING__NO_FINDING;
	if (f->route == ROUTE__PRIVATE_SPONSORSHIP)
		return FINDING__NOT_MET;
	return f->route == ROUTE__UNHCR_REFERRAL && f->priority == PRIORITY__EMERGENCY
		       ? FINDING__NO_FINDING
		       : FINDING__ATTENTION;
}

static bool marked(const Facts *f, RiskMarker marker)
{
	for (size_t i = 0; f->claim && i < f->claim->n_risk_markers; i++)
		if (f->claim->risk_markers[i] == marker)
			return true;
	return false;
}

static bool of_vulnerable(Category c)
{
	return c == CATEGORY__WOMEN_AND_GIRLS_AT_RISK ||
	       c == CATEGORY__CHILDREN_AND_ADOLESCENTS_AT_RISK ||
	       c == CATEGORY__SURVIVORS_OF_VIOLENCE_OR_TORTURE || c == CATEGORY__MEDICAL_NEEDS;
}

Finding rule_vulnerable(const Facts *f)
{
	bool heavy = marked(f, RISK_MARKER__SURVIVOR_OF_TORTURE) ||
		     marked(f, RISK_MARKER__WITH_DISABILITY) ||
		     marked(f, RISK_MARKER__UNACCOMPANIED_MINOR);

	return heavy || of_vulnerable(f->primary_category) || of_vulnerable(f->secondary_category)
		       ? FINDING__ATTENTION
		       : FINDING__NO_FINDING;
}

Finding rule_risk_markers(const Facts *f)
{
	return rules_markers(f) ? FINDING__ATTENTION : FINDING__NO_FINDING;
}

Finding rule_intersecting_risks(const Facts *f)
{
	return rules_markers(f) > 1 ? FINDING__ATTENTION : FINDING__NO_FINDING;
}

Finding rule_admissibility_flags(const Facts *f)
{
	for (size_t i = 0; i < f->n_flags; i++)
		if (f->flags[i] != FLAG__NO_FLAG)
			return FINDING__A_PERSON_DECIDES;
	return FINDING__NO_FINDING;
}

Finding rule_household_together(const Facts *f)
{
	return f->n_members > 1 ? FINDING__MET : FINDING__NO_FINDING;
}

static unsigned related(const Facts *f, Relationship r)
{
	unsigned n = 0;

	for (size_t i = 0; i < f->n_members; i++)
		n += f->members[i]->relationship == r;
	return n;
}

Finding rule_principal_applicant(const Facts *f)
{
	return related(f, RELATIONSHIP__PRINCIPAL_APPLICANT) == 1 ? FINDING__NO_FINDING
								  : FINDING__A_PERSON_DECIDES;
}

Finding rule_partner(const Facts *f, const Member *m)
{
	(void)f;
	return m->relationship == RELATIONSHIP__SPOUSE ||
			       m->relationship == RELATIONSHIP__COMMON_LAW_PARTNER
		       ? FINDING__MET
		       : FINDING__NO_FINDING;
}

Finding rule_partner_kept_apart(const Facts *f, const Member *m)
{
	(void)f;
	if (m->separation == SEPARATION__NO_SEPARATION)
		return FINDING__NO_FINDING;
	return m->relationship == RELATIONSHIP__COMMON_LAW_PARTNER ? FINDING__MET
								   : FINDING__ATTENTION;
}

static bool dependent_at(const Member *m, uint32_t age)
{
	if (age < ADULT_CHILD)
		return !m->has_partner;
	return m->dependent_by_condition;
}

Finding rule_dependent_child(const Facts *f, const Member *m)
{
	bool locked = dependent_at(m, m->age_at_lock);

	(void)f;
	if (m->relationship != RELATIONSHIP__CHILD && m->relationship != RELATIONSHIP__GRANDCHILD)
		return FINDING__NO_FINDING;
	if (locked != dependent_at(m, m->age_when_made))
		return FINDING__A_PERSON_DECIDES;
	return locked ? FINDING__MET : FINDING__NOT_MET;
}

Finding rule_child_of_a_child(const Facts *f, const Member *m)
{
	return m->relationship == RELATIONSHIP__GRANDCHILD && related(f, RELATIONSHIP__CHILD) == 0
		       ? FINDING__ATTENTION
		       : FINDING__NO_FINDING;
}

Finding rule_follows_later(const Facts *f, const Member *m)
{
	(void)f;
	return !m->accompanying && m->relationship != RELATIONSHIP__PRINCIPAL_APPLICANT
		       ? FINDING__ATTENTION
		       : FINDING__NO_FINDING;
}
