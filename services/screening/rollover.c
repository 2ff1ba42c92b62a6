/* The end of a year of places: one step, whatever the number of households. */
#include "services/screening/places.h"

#include "services/common/base/civil.h"
#include "services/common/base/log.h"
#include "services/screening/ledger.h"
#include "services/screening/waiting.h"

#define TIMER "year end"

/* The household as large as it is, or at least as many as had places: the others stay pending. */
static enum err reserve_next(
	struct step *s, const ScreeningCase *c, const struct household *was, bool *ret_done)
{
	struct claim all = {c->case_number, c->partner, was->year + 1, c->persons};
	struct claim same = {c->case_number, c->partner, was->year + 1, was->reserved};
	struct key place = {0};
	bool done;

	TRY(ledger_reserve(s, &all, &done));
	if (done) {
		order_key(&place, c);
		TRY(waiting_remove(s, key_slice(&place)));
	} else if (same.persons < all.persons) {
		TRY(ledger_reserve(s, &same, &done));
	}
	*ret_done = done;
	return OK;
}

static enum err keep_waiting(struct step *s, ScreeningCase *c, uint32_t year)
{
	struct change change = {
		.event = EVENT__WAITLIST, .who = WHO_MACHINE, .actor = step_self(s)};
	ScreeningWaiting w = SCREENING_WAITING__INIT;
	struct key place = {0};

	w.case_number = c->case_number;
	w.partner = c->partner;
	w.year = year;
	w.persons = c->persons;
	order_key(&place, c);
	TRY(waiting_put(s, key_slice(&place), &w));
	c->kept = c->state;
	return cases_apply(s, c, &change);
}

/* Released and reserved again; what does not fit waits for a person, its approval kept. */
static enum err roll(struct step *s, const char *case_number, const struct household *was)
{
	ScreeningCase *c;
	bool done;
	enum err e;

	TRY(cases_load(s, case_number, &c));
	e = ledger_release(s, case_number);
	if (e == OK)
		e = reserve_next(s, c, was, &done);
	if (e == OK && !done)
		e = keep_waiting(s, c, was->year + 1);
	screening_case__free_unpacked(c, NULL);
	return e;
}

enum err places_close_year(struct step *s)
{
	struct slice key, value;
	struct key at = {0};
	uint32_t year;
	enum err e;

	TRY(places_open_year(s, &year));
	/* first the reservations, in the order of the queue */
	while ((e = step_next(s, T_QUEUE, key_slice(&at), true, &key, &value)) == OK) {
		struct household h;

		at = (struct key){0};
		key_bytes(&at, key.data, key.len);
		TRY(ledger_household(s, order_case(key_slice(&at)), &h));
		if (h.year == year && h.reserved)
			TRY(roll(s, order_case(key_slice(&at)), &h));
	}
	if (e != ERR_NOT_FOUND)
		return e;
	/* then the waiting list */
	TRY(waiting_roll(s, year));
	TRY(places_set_open_year(s, year + 1));
	TRY(places_serve(s, year + 1));
	log_info("YEAR-CLOSED", "year=%u", (unsigned)year);
	return step_timer_set(s, TIMER, slice_str(TIMER), civil_year_start((int)year + 2));
}

/* Also after years of downtime: each year in its turn. */
enum err on_year_end(struct step *s, struct slice key)
{
	uint32_t open, now = (uint32_t)civil_year(step_now(s));

	(void)key;
	TRY(places_open_year(s, &open));
	for (; open < now; open++)
		TRY(places_close_year(s));
	return step_timer_set(s, TIMER, slice_str(TIMER), civil_year_start((int)open + 1));
}

/* The first start opens a year; any start may have brought a larger cap. */
enum err screening_start(struct step *s)
{
	uint32_t open;

	TRY(places_open_year(s, &open));
	TRY(places_set_open_year(s, open));
	TRY(step_timer_set(s, TIMER, slice_str(TIMER), civil_year_start((int)open + 1)));
	return places_serve_all(s);
}
