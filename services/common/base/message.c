#include "services/common/base/message.h"

#include <stdlib.h>
#include <string.h>

#include "proto/strict.h"

void *message_new(const ProtobufCMessageDescriptor *type)
{
	ProtobufCMessage *m = calloc(1, type->sizeof_message);

	if (m)
		protobuf_c_message_init(type, m);
	return m;
}

enum err message_copy(const ProtobufCMessage *m, ProtobufCMessage **ret)
{
	struct buf packed = {0};
	enum err e = strict_pack(m, &packed);

	if (e == OK)
		e = strict_unpack(m->descriptor, slice_buf(&packed), ret);
	buf_free(&packed);
	return e;
}

enum err set_text(char **field, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return ERR_NOMEM;
	if (*field != protobuf_c_empty_string)
		free(*field);
	*field = copy;
	return OK;
}

enum err set_bytes(ProtobufCBinaryData *field, const void *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		return ERR_NOMEM;
	if (len)
		memcpy(copy, data, len);
	free(field->data);
	*field = (ProtobufCBinaryData){len, copy};
	return OK;
}

enum err list_add_(void ***list, size_t *n, void *one)
{
	void **grown = realloc(*list, (*n + 1) * sizeof(void *));

	if (!grown)
		return ERR_NOMEM;
	grown[(*n)++] = one;
	*list = grown;
	return OK;
}
