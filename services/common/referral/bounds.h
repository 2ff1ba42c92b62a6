/*
 * bounds.h - the bounds of single fields, a row each, checked over a whole message: what must be
 * given, how long a text and a list may be, which dates are possible, which form a code has.
 */
#ifndef HAVRE_BOUNDS_H
#define HAVRE_BOUNDS_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "proto/fault.h"

struct bound {
	const ProtobufCMessageDescriptor *in;
	const char *field;
	bool required;
	unsigned entries;               /* of a list, at most */
	unsigned bytes;                 /* of a text in UTF-8, at most */
	unsigned years;                 /* 0, or: a day in the past, at most so many years ago */
	bool (*form)(const char *text); /* NULL: any text */
	enum fault_code not_form;
};

/*
 * Adds a fault for every field that breaks its row. A field without a row may be left out. What
 * holds for every field by its type is checked as well: texts, dates and countries by their names
 * (json_rules.h), coded values of the list, no value twice in a list of codes, numbers or texts.
 * A day counts as past until the day after today in UTC: it may be that day already elsewhere.
 */
void bounds_check(const ProtobufCMessage *m, const struct bound *rows, size_t n_rows,
	int64_t now_ms, struct faults *faults);

#endif
