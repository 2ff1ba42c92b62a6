/* Goal: every single field of a referral has its bounds: what must be given, which form and length
 * it may have, which dates are possible. */
#include "tests/unit/referral_changes.h"

static void what_must_be_given(void **state)
{
	static const struct change rows[] = {
		{"made_at", NULL, "made_at REQUIRED"},
		{"claim", NULL, "claim REQUIRED"},
		{"consent", NULL, "consent REQUIRED"},
		{"declaration", NULL, "declaration REQUIRED"},
		{"narrative", NULL, "narrative REQUIRED"},
		{"persons[1].number", NULL, "persons[1].number REQUIRED"},
		{"persons[0].relationship", NULL, "persons[0].relationship REQUIRED"},
		{"persons[3].identity", NULL, "persons[3].identity REQUIRED"},
		{"persons[1].identity.given_names", NULL,
			"persons[1].identity.family_name REQUIRED"},
		{"persons[1].identity.given_names", "' \\t'",
			"persons[1].identity.family_name REQUIRED"},
		{"persons[1].identity.born_on", NULL, "persons[1].identity.born_on REQUIRED"},
		{"persons[1].identity.birth_country", "''",
			"persons[1].identity.birth_country REQUIRED"},
		{"persons[0].identity.address", NULL, "persons[0].identity.address REQUIRED"},
		{"claim.grounds", NULL, "claim.grounds REQUIRED"},
		{"claim.grounds", NULL, "", "refugee_class", "'COUNTRY_OF_ASYLUM'"},
		{"claim.defender_of", "[]", "claim.defender_of REQUIRED"},
		{"claim.defender_of", "[]", "", "route", "'PRIVATE_SPONSORSHIP'"},
		{"consent.form", NULL, "consent.form REQUIRED"},
		{"consent.given_on", NULL, "consent.given_on REQUIRED"},
		{"consent.scopes", NULL, "consent.scopes REQUIRED"},
		{"consent.persons", NULL, "consent.persons REQUIRED"},
		{"declaration.caseworker", NULL, "declaration.caseworker REQUIRED"},
		{"declaration.declared_on", NULL, "declaration.declared_on REQUIRED"},
		{"narrative.persecution", "'\\n '", "narrative.persecution REQUIRED"},
		{"narrative.need_for_resettlement", NULL,
			"narrative.need_for_resettlement REQUIRED"},
	};

	(void)state;
	TRY_CHANGES(referral, family, rows);
}

static void codes_have_their_form(void **state)
{
	static const struct change rows[] = {
		{"reference", "'AB'", "reference BAD_REFERENCE"},
		{"reference", "'AB-'", ""},
		{"reference", "'ab-1'", "reference BAD_REFERENCE"},
		{"reference", "'A B'", "reference BAD_REFERENCE"},
		{"reference", "'ABCDEFGHIJKLMNOPQRSTUVWXYZ-12345'", ""},
		{"reference", "'ABCDEFGHIJKLMNOPQRSTUVWXYZ-123456'", "reference BAD_REFERENCE"},
		{"linked_cases", "['HV-2222-2222-2']", ""},
		{"linked_cases", "['HV-2222-2222-2','HV-2222-2222-3']",
			"linked_cases[1] BAD_CASE_NUMBER"},
		{"linked_cases", "['HV-2222-2222-2','HV-2222-2222-2']",
			"linked_cases[1] SAME_TWICE"},
		{"declaration.caseworker", "'C'", "declaration.caseworker BAD_CODE"},
		{"declaration.caseworker", "'Jane'", "declaration.caseworker BAD_CODE"},
		{"declaration.caseworker", "'ABCDEFGHIJKLMNOPQ'",
			"declaration.caseworker BAD_CODE"},
		{"flags", "['HEALTH','CONVICTION']", ""},
		{"flags", "['HEALTH','CONVICTION','HEALTH']", "flags[2] SAME_TWICE"},
		{"persons[2].hidden_from", "[1,2,1]", "persons[2].hidden_from[2] SAME_TWICE"},
	};

	(void)state;
	TRY_CHANGES(referral, family, rows);
}

