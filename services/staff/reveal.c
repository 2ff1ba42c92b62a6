/* An identity, opened on a signed, reasoned request that is logged for ever: printed once, kept
 * nowhere. */
#include <stdio.h>
#include <stdlib.h>

#include "proto/json.h"
#include "proto/strict.h"
#include "proto/wipe.h"
#include "services/common/referral/case_number.h"
#include "services/staff/actions.h"
#include "services/staff/show.h"
#include "services/staff/staff.h"

static bool connected(struct node *n, void *arg)
{
	(void)arg;
	return node_connected(n);
}

/* Nothing is asked for without a network: an answer that comes later is shown to nobody. */
static enum err connect(struct session *s)
{
	int64_t within_ms;
	enum err e;

	TRY(home_wait(s->c, 15, &within_ms));
	e = node_run(s->n, connected, NULL, within_ms);
	return e == OK ? OK : cli_fail(s->c, e == ERR_TIMEOUT ? ERR_UNREACHABLE : e, NULL);
}

static void say_identity(const struct cli *c, const IdentityOpened *o)
{
	cli_say(c, "%s  %s\n", "%s  %s\n", o->case_number, o->reference);
	if (o->narrative)
		show_fields(c, &o->narrative->base, shown_narrative, 2);
	for (size_t i = 0; i < o->n_persons; i++) {
		const Person *p = o->persons[i];

		cli_say(c, "\n", "\n");
		show_fields(c, &p->base, shown_person, 2);
		if (p->identity)
			show_fields(c, &p->identity->base, shown_identity, 4);
		if (p->narrative)
			show_fields(c, &p->narrative->base, shown_narrative, 4);
	}
	cli_say(c, "\n", "\n");
}

/* The answer of this call, into the object that will be printed. */
static enum err show_opened(struct session *s, json_t **json)
{
	ProtobufCMessage *m;
	const IdentityOpened *o;
	enum err e = OK;

	if (!s->seen.opened.len)
		return OK;
	TRY(strict_unpack(&identity_opened__descriptor, slice_buf(&s->seen.opened), &m));
	o = (const IdentityOpened *)m;
	if (o->result == OK) {
		say_identity(s->c, o);
		json_decref(*json);
		*json = NULL;
		e = message_to_json(m, json);
	}
	message_wipe(m);
	return e;
}

static enum err reveal(struct session *s, const char *case_number, Reason reason)
{
	OpenIdentity body = OPEN_IDENTITY__INIT;
	struct sending one = {KIND_OPEN_IDENTITY, EVENT__NO_EVENT, case_number, &body.base};
	json_t *json = json_object();
	enum err e;

	body.case_number = (char *)case_number;
	body.reason = reason;
	e = send_all(s, &one, 1);
	if (e == OK)
		e = show_opened(s, &json);
	if (e == OK)
		e = tell_requests(s, json);
	else
		json_decref(json);
	/* asked, and no answer in time: whoever waits for a name has none */
	if (e == OK && !s->seen.opened.len) {
		s->c->told = true;
		e = ERR_TIMEOUT;
	}
	return e;
}

enum err staff_reveal(struct cli *c)
{
	struct session s = {.c = c};
	const char *text;
	int reason;
	enum err e;

	TRY(cli_required(c, "reason", &text));
	if (coded_find(&reason__descriptor, text, &reason) != OK)
		return session_bad_word(c, text, &reason__descriptor);
	if (!case_number_valid(c->operands[0]))
		return cli_fail(c, ERR_INVALID, c->operands[0]);
	e = session_open(c, &s);
	if (e == OK)
		e = connect(&s);
	if (e == OK)
		e = reveal(&s, c->operands[0], (Reason)reason);
	session_close(&s);
	return e;
}
