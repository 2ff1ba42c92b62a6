/* Screening: its own checks of the ledger and the cases (I3, I4, I5, I9); each change's cause is in
 * the log, and behind each negative one is a message that its officer signed. */
#include <inttypes.h>

#include "services/admin/verify.h"
#include "services/screening/cases.h"
#include "services/screening/ledger.h"
#include "services/screening/places.h"
#include "services/screening/verify.h"
#include "services/screening/waiting.h"

struct case_walk {
	struct verify *v;
	struct home *home;
	const char *case_number;
	uint64_t cases, changes;
};

static void report(void *arg, const struct verify_finding *f)
{
	found_elsewhere(arg, f->invariant, f->where, f->why);
}

static bool is_here(const struct home *h, const struct logged *m)
{
	return m && strcmp(m->row.recipient, h->name) == 0;
}

/* The message that the actor signed: the cause itself, or, when intake passed the officer's word
 * on, the cause of the cause. NULL: there is none. */
static enum err trace(
	const struct case_walk *w, const char *actor, struct slice cause, struct logged **ret)
{
	const struct home *intake = verify_home(w->v, R(INTAKE));
	struct logged *m;

	TRY(verify_find(w->v, actor, cause, ret));
	if (is_here(w->home, *ret))
		return OK;
	*ret = NULL;
	if (!intake)
		return OK;
	TRY(verify_find(w->v, intake->name, cause, &m));
	if (!is_here(w->home, m) || !m->has_cause)
		return OK;
	return verify_find(w->v, actor, slice_of(m->cause, MSG_ID_LEN), ret);
}

static bool decides(const struct logged *m)
{
	return m && (m->row.kind == KIND_DECIDE_CASE || m->row.kind == KIND_DECIDE_DUPLICATE);
}

static enum err check_change(void *arg, const Change *c)
{
	struct case_walk *w = arg;
	bool negative = state_negative(c->to) && c->from != c->to;
	bool own = strcmp(c->actor, w->home->name) == 0; /* a timer's cause is in no log */
	struct logged *m;

	w->changes++;
	TRY(trace(w, c->actor, slice_of(c->cause.data, c->cause.len), &m));
	if (!m && !own)
		found(w->v, FOUND_CAUSE_UNKNOWN, "%s", w->case_number);
	if (negative && !decides(m))
		found(w->v, FOUND_NO_WORD, "%s", w->case_number);
	return OK;
}

static enum err case_row(void *arg, struct slice key, struct slice value)
{
	struct case_walk *w = arg;
	char number[64] = "";
	struct logged *m;
	ScreeningCase *c;
	bool kept = false;
	enum err e;

	(void)value;
	if (key.len >= sizeof(number))
		return ERR_CORRUPT;
	memcpy(number, key.data, key.len);
	w->case_number = number;
	w->cases++;
	TRY(cases_load(w->home->step, number, &c));
	e = verify_find(w->v, c->partner, slice_of(c->submission.data, c->submission.len), &m);
	if (e == OK)
		e = receipt_kept(w->v, m, c->received_at, &kept);
	if (e == OK && !kept)
		found(w->v, FOUND_RECEIPT_DIFFERS, "%s", number);
	if (e == OK)
		e = cases_history(w->home->step, c, check_change, w);
	screening_case__free_unpacked(c, NULL);
	return e == ERR_NOT_FOUND ? OK : e; /* a change is missing: cases_verify tells */
}

static enum err count_places(struct verify *v, struct home *h)
{
	struct waiting_totals waiting;
	struct room room;

	TRY(places_open_year(h->step, &v->counts.year));
	TRY(ledger_room(h->step, "", v->counts.year, &room));
	TRY(waiting_totals(h->step, v->counts.year, &waiting));
	v->counts.cap = room.cap;
	v->counts.reserved = room.reserved;
	v->counts.consumed = room.consumed;
	v->counts.free = room.free;
	v->counts.waitlisted_persons = waiting.persons;
	return OK;
}

enum err check_screening(struct verify *v)
{
	struct home *h = verify_home(v, R(SCREENING));
	struct case_walk w = {.v = v, .home = h};
	uint64_t processed = 0, entries;

	TRY(ledger_verify(h->step, report, v));
	TRY(cases_verify(h->step, report, v));
	TRY(step_each(h->step, T_CASES, (struct slice){0}, case_row, &w));
	for (uint64_t i = 0; i < v->size; i++)
		processed += v->log[i].row.kind == KIND_SEND_FACTS && is_processed(h, &v->log[i]);
	if (processed != w.cases)
		found(v, FOUND_FACTS_DIFFER, "%" PRIu64 " / %" PRIu64, processed, w.cases);
	TRY(step_count(h->step, T_LEDGER, &entries));
	checked(v, CHECK_3, "%" PRIu64 " entries of the ledger",
		"%" PRIu64 " écritures du registre", entries);
	checked(v, CHECK_9, "%" PRIu64 " changes of %" PRIu64 " cases in screening",
		"%" PRIu64 " changements de %" PRIu64 " dossiers à l’examen", w.changes, w.cases);
	return count_places(v, h);
}
