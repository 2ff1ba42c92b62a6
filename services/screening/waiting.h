/*
 * waiting.h - the households that wait for places, in the order in which they are served when
 * places come free: protection first, then heightened-risk markers, then time of receipt.
 *
 * A smaller household may be served before a larger one that does not fit, but only so often
 * (`passes` of the configuration): then the places are saved. A household that is larger than the
 * year or its partner's allotment is never waited for; it waits for a person.
 */
#ifndef HAVRE_SCREENING_WAITING_H
#define HAVRE_SCREENING_WAITING_H

#include "services/screening/screening.h"

/* A case's place in the order: ranks, a time and the case number, nothing else. */
void order_key(struct key *k, const ScreeningCase *c);
/* The case number at its end. */
const char *order_case(struct slice key);

/* Puts the entry, or replaces the one that is there. */
MUST_USE enum err waiting_put(struct step *s, struct slice place, const ScreeningWaiting *w);
/* ERR_NOT_FOUND: it does not wait. screening_waiting__free_unpacked(*ret). */
MUST_USE enum err waiting_get(struct step *s, struct slice place, ScreeningWaiting **ret);
/* OK also when it does not wait. */
MUST_USE enum err waiting_remove(struct step *s, struct slice place);

/* The entry has its places in the ledger and is no longer in the list. */
typedef enum err waiting_served(struct step *s, const ScreeningWaiting *w);
/* Serves whoever can have places in that year now, in order. */
MUST_USE enum err waiting_serve(struct step *s, uint32_t year, waiting_served *served);
/* All that wait for places in that year wait for the next. */
MUST_USE enum err waiting_roll(struct step *s, uint32_t year);

struct waiting_totals {
	uint32_t persons, cases; /* households without places */
	uint32_t pending;        /* persons who joined a household that has places */
};
MUST_USE enum err waiting_totals(struct step *s, uint32_t year, struct waiting_totals *ret);

#endif
