/* Step 7: what an officer decides, on a named version of the case. Everything is checked before
 * anything is written; what is refused changes nothing and is answered with the reason. */
#include "services/common/base/civil.h"
#include "services/common/base/log.h"
#include "services/screening/ledger.h"
#include "services/screening/places.h"

#define PERSONS_MOST 1000

/* A refusal, or OK; *ret_refused stays OK when nothing is wrong. */
typedef enum err check(
	struct step *s, const ScreeningCase *c, const Decision *d, enum err *ret_refused);
/* What follows for the places, after the state has changed. */
typedef enum err effect(struct step *s, const ScreeningCase *c, const Decision *d);

static enum err year_of(struct step *s, const Decision *d, uint32_t *ret)
{
	if (!d->arrival_year)
		return places_open_year(s, ret);
	*ret = d->arrival_year;
	return OK;
}

static enum err year_is_open(
	struct step *s, const ScreeningCase *c, const Decision *d, enum err *ret_refused)
{
	uint32_t year, open;

	(void)c;
	TRY(places_open_year(s, &open));
	TRY(year_of(s, d, &year));
	if (year < open || year > open + YEARS_AHEAD)
		*ret_refused = ERR_NO_TRANSITION;
	return OK;
}

/* Only the stream for human rights defenders draws on these places. */
static enum err may_join(
	struct step *s, const ScreeningCase *c, const Decision *d, enum err *ret_refused)
{
	Facts *f;

	TRY(year_is_open(s, c, d, ret_refused));
	TRY(cases_facts(s, c->case_number, &f));
	if (f->route != ROUTE__HRD_STREAM)
		*ret_refused = ERR_NO_TRANSITION;
	facts__free_unpacked(f, NULL);
	return OK;
}

static enum err has_room(
	struct step *s, const ScreeningCase *c, const Decision *d, enum err *ret_refused)
{
	struct room room;
	uint32_t year;

	TRY(year_is_open(s, c, d, ret_refused));
	TRY(year_of(s, d, &year));
	TRY(ledger_room(s, c->partner, year, &room));
	if (!room_in_year(&room, c->persons) || !room_in_allotment(&room, c->persons))
		*ret_refused = ERR_NO_TRANSITION;
	return OK;
}

static enum err size_is_possible(
	struct step *s, const ScreeningCase *c, const Decision *d, enum err *ret_refused)
{
	(void)s;
	(void)c;
	if (d->persons == 0 || d->persons > PERSONS_MOST)
		*ret_refused = ERR_NO_TRANSITION;
	return OK;
}

/* A household travels whole: not while one of them waits for a place. */
static enum err household_is_placed(
	struct step *s, const ScreeningCase *c, const Decision *d, enum err *ret_refused)
{
	uint32_t pending;

	(void)d;
	TRY(places_pending(s, c, &pending));
	if (pending)
		*ret_refused = ERR_NO_TRANSITION;
	return OK;
}

static enum err join(struct step *s, const ScreeningCase *c, const Decision *d)
{
	uint32_t year;

	TRY(year_of(s, d, &year));
	return places_join(s, c, year);
}

static enum err take(struct step *s, const ScreeningCase *c, const Decision *d)
{
	uint32_t year;
	bool done;

	TRY(year_of(s, d, &year));
	TRY(places_take(s, c, year, &done));
	return done ? OK : ERR_CORRUPT; /* has_room said so */
}

static enum err resize(struct step *s, const ScreeningCase *c, const Decision *d)
{
	(void)d;
	return places_resize(s, c);
}

static const struct deed {
	Event event;
	check *check;
	effect *effect;
} deeds[] = {
	{EVENT__RECOMMEND, may_join, join},
	{EVENT__RESERVE_PLACES, has_room, take},
	{EVENT__ADJUST_HOUSEHOLD, size_is_possible, resize},
	{EVENT__CLEAR_FOR_DEPARTURE, household_is_placed, NULL},
	{EVENT__ARRIVE, household_is_placed, NULL},
	{0},
};

