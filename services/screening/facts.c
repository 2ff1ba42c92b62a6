/* Steps 2 and 3: what intake and the urgent service tell about a case. */
#include "proto/fault.h"
#include "services/common/referral/case_number.h"
#include "services/screening/places.h"
#include "services/screening/rules.h"

/* Places are counted in persons who travel together. Members who follow later are counted apart. */
static uint32_t household_size(const Facts *f)
{
	uint32_t n = 0;

	for (size_t i = 0; i < f->n_members; i++)
		n += f->members[i]->accompanying ||
		     f->members[i]->relationship == RELATIONSHIP__PRINCIPAL_APPLICANT;
	return n ? n : 1;
}

static enum err move(struct step *s, ScreeningCase *c, Event event)
{
	struct change change = {.event = event, .who = WHO_MACHINE, .actor = step_self(s)};

	return cases_apply(s, c, &change);
}

/* Who is still in the home country is parked and told so; all others go to a person. */
static Event after_screening(const Facts *f)
{
	bool at_home = f->home_country[0] && strcmp(f->home_country, f->location_country) == 0;

	return at_home ? EVENT__PARK : EVENT__TAKE_UP;
}

/* What urgent says goes by its version: an older word, however late it came, changes nothing. */
static enum err protect(struct step *s, ScreeningCase *c, const ProtectionChange *p)
{
	if (p->case_version < c->protection_version)
		return OK;
	c->protection_version = p->case_version;
	return c->protection != p->protection ? cases_protect(s, c, p->protection)
					      : cases_save(s, c);
}

static enum err load_early(struct step *s, const char *case_number, ProtectionChange **ret)
{
	ProtobufCMessage *m;

	TRY(record_get(s, T_EARLY, slice_str(case_number), &protection_change__descriptor, &m));
	*ret = (ProtectionChange *)m;
	return OK;
}

/* The protection axis may have moved before the facts came. */
static enum err catch_up_protection(struct step *s, ScreeningCase *c)
{
	ProtectionChange *early;
	enum err e = load_early(s, c->case_number, &early);

	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	e = protect(s, c, early);
	protection_change__free_unpacked(early, NULL);
	return e == OK ? step_delete(s, T_EARLY, slice_str(c->case_number)) : e;
}

/* Facts may be held back for days, as a likely duplicate. */
static enum err keep_early(struct step *s, const ProtectionChange *p)
{
	ProtectionChange *early;
	bool older = false;
	enum err e = load_early(s, p->case_number, &early);

	if (e == OK) {
		older = p->case_version < early->case_version;
		protection_change__free_unpacked(early, NULL);
	}
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	return older ? OK : record_put(s, T_EARLY, slice_str(p->case_number), &p->base);
}

static enum err new_case(struct step *s, const Facts *f)
{
	uint8_t changed_by[MSG_ID_LEN] = {0};
	ScreeningCase c = SCREENING_CASE__INIT;
	struct advice advice;

	TRY(rules_advise(f, &advice));
	c.attention = advice_attention(&advice);
	advice_free(&advice);
	c.case_number = f->case_number;
	c.priority = f->priority;
	c.partner = f->partner;
	c.submission = f->submission;
	c.received_at = f->received_at;
	c.persons = household_size(f);
	c.markers = rules_markers(f);
	c.changed_by = (ProtobufCBinaryData){sizeof(changed_by), changed_by};
	TRY(case_put(s, T_FACTS, slice_str(f->case_number), f->case_number, &f->base));
	TRY(move(s, &c, EVENT__REGISTER));
	TRY(move(s, &c, EVENT__SCREEN));
	TRY(move(s, &c, after_screening(f)));
	return catch_up_protection(s, &c);
}

enum err on_facts(struct step *s, const ProtobufCMessage *m)
{
	const Facts *f = (const Facts *)m;
	ScreeningCase *known;
	enum err e;

	if (!case_number_valid(f->case_number) || f->n_members == 0 || f->received_at < 0)
		return ERR_MALFORMED;
	e = cases_load(s, f->case_number, &known);
	if (e == ERR_NOT_FOUND)
		return new_case(s, f);
	if (e != OK)
		return e;
	e = move(s, known, EVENT__REGISTER); /* refused: a case is registered once */
	screening_case__free_unpacked(known, NULL);
	return e;
}

/* The case that the message is about, or ERR_WAIT until its facts come. */
static enum err load_or_wait(struct step *s, const char *case_number, ScreeningCase **ret)
{
	enum err e;

	if (!case_number_valid(case_number))
		return ERR_MALFORMED;
	e = cases_load(s, case_number, ret);
	return e == ERR_NOT_FOUND ? step_wait(s, T_CASES, slice_str(case_number)) : e;
}

/* A withdrawal that came too late: who asked for it, and is not told by a transition, is told. */
static enum err tell_too_late(struct step *s, const CaseExit *x)
{
	Fault fault = FAULT__INIT, *list[] = {&fault};
	Outcome o = OUTCOME__INIT;

	fault.path = "case_number";
	fault.code = (char *)fault_name(FAULT_CASE_HAS_LEFT);
	fault.en = (char *)fault_text(FAULT_CASE_HAS_LEFT, LANG_EN);
	fault.fr = (char *)fault_text(FAULT_CASE_HAS_LEFT, LANG_FR);
	o.partner = x->partner;
	o.submission = x->submission;
	o.event = EVENT__REJECT;
	o.at = step_now(s);
	o.faults = list;
	o.n_faults = 1;
	return step_send_service(s, KIND_REPORT_OUTCOME, &o.base);
}

enum err on_exit_case(struct step *s, const ProtobufCMessage *m)
{
	const CaseExit *x = (const CaseExit *)m;
	bool merge = x->event == EVENT__MERGE_DUPLICATE;
	Reason reason = x->reason;
	struct change change = {.event = x->event, .reasons = &reason, .who = WHO_MACHINE};
	ScreeningCase *c;
	enum err e;

	if (!merge && x->event != EVENT__WITHDRAW_CASE && x->event != EVENT__REVOKE_CONSENT)
		return ERR_MALFORMED;
	if (merge && !cases_officer(s, x->officer))
		return ERR_NOT_PERMITTED;
	if (merge && reason == REASON__NO_REASON)
		reason = REASON__SAME_PERSON;
	change.n_reasons = reason != REASON__NO_REASON;
	change.actor = step_sender(s);
	if (merge) {
		change.who = WHO_PERSON;
		change.actor = x->officer;
	}
	TRY(load_or_wait(s, x->case_number, &c));
	if (x->event == EVENT__WITHDRAW_CASE && !states_find(c->state, x->event, change.who, 0))
		e = tell_too_late(s, x);
	else
		e = places_move(s, c, &change);
	screening_case__free_unpacked(c, NULL);
	return e;
}

enum err on_protection_changed(struct step *s, const ProtobufCMessage *m)
{
	const ProtectionChange *p = (const ProtectionChange *)m;
	ScreeningCase *c;
	enum err e;

	if (p->protection == PROTECTION__PROTECTION_NONE)
		return ERR_MALFORMED;
	if (!case_number_valid(p->case_number))
		return ERR_MALFORMED;
	e = cases_load(s, p->case_number, &c);
	if (e == ERR_NOT_FOUND)
		return keep_early(s, p);
	if (e != OK)
		return e;
	e = protect(s, c, p);
	screening_case__free_unpacked(c, NULL);
	return e;
}
