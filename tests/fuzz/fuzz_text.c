/* The small texts: dates, times, countries, names of principals, case numbers, hexadecimal, the
 * name that a connection carries inside the broker, and a line of a process's numbers. */
#include "tests/fuzz/fuzz.h"

#include "broker/zap.h"
#include "proto/day.h"
#include "proto/envelope.h"
#include "proto/json.h"
#include "services/admin/health.h"
#include "services/common/referral/case_number.h"

static void times(const char *text)
{
	int64_t ms = 0, again = 0;
	char out[32];

	if (time_parse(text, &ms) != OK)
		return;
	time_format(ms, out);
	HOLDS(time_parse(out, &again) == OK && again == ms);
}

static void dates(const char *text)
{
	int y = 0, m = 0, d = 0, y2, m2, d2;
	int64_t day = 0;

	if (date_parse(text, &y, &m, &d) != OK) {
		HOLDS(y == 0 && m == 0 && d == 0 && day_parse(text, &day) != OK);
		return;
	}
	HOLDS(day_parse(text, &day) == OK && day == day_of_date(y, m, d));
	date_of_day(day, &y2, &m2, &d2);
	HOLDS(y == y2 && m == m2 && d == d2);
}

/* It is what a process writes, and nothing else: the same text comes out of it. */
static void sample(const char *text)
{
	struct sample s = {.value = 77}, again;
	const struct health_row *row;
	struct metrics m = {.process = s.process};

	if (!sample_parse(text, &s)) {
		HOLDS(!s.row && s.value == 77);
		return;
	}
	for (const char *c = s.label; *c; c++)
		HOLDS(*c >= ' ' && *c <= '~');
	(void)health_of(&s, 1790000000, &row);
	metrics_add(
		&m, (enum metric)(s.row - metric_rows), *s.row->label ? s.label : NULL, s.value);
	HOLDS(m.err == OK && buf_append(&m.text, "", 1) == OK);
	text = strstr((char *)m.text.data, "\nhavre_");
	HOLDS(text && sample_parse(text + 1, &again) && again.row == s.row &&
		again.value == s.value && strcmp(again.label, s.label) == 0 &&
		strcmp(again.process, s.process) == 0);
	buf_free(&m.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct peer peer = {.principal = ""};
	uint8_t id[KEY_ID_LEN];

	HOLDS(text);
	times(text);
	dates(text);
	HOLDS(!country_valid(text) || strlen(text) == 2);
	HOLDS(!principal_name_valid(text) || strlen(text) < NAME_SIZE);
	HOLDS(!case_number_valid(text) || strlen(text) == CASE_NUMBER_SIZE - 1);
	HOLDS(hex_decode(id, KEY_ID_LEN, text) != OK || strlen(text) == 2 * KEY_ID_LEN);
	if (zap_read_user_id(text, &peer) == OK)
		HOLDS(strncmp(peer.principal, text, strlen(peer.principal)) == 0);
	else
		HOLDS(!peer.principal[0]);
	sample(text);
	free(text);
	return 0;
}
