/* Goal: a case number shows every single wrong character and every two that changed places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "services/common/referral/case_number.h"

#define NUMBERS 2000

static void random_number(char out[CASE_NUMBER_SIZE])
{
	uint8_t random[8];

	randombytes_buf(random, sizeof(random));
	case_number_make(random, out);
}

static void has_the_form(void **state)
{
	(void)state;
	for (int n = 0; n < NUMBERS; n++) {
		char text[CASE_NUMBER_SIZE];

		random_number(text);
		assert_int_equal(strlen(text), CASE_NUMBER_SIZE - 1);
		for (int i = 0; i < CASE_NUMBER_SIZE - 1; i++) {
			const char *form = "HV-****-****-*";

			if (form[i] != '*')
				assert_int_equal(text[i], form[i]);
			else
				assert_non_null(strchr("23456789ABCDEFGHJKLMNPQRSTVWXYZ", text[i]));
		}
		assert_true(case_number_valid(text));
	}
}

static void every_substitution_shows(void **state)
{
	(void)state;
	for (int n = 0; n < NUMBERS; n++) {
		char text[CASE_NUMBER_SIZE];

		random_number(text);
		for (int i = 0; i < CASE_NUMBER_SIZE - 1; i++) {
			char right = text[i];

			for (int c = 1; c < 256; c++) {
				text[i] = (char)c;
				assert_int_equal(case_number_valid(text), text[i] == right);
			}
			text[i] = right;
		}
	}
}

/* Neighbours, and any other two as well. */
static void every_transposition_shows(void **state)
{
	(void)state;
	for (int n = 0; n < NUMBERS; n++) {
		char text[CASE_NUMBER_SIZE];

		random_number(text);
		for (int i = 0; i < CASE_NUMBER_SIZE - 1; i++)
			for (int j = i + 1; j < CASE_NUMBER_SIZE - 1; j++) {
				char a = text[i], b = text[j];

				text[i] = b;
				text[j] = a;
				assert_int_equal(case_number_valid(text), a == b);
				text[i] = a;
				text[j] = b;
			}
	}
}

static void other_texts_are_refused(void **state)
{
	char text[CASE_NUMBER_SIZE + 1];

	(void)state;
	random_number(text);
	text[CASE_NUMBER_SIZE - 1] = '2';
	text[CASE_NUMBER_SIZE] = 0;
	assert_false(case_number_valid(text)); /* one character too many */
	text[CASE_NUMBER_SIZE - 2] = 0;
	assert_false(case_number_valid(text)); /* one too few */
	assert_false(case_number_valid(""));
	assert_false(case_number_valid("HV-2222-2222-3"));
	assert_true(case_number_valid("HV-2222-2222-2"));
	assert_false(case_number_valid("hv-2222-2222-2"));
}

/* The same bytes, the same number: a step that is done again gives the same case. */
static void the_bytes_decide(void **state)
{
	char a[CASE_NUMBER_SIZE], b[CASE_NUMBER_SIZE];

	(void)state;
	case_number_make((const uint8_t[8]){1, 2, 3, 4, 5, 6, 7, 8}, a);
	case_number_make((const uint8_t[8]){1, 2, 3, 4, 5, 6, 7, 8}, b);
	assert_string_equal(a, b);
	case_number_make((const uint8_t[8]){1, 2, 3, 4, 5, 6, 7, 9}, b);
	assert_string_not_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_the_form),
		cmocka_unit_test(every_substitution_shows),
		cmocka_unit_test(every_transposition_shows),
		cmocka_unit_test(other_texts_are_refused),
		cmocka_unit_test(the_bytes_decide),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
