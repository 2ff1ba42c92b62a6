/*
 * report.h - the broker's own numbers, for its metrics.prom.
 */
#ifndef HAVRE_BROKER_REPORT_H
#define HAVRE_BROKER_REPORT_H

#include "broker/core.h"
#include "services/common/base/metrics.h"

/* Adds what the core counts, and what no service has taken yet, as of the last commit. */
MUST_USE enum err core_report(const struct core *c, int64_t now, struct metrics *m);

#endif
