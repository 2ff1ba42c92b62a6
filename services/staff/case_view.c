#include "services/staff/case_view.h"

#include "services/common/referral/case_number.h"

static enum err ask_case(struct session *s, const char *case_number, CaseAnswer **ret)
{
	CaseQuery q = CASE_QUERY__INIT;
	ProtobufCMessage *m;

	q.case_number = (char *)case_number;
	TRY(session_ask(s, KIND_ASK_CASE, &q.base, &m));
	*ret = (CaseAnswer *)m;
	return OK;
}

/* Without this answer the rest is shown all the same. */
static enum err ask_alert(struct session *s, const char *case_number, struct case_view *v)
{
	AlertsQuery q = ALERTS_QUERY__INIT;
	ProtobufCMessage *m;
	int64_t within_ms;
	enum err e;

	q.answered_too = true;
	TRY(home_wait(s->c, 10, &within_ms));
	e = node_ask(s->n, KIND_ASK_ALERTS, &q.base, within_ms, &m);
	v->no_alerts = e;
	if (e != OK)
		return e == ERR_UNREACHABLE || e == ERR_TIMEOUT || (int)e >= 100
			       ? OK
			       : cli_fail(s->c, e, NULL);
	v->alerts = (AlertsAnswer *)m;
	for (size_t i = 0; i < v->alerts->n_alerts; i++)
		if (strcmp(v->alerts->alerts[i]->case_number, case_number) == 0)
			v->alert = v->alerts->alerts[i];
	return OK;
}

static enum err ask_hold(struct session *s, const char *case_number, struct case_view *v)
{
	HoldsQuery q = HOLDS_QUERY__INIT;
	ProtobufCMessage *m;

	TRY(session_ask(s, KIND_ASK_HOLDS, &q.base, &m));
	v->holds = (HoldsAnswer *)m;
	for (size_t i = 0; i < v->holds->n_holds; i++)
		if (strcmp(v->holds->holds[i]->case_number, case_number) == 0)
			v->hold = v->holds->holds[i];
	return OK;
}

enum err case_view_load(struct session *s, const char *case_number, struct case_view *ret)
{
	struct case_view v = {NULL};
	enum err e;

	if (!case_number_valid(case_number))
		return cli_fail(s->c, ERR_INVALID, case_number);
	e = ask_case(s, case_number, &v.answer);
	if (e == OK)
		e = ask_alert(s, case_number, &v);
	if (e == OK && v.answer->result == ERR_UNKNOWN_CASE)
		e = ask_hold(s, case_number, &v);
	if (e == OK && v.answer->result && !v.alert && !v.hold)
		e = cli_fail(s->c, (enum err)v.answer->result, case_number);
	if (e == OK)
		*ret = v;
	else
		case_view_free(&v);
	return e;
}

void case_view_free(struct case_view *v)
{
	if (v->answer)
		case_answer__free_unpacked(v->answer, NULL);
	if (v->alerts)
		alerts_answer__free_unpacked(v->alerts, NULL);
	if (v->holds)
		holds_answer__free_unpacked(v->holds, NULL);
	*v = (struct case_view){NULL};
}

const char *case_view_partner(const struct case_view *v)
{
	if (v->answer->facts)
		return v->answer->facts->partner;
	return v->hold ? v->hold->partner : NULL;
}
