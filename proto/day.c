#include "proto/day.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "proto/json.h"

/* 1970-01-01T00:00:00.000Z to 9999-12-31T23:59:59.999Z. */
#define TIME_MOST INT64_C(253402300799999)

/*
 * The year is counted from 1 March, so that the leap day is its last and 400 years are one period
 * of 146097 days; 719468 days lie between 1 March of the year 0 and 1970-01-01.
 */
int64_t day_of_date(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t period = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_period = y - period * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_period =
		year_of_period * 365 + year_of_period / 4 - year_of_period / 100 + day_of_year;

	return period * 146097 + day_of_period - 719468;
}

void date_of_day(int64_t day_number, int *ret_year, int *ret_month, int *ret_day)
{
	int64_t z = day_number + 719468;
	int64_t period = (z >= 0 ? z : z - 146096) / 146097;
	int64_t of_period = z - period * 146097;
	int64_t year =
		(of_period - of_period / 1460 + of_period / 36524 - of_period / 146096) / 365;
	int64_t of_year = of_period - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;

	*ret_day = (int)(of_year - (153 * month + 2) / 5 + 1);
	*ret_month = (int)(month < 10 ? month + 3 : month - 9);
	*ret_year = (int)(year + period * 400 + (*ret_month <= 2));
}

int64_t day_of_time(int64_t ms)
{
	return ms / MS_A_DAY - (ms % MS_A_DAY < 0);
}

/* Exactly n digits at *text, which moves behind them. */
static bool digits(const char **text, int n, int *ret)
{
	int v = 0;

	for (; n > 0; n--, (*text)++) {
		if (**text < '0' || **text > '9')
			return false;
		v = v * 10 + (**text - '0');
	}
	*ret = v;
	return true;
}

static bool skip(const char **text, char c)
{
	if (**text != c)
		return false;
	(*text)++;
	return true;
}

static bool date_exists(int y, int m, int d)
{
	static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return y >= 1 && m >= 1 && m <= 12 && d >= 1 && d <= days[m - 1] &&
	       (m != 2 || d != 29 || leap);
}

static bool scan_date(const char **text, int *y, int *m, int *d)
{
	return digits(text, 4, y) && skip(text, '-') && digits(text, 2, m) && skip(text, '-') &&
	       digits(text, 2, d) && date_exists(*y, *m, *d);
}

enum err date_parse(const char *text, int *ret_year, int *ret_month, int *ret_day)
{
	int y, m, d;

	if (!scan_date(&text, &y, &m, &d) || *text)
		return ERR_INVALID;
	*ret_year = y;
	*ret_month = m;
	*ret_day = d;
	return OK;
}

enum err day_parse(const char *text, int64_t *ret_day)
{
	int y, m, d;

	TRY(date_parse(text, &y, &m, &d));
	*ret_day = day_of_date(y, m, d);
	return OK;
}

/* ".5" is 500 ms; what is finer than a millisecond is cut off. */
static bool scan_fraction(const char **text, int *ret_ms)
{
	int ms = 0, worth = 100, n = 0;

	if (skip(text, '.')) {
		for (; **text >= '0' && **text <= '9'; (*text)++, worth /= 10, n++)
			ms += (**text - '0') * worth;
		if (n == 0 || n > 9)
			return false;
	}
	*ret_ms = ms;
	return true;
}

/* "Z" or "+hh:mm" or "-hh:mm": the minutes that the civil time is ahead of UTC. */
static bool scan_offset(const char **text, int *ret_minutes)
{
	int sign, h, m;

	if (skip(text, 'Z')) {
		*ret_minutes = 0;
		return true;
	}
	sign = **text == '-' ? -1 : 1;
	if (!skip(text, '+') && !skip(text, '-'))
		return false;
	if (!digits(text, 2, &h) || !skip(text, ':') || !digits(text, 2, &m) || h > 23 || m > 59)
		return false;
	*ret_minutes = sign * (h * 60 + m);
	return true;
}

enum err time_parse(const char *rfc3339, int64_t *ret_ms)
{
	const char **text = &rfc3339;
	int year, month, day, h, m, s, ms, ahead;
	int64_t t;

	if (!scan_date(text, &year, &month, &day) || !skip(text, 'T') || !digits(text, 2, &h) ||
		!skip(text, ':') || !digits(text, 2, &m) || !skip(text, ':') ||
		!digits(text, 2, &s) || !scan_fraction(text, &ms) || !scan_offset(text, &ahead) ||
		**text)
		return ERR_INVALID;
	if (h > 23 || m > 59 || s > 59)
		return ERR_INVALID;
	t = day_of_date(year, month, day) * MS_A_DAY;
	t += ((int64_t)h * 3600 + m * 60 + s - (int64_t)ahead * 60) * 1000 + ms;
	if (t < 0 || t > TIME_MOST)
		return ERR_INVALID;
	*ret_ms = t;
	return OK;
}

void time_format(int64_t ms, char out[32])
{
	int64_t t = ms < 0 ? 0 : ms > TIME_MOST ? TIME_MOST : ms;
	int year, month, day, in_day = (int)(t % MS_A_DAY);

	date_of_day(day_of_time(t), &year, &month, &day);
	snprintf(out, 32, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", year, month, day, in_day / 3600000,
		in_day / 60000 % 60, in_day / 1000 % 60, in_day % 1000);
}