static const struct deed *deed_of(Event event)
{
	const struct deed *d = deeds;

	while (d->event && d->event != event)
		d++;
	return d;
}

static bool has_reason(const Decision *d)
{
	for (size_t i = 0; i < d->n_reasons; i++)
		if (d->reasons[i] != REASON__NO_REASON)
			return true;
	return false;
}

/* The partner must be able to answer it, or to try another country with it. */
static bool lacks_writing(const Decision *d)
{
	return (d->event == EVENT__REFUSE || d->event == EVENT__SPLIT_DECISION) && !d->note;
}

static enum err examine(
	struct step *s, const ScreeningCase *c, const Decision *d, enum err *ret_refused)
{
	const struct transition *t = states_find(c->state, d->event, WHO_PERSON, c->kept);
	const struct deed *deed = deed_of(d->event);

	*ret_refused = OK;
	if (d->case_version != c->version)
		*ret_refused = ERR_STALE;
	else if (!t || !event_is_decision(d->event))
		*ret_refused = ERR_NO_TRANSITION;
	else if (state_negative(t->to) && (!has_reason(d) || lacks_writing(d)))
		*ret_refused = ERR_REASON_MISSING;
	else if (deed->check)
		return deed->check(s, c, d, ret_refused);
	return OK;
}

static enum err carry_out(struct step *s, ScreeningCase *c, const Decision *d)
{
	const struct deed *deed = deed_of(d->event);
	struct change change = {
		.event = d->event,
		.who = WHO_PERSON,
		.actor = step_sender(s),
		.reasons = d->reasons,
		.n_reasons = d->n_reasons,
		.note = d->note,
		.persons = d->event == EVENT__ADJUST_HOUSEHOLD ? d->persons : 0,
	};

	TRY(places_move(s, c, &change));
	return deed->effect ? deed->effect(s, c, d) : OK;
}

static enum err answer(struct step *s, const Decision *d, enum err result)
{
	DecisionResult r = DECISION_RESULT__INIT;
	ScreeningCase *c = NULL;
	enum err e = cases_load(s, d->case_number, &c);

	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	r.case_number = d->case_number;
	r.event = d->event;
	r.result = result;
	if (c) {
		r.case_version = c->version;
		r.state = c->state;
		r.protection = c->protection;
		screening_case__free_unpacked(c, NULL);
	}
	return step_send_known(s, KIND_ANSWER_DECISION, step_sender(s), &r.base);
}

enum err on_decide(struct step *s, const ProtobufCMessage *m)
{
	const Decision *d = (const Decision *)m;
	enum err refused = OK, e;
	ScreeningCase *c;

	e = cases_load(s, d->case_number, &c);
	if (e == ERR_NOT_FOUND)
		return answer(s, d, ERR_UNKNOWN_CASE);
	if (e != OK)
		return e;
	e = examine(s, c, d, &refused);
	if (e == OK && refused == OK)
		e = carry_out(s, c, d);
	if (refused != OK)
		log_info("DECISION-REFUSED", "event=%s state=%s from=%s why=%s",
			event_name(d->event), state_name(c->state), step_sender(s),
			err_name(refused));
	screening_case__free_unpacked(c, NULL);
	return e == OK ? answer(s, d, refused) : e;
}

/* The open year, or nothing: a year is closed once, and not before it began. */
enum err on_close_year(struct step *s, const ProtobufCMessage *m)
{
	const YearClose *y = (const YearClose *)m;
	Decision none = DECISION__INIT;
	uint32_t open;

	TRY(places_open_year(s, &open));
	if (y->year < open)
		return answer(s, &none, ERR_STALE);
	if (y->year > open || y->year > (uint32_t)civil_year(step_now(s)))
		return answer(s, &none, ERR_NO_TRANSITION);
	TRY(places_close_year(s));
	return answer(s, &none, OK);
}
