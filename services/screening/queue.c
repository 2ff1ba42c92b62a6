/* Step 7: what officers ask. Nothing here writes. */
#include <stdlib.h>

#include "proto/strict.h"
#include "services/screening/ledger.h"
#include "services/screening/places.h"
#include "services/screening/rules.h"
#include "services/screening/waiting.h"

#define QUEUE_MOST 200

/* An answer that owns its memory, from one that borrows it. */
static enum err own(const ProtobufCMessage *borrowed, ProtobufCMessage **ret)
{
	struct buf packed = {0};
	enum err e = strict_pack(borrowed, &packed);

	if (e == OK)
		e = strict_unpack(borrowed->descriptor, slice_buf(&packed), ret);
	buf_free(&packed);
	return e;
}

struct queue {
	State state; /* NO_STATE: all that wait for a person */
	uint32_t limit, total;
	size_t n;
	ScreeningCase *cases[QUEUE_MOST];
};

static bool may_match(const struct queue *q, enum turn turn)
{
	if (q->state == STATE__NO_STATE)
		return turn == TURN_PERSON;
	/* over a roll-over a case waits for a person, whatever its state says */
	return turn == TURN_PERSON || turn == state_turn(q->state);
}

static enum err visit(struct step *s, struct queue *q, struct slice place)
{
	ScreeningCase *c;

	if (q->state == STATE__NO_STATE && q->n == q->limit) {
		q->total++;
		return OK;
	}
	TRY(cases_load(s, order_case(place), &c));
	if (q->state == STATE__NO_STATE || c->state == q->state) {
		q->total++;
		if (q->n < q->limit) {
			q->cases[q->n++] = c;
			return OK;
		}
	}
	screening_case__free_unpacked(c, NULL);
	return OK;
}

static enum err walk_queue(struct step *s, struct queue *q)
{
	struct slice key, value;
	struct key at = {0};
	enum err e;

