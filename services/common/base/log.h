/*
 * log.h - one line for one event, to standard error: logfmt with a stable id. No personal data:
 * principals, kinds, ids, sizes, codes and times only; never a name, a text or a country.
 *
 *   2026-03-01T12:00:00.000Z level=warn prog=broker id=POST-REFUSED kind=... from=... why=...
 */
#ifndef HAVRE_LOG_H
#define HAVRE_LOG_H

#include "proto/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Called once by main. Lines below `least` are not written. */
void log_setup(const char *program, enum log_level least);
/* "debug", "info", "warn", "error"; ERR_INVALID: none of them. */
MUST_USE enum err log_level_find(const char *name, enum log_level *ret);

#define LOG_PRINTF __attribute__((format(printf, 2, 3)))
LOG_PRINTF void log_debug(const char *id, const char *fmt, ...);
LOG_PRINTF void log_info(const char *id, const char *fmt, ...);
LOG_PRINTF void log_warn(const char *id, const char *fmt, ...);
LOG_PRINTF void log_error(const char *id, const char *fmt, ...);

#endif
