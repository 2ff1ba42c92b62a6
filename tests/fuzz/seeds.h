/* seeds.h - what the files of make_seeds share. */
#ifndef HAVRE_FUZZ_SEEDS_H
#define HAVRE_FUZZ_SEEDS_H

#include "tests/fuzz/fuzz.h"

/* A seed of the target; `first`: the byte before it, -1: none. */
void write_seed(const char *target, const char *name, int first, struct slice bytes);
void write_text(const char *target, const char *name, int first, const char *text);
/* Of a message with something in every field. */
void write_message(
	const char *target, const char *name, int first, const ProtobufCMessageDescriptor *type);
/* Appends the choice, two bytes of length, the frame. */
void add_frame(struct buf *out, int choice, const ProtobufCMessage *m);

/* Words of recovery, what a backup holds, acts of suspension; rows of stores; what a broker says.
 */
void seeds_recovered(void);
void seeds_stored(void);
void seeds_welcome(void);
void seeds_text(void);

#endif
