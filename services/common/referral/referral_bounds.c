#include <string.h>

#include "services/common/referral/case_number.h"
#include "services/common/referral/referral_check.h"

#define CODE_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"

/* clang-format off */
#define NAME_MOST      100
#define NARRATIVE_MOST 8000
#define PERSONS_MOST   20
#define CODES_MOST     16 /* more than any coded type has values */

#define IN(type, name) .in = &type##__descriptor, .field = #name
#define REQUIRED       .required = true
/* clang-format on */

static bool code_of(const char *text, size_t least, size_t most)
{
	size_t n = strspn(text, CODE_CHARACTERS);

	return !text[n] && n >= least && n <= most;
}

static bool is_reference(const char *text)
{
	return code_of(text, 3, 32);
}

static bool is_caseworker(const char *text)
{
	return code_of(text, 2, 16);
}

/* A name, address and birth country are what R140.1 asks for; see also referral_check.c. */
static const struct bound bounds[] = {
	{IN(referral, reference), REQUIRED, .form = is_reference, .not_form = FAULT_BAD_REFERENCE},
	{IN(referral, made_at), REQUIRED, .years = 3},
	{IN(referral, language), REQUIRED},
	{IN(referral, route), REQUIRED},
	{IN(referral, refugee_class), REQUIRED},
	{IN(referral, home_country), REQUIRED},
	{IN(referral, location_country), REQUIRED},
	{IN(referral, priority), REQUIRED},
	{IN(referral, primary_category), REQUIRED},
	{IN(referral, case_size), REQUIRED},
	{IN(referral, persons), REQUIRED, .entries = PERSONS_MOST},
	{IN(referral, claim), REQUIRED},
	{IN(referral, flags), .entries = CODES_MOST},
	{IN(referral, linked_cases), .entries = 20, .form = case_number_valid,
		.not_form = FAULT_BAD_CASE_NUMBER},
	{IN(referral, consent), REQUIRED},
	{IN(referral, declaration), REQUIRED},
	{IN(referral, narrative), REQUIRED},

	{IN(person, number), REQUIRED},
	{IN(person, relationship), REQUIRED},
	{IN(person, hidden_from), .entries = PERSONS_MOST},
	{IN(person, identity), REQUIRED},

	{IN(identity, family_name), .bytes = NAME_MOST},
	{IN(identity, given_names), .bytes = NAME_MOST},
	{IN(identity, name_in_script), .bytes = 2 * NAME_MOST},
	{IN(identity, other_names), .entries = 10, .bytes = NAME_MOST},
	{IN(identity, born_on), REQUIRED, .years = 120},
	{IN(identity, birth_country), REQUIRED},
	{IN(identity, address), .bytes = 300},
	{IN(identity, contact), .bytes = 200},

	{IN(narrative, persecution), .bytes = NARRATIVE_MOST},
	{IN(narrative, need_for_resettlement), .bytes = NARRATIVE_MOST},
	{IN(narrative, priority_justification), .bytes = NARRATIVE_MOST},
	{IN(narrative, special_needs), .bytes = NARRATIVE_MOST},
	{IN(narrative, prior_attempts), .bytes = NARRATIVE_MOST},
	{IN(narrative, threat_killed), .bytes = NARRATIVE_MOST},
	{IN(narrative, threat_violence), .bytes = NARRATIVE_MOST},
	{IN(narrative, threat_returned), .bytes = NARRATIVE_MOST},

	{IN(claim, grounds), .entries = CODES_MOST},
	{IN(claim, defender_of), .entries = CODES_MOST},
	{IN(claim, risk_markers), .entries = CODES_MOST},

	{IN(protection_request, threats), .entries = CODES_MOST},

	{IN(consent, form), REQUIRED},
	{IN(consent, given_on), REQUIRED, .years = 5},
	{IN(consent, scopes), REQUIRED, .entries = CODES_MOST},
	{IN(consent, persons), REQUIRED, .entries = PERSONS_MOST},

	{IN(declaration, caseworker), REQUIRED, .form = is_caseworker, .not_form = FAULT_BAD_CODE},
	{IN(declaration, declared_on), REQUIRED, .years = 3},

	{IN(risk_report, case_number), REQUIRED, .form = case_number_valid,
		.not_form = FAULT_BAD_CASE_NUMBER},
	{IN(risk_report, protection), REQUIRED},

	{IN(withdrawal, case_number), REQUIRED, .form = case_number_valid,
		.not_form = FAULT_BAD_CASE_NUMBER},
};

const struct bound *referral_bounds(size_t *ret_count)
{
	*ret_count = sizeof(bounds) / sizeof(bounds[0]);
	return bounds;
}
