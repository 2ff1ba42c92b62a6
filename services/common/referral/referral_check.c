#include "services/common/referral/referral_check.h"

#include <stdbool.h>
#include <string.h>

#include "proto/catalogue.h"
#include "proto/day.h"
#include "services/common/referral/threat_words.h"

#define ADULT_YEARS 18

/* What every rule sees. A part of the referral that is missing is told once, as missing: rules
 * about it are not asked. */
struct form {
	const Referral *r;
	int64_t today;
	struct faults *faults;
	enum fault_code code; /* of the rule that is asked */
};

static bool born(const Person *p, int64_t *ret_day)
{
	return p->identity && day_parse(p->identity->born_on, ret_day) == OK;
}

static bool is_partner(const Person *p)
{
	return p->relationship == RELATIONSHIP__SPOUSE ||
	       p->relationship == RELATIONSHIP__COMMON_LAW_PARTNER;
}

static bool is_child(const Person *p)
{
	return p->relationship == RELATIONSHIP__CHILD ||
	       p->relationship == RELATIONSHIP__GRANDCHILD;
}

static bool among(uint32_t number, const uint32_t *list, size_t n)
{
	while (n > 0 && list[n - 1] != number)
		n--;
	return n > 0;
}

/* ---- the list of persons ---- */

static void case_size(const struct form *c)
{
	if (c->r->case_size && c->r->n_persons && c->r->case_size != c->r->n_persons)
		fault_add(c->faults, c->code, "case_size");
}

static void numbers(const struct form *c)
{
	for (size_t i = 0; i < c->r->n_persons; i++)
		if (c->r->persons[i]->number && c->r->persons[i]->number != i + 1)
			fault_add(c->faults, c->code, "persons[%zu].number", i);
}

static void principal_first(const struct form *c)
{
	for (size_t i = 0; i < c->r->n_persons; i++) {
		Relationship is = c->r->persons[i]->relationship;

		if (is && (is == RELATIONSHIP__PRINCIPAL_APPLICANT) != (i == 0))
			fault_add(c->faults, c->code, "persons[%zu].relationship", i);
	}
}

static void principal_accompanies(const struct form *c)
{
	if (c->r->n_persons && !c->r->persons[0]->accompanying)
		fault_add(c->faults, c->code, "persons[0].accompanying");
}

static void one_partner(const struct form *c)
{
	size_t partners = 0;

	for (size_t i = 0; i < c->r->n_persons; i++)
		if (is_partner(c->r->persons[i]) && ++partners > 1)
			fault_add(c->faults, c->code, "persons[%zu].relationship", i);
}

static void separation(const struct form *c)
{
	for (size_t i = 0; i < c->r->n_persons; i++)
		if (c->r->persons[i]->separation &&
			c->r->persons[i]->relationship != RELATIONSHIP__COMMON_LAW_PARTNER)
			fault_add(c->faults, c->code, "persons[%zu].separation", i);
}

static void grandchildren(const struct form *c)
{
	size_t children = 0;

	for (size_t i = 0; i < c->r->n_persons; i++)
		children += c->r->persons[i]->relationship == RELATIONSHIP__CHILD;
	for (size_t i = 0; i < c->r->n_persons && !children; i++)
		if (c->r->persons[i]->relationship == RELATIONSHIP__GRANDCHILD)
			fault_add(c->faults, c->code, "persons[%zu].relationship", i);
}

/* A child may be the partner's, R1(3)(b): it has to be younger than the older of the two. */
static void children_are_younger(const struct form *c)
{
	int64_t parent = INT64_MIN, day;

	for (size_t i = 0; i < c->r->n_persons; i++)
		if ((i == 0 || is_partner(c->r->persons[i])) && born(c->r->persons[i], &day) &&
			(parent == INT64_MIN || day < parent))
			parent = day;
	for (size_t i = 1; i < c->r->n_persons; i++)
		if (is_child(c->r->persons[i]) && born(c->r->persons[i], &day) && day <= parent)
			fault_add(c->faults, c->code, "persons[%zu].identity.born_on", i);
}

static void hidden_from_somebody(const struct form *c)
{
	for (size_t i = 0; i < c->r->n_persons; i++)
		for (size_t k = 0; k < c->r->persons[i]->n_hidden_from; k++)
			if (c->r->persons[i]->hidden_from[k] - 1 >= c->r->n_persons)
				fault_add(
					c->faults, c->code, "persons[%zu].hidden_from[%zu]", i, k);
}

static void hidden_from_others(const struct form *c)
{
	for (size_t i = 0; i < c->r->n_persons; i++)
		for (size_t k = 0; k < c->r->persons[i]->n_hidden_from; k++)
			if (c->r->persons[i]->hidden_from[k] == i + 1)
				fault_add(
					c->faults, c->code, "persons[%zu].hidden_from[%zu]", i, k);
}

