/*
 * health.h - what the metrics of the processes say about their health (health.def).
 */
#ifndef HAVRE_ADMIN_HEALTH_H
#define HAVRE_ADMIN_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/err.h"
#include "services/common/base/metrics.h"

enum health_level { HEALTH_OK, HEALTH_ATTENTION, HEALTH_BAD };

struct health_row {
	const char *id;
	enum metric metric;
	const char *label; /* "": any */
	int measure;
	int64_t attention, bad;
	const char *words[2], *to_do[2]; /* by enum lang */
};

#define SAMPLE_TEXT 64

/* One line of a metrics.prom. */
struct sample {
	const struct metric_row *row;
	char process[SAMPLE_TEXT], label[SAMPLE_TEXT]; /* label: "" when the row has none */
	int64_t value;
};

/* The line ends with its text or with '\n'. false: a comment, of a metric that is not known here,
 * or not as metrics_add writes it: its texts are printed, and are visible ASCII and spaces. */
bool sample_parse(const char *line, struct sample *ret);
/* The worst of the rows of the table on this sample. *ret_row: set unless HEALTH_OK. `now` is in
 * seconds. */
enum health_level health_of(const struct sample *s, int64_t now, const struct health_row **ret_row);
/* What is said of a process that has written no metrics at all. */
const struct health_row *health_silent(void);

#endif
