/*
 * strict.h - one message has one meaning. protobuf-c accepts unknown fields, unknown enum values,
 * broken UTF-8, and several encodings of one message; here each of them is refused.
 */
#ifndef HAVRE_PROTO_STRICT_H
#define HAVRE_PROTO_STRICT_H

#include <protobuf-c/protobuf-c.h>

#include "proto/bytes.h"

/* How deep messages may nest, how many elements a repeated field may hold. */
#define STRICT_DEPTH_MOST    8
#define STRICT_ELEMENTS_MOST 4096

/*
 * Decode whole or reject. ERR_MALFORMED: not this message at all. ERR_NOT_CANONICAL: an unknown
 * field at any depth, an enum value that is not known, text that is not UTF-8 or holds a NUL, or
 * encoding it again gives other bytes. Free *ret with protobuf_c_message_free_unpacked.
 */
MUST_USE enum err strict_unpack(
	const ProtobufCMessageDescriptor *type, struct slice bytes, ProtobufCMessage **ret);
/* Appends the one permitted encoding. ERR_NOT_CANONICAL when the message could not be read back. */
MUST_USE enum err strict_pack(const ProtobufCMessage *m, struct buf *out);

#endif
