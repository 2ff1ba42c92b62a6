#include "services/notify/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

#define NEXT_SIZE 512

/* A note is sealed to one partner, under one case number. Another partner of the same person is
 * told the codes, and where the words are. */
static const char *const ask_for_words[] = {
	" The written reasons are with the department: ask for them, naming your case number.",
	" Les motifs écrits sont au ministère : demandez-les en donnant votre numéro de dossier.",
};

/* 6. One notice to one reader. */
static enum err send_notice(struct step *s, const Outcome *o, const struct notice_row *row,
	const char *reader, bool words_kept)
{
	Text happened = words(row->happened), next = words(row->next), who = words(row->who);
	char longer[2][NEXT_SIZE];
	Notice n = NOTICE__INIT;

	for (int i = 0; i < 2; i++)
		snprintf(longer[i], NEXT_SIZE, "%s%s", row->next[i], ask_for_words[i]);
	if (words_kept)
		next = words((const char *[]){longer[LANG_EN], longer[LANG_FR]});
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

static enum err save_case(struct step *s, const char *case_number, const NotifyCase *c)
{
	return record_put(s, NOTIFY_CASES, case_key(case_number), &c->base);
}

/* The readers of one case. After its closure only a revocation is told: it reaches everybody who
 * was told, whatever came before. */
static enum err tell_case(struct step *s, NotifyCase *c, const Outcome *o,
	const struct notice_row *row, bool words_kept)
{
	if (c->closed && o->event != EVENT__REVOKE_CONSENT) {
		log_info("NOTICE-AFTER-CLOSURE", "case=%s event=%d", o->case_number, (int)o->event);
		return OK;
	}
	for (size_t i = 0; i < c->n_readers; i++) {
		NotifyReader *reader = c->readers[i];

		TRY(send_notice(s, o, row, reader->principal, words_kept));
		reader->notices++;
		reader->last_at = step_now(s);
	}
	c->closed = row->last == yes;
	return save_case(s, o->case_number, c);
}

/* The same to the readers of a merged case, under its own number: they learn nothing of the other,
 * whose partner the note names as its reader. */
static enum err tell_merged(struct step *s, const char *number, const Outcome *o,
	const struct notice_row *row, bool words_kept)
{
	Outcome own = *o;
	NotifyCase *c;
	enum err e;

	TRY(load_case(s, number, &c));
	own.case_number = (char *)number;
	own.submission = c->submission;
	own.note = NULL;
	e = tell_case(s, c, &own, row, words_kept);
	notify_case__free_unpacked(c, NULL);
	return e;
}

/* For the partner of a case that is merged into this one later. */
static enum err keep_standing(NotifyCase *c, const Outcome *o)
{
	if (!c->standing)
		c->standing = message_new(&standing__descriptor);
	if (!c->standing)
		return ERR_NOMEM;
	if (o->event != EVENT__REGISTER && o->event != EVENT__MERGE_DUPLICATE)
		c->standing->event = o->event;
	if (o->state)
		c->standing->state = o->state;
	if (o->protection)
		c->standing->protection = o->protection;
	c->standing->at = o->at;
	c->standing->reasons = o->note || o->n_reasons;
	return OK;
}

/* Where the case that goes on stands by now. */
static enum err tell_standing(struct step *s, const char *number, const Standing *standing)
{
	Outcome o = OUTCOME__INIT;

	if (!standing || !standing->event)
		return OK;
	o.event = standing->event;
	o.state = standing->state;
	o.protection = standing->protection;
	o.at = standing->at;
	return tell_merged(s, number, &o, find_notice(o.event), standing->reasons);
}

static enum err add_merged(NotifyCase *goes_on, const char *number)
{
	char *copy = strdup(number);
	enum err e = copy ? list_add(&goes_on->merged, &goes_on->n_merged, copy) : ERR_NOMEM;

	if (e != OK)
		free(copy);
	return e;
}

/* The case, and what was merged into it, goes on under another one. */
static enum err join(struct step *s, const Outcome *o, const NotifyCase *c)
{
	NotifyCase *goes_on;
	enum err e;

	TRY(load_case(s, o->merged_into, &goes_on));
	e = add_merged(goes_on, o->case_number);
	for (size_t i = 0; e == OK && i < c->n_merged; i++)
		e = add_merged(goes_on, c->merged[i]);
	if (e == OK)
		e = save_case(s, o->merged_into, goes_on);
	if (e == OK)
		e = tell_standing(s, o->case_number, goes_on->standing);
	for (size_t i = 0; e == OK && i < c->n_merged; i++)
		e = tell_standing(s, c->merged[i], goes_on->standing);
	notify_case__free_unpacked(goes_on, NULL);
	return e;
}

static enum err tell(struct step *s, NotifyCase *c, const Outcome *o, const struct notice_row *row)
{
	NotifyReader *reader;

	TRY(reader_row(c, o->partner, &reader));
	TRY(set_bytes(&c->submission, o->submission.data, o->submission.len));
	c->registered = c->registered || o->event == EVENT__REGISTER;
	if (!o->part)
		TRY(keep_standing(c, o));
	TRY(tell_case(s, c, o, row, false));
	TRY(save_case(s, o->case_number, c)); /* the standing, of a closed one too */
	for (size_t i = 0; !o->part && i < c->n_merged; i++)
		TRY(tell_merged(s, c->merged[i], o, row, o->note != NULL));
	return *o->merged_into ? join(s, o, c) : OK;
}

static enum err on_outcome(struct step *s, const ProtobufCMessage *m)
{
	const Outcome *o = (const Outcome *)m;
	const struct notice_row *row = find_notice(o->event);
	NotifyCase *c;
	enum err e = OK;

	if (!row)
		return OK;
	if (!*o->case_number) /* rejected: there is no case to remember */
		return send_notice(s, o, row, o->partner, false);
	TRY(load_case(s, o->case_number, &c));
	/* of a registration intake may have told, while the case was compared */
	if (o->event != EVENT__REGISTER || !c->registered)
		e = tell(s, c, o, row);
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
