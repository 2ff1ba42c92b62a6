/* Goal: JSON becomes a message whole or not at all, every fault is told with its path, and what
 * goes out comes back the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/case.pb-c.h"
#include "proto/catalogue.h"
#include "proto/json.h"
#include "proto/referral.pb-c.h"
#include "proto/registry.pb-c.h"

static enum err read_text(const char *text, const ProtobufCMessageDescriptor *type,
	struct faults *faults, ProtobufCMessage **ret)
{
	return json_text_to_message(slice_str(text), type, faults, ret);
}

/* The text as a message of that type has exactly the faults told, "path CODE" a line. */
static void has_faults(
	const ProtobufCMessageDescriptor *type, const char *text, const char *expected)
{
	struct faults faults = {0};
	ProtobufCMessage *m = NULL;
	char told[1024] = "";

	assert_int_equal(read_text(text, type, &faults, &m), ERR_INVALID);
	assert_null(m);
	for (size_t i = 0; i < faults.n; i++) {
		size_t n = strlen(told);

		snprintf(told + n, sizeof(told) - n, "%s%s %s", i ? "\n" : "", faults.list[i].path,
			fault_name(faults.list[i].code));
	}
	assert_string_equal(told, expected);
}

#define REFERRAL_FAULTS(text, expected) has_faults(&referral__descriptor, text, expected)

static void a_whole_referral_is_read(void **state)
{
	static const char text[] =
		"{\"reference\":\"AB-1\",\"made_at\":\"2026-01-15T12:00:00.250-05:00\","
		"\"language\":\"FR\",\"home_country\":\"MM\",\"case_size\":2,\"persons\":[{"
		"\"number\":1,"
		"\"accompanying\":true,\"hidden_from\":[2,3],\"identity\":{\"family_name\":"
		"\"N\xc3\xa9\","
		"\"other_names\":[\"x\",\"\"],\"born_on\":\"2000-02-29\"}},{}],"
		"\"flags\":[\"HEALTH\",\"CONVICTION\"],\"linked_cases\":[],\"protection\":{}}";
	struct faults faults = {0};
	ProtobufCMessage *m;
	Referral *r;

	(void)state;
	assert_int_equal(read_text(text, &referral__descriptor, &faults, &m), OK);
	assert_int_equal(faults.n, 0);
	r = (Referral *)m;
	assert_string_equal(r->reference, "AB-1");
	assert_int_equal(r->made_at, 1768496400250);
	assert_int_equal(r->language, LANGUAGE__FR);
	assert_string_equal(r->home_country, "MM");
	assert_string_equal(r->location_country, "");
	assert_int_equal(r->case_size, 2);
	assert_int_equal(r->n_persons, 2);
	assert_true(r->persons[0]->accompanying);
	assert_int_equal(r->persons[0]->n_hidden_from, 2);
	assert_int_equal(r->persons[0]->hidden_from[1], 3);
	assert_string_equal(r->persons[0]->identity->family_name, "N\xc3\xa9");
	assert_string_equal(r->persons[0]->identity->other_names[1], "");
	assert_string_equal(r->persons[0]->identity->born_on, "2000-02-29");
	assert_null(r->persons[1]->identity);
	assert_int_equal(r->flags[1], FLAG__CONVICTION);
	assert_int_equal(r->n_linked_cases, 0);
	assert_non_null(r->protection);
	protobuf_c_message_free_unpacked(m, NULL);
}