static void dates_are_possible(void **state)
{
	static const struct change rows[] = {
		{"made_at", "'2026-01-16T23:59:59Z'", ""},
		{"made_at", "'2026-01-17T00:00:00Z'", "made_at IN_THE_FUTURE"},
		{"made_at", "'2023-01-14T00:00:00Z'", ""},
		{"made_at", "'2023-01-01T00:00:00Z'", "made_at TOO_LONG_AGO"},
		{"persons[3].identity.born_on", "'2026-01-17'",
			"persons[3].identity.born_on IN_THE_FUTURE"},
		{"persons[1].identity.born_on", "'1905-01-01'",
			"persons[1].identity.born_on TOO_LONG_AGO"},
		{"consent.given_on", "'2026-02-01'", "consent.given_on IN_THE_FUTURE"},
		{"consent.given_on", "'2020-01-01'", "consent.given_on TOO_LONG_AGO"},
		{"consent.ends_on", "'2026-01-14'", ""},
		{"consent.ends_on", "'2026-01-13'", "consent.ends_on CONSENT_ENDED"},
		{"declaration.declared_on", "'2026-02-01'",
			"declaration.declared_on IN_THE_FUTURE"},
		{"protection", "{'removal_on':'2026-01-12'}", ""},
		{"protection", "{'removal_on':'2026-01-08'}", "protection.removal_on IN_THE_PAST"},
		{"protection", "{'removal_on':'2030-01-08'}", ""},
	};

	(void)state;
	TRY_CHANGES(referral, family, rows);
}

/* A JSON text of n letters. Free it. */
static char *letters(size_t n)
{
	char *text = malloc(n + 3);

	memset(text, 'x', n + 2);
	text[0] = text[n + 1] = '\'';
	text[n + 2] = 0;
	return text;
}

