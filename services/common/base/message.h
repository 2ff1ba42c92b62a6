/*
 * message.h - making generated messages by hand. Free them with their type's __free_unpacked.
 */
#ifndef HAVRE_MESSAGE_H
#define HAVRE_MESSAGE_H

#include <protobuf-c/protobuf-c.h>

#include "proto/bytes.h"

/* A new, empty message of this type on the heap; NULL: out of memory. */
void *message_new(const ProtobufCMessageDescriptor *type);
/* A copy of a whole message. *ret is of the same type. */
MUST_USE enum err message_copy(const ProtobufCMessage *m, ProtobufCMessage **ret);
/* A copy of `value` in place of *field, which may be the shared empty string of a field that was
 * never set. ERR_NOMEM: *field is as it was. */
MUST_USE enum err set_text(char **field, const char *value);
/* A copy of the bytes in place of *field. */
MUST_USE enum err set_bytes(ProtobufCBinaryData *field, const void *data, size_t len);
/* Makes room for one more at the end of a repeated message field, and puts `one` there:
 * `TRY(list_add(&m->items, &m->n_items, one));` ERR_NOMEM: nothing changed. */
#define list_add(list, n, one) list_add_((void ***)(list), (n), (one))
MUST_USE enum err list_add_(void ***list, size_t *n, void *one);

#endif
