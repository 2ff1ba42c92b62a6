#include "services/urgent/urgent.h"

#include <stdlib.h>
#include <string.h>

#include "proto/case.pb-c.h"
#include "services/common/base/message.h"

struct listing {
	struct step *s;
	AlertsAnswer *answer;
	bool answered_too;
	bool joined; /* those that are alerted together: after all others */
};

#define ALERTS_MOST 500

/* Moves what the entry needs out of the case; both stay whole for their own free. */
static enum err entry_of(UrgentCase *c, AlertEntry **ret)
{
	AlertEntry *a = message_new(&alert_entry__descriptor);
	enum err e = a ? set_text(&a->case_number, c->case_number) : ERR_NOMEM;

	if (e == OK)
		e = set_text(&a->acknowledged_by, c->acknowledged_by);
	if (e == OK)
		e = set_text(&a->removal_on, c->request->removal_on);
	if (e != OK) {
		alert_entry__free_unpacked(a, NULL);
		return e;
	}
	a->protection = c->protection;
	a->rung = c->rung;
	a->raised_at = c->raised_at;
	a->next_rung_at = c->next_rung_at;
	a->acknowledged_at = c->acknowledged_at;
	a->threats = c->request->threats;
	a->n_threats = c->request->n_threats;
	c->request->threats = NULL;
	c->request->n_threats = 0;
	a->detained = c->request->detained;
	a->case_version = c->case_version;
	*ret = a;
	return OK;
}

static enum err list_case(void *arg, struct slice key, struct slice value)
{
	struct listing *l = arg;
	char number[64] = "";
	UrgentCase *c;
	enum err e = OK;

	(void)value;
	if (key.len >= sizeof(number))
		return ERR_CORRUPT;
	memcpy(number, key.data, key.len);
	TRY(urgent_load(l->s, number, &c));
	if (l->joined == (*c->crowd != 0) && (c->rung || (l->answered_too && !c->ended)) &&
		l->answer->n_alerts < ALERTS_MOST) {
		e = entry_of(c, &l->answer->alerts[l->answer->n_alerts]);
		if (e == OK)
			l->answer->n_alerts++;
	}
	urgent_case__free_unpacked(c, NULL);
	return e;
}

enum err on_ask_alerts(
	struct step *s, const ProtobufCMessage *question, ProtobufCMessage **ret_answer)
{
	const AlertsQuery *q = (const AlertsQuery *)question;
	AlertsAnswer *a = message_new(&alerts_answer__descriptor);
	struct listing l = {s, a, q->answered_too, false};
	enum err e;

	if (!a)
		return ERR_NOMEM;
	a->alerts = calloc(ALERTS_MOST, sizeof(AlertEntry *));
	e = a->alerts ? step_each(s, URGENT_CASES, (struct slice){0}, list_case, &l) : ERR_NOMEM;
	l.joined = true;
	if (e == OK)
		e = step_each(s, URGENT_CASES, (struct slice){0}, list_case, &l);
	if (e != OK) {
		alerts_answer__free_unpacked(a, NULL);
		return e;
	}
	*ret_answer = &a->base;
	return OK;
}