static void what_goes_out_comes_back(void **state)
{
	static const struct {
		const ProtobufCMessageDescriptor *type;
		const char *text;
	} rows[] = {
		{&referral__descriptor, "{}"},
		{&referral__descriptor,
			"{\"reference\":\"AB-1\",\"made_at\":\"2026-01-15T17:00:00.250Z\","
			"\"persons\":[{\"number\":1,\"hidden_from\":[2]},{}],\"flags\":[\"HEALTH\"]"
			","
			"\"protection\":{},\"narrative\":{\"persecution\":\"\xe1\x80\x99 "
			"\\n\\t\"}}"},
		{&outcome__descriptor,
			"{\"submission\":\"00ff10\",\"at\":\"2026-01-15T17:00:00.250Z\","
			"\"persons\":4294967295}"},
		{&registry__descriptor, "{\"version\":9007199254740992}"},
		{&decision__descriptor, "{\"note\":{\"sealed\":\"ab\"}}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct faults faults = {0};
		ProtobufCMessage *m;
		json_t *json, *in = json_loads(rows[i].text, 0, NULL);

		assert_int_equal(read_text(rows[i].text, rows[i].type, &faults, &m), OK);
		assert_int_equal(message_to_json(m, &json), OK);
		assert_true(json_equal(in, json));
		json_decref(in);
		json_decref(json);
		protobuf_c_message_free_unpacked(m, NULL);
	}
}

/* A message of every kind, whatever its fields' types, can be told and read. */
static void every_kind_is_readable(void **state)
{
	unsigned count;
	const struct kind_row *rows = catalogue_rows(&count);

	(void)state;
	for (unsigned k = 0; k < count; k++) {
		for (unsigned i = 0; i < rows[k].body->n_fields; i++) {
			char text[128];

			snprintf(text, sizeof(text), "{\"%s\":1.5}", rows[k].body->fields[i].name);
			snprintf(text + 64, 64, "%s WRONG_TYPE", rows[k].body->fields[i].name);
			has_faults(rows[k].body, text, text + 64);
		}
	}
}

static void every_fault_is_told_with_its_path(void **state)
{
	(void)state;
	REFERRAL_FAULTS("{\"reference\":7,\"case_size\":\"1\",\"persons\":{},\"claim\":[],"
			"\"flags\":[1],\"made_at\":5,\"language\":null}",
		"reference WRONG_TYPE\ncase_size WRONG_TYPE\npersons WRONG_TYPE\nclaim WRONG_TYPE\n"
		"flags[0] WRONG_TYPE\nmade_at WRONG_TYPE\nlanguage WRONG_TYPE");
	REFERRAL_FAULTS("{\"persons\":[{},{\"identity\":{\"born_on\":\"2025-02-29\"}},7,"
			"{\"accompanying\":1,\"identity\":{\"birth_country\":\"ZZ\"}}]}",
		"persons[1].identity.born_on NOT_A_DATE\npersons[2] WRONG_TYPE\n"
		"persons[3].accompanying WRONG_TYPE\npersons[3].identity.birth_country "
		"NOT_A_COUNTRY");
	REFERRAL_FAULTS("{\"made_at\":\"2026-01-15T12:00:00\",\"home_country\":\"mm\"}",
		"made_at NOT_A_TIME\nhome_country NOT_A_COUNTRY");
	REFERRAL_FAULTS("{\"case_size\":-1}", "case_size OUT_OF_RANGE");
	REFERRAL_FAULTS("{\"case_size\":4294967296}", "case_size OUT_OF_RANGE");
	REFERRAL_FAULTS("{\"case_size\":1.0}", "case_size WRONG_TYPE");
	has_faults(&registry__descriptor, "{\"version\":9007199254740993,\"root_keys\":[\"0\"]}",
		"version OUT_OF_RANGE\nroot_keys[0] NOT_HEX");
	has_faults(&outcome__descriptor, "{\"submission\":\"0G\"}", "submission NOT_HEX");
	has_faults(&outcome__descriptor, "{\"submission\":\"AB\"}", "submission NOT_HEX");
}

static void only_named_values_are_taken(void **state)
{
	(void)state;
	REFERRAL_FAULTS("{\"language\":\"DE\",\"route\":\"NO_ROUTE\",\"priority\":\"normal\","
			"\"flags\":[\"HEALTH\",\"NO_FLAG\"]}",
		"language NOT_IN_LIST\nroute NOT_IN_LIST\npriority NOT_IN_LIST\nflags[1] "
		"NOT_IN_LIST");
}

static void what_a_value_may_be_is_said(void **state)
{
	struct faults faults = {0};
	ProtobufCMessage *m = NULL;
	char *en, *fr;

	(void)state;
	assert_int_equal(read_text("{\"language\":\"DE\"}", &referral__descriptor, &faults, &m),
		ERR_INVALID);
	assert_int_equal(faults.n, 1);
	en = fault_words(&faults.list[0], LANG_EN);
	fr = fault_words(&faults.list[0], LANG_FR);
	assert_string_equal(en, "the value is not one of the list: EN, FR");
	assert_string_equal(fr, "la valeur ne figure pas dans la liste : EN, FR");
	free(en);
	free(fr);
}

static void control_characters_are_refused(void **state)
{
	(void)state;
	REFERRAL_FAULTS("{\"reference\":\"a\\u0001\"}", "reference NOT_TEXT");
	REFERRAL_FAULTS("{\"reference\":\"a\\r\\n\"}", "reference NOT_TEXT");
	REFERRAL_FAULTS("{\"reference\":\"\\u007f\"}", "reference NOT_TEXT");
	REFERRAL_FAULTS("{\"linked_cases\":[\"\\u0085\"]}", "linked_cases[0] NOT_TEXT");
	REFERRAL_FAULTS("{\"reference\":\"a\\u0000b\"}", " NOT_JSON");
}

static void names_that_are_no_fields_are_told_only_when_they_look_like_one(void **state)
{
	(void)state;
	REFERRAL_FAULTS("{\"refrence\":1}", "refrence UNKNOWN_FIELD");
	REFERRAL_FAULTS("{\"persons\":[{\"Somebody Someone\":1}]}", "persons[0].? UNKNOWN_FIELD");
	REFERRAL_FAULTS("{\"persons\":[{\"some one\":1}]}", "persons[0].? UNKNOWN_FIELD");
	REFERRAL_FAULTS("{\"\":1}", "? UNKNOWN_FIELD");
}

static void what_is_not_json_is_one_fault(void **state)
{
	static const char *const texts[] = {"", "{", "{}x",
		"{\"reference\":\"a\",\"reference\":\"b\"}",
		"{\"persons\":[{\"number\":1,\"number\":1}]}", "{\"reference\":\"\xff\"}",
		"{reference:1}"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		REFERRAL_FAULTS(texts[i], " NOT_JSON");
	REFERRAL_FAULTS("[]", " WRONG_TYPE");
}

/* n entries of a list, in one text. Free it. */
static char *long_list(const char *before, const char *entry, size_t n, const char *after)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	fputs(before, f);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s%s", i ? "," : "", entry);
	fputs(after, f);
	fclose(f);
	return text;
}

static void size_is_bounded(void **state)
{
	char *text = long_list("{\"flags\":[", "\"HEALTH\"", 4097, "]}");

	(void)state;
	REFERRAL_FAULTS(text, "flags TOO_MANY");
	free(text);
	text = long_list("{\"flags\":[", "\"HEALTH\"", 500000, "]}");
	assert_true(strlen(text) > 4 * 1024 * 1024);
	REFERRAL_FAULTS(text, " NOT_JSON");
	free(text);
}

static void dates_must_exist(void **state)
{
	static const char *const bad[] = {"", "2026-1-01", "2026-01-1", "2026-13-01", "2026-00-10",
		"2026-04-31", "2025-02-29", "1900-02-29", "2026-01-00", "0000-01-01", "2026-01-01 ",
		" 2026-01-01", "20260101", "2026/01/01", "+026-01-01"};
	int y = 1, m = 2, d = 3;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(date_parse(bad[i], &y, &m, &d), ERR_INVALID);
	assert_true(y == 1 && m == 2 && d == 3);
	assert_int_equal(date_parse("2000-02-29", &y, &m, &d), OK);
	assert_true(y == 2000 && m == 2 && d == 29);
}

static void times_need_an_offset(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"1970-01-01T00:00:00.001Z", 1},
		{"1970-01-01T01:00:00+01:00", 0},
		{"1969-12-31T19:00:00-05:00", 0},
		{"2026-03-01T12:00:00Z", 1772366400000},
		{"2026-03-01T12:00:00.5Z", 1772366400500},
		{"2026-03-01T12:00:00.123456789Z", 1772366400123},
		{"2026-03-01T17:45:00+05:45", 1772366400000},
		{"9999-12-31T23:59:59.999Z", 253402300799999},
	};
	static const char *const bad[] = {"", "2026-03-01", "2026-03-01T12:00:00",
		"2026-03-01 12:00:00Z", "2026-03-01T12:00Z", "2026-03-01T24:00:00Z",
		"2026-03-01T12:60:00Z", "2026-03-01T12:00:60Z", "2026-03-01T12:00:00.Z",
		"2026-03-01T12:00:00.0123456789Z", "2026-03-01T12:00:00+0100",
		"2026-03-01T12:00:00+24:00", "2026-03-01T12:00:00+01:60", "2026-02-30T12:00:00Z",
		"2026-03-01T12:00:00ZZ", "2026-03-01T12:00:00z", "1969-12-31T23:59:59Z",
		"9999-12-31T23:59:59-01:00", "2026-03-01T12:00:00+-1:00"};
	int64_t ms = -7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(time_parse(bad[i], &ms), ERR_INVALID);
	assert_int_equal(ms, -7);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(time_parse(good[i].text, &ms), OK);
		assert_int_equal(ms, good[i].ms);
	}
}

