/*
 * output.h - frames that wait to be sent: a list of packed frames, each for one connection.
 */
#ifndef HAVRE_BROKER_OUTPUT_H
#define HAVRE_BROKER_OUTPUT_H

#include "proto/bytes.h"
#include "proto/frame.pb-c.h"

struct output {
	struct output *next;
	uint64_t conn;
	size_t len;
	uint8_t frame[];
};

/* `{0}` is an empty list. */
struct outputs {
	struct output *first, *last;
	size_t bytes;
};

MUST_USE enum err outputs_add(struct outputs *l, uint64_t conn, const Frame *f);
/* The first, which leaves the list: free() it. NULL: the list is empty. */
struct output *outputs_take(struct outputs *l);
/* All of `from` go behind all of `to`. */
void outputs_move(struct outputs *to, struct outputs *from);
void outputs_clear(struct outputs *l);

#endif
