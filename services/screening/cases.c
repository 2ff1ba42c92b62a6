#include "services/screening/cases.h"

#include "services/common/referral/case_number.h"
#include "services/common/base/log.h"
#include "services/screening/waiting.h"

static enum err load(struct step *s, int table, const char *case_number,
	const ProtobufCMessageDescriptor *type, ProtobufCMessage **ret)
{
	if (!case_number_valid(case_number))
		return ERR_NOT_FOUND;
	return case_get(s, table, slice_str(case_number), case_number, type, ret);
}

enum err cases_load(struct step *s, const char *case_number, ScreeningCase **ret)
{
	ProtobufCMessage *m;

	TRY(load(s, T_CASES, case_number, &screening_case__descriptor, &m));
	*ret = (ScreeningCase *)m;
	return OK;
}

enum err cases_facts(struct step *s, const char *case_number, Facts **ret)
{
	ProtobufCMessage *m;

	TRY(load(s, T_FACTS, case_number, &facts__descriptor, &m));
	*ret = (Facts *)m;
	return OK;
}

/* What waits for places over a roll-over waits for a person as well. */
static uint8_t turn_of(const ScreeningCase *c)
{
	return (uint8_t)(c->kept ? TURN_PERSON : state_turn(c->state));
}

enum err cases_save(struct step *s, const ScreeningCase *c)
{
	uint8_t turn = turn_of(c);
	struct key place = {0};
	enum err e;

	TRY(case_put(s, T_CASES, slice_str(c->case_number), c->case_number, &c->base));
	order_key(&place, c);
	if (turn != TURN_DONE)
		return step_put(s, T_QUEUE, key_slice(&place), slice_of(&turn, 1));
	e = step_delete(s, T_QUEUE, key_slice(&place));
	return e == ERR_NOT_FOUND ? OK : e;
}

static void history_key(struct key *k, const char *case_number, uint32_t number)
{
	key_str(k, case_number);
	key_u64(k, number);
}

/* The version rises once in a step, however many changes the step makes. */
static void raise_version(struct step *s, ScreeningCase *c)
{
	if (c->version && memcmp(c->changed_by.data, step_cause(s), MSG_ID_LEN) == 0)
		return;
	c->version++;
	memcpy(c->changed_by.data, step_cause(s), MSG_ID_LEN);
}

static enum err append_history(
	struct step *s, ScreeningCase *c, State from, const struct change *change)
{
	Change row = CHANGE__INIT;
	struct key k = {0};

	raise_version(s, c);
	history_key(&k, c->case_number, ++c->changes);
	row.case_version = c->version;
	row.event = change->event;
	row.from = from;
	row.to = c->state;
	row.at = step_now(s);
	row.actor = (char *)change->actor;
	row.cause = (ProtobufCBinaryData){MSG_ID_LEN, (uint8_t *)step_cause(s)};
	row.reasons = (Reason *)change->reasons;
	row.n_reasons = change->n_reasons;
	row.note = change->note;
	return case_put(s, T_HISTORY, key_slice(&k), c->case_number, &row.base);
}

/* Step 5: to notify, which tells the partner. */
static enum err report(struct step *s, const ScreeningCase *c, const struct change *change)
{
	Outcome o = OUTCOME__INIT;

	o.case_number = c->case_number;
	o.partner = c->partner;
	o.submission = c->submission;
	o.event = change->event;
	o.state = c->state;
	o.protection = c->protection;
	o.reasons = (Reason *)change->reasons;
	o.n_reasons = change->n_reasons;
	o.note = change->note;
	o.at = step_now(s);
	o.persons = c->persons;
	return step_send_service(s, KIND_REPORT_OUTCOME, &o.base);
}

enum err cases_apply(struct step *s, ScreeningCase *c, const struct change *change)
{
	const struct transition *t = states_find(c->state, change->event, change->who, c->kept);
	State from = c->state;

	if (!t) {
		log_warn("NO-TRANSITION", "state=%s event=%s", state_name(from),
			event_name(change->event));
		return ERR_NO_TRANSITION;
	}
	c->state = t->to;
	if (t->to != STATE__WAITLISTED)
		c->kept = STATE__NO_STATE;
	if (change->persons)
		c->persons = change->persons;
	TRY(append_history(s, c, from, change));
	TRY(cases_save(s, c));
	return t->told ? report(s, c, change) : OK;
}

/* The waiting list's entry of a case moves with the order. */
static enum err move_waiting(struct step *s, const struct key *from, const struct key *to)
{
	ScreeningWaiting *w;
	enum err e = waiting_get(s, key_slice(from), &w);

	if (e == ERR_NOT_FOUND)
		return OK;
	if (e != OK)
		return e;
	e = waiting_remove(s, key_slice(from));
	if (e == OK)
		e = waiting_put(s, key_slice(to), w);
	screening_waiting__free_unpacked(w, NULL);
	return e;
}

enum err cases_protect(struct step *s, ScreeningCase *c, Protection to)
{
	static const Event events[] = {
		[PROTECTION__ESCALATION_REQUESTED] = EVENT__REQUEST_ESCALATION,
		[PROTECTION__EMERGENCY_CONFIRMED] = EVENT__CONFIRM_EMERGENCY,
		[PROTECTION__UPP_ACCEPTED] = EVENT__ACCEPT_UPP,
		[PROTECTION__UPP_DECLINED] = EVENT__DECLINE_UPP,
	};
	struct change change = {.event = events[to], .actor = step_sender(s)};
	struct key before = {0}, after = {0};
	enum err e;

	order_key(&before, c);
	e = step_delete(s, T_QUEUE, key_slice(&before));
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	c->protection = to;
	order_key(&after, c);
	TRY(move_waiting(s, &before, &after));
	TRY(append_history(s, c, c->state, &change));
	return cases_save(s, c);
}

bool cases_officer(struct step *s, const char *name)
{
	const Principal *p = registry_find(step_registry(s), name);

	return p && (roles_of(p) & (ROLE_BIT(ROLE__OFFICER) | ROLE_BIT(ROLE__SUPERVISOR) |
					   ROLE_BIT(ROLE__DIRECTOR)));
}

enum err cases_history(struct step *s, const ScreeningCase *c, each_change *each, void *arg)
{
	for (uint32_t i = 1; i <= c->changes; i++) {
		ProtobufCMessage *m;
		struct key k = {0};
		enum err e;

		history_key(&k, c->case_number, i);
		TRY(case_get(s, T_HISTORY, key_slice(&k), c->case_number, &change__descriptor, &m));
		e = each(arg, (const Change *)m);
		protobuf_c_message_free_unpacked(m, NULL);
		if (e != OK)
			return e;
	}
	return OK;
}