/* Every day from 1970 to 2400, against a count that knows only how long months are. */
static void every_day_comes_back(void **state)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t day = 0, ms;

	(void)state;
	for (int y = 1970; y <= 2400; y++)
		for (int m = 1; m <= 12; m++) {
			int leap = m == 2 && ((y % 4 == 0 && y % 100 != 0) || y % 400 == 0);

			for (int d = 1; d <= days[m - 1] + leap; d++, day++) {
				char text[32], expected[40];

				snprintf(expected, sizeof(expected), "%04d-%02d-%02dT01:02:03.004Z",
					y, m, d);
				time_format(day * 86400000 + 3723004, text);
				assert_string_equal(text, expected);
				assert_int_equal(time_parse(text, &ms), OK);
				assert_int_equal(ms, day * 86400000 + 3723004);
			}
		}
}

static void times_out_of_range_are_cut(void **state)
{
	char text[32];

	(void)state;
	time_format(INT64_MIN, text);
	assert_string_equal(text, "1970-01-01T00:00:00.000Z");
	time_format(INT64_MAX, text);
	assert_string_equal(text, "9999-12-31T23:59:59.999Z");
}

static void countries_are_those_of_the_list(void **state)
{
	(void)state;
	assert_true(country_valid("CA"));
	assert_true(country_valid("MM"));
	assert_true(country_valid("XK"));
	assert_false(country_valid("ca"));
	assert_false(country_valid("CAN"));
	assert_false(country_valid("C"));
	assert_false(country_valid(""));
	assert_false(country_valid("UK"));
}

