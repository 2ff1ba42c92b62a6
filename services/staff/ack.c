/* 7. "I have seen this and I act": one acknowledgement for each case. */
#include <stdlib.h>

#include "services/common/referral/case_number.h"
#include "services/staff/view.h"

#define CASES_MOST 500

struct acks {
	AlertAck bodies[CASES_MOST];
	struct sending list[CASES_MOST];
	size_t n;
};

/* A case that is named twice is acknowledged once. */
static enum err add(struct cli *c, struct acks *a, const char *case_number)
{
	if (!case_number_valid(case_number))
		return cli_fail(c, ERR_INVALID, case_number);
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->list[i].case_number, case_number) == 0)
			return OK;
	if (a->n == CASES_MOST)
		return cli_fail(c, ERR_TOO_LARGE, NULL);
	alert_ack__init(&a->bodies[a->n]);
	a->bodies[a->n].case_number = (char *)case_number;
	a->list[a->n] = (struct sending){
		KIND_ACKNOWLEDGE_ALERT, EVENT__ACKNOWLEDGE, case_number, &a->bodies[a->n].base};
	a->n++;
	return OK;
}

static enum err send_acks(struct session *s, struct acks *a)
{
	if (a->n)
		TRY(send_all(s, a->list, a->n));
	else
		cli_say(s->c, "No alert is burning.\n", "Aucune alerte n’est en cours.\n");
	return tell_requests(s, json_object());
}

/* Those that burn; without an answer, those that came to the inbox. */
static enum err ack_all(struct session *s, struct acks *a)
{
	struct view v = {NULL};
	int64_t within_ms;
	enum err e;

	TRY(home_wait(s->c, 10, &within_ms));
	e = view_load(s, STATE__NO_STATE, 1, within_ms, &v);
	for (size_t i = 0; e == OK && i < v.alerts->n_alerts; i++)
		e = add(s->c, a, v.alerts->alerts[i]->case_number);
	if (e == OK && v.why[VIEW_ALERTS] != OK && !a->n)
		e = cli_fail(s->c, v.why[VIEW_ALERTS], NULL);
	if (e == OK)
		e = send_acks(s, a);
	view_free(&v);
	return e;
}

enum err staff_ack(struct cli *c)
{
	struct acks *a;
	struct session s = {.c = c};
	enum err e = OK;

	if (cli_flag(c, "all") == (c->n_operands > 0))
		return cli_fail(c, ERR_USAGE, "CASE|--all");
	a = calloc(1, sizeof(*a));
	if (!a)
		return ERR_NOMEM;
	for (int i = 0; e == OK && i < c->n_operands; i++)
		e = add(c, a, c->operands[i]);
	if (e == OK)
		e = session_open(c, &s);
	if (e == OK)
		e = c->n_operands ? send_acks(&s, a) : ack_all(&s, a);
	session_close(&s);
	free(a);
	return e;
}
