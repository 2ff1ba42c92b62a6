/*
 * civil.h - civil dates in the configured time zone: the age lock, the year of places.
 */
#ifndef HAVRE_CIVIL_H
#define HAVRE_CIVIL_H

#include <stdint.h>

#include "proto/err.h"

/* Once, at start, before any thread. ERR_INVALID: there is no such zone on this machine (the C
 * library would silently count in UTC). */
MUST_USE enum err civil_setup(const char *time_zone);
/* "YYYY-MM-DD" of the moment, in that zone. */
void civil_date(int64_t ms, char ret[11]);
int civil_year(int64_t ms);
/* The first moment of a civil year. */
int64_t civil_year_start(int year);
/* Whole years from a birth date to a day. Both "YYYY-MM-DD"; born on 29 February has the birthday
 * on 1 March in other years. ERR_INVALID: not dates, or born later. */
MUST_USE enum err civil_age(const char *born_on, const char *on, unsigned *ret_years);

#endif
