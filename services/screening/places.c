#include "services/screening/places.h"

#include "services/common/base/civil.h"
#include "services/screening/ledger.h"
#include "services/screening/waiting.h"

#define OPEN_YEAR slice_str("open year")

enum err places_open_year(struct step *s, uint32_t *ret)
{
	struct slice v;
	enum err e = step_get(s, T_META, OPEN_YEAR, &v);

	if (e == ERR_NOT_FOUND) {
		*ret = (uint32_t)civil_year(step_now(s));
		return OK;
	}
	if (e != OK)
		return e;
	if (v.len != 8)
		return ERR_CORRUPT;
	*ret = (uint32_t)be64_get(v.data);
	return OK;
}

enum err places_set_open_year(struct step *s, uint32_t year)
{
	uint8_t v[8];

	be64_put(v, year);
	return step_put(s, T_META, OPEN_YEAR, slice_of(v, sizeof(v)));
}

/* The ledger has the places; those who only joined change nothing in the case's state. */
static enum err served(struct step *s, const ScreeningWaiting *w)
{
	struct change change = {
		.event = EVENT__RESERVE_PLACES, .who = WHO_MACHINE, .actor = step_self(s)};
	ScreeningCase *c;
	enum err e;

	if (w->pending)
		return OK;
	TRY(cases_load(s, w->case_number, &c));
	e = cases_apply(s, c, &change);
	screening_case__free_unpacked(c, NULL);
	return e;
}

enum err places_serve(struct step *s, uint32_t year)
{
	return waiting_serve(s, year, served);
}

enum err places_serve_all(struct step *s)
{
	uint32_t open;

	TRY(places_open_year(s, &open));
	for (uint32_t year = open; year <= open + YEARS_AHEAD; year++)
		TRY(places_serve(s, year));
	return OK;
}

enum err places_move(struct step *s, ScreeningCase *c, const struct change *change)
{
	bool reserved = state_holds(c->state) == HOLDS_RESERVED;
	struct key place = {0};
	uint32_t year;

	TRY(places_year(s, c, &year));
	TRY(cases_apply(s, c, change));
	if (reserved && state_holds(c->state) == HOLDS_CONSUMED)
		TRY(ledger_consume(s, c->case_number));
	if (reserved && state_holds(c->state) == HOLDS_NONE)
		TRY(ledger_release(s, c->case_number));
	if (state_holds(c->state) != HOLDS_NONE || state_turn(c->state) == TURN_PLACES)
		return OK;
	order_key(&place, c);
	TRY(waiting_remove(s, key_slice(&place)));
	return year ? places_serve(s, year) : OK;
}

enum err places_join(struct step *s, const ScreeningCase *c, uint32_t year)
{
	struct change change = {
		.event = EVENT__WAITLIST, .who = WHO_MACHINE, .actor = step_self(s)};
	ScreeningWaiting w = SCREENING_WAITING__INIT;
	struct key place = {0};
	ScreeningCase *now;
	enum err e = OK;

	w.case_number = c->case_number;
	w.partner = c->partner;
	w.year = year;
	w.persons = c->persons;
	order_key(&place, c);
	TRY(waiting_put(s, key_slice(&place), &w));
	TRY(places_serve(s, year));
	TRY(cases_load(s, c->case_number, &now));
	if (now->state == STATE__RECOMMENDED)
		e = cases_apply(s, now, &change);
	screening_case__free_unpacked(now, NULL);
	return e;
}

enum err places_take(struct step *s, const ScreeningCase *c, uint32_t year, bool *ret_done)
{
	struct claim claim = {c->case_number, c->partner, year, c->persons};
	struct key place = {0};
	bool done;

	TRY(ledger_reserve(s, &claim, &done));
	if (done) {
		order_key(&place, c);
		TRY(waiting_remove(s, key_slice(&place)));
	}
	*ret_done = done;
	return OK;
}

/* The size of a household that waits for all its places. */
static enum err resize_waiting(struct step *s, const ScreeningCase *c, struct slice place)
{
	ScreeningWaiting *w;
	uint32_t year;
	enum err e = waiting_get(s, place, &w);

	if (e == ERR_NOT_FOUND)
		return OK;
	if (e != OK)
		return e;
	w->persons = c->persons;
	year = w->year;
	e = waiting_put(s, place, w);
	screening_waiting__free_unpacked(w, NULL);
	return e == OK ? places_serve(s, year) : e;
}

enum err places_resize(struct step *s, const ScreeningCase *c)
{
	ScreeningWaiting w = SCREENING_WAITING__INIT;
	struct key place = {0};
	struct household h;
	bool done;

	order_key(&place, c);
	if (state_holds(c->state) != HOLDS_RESERVED)
		return resize_waiting(s, c, key_slice(&place));
	TRY(ledger_household(s, c->case_number, &h));
	TRY(waiting_remove(s, key_slice(&place)));
	if (c->persons < h.reserved) {
		int32_t fewer = (int32_t)c->persons - (int32_t)h.reserved;

		TRY(ledger_adjust(s, c->case_number, fewer, &done));
	} else if (c->persons > h.reserved) {
		w.case_number = c->case_number;
		w.partner = c->partner;
		w.year = h.year;
		w.persons = c->persons - h.reserved;
		w.pending = true;
		TRY(waiting_put(s, key_slice(&place), &w));
	}
	return places_serve(s, h.year);
}

enum err places_pending(struct step *s, const ScreeningCase *c, uint32_t *ret)
{
	ScreeningWaiting *w;
	struct key place = {0};
	enum err e;

	order_key(&place, c);
	e = waiting_get(s, key_slice(&place), &w);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	*ret = e == OK && w->pending ? w->persons : 0;
	if (e == OK)
		screening_waiting__free_unpacked(w, NULL);
	return OK;
}

enum err places_year(struct step *s, const ScreeningCase *c, uint32_t *ret)
{
	ScreeningWaiting *w;
	struct household h;
	struct key place = {0};
	enum err e;

	TRY(ledger_household(s, c->case_number, &h));
	if (h.reserved || h.consumed) {
		*ret = h.year;
		return OK;
	}
	order_key(&place, c);
	e = waiting_get(s, key_slice(&place), &w);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	*ret = e == OK ? w->year : 0;
	if (e == OK)
		screening_waiting__free_unpacked(w, NULL);
	return OK;
}
