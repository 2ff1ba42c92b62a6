/*
 * words.h - the English and French words for every coded value: words.def.
 */
#ifndef HAVRE_PROTO_WORDS_H
#define HAVRE_PROTO_WORDS_H

#include <protobuf-c/protobuf-c.h>

#include "proto/err.h"

/* word(&state__descriptor, STATE__PARKED, LANG_FR). Static storage; "?" for a value that the type
 * does not have. Written to stand alone or inside a sentence: no capital letter, no full stop. */
const char *word(const ProtobufCEnumDescriptor *type, int value, enum lang lang);

#endif
