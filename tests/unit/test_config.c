/* Goal: a configuration file means what config.def says, and every mistake in it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "services/common/base/config.h"

struct place {
	char folder[32], path[48];
	char *told; /* what was written to `errors` */
	struct config config;
};

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	snprintf(p->folder, sizeof(p->folder), "/tmp/havre-config-XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	snprintf(p->path, sizeof(p->path), "%s/havre.conf", p->folder);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	config_free(&p->config);
	free(p->told);
	unlink(p->path);
	assert_int_equal(rmdir(p->folder), 0);
	free(p);
	return 0;
}

static enum err load(struct place *p, enum program program, enum lang lang, const char *text)
{
	size_t len = 0;
	FILE *f, *errors;
	enum err e;

	config_free(&p->config);
	free(p->told);
	p->told = NULL;
	if (text) {
		f = fopen(p->path, "w");
		assert_non_null(f);
		fputs(text, f);
		assert_int_equal(fclose(f), 0);
	}
	errors = open_memstream(&p->told, &len);
	assert_non_null(errors);
	e = config_load(p->folder, program, errors, lang, &p->config);
	assert_int_equal(fclose(errors), 0);
	return e;
}

static void defaults_stand_without_a_file(void **state)
{
	struct place *p = *state;
	char key[64];

	snprintf(key, sizeof(key), "%s/key", p->folder);
	assert_int_equal(load(p, PROGRAM_SCREENING, LANG_EN, NULL), OK);
	assert_string_equal(p->told, "");
	assert_string_equal(p->config.home, p->folder);
	assert_string_equal(p->config.key_file, key);
	assert_string_equal(p->config.time_zone, "America/Toronto");
	assert_string_equal(p->config.routine, "tcp://127.0.0.1:5570");
	assert_int_equal(p->config.cap, 250);
	assert_int_equal(p->config.rung_1_s, 900);
	assert_string_equal(p->config.relay_type, "");
}

static void values_are_taken(void **state)
{
	struct place *p = *state;

	assert_int_equal(load(p, PROGRAM_SCREENING, LANG_EN,
				 "# words\n[havre]\nkey = /run/keys/screening\nstore=data/s\n"
				 "log_level = debug\n\n[places]\ncap = 0 ; none\n"),
		OK);
	assert_string_equal(p->told, "");
	assert_string_equal(p->config.key_file, "/run/keys/screening");
	assert_true(strncmp(p->config.store_path, p->folder, strlen(p->folder)) == 0);
	assert_string_equal(p->config.store_path + strlen(p->folder), "/data/s");
	assert_string_equal(p->config.log_level, "debug");
	assert_int_equal(p->config.cap, 0);
}

static void every_mistake_is_told_with_its_line(void **state)
{
	static const struct {
		const char *text, *told;
	} rows[] = {
		{"[places]\n\ncap = 100001\n", "havre.conf:3: [places] cap: this is not a whole "
					       "number of the range (0..100000)\n"},
		{"[places]\ncap = -1\n", "havre.conf:2: [places] cap: this is not a whole number "
					 "of the range (0..100000)\n"},
		{"[places]\ncap = 12x\n", "havre.conf:2: [places] cap: this is not a whole number "
					  "of the range (0..100000)\n"},
		{"[places]\ncap =\n", "havre.conf:2: [places] cap: this is not a whole number of "
				      "the range (0..100000)\n"},
		{"[places]\ncap = 99999999999999999999\n",
			"havre.conf:2: [places] cap: this is not a whole number of the range "
			"(0..100000)\n"},
		{"[places]\nCap = 1\n",
			"havre.conf:2: [places] Cap: there is no such key in this section\n"},
		{"[place]\ncap = 1\n", "havre.conf:2: [place] cap: there is no such section\n"},
		{"cap = 1\n", "havre.conf:1: [] cap: there is no such section\n"},
		{"[places]\ncap = 1\ncap = 1\n",
			"havre.conf:3: [places] cap: this key was given before\n"},
		{"[broker]\nbatch = 10\n",
			"havre.conf:2: [broker] batch: this key is for another program\n"},
		{"[havre]\ntime_zone =\n", "havre.conf:2: [havre] time_zone: the text is too short "
					   "or too long (1..64)\n"},
		{"[havre]\nlog_level = noisy\n",
			"havre.conf:2: [havre] log_level: this is not debug, info, warn or "
			"error\n"},
		{"[havre]\nkey\n", "havre.conf:2: this is neither “[section]” nor “key = value”\n"},
		{"[places]\ncap = x\n[havre]\nkee = y\n",
			"havre.conf:2: [places] cap: this is not a whole number of the range "
			"(0..100000)\nhavre.conf:4: [havre] kee: there is no such key in this "
			"section\n"},
	};
	struct place *p = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(load(p, PROGRAM_SCREENING, LANG_EN, rows[i].text), ERR_INVALID);
		assert_string_equal(p->told, rows[i].told);
		assert_null(p->config.home); /* untouched */
	}
	assert_int_equal(load(p, PROGRAM_SCREENING, LANG_FR, "[places]\ncup = 1\n"), ERR_INVALID);
	assert_string_equal(
		p->told, "havre.conf:2: [places] cup: cette clé n’existe pas dans cette section\n");
}

