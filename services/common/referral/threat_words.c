#include "services/common/referral/threat_words.h"

#include <stddef.h>
#include <string.h>

#define WORDS(code, field)                                                                         \
	{                                                                                          \
		THREAT_CODE__##code, offsetof(Narrative, field), #field                            \
	}

static const struct threat {
	ThreatCode code;
	size_t words;
	const char *field;
} threats[] = {
	WORDS(LIKELY_KILLED, threat_killed),
	WORDS(LIKELY_VIOLENCE, threat_violence),
	WORDS(LIKELY_RETURNED, threat_returned),
};

bool is_blank(const char *text)
{
	return !text || !text[strspn(text, " \t\n")];
}

bool protection_is_empty(const ProtectionRequest *p)
{
	return !p || (!p->n_threats && !p->detained && is_blank(p->removal_on));
}

static bool told(const Narrative *n, const struct threat *t)
{
	return n && !is_blank(*(char *const *)((const uint8_t *)n + t->words));
}

static bool asked(const ProtectionRequest *p, const struct threat *t)
{
	bool found = false;

	for (size_t i = 0; p && i < p->n_threats; i++)
		found |= p->threats[i] == t->code;
	return found;
}

static void check(const ProtectionRequest *p, const Narrative *of_case, Person *const *persons,
	size_t n_persons, const struct threat *t, struct faults *faults)
{
	bool is_asked = asked(p, t), is_told = told(of_case, t);

	if (!is_asked && is_told)
		fault_add(faults, FAULT_WORDS_NEED_THREAT, "narrative.%s", t->field);
	for (size_t i = 0; i < n_persons; i++) {
		bool by_member = told(persons[i]->narrative, t);

		is_told |= by_member;
		if (!is_asked && by_member)
			fault_add(faults, FAULT_WORDS_NEED_THREAT, "persons[%zu].narrative.%s", i,
				t->field);
	}
	if (is_asked && !is_told)
		fault_add(faults, FAULT_THREAT_NEEDS_WORDS, "narrative.%s", t->field);
}

void threat_words_check(const Referral *r, struct faults *faults)
{
	for (size_t i = 0; i < sizeof(threats) / sizeof(threats[0]); i++)
		check(r->protection, r->narrative, r->persons, r->n_persons, &threats[i], faults);
}

void risk_words_check(const RiskReport *r, struct faults *faults)
{
	for (size_t i = 0; i < sizeof(threats) / sizeof(threats[0]); i++)
		check(r->protection, r->narrative, NULL, 0, &threats[i], faults);
}
