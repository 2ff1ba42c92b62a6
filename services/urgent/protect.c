#include "services/urgent/urgent.h"

#include <stdlib.h>

#include "proto/case.pb-c.h"
#include "services/common/base/message.h"

static const struct axis {
	Protection from;
	Event event;
	Protection to;
} axes[] = {
#define AXIS(from, event, to) {PROTECTION__##from, EVENT__##event, PROTECTION__##to},
#include "services/urgent/protection.def"
#undef AXIS
};
#define AXES (sizeof(axes) / sizeof(axes[0]))

enum err protection_after(Protection from, Event event, Protection *ret_to)
{
	for (size_t i = 0; i < AXES; i++)
		if (axes[i].from == from && axes[i].event == event) {
			*ret_to = axes[i].to;
			return OK;
		}
	return ERR_NO_TRANSITION;
}

Event protection_possible(Protection from, unsigned i)
{
	for (size_t k = 0; k < AXES; k++)
		if (axes[k].from == from && axes[k].event != EVENT__REQUEST_ESCALATION && i-- == 0)
			return axes[k].event;
	return EVENT__NO_EVENT;
}

/* 3. A partner asks for protection, for the first time or again. */
static enum err new_case(const Threat *t, UrgentCase **ret)
{
	UrgentCase *c = message_new(&urgent_case__descriptor);
	enum err e = c ? set_text(&c->case_number, t->case_number) : ERR_NOMEM;

	if (e == OK)
		e = set_text(&c->partner, t->partner);
	if (e == OK)
		e = set_bytes(&c->submission, t->submission.data, t->submission.len);
	if (e != OK) {
		urgent_case__free_unpacked(c, NULL);
		return e;
	}
	c->raised_at = t->received_at;
	*ret = c;
	return OK;
}

static enum err add_threat(ProtectionRequest *p, ThreatCode code)
{
	ThreatCode *list;

	for (size_t i = 0; i < p->n_threats; i++)
		if (p->threats[i] == code)
			return OK;
	list = realloc(p->threats, (p->n_threats + 1) * sizeof(*list));
	if (!list)
		return ERR_NOMEM;
	p->threats = list;
	list[p->n_threats++] = code;
	return OK;
}

/* What was asked before stays asked: a later report, or a second partner's, adds to it. The newest
 * date of a removal is the one that holds. */
static enum err keep_earlier(ProtectionRequest *now, const ProtectionRequest *before)
{
	for (size_t i = 0; i < before->n_threats; i++)
		TRY(add_threat(now, before->threats[i]));
	now->detained = now->detained || before->detained;
	return *now->removal_on ? OK : set_text(&now->removal_on, before->removal_on);
}

static enum err set_request(UrgentCase *c, const ProtectionRequest *request)
{
	ProtobufCMessage *copy;
	enum err e = OK;

	if (!request)
		return ERR_MALFORMED;
	TRY(message_copy(&request->base, &copy));
	if (c->request)
		e = keep_earlier((ProtectionRequest *)copy, c->request);
	if (e != OK) {
		protobuf_c_message_free_unpacked(copy, NULL);
		return e;
	}
	if (c->request)
		protection_request__free_unpacked(c->request, NULL);
	c->request = (ProtectionRequest *)copy;
	return OK;
}

/* A ladder that climbs goes on as it was: who asks again and again puts nothing off. */
static enum err climb(struct step *s, UrgentCase *c, const char *partner)
{
	const char *crowd;
	bool many;

	TRY(crowd_count(s, partner, &many));
	crowd = many ? partner : "";
	if (c->rung)
		return ladder_again(s, c, crowd);
	TRY(set_text(&c->crowd, crowd));
	return ladder_raise(s, c, 1);
}

static enum err raise_request(struct step *s, UrgentCase *c, const Threat *t)
{
	ProtectionChange change = PROTECTION_CHANGE__INIT;
	Protection to;

	TRY(protection_after(c->protection, EVENT__REQUEST_ESCALATION, &to));
	TRY(set_request(c, t->protection));
	TRY(set_text(&c->acknowledged_by, ""));
	c->acknowledged_at = 0;
	TRY(climb(s, c, t->partner));
	TRY(urgent_change(s, c, EVENT__REQUEST_ESCALATION, to, NULL));
	TRY(urgent_save(s, c));
	change.case_number = c->case_number;
	change.protection = c->protection;
	change.case_version = c->case_version;
	TRY(step_send_service(s, KIND_PROTECTION_CHANGED, &change.base));
	return urgent_tell(s, c, EVENT__REQUEST_ESCALATION, NULL);
}

enum err on_threat(struct step *s, const ProtobufCMessage *m)
{
	const Threat *t = (const Threat *)m;
	UrgentCase *c = NULL;
	enum err e = urgent_load(s, t->case_number, &c);

	if (e == ERR_NOT_FOUND)
		e = new_case(t, &c);
	if (e == OK && !c->ended)
		e = raise_request(s, c, t);
	if (c)
		urgent_case__free_unpacked(c, NULL);
	return e;
}