static void a_long_line_does_not_pass_as_two(void **state)
{
	struct place *p = *state;
	char text[1024], spaces[300];

	memset(spaces, ' ', sizeof(spaces));
	snprintf(text, sizeof(text), "[places]\n#%.*s\ncap = 7%.*scap = 8\ncap = x\n", 190, spaces,
		(int)sizeof(spaces), spaces);
	assert_int_equal(load(p, PROGRAM_SCREENING, LANG_EN, text), ERR_INVALID);
	assert_string_equal(p->told,
		"havre.conf:3: the line is too long\nhavre.conf:4: [places] cap: this is not a "
		"whole number of the range (0..100000)\n");
}

static void a_row_is_for_its_programs(void **state)
{
	struct place *p = *state;

	assert_int_equal(load(p, PROGRAM_BROKER, LANG_EN, "[broker]\nbatch = 10\n"), OK);
	assert_int_equal(p->config.batch, 10);
	assert_int_equal(load(p, PROGRAM_BROKER, LANG_EN, "[link]\ncredit = 1\n"), ERR_INVALID);
	assert_int_equal(load(p, PROGRAM_CLIENT, LANG_EN, "[link]\ncredit = 1\n"), OK);
	assert_int_equal(
		load(p, PROGRAM_ADMIN, LANG_EN,
			"[link]\ncredit = 1\n[broker]\nbatch = 10\n[relay]\ntype = smtp\n"),
		OK);
}

/* What the example says is the default is what stands without it. */
static void the_example_is_a_valid_file(void **state)
{
	struct place *p = *state;

	for (int program = PROGRAM_BROKER; program <= PROGRAM_ADMIN; program++)
		for (int lang = LANG_EN; lang <= LANG_FR; lang++) {
			char *text = NULL, *line;
			size_t len = 0;
			FILE *f = open_memstream(&text, &len);

			assert_non_null(f);
			config_example((enum program)program, (enum lang)lang, f);
			assert_int_equal(fclose(f), 0);
			/* "#key = default" becomes "key = default"; "# words" stay */
			for (line = text; (line = strstr(line, "\n#")); line++)
				if (line[2] != ' ')
					line[1] = ' ';
			for (line = text; *line; line++)
				if (*line == ' ' && line > text && line[-1] == '\n')
					memmove(line, line + 1, strlen(line));
			assert_non_null(strstr(text, "[havre]\n"));
			assert_non_null(strstr(text, "\nstore_mib = 4096\n"));
			assert_int_equal(load(p, (enum program)program, (enum lang)lang, text), OK);
			assert_string_equal(p->told, "");
			assert_int_equal(p->config.store_mib, 4096);
			free(text);
		}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(defaults_stand_without_a_file),
		TEST(values_are_taken),
		TEST(every_mistake_is_told_with_its_line),
		TEST(a_long_line_does_not_pass_as_two),
		TEST(a_row_is_for_its_programs),
		TEST(the_example_is_a_valid_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
