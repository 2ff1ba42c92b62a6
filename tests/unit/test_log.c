/* Goal: an event is one line with its id, whatever its values hold, and quiet levels stay quiet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "services/common/base/log.h"

static char text[8192];

/* What log_everything writes to stderr, with `value` in its lines. */
static const char *lines_of(enum log_level least, const char *value)
{
	int old = dup(STDERR_FILENO);
	FILE *f = tmpfile();

	assert_non_null(f);
	dup2(fileno(f), STDERR_FILENO);
	log_setup("test", least);
	log_debug("SOME-DEBUG", "value=%s", value);
	log_info("SOME-INFO", "value=%s", value);
	log_warn("SOME-WARN", "value=%s n=%d", value, 7);
	log_error("SOME-ERROR", "%s", "");
	dup2(old, STDERR_FILENO);
	close(old);
	rewind(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = 0;
	fclose(f);
	return text;
}

static int count(const char *s, char c)
{
	int n = 0;

	for (; *s; s++)
		n += *s == c;
	return n;
}

static void lines_have_time_level_program_and_id(void **state)
{
	const char *s = lines_of(LOG_DEBUG, "x");

	(void)state;
	assert_int_equal(count(s, '\n'), 4);
	assert_non_null(strstr(s, "Z level=debug prog=test id=SOME-DEBUG value=x\n"));
	assert_non_null(strstr(s, "Z level=info prog=test id=SOME-INFO value=x\n"));
	assert_non_null(strstr(s, "Z level=warn prog=test id=SOME-WARN value=x n=7\n"));
	assert_non_null(strstr(s, "Z level=error prog=test id=SOME-ERROR\n"));
	assert_true(s[4] == '-' && s[10] == 'T' && s[23] == 'Z');
}

static void levels_below_are_not_written(void **state)
{
	(void)state;
	assert_int_equal(count(lines_of(LOG_INFO, "x"), '\n'), 3);
	assert_int_equal(count(lines_of(LOG_WARN, "x"), '\n'), 2);
	assert_int_equal(count(lines_of(LOG_ERROR, "x"), '\n'), 1);
}

static void a_value_cannot_make_a_second_line(void **state)
{
	char long_value[4000];

	(void)state;
	lines_of(LOG_WARN, "a\nlevel=error id=FORGED\r\x1b[31m");
	assert_int_equal(count(text, '\n'), 2);
	assert_int_equal(count(text, '\r') + count(text, '\x1b'), 0);
	memset(long_value, 'y', sizeof(long_value) - 1);
	long_value[sizeof(long_value) - 1] = 0;
	lines_of(LOG_WARN, long_value);
	assert_int_equal(count(text, '\n'), 2);
	assert_true(strlen(text) < 1200);
}

static void levels_have_names(void **state)
{
	enum log_level level = LOG_DEBUG;

	(void)state;
	assert_int_equal(log_level_find("warn", &level), OK);
	assert_int_equal(level, LOG_WARN);
	assert_int_equal(log_level_find("WARN", &level), ERR_INVALID);
	assert_int_equal(log_level_find("", &level), ERR_INVALID);
	assert_int_equal(level, LOG_WARN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_have_time_level_program_and_id),
		cmocka_unit_test(levels_below_are_not_written),
		cmocka_unit_test(a_value_cannot_make_a_second_line),
		cmocka_unit_test(levels_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