	while ((e = step_next(s, T_QUEUE, key_slice(&at), true, &key, &value)) == OK) {
		bool match = value.len == 1 && may_match(q, (enum turn)value.data[0]);

		at = (struct key){0};
		key_bytes(&at, key.data, key.len);
		if (match)
			TRY(visit(s, q, key_slice(&at)));
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

static void fill_entry(QueueEntry *e, const ScreeningCase *c)
{
	queue_entry__init(e);
	e->case_number = c->case_number;
	e->case_version = c->version;
	e->state = c->state;
	e->protection = c->protection;
	e->priority = c->priority;
	e->persons = c->persons;
	e->markers = c->markers;
	e->received_at = c->received_at;
	e->partner = c->partner;
	e->flags = c->attention;
}

enum err on_ask_queue(struct step *s, const ProtobufCMessage *m, ProtobufCMessage **ret)
{
	const QueueQuery *question = (const QueueQuery *)m;
	bool all = question->limit == 0 || question->limit > QUEUE_MOST;
	struct queue q = {.state = question->state, .limit = all ? QUEUE_MOST : question->limit};
	QueueEntry entries[QUEUE_MOST], *rows[QUEUE_MOST];
	QueueAnswer a = QUEUE_ANSWER__INIT;
	enum err e = walk_queue(s, &q);

	for (size_t i = 0; i < q.n; i++) {
		fill_entry(&entries[i], q.cases[i]);
		rows[i] = &entries[i];
	}
	a.entries = rows;
	a.n_entries = q.n;
	a.total = q.total;
	if (e == OK)
		e = own(&a.base, ret);
	for (size_t i = 0; i < q.n; i++)
		screening_case__free_unpacked(q.cases[i], NULL);
	return e;
}

/* ---- one case ---- */

/* What an officer may decide now. */
static size_t possible_events(const ScreeningCase *c, bool pending, Event *ret, size_t most)
{
	const struct transition *t;
	size_t n, found = 0;

	t = states_all(&n);
	for (size_t i = 0; i < n && found < most; i++, t++) {
		bool travels = t->event == EVENT__CLEAR_FOR_DEPARTURE || t->event == EVENT__ARRIVE;

		if (t->from != c->state || (travels && pending) || !event_is_decision(t->event) ||
			states_find(c->state, t->event, WHO_PERSON, c->kept) != t)
			continue;
		ret[found++] = t->event;
	}
	return found;
}

struct history {
	Change **rows;
	size_t n, most;
};

static enum err keep_change(void *arg, const Change *change)
{
	struct history *h = arg;
	ProtobufCMessage *copy;

	if (h->n == h->most)
		return ERR_CORRUPT;
	TRY(own(&change->base, &copy));
	h->rows[h->n] = (Change *)copy;
	sealed_note__free_unpacked(h->rows[h->n]->note, NULL); /* no officer can open it */
	h->rows[h->n++]->note = NULL;
	return OK;
}

static enum err load_history(struct step *s, const ScreeningCase *c, struct history *h)
{
	h->most = c->changes;
	h->rows = calloc(h->most + 1, sizeof(Change *));
	return h->rows ? cases_history(s, c, keep_change, h) : ERR_NOMEM;
}

static enum err fill_places(
	struct step *s, const ScreeningCase *c, CaseAnswer *a, bool *ret_pending)
{
	struct household h;
	uint32_t pending;

	TRY(places_pending(s, c, &pending));
	TRY(places_year(s, c, &a->arrival_year));
	TRY(ledger_household(s, c->case_number, &h));
	a->places_reserved = h.reserved;
	a->places_consumed = h.consumed;
	*ret_pending = pending > 0;
	return OK;
}

static enum err answer_case(
	struct step *s, const ScreeningCase *c, Facts *facts, ProtobufCMessage **ret)
{
	CaseAnswer a = CASE_ANSWER__INIT;
	struct history history = {0};
	struct advice advice = {0};
	Event possible[32];
	bool pending = false;
	enum err e;

	e = rules_advise(facts, &advice);
	if (e == OK)
		e = load_history(s, c, &history);
	if (e == OK)
		e = fill_places(s, c, &a, &pending);
	a.facts = facts;
	a.case_version = c->version;
	a.state = c->state;
	a.protection = c->protection;
	a.advice = advice.rows;
	a.n_advice = advice.n;
	a.history = history.rows;
	a.n_history = history.n;
	a.possible = possible;
	a.n_possible =
		possible_events(c, pending, possible, sizeof(possible) / sizeof(possible[0]));
	if (e == OK)
		e = own(&a.base, ret);
	advice_free(&advice);
	for (size_t i = 0; i < history.n; i++)
		change__free_unpacked(history.rows[i], NULL);
	free(history.rows);
	return e;
}

enum err on_ask_case(struct step *s, const ProtobufCMessage *m, ProtobufCMessage **ret)
{
	const CaseQuery *q = (const CaseQuery *)m;
	CaseAnswer unknown = CASE_ANSWER__INIT;
	ScreeningCase *c;
	Facts *facts;
	enum err e = cases_load(s, q->case_number, &c);

	if (e == ERR_NOT_FOUND) {
		unknown.result = ERR_UNKNOWN_CASE;
		return own(&unknown.base, ret);
	}
	if (e != OK)
		return e;
	e = cases_facts(s, q->case_number, &facts);
	if (e == OK) {
		e = answer_case(s, c, facts, ret);
		facts__free_unpacked(facts, NULL);
	}
	screening_case__free_unpacked(c, NULL);
	return e;
}

/* ---- the places of a year ---- */

/* Every partner that has an allotment in the year, or uses places of it. */
static enum err fill_allotments(struct step *s, uint32_t year, PlacesAnswer *a, Allotment *rows)
{
	const Registry *r = registry_message(step_registry(s));

	for (size_t i = 0; i < r->n_principals; i++) {
		Allotment *row = &rows[a->n_allotments];
		struct room room;

		TRY(ledger_room(s, r->principals[i]->name, year, &room));
		if (!room.limited && !room.used)
			continue;
		allotment__init(row);
		row->partner = r->principals[i]->name;
		row->persons = room.allotment;
		row->used = room.used;
		a->allotments[a->n_allotments++] = row;
	}
	return OK;
}

static enum err fill_year(struct step *s, uint32_t year, PlacesAnswer *a)
{
	struct waiting_totals waiting;
	struct room room;

	TRY(ledger_room(s, "", year, &room));
	TRY(waiting_totals(s, year, &waiting));
	a->year = year;
	a->cap = room.cap;
	a->reserved = room.reserved;
	a->consumed = room.consumed;
	a->free = room.free;
	a->waitlisted_persons = waiting.persons;
	a->waitlisted_cases = waiting.cases;
	a->pending_persons = waiting.pending;
	return OK;
}

enum err on_ask_places(struct step *s, const ProtobufCMessage *m, ProtobufCMessage **ret)
{
	const PlacesQuery *q = (const PlacesQuery *)m;
	size_t partners = registry_message(step_registry(s))->n_principals;
	Allotment *rows = calloc(partners + 1, sizeof(*rows));
	Allotment **list = calloc(partners + 1, sizeof(Allotment *));
	PlacesAnswer a = PLACES_ANSWER__INIT;
	uint32_t year = q->year;
	enum err e = rows && list ? OK : ERR_NOMEM;

	a.allotments = list;
	if (e == OK && !year)
		e = places_open_year(s, &year);
	if (e == OK)
		e = fill_year(s, year, &a);
	if (e == OK)
		e = fill_allotments(s, year, &a, rows);
	if (e == OK)
		e = own(&a.base, ret);
	free(rows);
	free(list);
	return e;
}
