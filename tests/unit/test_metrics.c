/* Goal: the numbers are written as Prometheus reads them, are read back, and every limit of the
 * health table is told when it is reached and not before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "services/admin/health.h"
#include "services/common/base/file.h"
#include "services/common/base/metrics.h"

#define NOW INT64_C(1790000000)

static void sample_of(struct sample *s, enum metric which, const char *label, int64_t value)
{
	*s = (struct sample){.row = &metric_rows[which], .process = "intake", .value = value};
	snprintf(s->label, sizeof(s->label), "%s", label);
}

static void samples_come_back_as_they_were_written(void **state)
{
	char home[] = "/tmp/havre-metrics-XXXXXX", path[64];
	struct metrics m = {.process = "intake"};
	struct buf text = {0};
	struct sample s;

	(void)state;
	assert_non_null(mkdtemp(home));
	metrics_add(&m, METRIC_OUTBOX, NULL, 3);
	metrics_add(&m, METRIC_CONNECTED, "urgent", 1);
	metrics_add(&m, METRIC_CONNECTED, "routine", -7);
	assert_int_equal(metrics_write(&m, home), OK);
	snprintf(path, sizeof(path), "%s/%s", home, METRICS_FILE);
	assert_int_equal(file_read(path, 4096, &text), OK);
	assert_int_equal(buf_append(&text, "", 1), OK);
	assert_string_equal((char *)text.data,
		"# HELP havre_outbox_messages messages in the outbox, not receipted yet\n"
		"# TYPE havre_outbox_messages gauge\n"
		"havre_outbox_messages{process=\"intake\"} 3\n"
		"# HELP havre_connected 1: the broker has welcomed this process\n"
		"# TYPE havre_connected gauge\n"
		"havre_connected{process=\"intake\",lane=\"urgent\"} 1\n"
		"havre_connected{process=\"intake\",lane=\"routine\"} -7\n");
	assert_true(sample_parse("havre_connected{process=\"intake\",lane=\"routine\"} -7", &s));
	assert_ptr_equal(s.row, &metric_rows[METRIC_CONNECTED]);
	assert_string_equal(s.label, "routine");
	assert_int_equal(s.value, -7);
	assert_false(sample_parse("# HELP havre_connected x", &s));
	assert_false(sample_parse("havre_nobody_knows{process=\"x\"} 1", &s));
	buf_free(&text);
	unlink(path);
	rmdir(home);
}

/* They are printed for a person, and read by collectors. */
static void what_no_process_writes_is_no_sample(void **state)
{
	static const char *const lines[] = {
		"havre_connected{process=\"int\x1b[2Jake\",lane=\"routine\"} 1",
		"havre_connected{process=\"intake\",lane=\"rou\ntine\"} 1",
		"havre_connected{process=\"intake\",lane=\"rou\x7ftine\"} 1",
		"havre_connected{process=\"intake\",lane=\"\xc2\x9b\"} 1",
		"havre_connected{process=\"intake\",lane=\"rou\\\\tine\"} 1",
		"havre_connected{process=\"intake\",lame=\"routine\"} 1",
		"havre_connected{process=\"intake\"} 1",
		"havre_outbox_messages{process=\"intake\",lane=\"routine\"} 1",
		"havre_outbox_messages{process=\"intake\"} 1 2",
		"havre_outbox_messages{process=\"intake\"}  1",
		"havre_outbox_messages{process=\"intake\"} ",
		"havre_outbox_messages{process=\"intake\"} -",
		"havre_outbox_messages{process=\"intake\"} 99999999999999999999",
		"havre_outbox_messages{process=\"intake\"} 1\x1b",
		"havre_outbox_messages{process=\"intake} 1",
		"havre_outbox_messages{",
		"",
	};
	struct sample s;

	(void)state;
	assert_true(sample_parse("havre_outbox_messages{process=\"intake\"} 1\nmore", &s));
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_false(sample_parse(lines[i], &s));
}

static void a_file_that_cannot_be_written_is_an_error(void **state)
{
	struct metrics m = {.process = "intake"};

	(void)state;
	metrics_add(&m, METRIC_OUTBOX, NULL, 3);
	assert_int_equal(metrics_write(&m, "/nowhere/at/all"), ERR_IO);
	assert_null(m.text.data);
}

static void limits_are_told_when_they_are_reached(void **state)
{
	static const struct {
		const char *id, *label;
		enum metric metric;
		int64_t good, attention, bad; /* 0: there is none */
	} cases[] = {
		{"NOT_RUNNING", "", METRIC_WRITTEN, NOW - 59, 0, NOW - 60},
		{"NOT_CONNECTED", "urgent", METRIC_CONNECTED, 1, -1, -1},
		{"UNANSWERED", "climb", METRIC_TIMERS, -1, 1, 0},
		{"OUTBOX_STUCK", "urgent", METRIC_OUTBOX_SINCE, NOW - 59, NOW - 60, NOW - 300},
		{"RELAY_STUCK", "alert", METRIC_UNDELIVERED_SINCE, NOW - 59, 0, NOW - 60},
		{"PUT_BACK", "", METRIC_PUT_BACK, 0, -1, 1},
		{"NOT_BACKED_UP", "", METRIC_UNSAVED_SINCE, NOW - 172799, NOW - 172800,
			NOW - 691200},
		{"UNREAD", "intake", METRIC_UNREAD, 99, 100, 10000},
		{"REGISTRY", "", METRIC_EXPIRES, NOW + 2592001, NOW + 2592000, NOW},
		{"STORE_FULL", "", METRIC_STORE_FILL, 74, 75, 90},
		{"DISK_FULL", "", METRIC_DISK_FREE, (2LL << 30) + 1, 2LL << 30, 256LL << 20},
		{"QUARANTINED", "", METRIC_QUARANTINED, -1, 1, 0},
		{"REFUSED", "", METRIC_REFUSED_OWN, -1, 1, 0},
		{"PARKED", "", METRIC_PARKED, 49, 50, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct health_row *row = NULL;
		struct sample s;

		sample_of(&s, cases[i].metric, cases[i].label, cases[i].good);
		assert_int_equal(health_of(&s, NOW, &row), HEALTH_OK);
		assert_null(row);
		sample_of(&s, cases[i].metric, cases[i].label, cases[i].attention);
		if (cases[i].attention > 0) {
			assert_int_equal(health_of(&s, NOW, &row), HEALTH_ATTENTION);
			assert_string_equal(row->id, cases[i].id);
		}
		if (cases[i].bad == 0)
			continue;
		sample_of(&s, cases[i].metric, cases[i].label, cases[i].bad);
		assert_int_equal(health_of(&s, NOW, &row), HEALTH_BAD);
		assert_string_equal(row->id, cases[i].id);
	}
}

static void a_limit_is_for_its_label_only(void **state)
{
	const struct health_row *row = NULL;
	struct sample s;

	(void)state;
	sample_of(&s, METRIC_TIMERS, "decision", 12);
	assert_int_equal(health_of(&s, NOW, &row), HEALTH_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_come_back_as_they_were_written),
		cmocka_unit_test(what_no_process_writes_is_no_sample),
		cmocka_unit_test(a_file_that_cannot_be_written_is_an_error),
		cmocka_unit_test(limits_are_told_when_they_are_reached),
		cmocka_unit_test(a_limit_is_for_its_label_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