/* What cannot be told exactly is not told. */
static void numbers_beyond_2_53_are_not_told(void **state)
{
	Registry m = REGISTRY__INIT;
	json_t *json = NULL;

	(void)state;
	m.version = UINT64_C(1) << 53;
	assert_int_equal(message_to_json(&m.base, &json), OK);
	json_decref(json);
	json = NULL;
	m.version++;
	assert_int_equal(message_to_json(&m.base, &json), ERR_INVALID);
	assert_null(json);
}

/* Everything that is wrong is told at once: bad fields and broken rules, each place once. */
static void a_draft_is_what_could_be_read(void **state)
{
	static const char text[] =
		"{\"reference\": 7, \"case_size\": 3, \"persons\": [5, {\"number\": 2}],"
		" \"linked_cases\": [1, \"B\"]}";
	struct faults faults = {0}, rules = {0};
	ProtobufCMessage *m;
	const Referral *r;

	(void)state;
	assert_int_equal(
		json_text_to_draft(slice_str(text), &referral__descriptor, &faults, &m), OK);
	r = (const Referral *)m;
	assert_int_equal(faults.n, 3);
	assert_int_equal(r->case_size, 3);
	assert_int_equal(r->n_persons, 2);
	assert_int_equal(r->persons[0]->number, 0);
	assert_int_equal(r->persons[1]->number, 2);
	assert_string_equal(r->linked_cases[0], "");
	fault_add(&rules, FAULT_REQUIRED, "reference");
	fault_add(&rules, FAULT_REQUIRED, "persons[0].identity.born_on");
	fault_add(&rules, FAULT_REQUIRED, "persons[1].identity");
	fault_add(&rules, FAULT_REQUIRED, "persons");
	fault_add_others(&faults, &rules);
	assert_int_equal(faults.n, 4);
	assert_string_equal(faults.list[3].path, "persons[1].identity");
	protobuf_c_message_free_unpacked(m, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_draft_is_what_could_be_read),
		cmocka_unit_test(a_whole_referral_is_read),
		cmocka_unit_test(what_goes_out_comes_back),
		cmocka_unit_test(every_kind_is_readable),
		cmocka_unit_test(every_fault_is_told_with_its_path),
		cmocka_unit_test(only_named_values_are_taken),
		cmocka_unit_test(what_a_value_may_be_is_said),
		cmocka_unit_test(control_characters_are_refused),
		cmocka_unit_test(names_that_are_no_fields_are_told_only_when_they_look_like_one),
		cmocka_unit_test(what_is_not_json_is_one_fault),
		cmocka_unit_test(size_is_bounded),
		cmocka_unit_test(dates_must_exist),
		cmocka_unit_test(times_need_an_offset),
		cmocka_unit_test(every_day_comes_back),
		cmocka_unit_test(times_out_of_range_are_cut),
		cmocka_unit_test(countries_are_those_of_the_list),
		cmocka_unit_test(numbers_beyond_2_53_are_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
