/* Goal: every value of every coded type has its own words, in English and in French. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "proto/catalogue.h"
#include "proto/fault.h"
#include "proto/referral.pb-c.h"
#include "proto/registry.pb-c.h"
#include "proto/words.h"

#define TYPES_MOST 64

static const ProtobufCEnumDescriptor *types[TYPES_MOST];
static unsigned n_types;

/* Every coded type that a message of the catalogue or the registry can hold. */
static void collect(const ProtobufCMessageDescriptor *m)
{
	for (unsigned i = 0; i < m->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &m->fields[i];
		unsigned k = 0;

		if (f->type == PROTOBUF_C_TYPE_MESSAGE)
			collect(f->descriptor);
		if (f->type != PROTOBUF_C_TYPE_ENUM)
			continue;
		while (k < n_types && types[k] != f->descriptor)
			k++;
		if (k < n_types)
			continue;
		assert_true(n_types < TYPES_MOST);
		types[n_types++] = f->descriptor;
	}
}

static int collect_all(void **state)
{
	unsigned count;
	const struct kind_row *rows = catalogue_rows(&count);

	(void)state;
	for (unsigned i = 0; i < count; i++)
		collect(rows[i].body);
	collect(&registry__descriptor);
	return 0;
}

static void all_types_are_seen(void **state)
{
	(void)state;
	assert_in_range(n_types, 22, TYPES_MOST); /* 20 in codes.proto, Role, Finding */
}

static bool typeset(const char *text)
{
	return text[0] && text[0] != ' ' && !strchr(text, '\'') && text[strlen(text) - 1] != '.';
}

static void every_value_has_words(void **state)
{
	(void)state;
	for (unsigned t = 0; t < n_types; t++)
		for (unsigned v = 0; v < types[t]->n_values; v++)
			for (enum lang lang = LANG_EN; lang <= LANG_FR; lang++) {
				const char *text = word(types[t], types[t]->values[v].value, lang);

				if (strcmp(text, "?") == 0 || !typeset(text))
					fail_msg("%s.%s", types[t]->name, types[t]->values[v].name);
			}
}

static void values_of_a_type_differ(void **state)
{
	(void)state;
	for (unsigned t = 0; t < n_types; t++)
		for (unsigned a = 0; a < types[t]->n_values; a++)
			for (unsigned b = 0; b < a; b++)
				for (enum lang lang = LANG_EN; lang <= LANG_FR; lang++)
					assert_string_not_equal(
						word(types[t], types[t]->values[a].value, lang),
						word(types[t], types[t]->values[b].value, lang));
}

static void french_colons_stand_apart(void **state)
{
	(void)state;
	for (unsigned t = 0; t < n_types; t++)
		for (unsigned v = 0; v < types[t]->n_values; v++) {
			const char *text = word(types[t], types[t]->values[v].value, LANG_FR);

			assert_null(strstr(text, " :")); /* a no-break space belongs there */
		}
}

static void an_unknown_value_has_none(void **state)
{
	(void)state;
	assert_string_equal(word(&language__descriptor, 99, LANG_EN), "?");
}

static void faults_have_words_and_are_found(void **state)
{
	(void)state;
	for (int code = 0; code < FAULT_COUNT; code++) {
		assert_int_equal(fault_find(fault_name(code)), code);
		assert_true(typeset(fault_text(code, LANG_EN)));
		assert_true(typeset(fault_text(code, LANG_FR)));
	}
	assert_int_equal(fault_find("NO_SUCH_FAULT"), FAULT_COUNT);
}

static void faults_beyond_the_list_are_counted(void **state)
{
	struct faults f = {0};

	(void)state;
	for (unsigned i = 0; i < FAULTS_MOST + 3; i++)
		fault_add(&f, FAULT_REQUIRED, "persons[%u]", i);
	assert_int_equal(f.n, FAULTS_MOST);
	assert_int_equal(f.more, 3);
	assert_string_equal(f.list[FAULTS_MOST - 1].path, "persons[63]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_types_are_seen),
		cmocka_unit_test(every_value_has_words),
		cmocka_unit_test(values_of_a_type_differ),
		cmocka_unit_test(french_colons_stand_apart),
		cmocka_unit_test(an_unknown_value_has_none),
		cmocka_unit_test(faults_have_words_and_are_found),
		cmocka_unit_test(faults_beyond_the_list_are_counted),
	};

	return cmocka_run_group_tests(tests, collect_all, NULL);
}
