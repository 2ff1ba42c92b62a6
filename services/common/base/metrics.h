/*
 * metrics.h - the numbers of a process, in the text format of Prometheus, as a file in its home
 * folder that is written whole every `[havre] metrics` seconds, and by a service when something
 * changed, at most once a second. A process opens no socket for it: `havre-admin metrics` joins the
 * files of all homes for a collector that reads files, and `havre-admin health` says what is wrong.
 * Labels are codes and principals; never personal data.
 *
 *   havre_outbox_messages{process="intake"} 3
 */
#ifndef HAVRE_METRICS_H
#define HAVRE_METRICS_H

#include "proto/bytes.h"

#define METRICS_FILE "metrics.prom"

enum metric {
#define METRIC(id, name, type, label, en, fr) METRIC_##id,
#include "services/common/base/metrics.def"
#undef METRIC
	METRICS
};

struct metric_row {
	const char *name, *type, *label, *words[2];
};
extern const struct metric_row metric_rows[METRICS];

/* A text that is being made. `{.process = "intake"}` is an empty one; metrics_write frees it. */
struct metrics {
	const char *process; /* the principal; borrowed */
	struct buf text;
	const struct metric_row *last;
	enum err err; /* the first: everything after it is left out */
};

/* The samples of one metric must follow one another. `label` is the value of the row's label:
 * without quotes and backslashes; NULL when the row has none. */
void metrics_add(struct metrics *m, enum metric which, const char *label, int64_t value);
/* Replaces HOME/metrics.prom, and frees the text. Not synced: a crash may lose it. */
MUST_USE enum err metrics_write(struct metrics *m, const char *home);
/* What every process tells of itself. */
struct registry;
struct store;
void metrics_common(struct metrics *m, int64_t started_at, int64_t now,
	const struct registry *registry, struct store *store, const char *store_path);

#endif
