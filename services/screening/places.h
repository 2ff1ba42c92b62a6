/*
 * places.h - cases and places together: a case that leaves gives its places back, places that come
 * free are given to who waits, and at the end of a year the reservations roll over.
 */
#ifndef HAVRE_SCREENING_PLACES_H
#define HAVRE_SCREENING_PLACES_H

#include "services/screening/cases.h"

/* How far ahead of the open year an arrival may be expected. */
#define YEARS_AHEAD 5

/* The first year of places that is not closed. */
MUST_USE enum err places_open_year(struct step *s, uint32_t *ret);
MUST_USE enum err places_set_open_year(struct step *s, uint32_t year);

/* cases_apply, and what follows for the places: released, consumed, given to others. */
MUST_USE enum err places_move(struct step *s, ScreeningCase *c, const struct change *change);
/* A recommended case gets places, or waits for them: never refused. The row in the store is newer
 * than *c afterwards. */
MUST_USE enum err places_join(struct step *s, const ScreeningCase *c, uint32_t year);
/* A person gives a waiting case places in that year. *ret_done false: there is no room. */
MUST_USE enum err places_take(
	struct step *s, const ScreeningCase *c, uint32_t year, bool *ret_done);
/* The household now has c->persons: its places follow; who does not fit is pending. */
MUST_USE enum err places_resize(struct step *s, const ScreeningCase *c);
/* Serves the waiting list of that year, or of every year. */
MUST_USE enum err places_serve(struct step *s, uint32_t year);
MUST_USE enum err places_serve_all(struct step *s);

/* How many of the household wait although it has its places. */
MUST_USE enum err places_pending(struct step *s, const ScreeningCase *c, uint32_t *ret);
/* The expected year of arrival; 0: none. */
MUST_USE enum err places_year(struct step *s, const ScreeningCase *c, uint32_t *ret);

/* rollover.c: closes the open year: every reservation of it moves to the next, before the waiting
 * list; what does not fit waits, its approval kept. */
MUST_USE enum err places_close_year(struct step *s);
enum err on_year_end(struct step *s, struct slice key);
enum err screening_start(struct step *s);

#endif