static void lengths_are_bounded(void **state)
{
	static const struct {
		const char *path;
		size_t most;
	} rows[] = {
		{"persons[0].identity.family_name", 100},
		{"persons[0].identity.given_names", 100},
		{"persons[0].identity.name_in_script", 200},
		{"persons[0].identity.address", 300},
		{"persons[0].identity.contact", 200},
		{"narrative.persecution", 8000},
		{"narrative.special_needs", 8000},
		{"persons[3].narrative.prior_attempts", 8000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *most = letters(rows[i].most), *more = letters(rows[i].most + 1);
		char expected[128];
		struct change changes[] = {
			{rows[i].path, most, ""}, {rows[i].path, more, expected}};

		snprintf(expected, sizeof(expected), "%s TOO_LONG", rows[i].path);
		TRY_CHANGES(referral, family, changes);
		free(most);
		free(more);
	}
}

static void lists_are_bounded(void **state)
{
	json_t *json = from_quotes(family), *persons = json_object_get(json, "persons");
	json_t *last = json_array_get(persons, 3);

	(void)state;
	for (size_t n = 5; n <= 21; n++) {
		json_t *next = json_deep_copy(last);

		json_object_set_new(next, "number", json_integer((json_int_t)n));
		json_array_append_new(persons, next);
		json_object_set_new(json, "case_size", json_integer((json_int_t)n));
		expect(&referral__descriptor, json, "persons", n > 20 ? "persons TOO_MANY" : "");
	}
	json_decref(json);
}

/* 20 persons with eight long narratives each: within every bound but that of the whole. */
static void the_whole_is_bounded(void **state)
{
	static const char *const fields[] = {"persecution", "need_for_resettlement",
		"priority_justification", "special_needs", "prior_attempts", "threat_killed",
		"threat_violence"};
	json_t *json = from_quotes(family), *persons = json_object_get(json, "persons");
	json_t *narrative = json_object(), *last = json_array_get(persons, 3);
	char *words = letters(8000);

	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		json_object_set_new(narrative, fields[i], from_quotes(words));
	json_object_set_new(last, "narrative", narrative);
	for (json_int_t n = 5; n <= 20; n++) {
		json_t *next = json_copy(last);

		json_object_set_new(next, "number", json_integer(n));
		json_array_append_new(persons, next);
		json_object_set_new(json, "case_size", json_integer(n));
	}
	change(json, "protection", "{'threats':['LIKELY_KILLED','LIKELY_VIOLENCE']}");
	expect(&referral__descriptor, json, "20 persons", "");
	change(json, "narrative.special_needs", words);
	for (size_t i = 0; i < 3; i++)
		json_object_set(json_array_get(persons, i), "narrative", narrative);
	expect(&referral__descriptor, json, "20 persons with narratives", " TOO_LONG");
	free(words);
	json_decref(json);
}

/* Every text and every list that a partner can send has a bound. */
static void every_field_is_bounded(const ProtobufCMessageDescriptor *in)
{
	size_t n;
	const struct bound *rows = referral_bounds(&n);

	for (unsigned i = 0; i < in->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &in->fields[i];
		const char *end = strrchr(f->name, '_');
		bool by_name = end && (strcmp(end, "_on") == 0 || strcmp(end, "_country") == 0);
		const struct bound *b = rows;

		if (f->type == PROTOBUF_C_TYPE_MESSAGE)
			every_field_is_bounded(f->descriptor);
		while (b < rows + n && (b->in != in || strcmp(b->field, f->name) != 0))
			b++;
		if (f->label == PROTOBUF_C_LABEL_REPEATED && (b == rows + n || !b->entries))
			fail_msg("the list %s.%s has no bound", in->name, f->name);
		if (f->type == PROTOBUF_C_TYPE_STRING && !by_name &&
			(b == rows + n || (!b->bytes && !b->form)))
			fail_msg("the text %s.%s has no bound", in->name, f->name);
	}
}

static void every_row_is_of_a_field(void **state)
{
	size_t n;
	const struct bound *rows = referral_bounds(&n);

	(void)state;
	for (size_t i = 0; i < n; i++)
		assert_non_null(
			protobuf_c_message_descriptor_get_field_by_name(rows[i].in, rows[i].field));
	every_field_is_bounded(&referral__descriptor);
	every_field_is_bounded(&risk_report__descriptor);
	every_field_is_bounded(&withdrawal__descriptor);
}

/* What never was JSON is held to the same: a message can be made by any program. */
static void what_never_was_json_is_checked_too(void **state)
{
	static const struct fault wanted[] = {
		{"language", FAULT_NOT_IN_LIST},
		{"home_country", FAULT_NOT_A_COUNTRY},
		{"persons[0].identity.family_name", FAULT_NOT_TEXT},
		{"persons[0].identity.born_on", FAULT_NOT_A_DATE},
		{"flags[1]", FAULT_NOT_IN_LIST},
	};
	struct faults faults = {0};
	size_t found = 0;
	Referral r = REFERRAL__INIT;
	Person p = PERSON__INIT, *persons[] = {&p};
	Identity id = IDENTITY__INIT;
	Flag flags[] = {FLAG__HEALTH, FLAG__NO_FLAG};

	(void)state;
	r.reference = "AB-1";
	r.home_country = "Burma";
	r.language = (Language)99;
	r.flags = flags;
	r.n_flags = 2;
	r.persons = persons;
	r.n_persons = 1;
	p.identity = &id;
	id.born_on = "1990-02-30";
	id.family_name = "a\x01";
	assert_int_equal(check(&r.base, &faults), ERR_INVALID);
	for (size_t i = 0; i < faults.n && found < 5; i++)
		found += strcmp(faults.list[i].path, wanted[found].path) == 0 &&
			 faults.list[i].code == wanted[found].code;
	assert_int_equal(found, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_must_be_given),
		cmocka_unit_test(codes_have_their_form),
		cmocka_unit_test(dates_are_possible),
		cmocka_unit_test(lengths_are_bounded),
		cmocka_unit_test(lists_are_bounded),
		cmocka_unit_test(the_whole_is_bounded),
		cmocka_unit_test(every_row_is_of_a_field),
		cmocka_unit_test(what_never_was_json_is_checked_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