/* R140.1: a name of everybody. Not everybody has two. */
static void names(const struct form *c)
{
	for (size_t i = 0; i < c->r->n_persons; i++) {
		const Identity *id = c->r->persons[i]->identity;

		if (id && is_blank(id->family_name) && is_blank(id->given_names))
			fault_add(c->faults, c->code, "persons[%zu].identity.family_name", i);
	}
}

/* R140.1: the household's address is the principal applicant's. */
static void address(const struct form *c)
{
	if (c->r->n_persons && c->r->persons[0]->identity &&
		is_blank(c->r->persons[0]->identity->address))
		fault_add(c->faults, c->code, "persons[0].identity.address");
}

/* ---- the claim ---- */

/* R145; the country of asylum class (R147) has no ground of the Convention. */
static void grounds(const struct form *c)
{
	if (c->r->refugee_class == REFUGEE_CLASS__CONVENTION_REFUGEE_ABROAD &&
		!c->r->claim->n_grounds)
		fault_add(c->faults, c->code, "claim.grounds");
}

static void defender(const struct form *c)
{
	if (c->r->route == ROUTE__HRD_STREAM && !c->r->claim->n_defender_of)
		fault_add(c->faults, c->code, "claim.defender_of");
}

static void two_categories(const struct form *c)
{
	if (c->r->secondary_category && c->r->secondary_category == c->r->primary_category)
		fault_add(c->faults, c->code, "secondary_category");
}

static void primary_category(const struct form *c)
{
	if (c->r->primary_category == CATEGORY__LACK_OF_FORESEEABLE_ALTERNATIVES)
		fault_add(c->faults, c->code, "primary_category");
}

static void persecution(const struct form *c)
{
	if (is_blank(c->r->narrative->persecution))
		fault_add(c->faults, c->code, "narrative.persecution");
}

static void need(const struct form *c)
{
	if (is_blank(c->r->narrative->need_for_resettlement))
		fault_add(c->faults, c->code, "narrative.need_for_resettlement");
}

static void justification(const struct form *c)
{
	if (c->r->priority > PRIORITY__NORMAL && is_blank(c->r->narrative->priority_justification))
		fault_add(c->faults, c->code, "narrative.priority_justification");
}

/* ---- urgent protection ---- */

static void emergency(const struct form *c)
{
	if (c->r->priority == PRIORITY__EMERGENCY &&
		!(c->r->protection && c->r->protection->n_threats))
		fault_add(c->faults, c->code, "protection.threats");
}

static void protection_says_something(const struct form *c)
{
	if (protection_is_empty(c->r->protection) && c->r->priority != PRIORITY__EMERGENCY)
		fault_add(c->faults, c->code, "protection.threats");
}

/* As of the day on which the referral was made: it may have waited for a line since. */
static void removal(const struct form *c)
{
	int64_t day;

	if (c->r->made_at && day_parse(c->r->protection->removal_on, &day) == OK &&
		day < day_of_time(c->r->made_at) - 1)
		fault_add(c->faults, c->code, "protection.removal_on");
}

/* ---- consent and declaration ---- */

static void scope(const struct form *c)
{
	const Consent *consent = c->r->consent;
	bool shared = false;

	for (size_t i = 0; i < consent->n_scopes; i++)
		shared |= consent->scopes[i] == CONSENT_SCOPE__SHARE_WITH_DEPARTMENT;
	if (consent->n_scopes && !shared)
		fault_add(c->faults, c->code, "consent.scopes");
}

static void consent_lasts(const struct form *c)
{
	int64_t day;

	if (day_parse(c->r->consent->ends_on, &day) == OK && day < c->today - 1)
		fault_add(c->faults, c->code, "consent.ends_on");
}

static void consent_of_somebody(const struct form *c)
{
	for (size_t i = 0; i < c->r->consent->n_persons; i++)
		if (c->r->consent->persons[i] - 1 >= c->r->n_persons)
			fault_add(c->faults, c->code, "consent.persons[%zu]", i);
}

/* Who does not accompany may be out of reach (in prison, in hiding): R140.1 asks for no more than a
 * name and a birth country. */
static void consent_of_adults(const struct form *c)
{
	const Consent *consent = c->r->consent;
	int y, m, d;
	int64_t day;

	date_of_day(day_of_time(c->r->made_at), &y, &m, &d);
	for (size_t i = 0; i < c->r->n_persons && consent->n_persons && c->r->made_at; i++)
		if ((i == 0 || c->r->persons[i]->accompanying) && born(c->r->persons[i], &day) &&
			day <= day_of_date(y - ADULT_YEARS, m, d) &&
			!among((uint32_t)i + 1, consent->persons, consent->n_persons))
			fault_add(c->faults, c->code, "persons[%zu]", i);
}

