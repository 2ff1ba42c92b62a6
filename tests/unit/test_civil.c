/* Goal: days, years and ages are counted in the configured zone, and a zone that is not there is an
 * error, not UTC. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "proto/json.h"
#include "services/common/base/civil.h"

static int64_t at(const char *text)
{
	int64_t ms = 0;

	assert_int_equal(time_parse(text, &ms), OK);
	return ms;
}

static const char *date(const char *text)
{
	static char out[11];

	civil_date(at(text), out);
	return out;
}

static void zones_that_do_not_exist_are_refused(void **state)
{
	static const char *const wrong[] = {"", "Nowhere/Land", "America", "/etc/passwd",
		"../zoneinfo/UTC", "America/../UTC", "UTC0", "zone.tab", "America/Toronto "};
	static const char *const right[] = {"UTC", "America/Toronto", "Pacific/Kiritimati"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(civil_setup(wrong[i]), ERR_INVALID);
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++)
		assert_int_equal(civil_setup(right[i]), OK);
}

static void a_day_begins_at_midnight_of_the_zone(void **state)
{
	(void)state;
	assert_int_equal(civil_setup("America/Toronto"), OK);
	assert_string_equal(date("2026-03-01T04:59:59.999Z"), "2026-02-28");
	assert_string_equal(date("2026-03-01T05:00:00Z"), "2026-03-01");
	/* summer time from 2026-03-08 to 2026-11-01 */
	assert_string_equal(date("2026-07-01T03:59:59.999Z"), "2026-06-30");
	assert_string_equal(date("2026-07-01T04:00:00Z"), "2026-07-01");
	assert_string_equal(date("2026-11-02T04:30:00Z"), "2026-11-01");
	assert_int_equal(civil_setup("Pacific/Kiritimati"), OK);
	assert_string_equal(date("2026-02-28T10:00:00Z"), "2026-03-01");
	assert_int_equal(civil_setup("UTC"), OK);
	assert_string_equal(date("2026-02-28T23:59:59.999Z"), "2026-02-28");
}

static void times_before_1970_are_dates_too(void **state)
{
	char out[11];

	(void)state;
	assert_int_equal(civil_setup("UTC"), OK);
	civil_date(-1, out);
	assert_string_equal(out, "1969-12-31");
	civil_date(0, out);
	assert_string_equal(out, "1970-01-01");
}

static void a_year_begins_in_the_zone(void **state)
{
	(void)state;
	assert_int_equal(civil_setup("America/Toronto"), OK);
	assert_int_equal(civil_year(at("2027-01-01T04:59:59.999Z")), 2026);
	assert_int_equal(civil_year(at("2027-01-01T05:00:00Z")), 2027);
	assert_true(civil_year_start(2027) == at("2027-01-01T05:00:00Z"));
	for (int year = 1990; year < 2060; year++) {
		assert_int_equal(civil_year(civil_year_start(year)), year);
		assert_int_equal(civil_year(civil_year_start(year) - 1), year - 1);
	}
	assert_int_equal(civil_setup("UTC"), OK);
	assert_true(civil_year_start(2027) == at("2027-01-01T00:00:00Z"));
}

static void ages_are_whole_years(void **state)
{
	static const struct {
		const char *born, *on;
		unsigned age;
	} rows[] = {
		{"2004-03-01", "2026-02-28", 21},
		{"2004-03-01", "2026-03-01", 22},
		{"2004-02-29", "2026-02-28", 21}, /* the birthday is on 1 March */
		{"2004-02-29", "2026-03-01", 22},
		{"2004-02-29", "2028-02-28", 23},
		{"2004-02-29", "2028-02-29", 24},
		{"2026-03-01", "2026-03-01", 0},
		{"2003-12-31", "2026-01-01", 22},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned age = 999;

		assert_int_equal(civil_age(rows[i].born, rows[i].on, &age), OK);
		assert_int_equal(age, rows[i].age);
	}
}

static void no_age_without_two_dates_in_order(void **state)
{
	static const char *const rows[][2] = {{"2026-03-02", "2026-03-01"},
		{"2025-02-29", "2026-03-01"}, {"", "2026-03-01"}, {"2004-03-01", "today"}};
	unsigned age = 999;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(civil_age(rows[i][0], rows[i][1], &age), ERR_INVALID);
	assert_int_equal(age, 999);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zones_that_do_not_exist_are_refused),
		cmocka_unit_test(a_day_begins_at_midnight_of_the_zone),
		cmocka_unit_test(times_before_1970_are_dates_too),
		cmocka_unit_test(a_year_begins_in_the_zone),
		cmocka_unit_test(ages_are_whole_years),
		cmocka_unit_test(no_age_without_two_dates_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
