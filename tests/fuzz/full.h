/* full.h - a message with something in every field, for the seeds. */
#ifndef HAVRE_FUZZ_FULL_H
#define HAVRE_FUZZ_FULL_H

#include <protobuf-c/protobuf-c.h>

/* Every text is right for its field. protobuf_c_message_free_unpacked. */
ProtobufCMessage *full_message(const ProtobufCMessageDescriptor *type);

#endif
