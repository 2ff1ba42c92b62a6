#include "services/urgent/urgent.h"

#include <stdlib.h>
#include <string.h>

#include "proto/case.pb-c.h"
#include "proto/strict.h"
#include "services/common/set_text.h"

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
	UrgentCase *c = malloc(sizeof(*c));

	if (!c)
		return ERR_NOMEM;
	urgent_case__init(c);
	c->case_number = strdup(t->case_number);
	c->partner = strdup(t->partner);
	c->submission.data = malloc(t->submission.len ? t->submission.len : 1);
	if (!c->case_number || !c->partner || !c->submission.data) {
		urgent_case__free_unpacked(c, NULL);
		return ERR_NOMEM;
	}
	if (t->submission.len)
		memcpy(c->submission.data, t->submission.data, t->submission.len);
	c->submission.len = t->submission.len;
	c->raised_at = t->received_at;
	*ret = c;
	return OK;
}

/* The newest request replaces the one before; a copy by packing, since *t is borrowed. */
static enum err set_request(UrgentCase *c, const ProtectionRequest *request)
{
	struct buf packed = {0};
	ProtobufCMessage *copy = NULL;
	enum err e;

	if (!request)
		return ERR_MALFORMED;
	e = strict_pack(&request->base, &packed);
	if (e == OK)
		e = strict_unpack(&protection_request__descriptor, slice_buf(&packed), &copy);
	buf_free(&packed);
	if (e != OK)
		return e;
	if (c->request)
		protection_request__free_unpacked(c->request, NULL);
	c->request = (ProtectionRequest *)copy;
	return OK;
}

static enum err raise_request(struct step *s, UrgentCase *c, const ProtectionRequest *request)
{
	ProtectionChange change = PROTECTION_CHANGE__INIT;
	Protection to;

	TRY(protection_after(c->protection, EVENT__REQUEST_ESCALATION, &to));
	TRY(set_request(c, request));
	TRY(set_text(&c->acknowledged_by, ""));
	c->acknowledged_at = 0;
	TRY(ladder_raise(s, c, 1));
	TRY(urgent_change(s, c, EVENT__REQUEST_ESCALATION, to, NULL, 0));
	TRY(urgent_save(s, c));
	change.case_number = c->case_number;
	change.protection = c->protection;
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
		e = raise_request(s, c, t->protection);
	if (c)
		urgent_case__free_unpacked(c, NULL);
	return e;
}
