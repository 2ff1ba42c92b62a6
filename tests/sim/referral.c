/* Invented people, in referrals of good form. Every text about them holds the canary. */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/json.h"
#include "services/common/base/message.h"

#define DAY       INT64_C(86400000)
#define HOUSEHOLD 4

static void *take(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static void text(char **field, const char *value)
{
	sim_must(set_text(field, value), "text");
}

/* The same number gives the same person, in the whole world. */
static void give_identity(struct sim *s, Person *p, unsigned person, unsigned member)
{
	static const char *const syllables[] = {
		"ba", "dor", "fel", "gim", "kas", "lun", "mer", "nop", "ras", "sul", "tin", "zev"};
	struct chance c = {s->seed * 1000 + person};
	Identity *id = take(message_new(&identity__descriptor));
	char family[64], given[64], born[16];
	uint64_t a = chance_below(&c, 12), b = chance_below(&c, 12), year = chance_below(&c, 25);

	snprintf(family, sizeof(family), CANARY "%s%s", syllables[a], syllables[b]);
	for (unsigned i = 0; i < member; i++)
		(void)chance_next(&c);
	a = chance_below(&c, 12);
	b = chance_below(&c, 12);
	snprintf(given, sizeof(given), "%s%s" CANARY, syllables[a], syllables[b]);
	snprintf(born, sizeof(born), "%04u-%02u-%02u",
		(unsigned)(member > 1 ? 2015 + member : 1970 + year),
		(unsigned)chance_below(&c, 12) + 1, (unsigned)chance_below(&c, 28) + 1);
	text(&id->family_name, family);
	text(&id->given_names, given);
	text(&id->born_on, born);
	text(&id->birth_country, "AF");
	text(&id->address, "Room 1, " CANARY);
	text(&id->contact, CANARY "@example.org");
	p->identity = id;
}

static void give_persons(struct sim *s, Referral *r, unsigned person)
{
	unsigned n = person % HOUSEHOLD + 1;

	r->n_persons = n;
	r->case_size = n;
	r->persons = take(calloc(n, sizeof(Person *)));
	for (unsigned i = 0; i < n; i++) {
		Person *p = take(message_new(&person__descriptor));

		p->number = i + 1;
		p->relationship = i == 0   ? RELATIONSHIP__PRINCIPAL_APPLICANT
				  : i == 1 ? RELATIONSHIP__SPOUSE
					   : RELATIONSHIP__CHILD;
		p->has_partner = i == 1;
		p->accompanying = true;
		p->gender = GENDER__WOMAN;
		give_identity(s, p, person, i);
		r->persons[i] = p;
	}
}

static void give_claim(Referral *r)
{
	Claim *c = take(message_new(&claim__descriptor));

	c->n_grounds = 1;
	c->grounds = take(malloc(sizeof(*c->grounds)));
	c->grounds[0] = GROUND__POLITICAL_OPINION;
	c->n_defender_of = 1;
	c->defender_of = take(malloc(sizeof(*c->defender_of)));
	c->defender_of[0] = DEFENCE__JOURNALIST;
	c->return_home = c->stay_in_country_of_asylum = c->resettle_elsewhere =
		PROSPECT__NONE_REASONABLE;
	r->claim = c;
}

static ProtectionRequest *protection(void)
{
	ProtectionRequest *p = take(message_new(&protection_request__descriptor));

	p->n_threats = 1;
	p->threats = take(malloc(sizeof(*p->threats)));
	p->threats[0] = THREAT_CODE__LIKELY_KILLED;
	return p;
}

static void give_words(Referral *r, bool urgent)
{
	Narrative *n = take(message_new(&narrative__descriptor));

	text(&n->persecution, "Threatened at home. " CANARY);
	text(&n->need_for_resettlement, "Nowhere else to go. " CANARY);
	if (urgent) {
		text(&n->priority_justification, "They know the house. " CANARY);
		text(&n->threat_killed, "They said so. " CANARY);
		r->protection = protection();
	}
	r->narrative = n;
	r->priority = urgent ? PRIORITY__EMERGENCY : PRIORITY__NORMAL;
}

static void give_consent(Referral *r, const char *day)
{
	Consent *c = take(message_new(&consent__descriptor));
	Declaration *d = take(message_new(&declaration__descriptor));

	c->form = CONSENT_FORM__SIGNED;
	text(&c->given_on, day);
	c->n_scopes = 1;
	c->scopes = take(malloc(sizeof(*c->scopes)));
	c->scopes[0] = CONSENT_SCOPE__SHARE_WITH_DEPARTMENT;
	c->n_persons = r->n_persons;
	c->persons = take(calloc(r->n_persons, sizeof(*c->persons)));
	for (unsigned i = 0; i < r->n_persons; i++)
		c->persons[i] = i + 1;
	text(&d->caseworker, "CW-1");
	text(&d->declared_on, day);
	d->interviewed = true;
	r->consent = c;
	r->declaration = d;
}

Referral *sim_referral(struct sim *s, const struct act *a, int64_t now)
{
	Referral *r = take(message_new(&referral__descriptor));
	char reference[32], day[32];

	snprintf(reference, sizeof(reference), "S-%u", a->reference);
	time_format(now - 3 * DAY, day);
	day[10] = 0;
	text(&r->reference, reference);
	r->made_at = now - 3 * DAY;
	r->language = LANGUAGE__EN;
	r->route = ROUTE__HRD_STREAM;
	r->refugee_class = REFUGEE_CLASS__CONVENTION_REFUGEE_ABROAD;
	text(&r->home_country, "AF");
	text(&r->location_country, "TJ");
	r->primary_category = CATEGORY__LEGAL_AND_PHYSICAL_PROTECTION;
	give_persons(s, r, a->person);
	give_claim(r);
	give_words(r, a->urgent);
	give_consent(r, day);
	return r;
}

RiskReport *sim_risk(const char *case_number)
{
	RiskReport *r = take(message_new(&risk_report__descriptor));

	text(&r->case_number, case_number);
	r->protection = protection();
	r->narrative = take(message_new(&narrative__descriptor));
	text(&r->narrative->threat_killed, "A second threat. " CANARY);
	return r;
}
