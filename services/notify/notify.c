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

/* What follows "what happens next" in some notices. A note is sealed to one partner, under one case
 * number: another partner of the same person is told the codes, and where the words are. */
static const char *const nothing_more[] = {"", ""};
static const char *const ask_for_words[] = {
	" The written reasons are with the department: ask for them, naming your case number.",
	" Les motifs écrits sont au ministère : demandez-les en donnant votre numéro de dossier.",
};
static const char *const stays_withdrawn[] = {
	" Your referral stays withdrawn: you are not told what follows.",
	" Votre demande demeure retirée : vous ne serez pas informé de la suite.",
};

static const char *const *more_words(const Outcome *o)
{
	if (o->words_elsewhere)
		return ask_for_words;
	return o->answer ? stays_withdrawn : nothing_more;
}

/* 6. One notice to one reader. */
static enum err send_notice(
	struct step *s, const Outcome *o, const struct notice_row *row, const char *reader)
{
	Text happened = words(row->happened), next, who = words(row->who);
	char longer[2][NEXT_SIZE];
	Notice n = NOTICE__INIT;

	for (int i = 0; i < 2; i++)
		snprintf(longer[i], NEXT_SIZE, "%s%s", row->next[i], more_words(o)[i]);
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

/* After its closure only a revocation is told: it reaches everybody who was told, whatever came
 * before. */
static enum err tell_reader(struct step *s, NotifyCase *c, NotifyReader *reader, const Outcome *o,
	const struct notice_row *row)
{
	if (c->closed_at && o->event != EVENT__REVOKE_CONSENT) {
		log_info("NOTICE-AFTER-CLOSURE", "case=%s event=%d", o->case_number, (int)o->event);
		if (c->closed_at > step_now(s)) /* this one was held since */
			c->closed_at = step_now(s);
		return save_case(s, o->case_number, c);
	}
	TRY(send_notice(s, o, row, reader->principal));
	reader->notices++;
	reader->last_at = step_now(s);
	if (row->last == yes && !c->closed_at)
		c->closed_at = step_now(s);
	return save_case(s, o->case_number, c);
}

/* To this service itself, for each reader of that case: each is told in a step of its own, and one
 * whose key is suspended keeps nobody else waiting. */
static enum err pass_on(struct step *s, const Outcome *o, const char *number, const NotifyCase *c)
{
	Outcome part = *o;

	part.case_number = (char *)number;
	part.submission = c->submission;
	part.merged_into = (char *)protobuf_c_empty_string;
	part.part = true;
	for (size_t i = 0; i < c->n_readers; i++) {
		part.partner = c->readers[i]->principal;
		TRY(step_send_service(s, KIND_REPORT_OUTCOME, &part.base));
	}
	return OK;
}

/* The same for a merged case, under its own number: its readers learn nothing of the other, whose
 * partner the note names as its reader. */
static enum err pass_on_merged(struct step *s, const Outcome *o, const char *number)
{
	Outcome own = *o;
	NotifyCase *c;
	enum err e;

	TRY(load_case(s, number, &c));
	own.note = NULL;
	own.words_elsewhere = o->words_elsewhere || o->note;
	e = pass_on(s, &own, number, c);
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
	if (o->event != EVENT__REGISTER && o->event != EVENT__MERGE_DUPLICATE) {
		c->standing->event = o->event;
		if (!c->standing->since)
			c->standing->since = c->newest;
	}
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
	o.words_elsewhere = standing->reasons;
	return pass_on_merged(s, &o, number);
}

static void note_newest(const struct step *s, NotifyCase *c)
{
	if (c->newest < step_now(s))
		c->newest = step_now(s);
}

static enum err add_merged(NotifyCase *goes_on, const char *number)
{
	MergedCase *m = message_new(&merged_case__descriptor);
	enum err e = m ? set_text(&m->case_number, number) : ERR_NOMEM;

	if (e == OK) {
		m->since = goes_on->newest;
		e = list_add(&goes_on->merged, &goes_on->n_merged, m);
	}
	if (e != OK)
		merged_case__free_unpacked(m, NULL);
	return e;
}

/* The case, and what was merged into it, goes on under another one. */
static enum err join(struct step *s, const Outcome *o, const NotifyCase *c)
{
	NotifyCase *goes_on;
	enum err e;

	TRY(load_case(s, o->merged_into, &goes_on));
	note_newest(s, goes_on);
	e = add_merged(goes_on, o->case_number);
	for (size_t i = 0; e == OK && i < c->n_merged; i++)
		e = add_merged(goes_on, c->merged[i]->case_number);
	if (e == OK)
		e = save_case(s, o->merged_into, goes_on);
	if (e == OK)
		e = tell_standing(s, o->case_number, goes_on->standing);
	for (size_t i = 0; e == OK && i < c->n_merged; i++)
		e = tell_standing(s, c->merged[i]->case_number, goes_on->standing);
	notify_case__free_unpacked(goes_on, NULL);
	return e;
}

/* What happened to a person whom several partners referred. */
static enum err tell_all(struct step *s, const NotifyCase *c, const Outcome *o)
{
	TRY(save_case(s, o->case_number, c));
	TRY(pass_on(s, o, o->case_number, c));
	for (size_t i = 0; i < c->n_merged; i++)
		TRY(pass_on_merged(s, o, c->merged[i]->case_number));
	return *o->merged_into ? join(s, o, c) : OK;
}

static enum err tell(struct step *s, NotifyCase *c, const Outcome *o, const struct notice_row *row)
{
	NotifyReader *reader;

	TRY(reader_row(c, o->partner, &reader));
	TRY(set_bytes(&c->submission, o->submission.data, o->submission.len));
	c->registered = c->registered || o->event == EVENT__REGISTER;
	if (o->part)
		return tell_reader(s, c, reader, o, row);
	note_newest(s, c);
	TRY(keep_standing(c, o));
	/* a registration is of one referral, also when it comes late */
	if (o->event != EVENT__REGISTER && (c->n_merged || *o->merged_into || c->n_readers > 1))
		return tell_all(s, c, o);
	return tell_reader(s, c, reader, o, row);
}

static enum err on_outcome(struct step *s, const ProtobufCMessage *m)
{
	const Outcome *o = (const Outcome *)m;
	const struct notice_row *row = find_notice(o->event);
	NotifyCase *c;
	enum err e = OK;

	if (!row)
		return OK;
	if (!*o->case_number || o->answer) /* to one message: there is nothing to remember */
		return send_notice(s, o, row, o->partner);
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
