/*
 * day.h - civil dates as day numbers (0 is 1970-01-01), so that they can be compared and counted
 * with. Reading and writing them as text is in json.h.
 */
#ifndef HAVRE_PROTO_DAY_H
#define HAVRE_PROTO_DAY_H

#include <stdint.h>

#include "proto/err.h"

#define MS_A_DAY INT64_C(86400000)

/* The day of a Gregorian date; one that does not exist (29 February in a common year) is the day
 * after the last that does. */
int64_t day_of_date(int year, int month, int day);
void date_of_day(int64_t day_number, int *ret_year, int *ret_month, int *ret_day);
/* ERR_INVALID when the text is not a date. */
MUST_USE enum err day_parse(const char *text, int64_t *ret_day);
/* The day in UTC at that time. */
int64_t day_of_time(int64_t ms);

#endif
