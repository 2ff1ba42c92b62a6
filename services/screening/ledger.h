/*
 * ledger.h - the places, in persons: an append-only list of entries, and the balances derived from
 * it in the same step. A household is one entry. In every year, at every entry,
 *
 *     reserved + consumed <= cap        and, where a partner has an allotment, used <= allotment
 *
 * The cap is the configuration's, an allotment the share of that year in the partner's agreement;
 * each entry names the limits that it was written under.
 */
#ifndef HAVRE_SCREENING_LEDGER_H
#define HAVRE_SCREENING_LEDGER_H

#include "services/screening/screening.h"

/* The places of a year, as one partner sees them. */
struct room {
	uint32_t cap, reserved, consumed, free;
	bool limited;             /* the partner has an allotment */
	uint32_t allotment, used; /* 0 without one; what the partner's cases use */
};

MUST_USE enum err ledger_room(struct step *s, const char *partner, uint32_t year, struct room *ret);
/* Room in the year; room in the partner's own allotment. */
bool room_in_year(const struct room *r, uint32_t persons);
bool room_in_allotment(const struct room *r, uint32_t persons);
/* Could so many have places in that year, if reservations were released? */
bool room_possible(const struct room *r, uint32_t persons);

struct claim {
	const char *case_number, *partner;
	uint32_t year, persons;
};

/* *ret_done false: there is no room, and nothing was written. The household must hold nothing. */
MUST_USE enum err ledger_reserve(struct step *s, const struct claim *c, bool *ret_done);
/* More (while there is room) or fewer persons in the reservation; at least one is left. */
MUST_USE enum err ledger_adjust(
	struct step *s, const char *case_number, int32_t difference, bool *ret_done);
/* The whole reservation. ERR_NOT_FOUND: none is open. */
MUST_USE enum err ledger_release(struct step *s, const char *case_number);
/* The household has arrived: all that it reserved is used. ERR_NOT_FOUND: nothing is reserved. */
MUST_USE enum err ledger_consume(struct step *s, const char *case_number);

/* What the household has; all zero when it never had any. */
struct household {
	uint32_t year, reserved, consumed;
};
MUST_USE enum err ledger_household(struct step *s, const char *case_number, struct household *ret);

/* Keys of the balances. */
void ledger_year_key(struct key *k, uint32_t year);
void ledger_share_key(struct key *k, uint32_t year, const char *partner);

#endif
