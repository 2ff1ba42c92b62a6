#include "services/urgent/urgent.h"

#include <stdlib.h>
#include <string.h>

#include "proto/case.pb-c.h"
#include "services/common/base/message.h"

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

static enum err fill_change(struct step *s, UrgentChange *h, const Decision *d)
{
	ProtobufCMessage *note;

	TRY(set_text(&h->actor, step_sender(s)));
	TRY(set_bytes(&h->cause, step_cause(s), MSG_ID_LEN));
	if (d && d->note) {
		TRY(message_copy(&d->note->base, &note));
		h->note = (SealedNote *)note;
	}
	if (!d || !d->n_reasons)
		return OK;
	h->reasons = malloc(d->n_reasons * sizeof(*d->reasons));
	if (!h->reasons)
		return ERR_NOMEM;
	memcpy(h->reasons, d->reasons, d->n_reasons * sizeof(*d->reasons));
	h->n_reasons = d->n_reasons;
	return OK;
}

enum err urgent_change(
	struct step *s, UrgentCase *c, Event event, Protection to, const Decision *decision)
{
	UrgentChange *h = message_new(&urgent_change__descriptor);

	if (!h || list_add(&c->history, &c->n_history, h) != OK) {
		free(h);
		return ERR_NOMEM;
	}
	h->event = event;
	h->from = c->protection;
	h->to = to;
	h->at = step_now(s);
	h->rung = c->rung;
	c->protection = to;
	c->case_version++;
	return fill_change(s, h, decision);
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
