/*
 * wipe.h - what a message about a person leaves on the heap: messages and JSON are made of many
 * small pieces, which protobuf-c and jansson give back to the heap as they are. Here they are wiped
 * first.
 */
#ifndef HAVRE_WIPE_H
#define HAVRE_WIPE_H

#include <protobuf-c/protobuf-c.h>

/* Frees a message that was made with the usual allocator, each piece wiped. NULL is accepted. */
void message_wipe(ProtobufCMessage *m);
/* From now on jansson wipes what it frees. Once, before its first use, on one thread. */
void json_wipe_frees(void);

#endif
