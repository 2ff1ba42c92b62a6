/*
 * actions.h - the words of the command line: actions (actions.def) and the coded values of
 * codes.proto, written as in "not-recommend" or NOT_RECOMMEND.
 */
#ifndef HAVRE_STAFF_ACTIONS_H
#define HAVRE_STAFF_ACTIONS_H

#include "proto/case.pb-c.h"
#include "proto/catalogue.h"

enum {
	ACTION_VERSION = 1 << 0, /* must be given */
	ACTION_NOTE = 1 << 1,
	ACTION_YEAR = 1 << 2,
	ACTION_PERSONS = 1 << 3, /* must be given */
	ACTION_WITH = 1 << 4,    /* must be given */
};

struct action {
	const char *word; /* NULL ends the list */
	Event event;
	enum kind kind;
	unsigned options;
};

extern const struct action staff_actions[];

/* NULL: there is none. */
const struct action *action_find(const char *word);
const struct action *action_of(Event event);

/* The i-th (from 0) action that the protection of a case allows now; NULL: no more. */
const struct action *action_on_protection(Protection now, unsigned i);

/* ERR_INVALID: not a value of the type, or the one that says nothing (0). */
MUST_USE enum err coded_find(const ProtobufCEnumDescriptor *type, const char *text, int *ret);
/* "not-recommend" for NOT_RECOMMEND. */
void coded_word(const char *name, char ret[64]);

#endif
