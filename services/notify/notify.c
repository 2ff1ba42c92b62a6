#include "services/notify/notify.h"

#include "proto/case.pb-c.h"
#include "services/common/base/log.h"
#include "services/common/base/message.h"
#include "services/notify/records.pb-c.h"

static const char *const tables[] = {[NOTIFY_CASES] = "cases", NULL};

enum { no, yes };

static const struct notice_row {
	Event event;
	int last;
	const char *happened[2], *next[2], *who[2];
} notices[] = {
#define NOTICE(event, last, happened_en, happened_fr, next_en, next_fr, who_en, who_fr)            \
	{EVENT__##event, last, {happened_en, happened_fr}, {next_en, next_fr}, {who_en, who_fr}},
#include "services/notify/notices.def"
#undef NOTICE
};

static const struct notice_row *find_notice(Event event)
{
	for (size_t i = 0; i < sizeof(notices) / sizeof(notices[0]); i++)
		if (notices[i].event == event)
			return &notices[i];
	return NULL;
}

static Text words(const char *const two[2])
{
	Text t = TEXT__INIT;

	t.en = (char *)two[LANG_EN];
	t.fr = (char *)two[LANG_FR];
	return t;
}

/* 6. One notice to one reader. */
static enum err send_notice(
	struct step *s, const Outcome *o, const struct notice_row *row, const char *reader)
{
	Text happened = words(row->happened), next = words(row->next), who = words(row->who);
	Notice n = NOTICE__INIT;

	n.case_number = o->case_number;
	n.submission = o->submission;
	n.event = o->event;
	n.state = o->state;
	n.protection = o->protection;
	n.at = o->at;
	n.happened = &happened;
	n.next = &next;
	n.who = &who;
	n.reasons = o->reasons;
	n.n_reasons = o->n_reasons;
	n.note = o->note;
	n.faults = o->faults;
	n.n_faults = o->n_faults;
	return step_send(s, KIND_SEND_NOTICE, reader, &n.base);
}

static struct slice case_key(const char *case_number)
{
	return slice_str(case_number);
}

/* The case's record; an empty one when it is new. */
static enum err load_case(struct step *s, const char *case_number, NotifyCase **ret)
{
	ProtobufCMessage *m = NULL;
	NotifyCase *c;
	enum err e =
		record_get(s, NOTIFY_CASES, case_key(case_number), &notify_case__descriptor, &m);

	if (e == OK) {
		*ret = (NotifyCase *)m;
		return OK;
	}
	if (e != ERR_NOT_FOUND)
		return e;
	c = message_new(&notify_case__descriptor);
	if (c)
		*ret = c;
	return c ? OK : ERR_NOMEM;
}

/* The reader's row, added when it is new, so that a revocation reaches everybody who was told. */
static enum err reader_row(NotifyCase *c, const char *principal, NotifyReader **ret)
{
	NotifyReader *r;
	enum err e;

	for (size_t i = 0; i < c->n_readers; i++)
		if (strcmp(c->readers[i]->principal, principal) == 0) {
			*ret = c->readers[i];
			return OK;
		}
	r = message_new(&notify_reader__descriptor);
	e = r ? set_text(&r->principal, principal) : ERR_NOMEM;
	if (e == OK)
		e = list_add(&c->readers, &c->n_readers, r);
	if (e == OK)
		*ret = r;
	else
		notify_reader__free_unpacked(r, NULL);
	return e;
}

static enum err tell_readers(
	struct step *s, NotifyCase *c, const Outcome *o, const struct notice_row *row)
{
	NotifyReader *reader;

	TRY(reader_row(c, o->partner, &reader));
	for (size_t i = 0; i < c->n_readers; i++) {
		reader = c->readers[i];
		TRY(send_notice(s, o, row, reader->principal));
		reader->notices++;
		reader->last_at = step_now(s);
	}
	c->closed = row->last == yes;
	c->registered = c->registered || o->event == EVENT__REGISTER;
	return record_put(s, NOTIFY_CASES, case_key(o->case_number), &c->base);
}

static enum err on_outcome(struct step *s, const ProtobufCMessage *m)
{
	const Outcome *o = (const Outcome *)m;
	const struct notice_row *row = find_notice(o->event);
	NotifyCase *c = NULL;
	enum err e;

	if (!row)
		return OK;
	if (!*o->case_number) /* rejected: there is no case to remember */
		return send_notice(s, o, row, o->partner);
	TRY(load_case(s, o->case_number, &c));
	if (o->event == EVENT__REGISTER &&
		c->registered) /* told by intake, while it was compared */
		row = NULL;
	/* a revocation reaches everybody who was told, whatever came before */
	if (!row) {
		e = OK;
	} else if (c->closed && o->event != EVENT__REVOKE_CONSENT) {
		log_info("NOTICE-AFTER-CLOSURE", "case=%s event=%d", o->case_number, (int)o->event);
		e = OK;
	} else {
		e = tell_readers(s, c, o, row);
	}
	notify_case__free_unpacked(c, NULL);
	return e;
}

static const struct route routes[] = {
	ON(REPORT_OUTCOME, on_outcome),
	{0},
};

const struct service notify_service = {
	.name = "notify",
	.program = PROGRAM_NOTIFY,
	.tables = tables,
	.routes = routes,
};
