/*
 * show.h - messages as text for a person: a table says which fields, and what they are called.
 * With --json nothing is printed: messages are printed as they are.
 */
#ifndef HAVRE_STAFF_SHOW_H
#define HAVRE_STAFF_SHOW_H

#include <protobuf-c/protobuf-c.h>

#include "services/common/cli/cli.h"

struct shown {
	const char *field;    /* NULL ends a table */
	bool always;          /* also when it says nothing (0, no, empty) */
	const char *words[2]; /* by enum lang */
};

/* Enums, texts, numbers, yes and no, times, and lists of these; each on a line of its own. */
void show_fields(
	const struct cli *c, const ProtobufCMessage *m, const struct shown *rows, int indent);
/* A heading, with an empty line before it. */
void show_title(const struct cli *c, const char *en, const char *fr);

/* Every field that these messages have, but for the messages inside them. */
extern const struct shown shown_facts[], shown_member[], shown_claim[], shown_protection[],
	shown_person[], shown_identity[], shown_narrative[], shown_places[], shown_alert[];

#endif