static void interviewed(const struct form *c)
{
	if (!c->r->declaration->interviewed)
		fault_add(c->faults, c->code, "declaration.interviewed");
}

static void size(const struct form *c)
{
	if (protobuf_c_message_get_packed_size(&c->r->base) >
		catalogue_find(KIND_SUBMIT_REFERRAL)->most)
		fault_add(c->faults, c->code, "%s", "");
}

#define NEEDS(part) offsetof(Referral, part)
#define NOTHING     SIZE_MAX

static const struct {
	enum fault_code code;
	size_t needs; /* the part without which the rule is not asked */
	void (*check)(const struct form *c);
} rules[] = {
	{FAULT_COUNT_DIFFERS, NOTHING, case_size},
	{FAULT_NUMBER_DIFFERS, NOTHING, numbers},
	{FAULT_FIRST_IS_PRINCIPAL, NOTHING, principal_first},
	{FAULT_PRINCIPAL_ACCOMPANIES, NOTHING, principal_accompanies},
	{FAULT_ONE_PARTNER_ONLY, NOTHING, one_partner},
	{FAULT_SEPARATION_OF_PARTNERS, NOTHING, separation},
	{FAULT_GRANDCHILD_WITHOUT_CHILD, NOTHING, grandchildren},
	{FAULT_OLDER_THAN_PARENT, NOTHING, children_are_younger},
	{FAULT_NO_SUCH_PERSON, NOTHING, hidden_from_somebody},
	{FAULT_HIDDEN_FROM_ONESELF, NOTHING, hidden_from_others},
	{FAULT_REQUIRED, NOTHING, names},
	{FAULT_REQUIRED, NOTHING, address},
	{FAULT_REQUIRED, NEEDS(claim), grounds},
	{FAULT_REQUIRED, NEEDS(claim), defender},
	{FAULT_SAME_CATEGORY_TWICE, NOTHING, two_categories},
	{FAULT_MAINLY_SECONDARY, NOTHING, primary_category},
	{FAULT_REQUIRED, NEEDS(narrative), persecution},
	{FAULT_REQUIRED, NEEDS(narrative), need},
	{FAULT_PRIORITY_NEEDS_WORDS, NEEDS(narrative), justification},
	{FAULT_EMERGENCY_NEEDS_THREAT, NOTHING, emergency},
	{FAULT_REQUIRED, NEEDS(protection), protection_says_something},
	{FAULT_IN_THE_PAST, NEEDS(protection), removal},
	{FAULT_CONSENT_SCOPE_MISSING, NEEDS(consent), scope},
	{FAULT_CONSENT_ENDED, NEEDS(consent), consent_lasts},
	{FAULT_NO_SUCH_PERSON, NEEDS(consent), consent_of_somebody},
	{FAULT_CONSENT_PERSON_MISSING, NEEDS(consent), consent_of_adults},
	{FAULT_NOT_INTERVIEWED, NEEDS(declaration), interviewed},
	{FAULT_TOO_LONG, NOTHING, size},
};

static enum err verdict(const struct faults *faults, size_t before)
{
	return faults->n + faults->more > before ? ERR_INVALID : OK;
}

enum err referral_check(const Referral *r, int64_t now_ms, struct faults *faults)
{
	struct form c = {.r = r, .today = day_of_time(now_ms), .faults = faults};
	size_t before = faults->n + faults->more, count;
	const struct bound *bounds = referral_bounds(&count);

	bounds_check(&r->base, bounds, count, now_ms, faults);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].needs != NOTHING &&
			!*(void *const *)((const uint8_t *)r + rules[i].needs))
			continue;
		c.code = rules[i].code;
		rules[i].check(&c);
	}
	threat_words_check(r, faults);
	return verdict(faults, before);
}

enum err risk_report_check(const RiskReport *r, int64_t now_ms, struct faults *faults)
{
	size_t before = faults->n + faults->more, count;
	const struct bound *bounds = referral_bounds(&count);

	bounds_check(&r->base, bounds, count, now_ms, faults);
	if (r->protection && protection_is_empty(r->protection))
		fault_add(faults, FAULT_REQUIRED, "protection.threats");
	risk_words_check(r, faults);
	return verdict(faults, before);
}

enum err withdrawal_check(const Withdrawal *w, int64_t now_ms, struct faults *faults)
{
	size_t before = faults->n + faults->more, count;
	const struct bound *bounds = referral_bounds(&count);

	bounds_check(&w->base, bounds, count, now_ms, faults);
	return verdict(faults, before);
}
