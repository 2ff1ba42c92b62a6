#include "services/urgent/urgent.h"

#include <stdlib.h>
#include <string.h>

#include "proto/case.pb-c.h"
#include "services/common/base/log.h"
#include "services/common/base/message.h"

/* 7. What became of an officer's word. `c` may be NULL: there is no such case. */
static enum err tell_officer(
	struct step *s, const char *case_number, const UrgentCase *c, Event event, enum err result)
{
	DecisionResult r = DECISION_RESULT__INIT;

	r.case_number = (char *)case_number;
	r.event = event;
	r.result = result;
	if (c) {
		r.case_version = c->case_version;
		r.protection = c->protection;
	}
	return step_send_known(s, KIND_ANSWER_DECISION, step_sender(s), &r.base);
}

/* A person has answered: the ladder stops, the clock of the decision starts. */
static enum err acknowledge(struct step *s, UrgentCase *c)
{
	TRY(set_text(&c->acknowledged_by, step_sender(s)));
	c->acknowledged_at = step_now(s);
	return ladder_stand_down(s, c);
}

/* Asked for: confirmed or declined. Confirmed: accepted or declined by the Program. */
static bool decision_owed(const UrgentCase *c)
{
	return c->protection == PROTECTION__ESCALATION_REQUESTED ||
	       c->protection == PROTECTION__EMERGENCY_CONFIRMED;
}

static enum err apply_acknowledgement(struct step *s, UrgentCase *c)
{
	if (!c->rung) /* somebody else was first: no second effect */
		return OK;
	TRY(acknowledge(s, c));
	TRY(urgent_change(s, c, EVENT__ACKNOWLEDGE, c->protection, NULL));
	if (decision_owed(c) && !c->ended)
		TRY(ladder_expect_decision(s, c));
	TRY(urgent_save(s, c));
	log_info("ALERT-ACKNOWLEDGED", "case=%s by=%s", c->case_number, step_sender(s));
	return urgent_tell(s, c, EVENT__ACKNOWLEDGE, NULL);
}

enum err on_acknowledge(struct step *s, const ProtobufCMessage *m)
{
	const AlertAck *a = (const AlertAck *)m;
	UrgentCase *c = NULL;
	enum err e = urgent_load(s, a->case_number, &c);

	if (e == ERR_NOT_FOUND)
		return tell_officer(s, a->case_number, NULL, EVENT__ACKNOWLEDGE, ERR_UNKNOWN_CASE);
	if (e == OK)
		e = apply_acknowledgement(s, c);
	if (e == OK)
		e = tell_officer(s, a->case_number, c, EVENT__ACKNOWLEDGE, OK);
	urgent_case__free_unpacked(c, NULL);
	return e;
}

static bool has_reason(const Decision *d)
{
	for (size_t i = 0; i < d->n_reasons; i++)
		if (d->reasons[i] != REASON__NO_REASON)
			return true;
	return false;
}

/* May this decision be applied? ERR_STALE, ERR_NO_TRANSITION, ERR_REASON_MISSING. */
static enum err check_decision(const UrgentCase *c, const Decision *d, Protection *ret_to)
{
	if (d->case_version != c->case_version)
		return ERR_STALE;
	if (c->ended || d->event == EVENT__REQUEST_ESCALATION)
		return ERR_NO_TRANSITION;
	TRY(protection_after(c->protection, d->event, ret_to));
	/* in writing, so that the partner can try another country with it at once */
	if (*ret_to == PROTECTION__UPP_DECLINED && (!has_reason(d) || !d->note))
		return ERR_REASON_MISSING;
	return OK;
}

static enum err apply_decision(struct step *s, UrgentCase *c, const Decision *d, Protection to)
{
	ProtectionChange change = PROTECTION_CHANGE__INIT;

	TRY(acknowledge(s, c)); /* a decision answers the alert as well */
	TRY(urgent_change(s, c, d->event, to, d));
	if (decision_owed(c))
		TRY(ladder_expect_decision(s, c));
	TRY(urgent_save(s, c));
	change.case_number = c->case_number;
	change.protection = c->protection;
	change.case_version = c->case_version;
	TRY(step_send_service(s, KIND_PROTECTION_CHANGED, &change.base));
	return urgent_tell(s, c, d->event, d);
}

enum err on_decide_protection(struct step *s, const ProtobufCMessage *m)
{
	const Decision *d = (const Decision *)m;
	UrgentCase *c = NULL;
	Protection to;
	enum err result, e = urgent_load(s, d->case_number, &c);

	if (e == ERR_NOT_FOUND)
		return tell_officer(s, d->case_number, NULL, d->event, ERR_UNKNOWN_CASE);
	if (e != OK)
		return e;
	result = check_decision(c, d, &to);
	if (result == OK)
		e = apply_decision(s, c, d, to);
	if (e == OK)
		e = tell_officer(s, d->case_number, c, d->event, result);
	urgent_case__free_unpacked(c, NULL);
	return e;
}

/*
 * 2. The case left the stream. After an officer's word (a merge: the request goes on under the
 * other number) nobody needs to answer any more. A withdrawal is the partner's word alone, and may
 * be forced: an alert that nobody has answered goes on climbing until a person does.
 */
enum err on_urgent_exit(struct step *s, const ProtobufCMessage *m)
{
	const CaseExit *x = (const CaseExit *)m;
	UrgentCase *c = NULL;
	enum err e = urgent_load(s, x->case_number, &c);

	if (e == ERR_NOT_FOUND)
		return OK; /* it never asked for protection */
	if (e != OK)
		return e;
	if (x->event == EVENT__MERGE_DUPLICATE || !c->rung)
		e = ladder_stand_down(s, c);
	c->ended = true;
	if (e == OK)
		e = urgent_change(s, c, x->event, c->protection, NULL);
	if (e == OK)
		e = urgent_save(s, c);
	urgent_case__free_unpacked(c, NULL);
	return e;
}
