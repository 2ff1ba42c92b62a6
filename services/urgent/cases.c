#include "services/urgent/urgent.h"

#include <stdlib.h>
#include <string.h>

#include "proto/case.pb-c.h"

enum err urgent_load(struct step *s, const char *case_number, UrgentCase **ret)
{
	ProtobufCMessage *m;

	TRY(case_get(s, URGENT_CASES, slice_str(case_number), case_number, &urgent_case__descriptor,
		&m));
	*ret = (UrgentCase *)m;
	return OK;
}

enum err urgent_save(struct step *s, const UrgentCase *c)
{
	return case_put(s, URGENT_CASES, slice_str(c->case_number), c->case_number, &c->base);
}

static enum err fill_change(struct step *s, UrgentChange *h, const Reason *reasons, size_t n)
{
	h->actor = strdup(step_sender(s));
	h->cause.data = malloc(MSG_ID_LEN);
	if (n)
		h->reasons = malloc(n * sizeof(*reasons));
	if (!h->actor || !h->cause.data || (n && !h->reasons))
		return ERR_NOMEM;
	h->cause.len = MSG_ID_LEN;
	memcpy(h->cause.data, step_cause(s), MSG_ID_LEN);
	if (n)
		memcpy(h->reasons, reasons, n * sizeof(*reasons));
	h->n_reasons = n;
	return OK;
}

enum err urgent_change(struct step *s, UrgentCase *c, Event event, Protection to,
	const Reason *reasons, size_t n_reasons)
{
	UrgentChange **list = realloc(c->history, (c->n_history + 1) * sizeof(UrgentChange *));
	UrgentChange *h = malloc(sizeof(*h));

	if (list)
		c->history = list;
	if (!list || !h) {
		free(h);
		return ERR_NOMEM;
	}
	urgent_change__init(h);
	list[c->n_history++] = h;
	h->event = event;
	h->from = c->protection;
	h->to = to;
	h->at = step_now(s);
	h->rung = c->rung;
	c->protection = to;
	c->case_version++;
	return fill_change(s, h, reasons, n_reasons);
}

enum err urgent_tell(struct step *s, const UrgentCase *c, Event event, const Decision *decision)
{
	Outcome o = OUTCOME__INIT;

	o.case_number = c->case_number;
	o.partner = c->partner;
	o.submission = c->submission;
	o.event = event;
	o.protection = c->protection;
	o.at = step_now(s);
	if (decision) {
		o.reasons = decision->reasons;
		o.n_reasons = decision->n_reasons;
		o.note = decision->note;
	}
	return step_send_service(s, KIND_REPORT_OUTCOME, &o.base);
}
