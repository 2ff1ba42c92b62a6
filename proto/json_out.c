#include "proto/json.h"
#include "proto/json_rules.h"

#include <stdlib.h>
#include <string.h>

/* Makes the JSON of one value; NULL when it cannot be told in JSON, or memory is out. */
typedef json_t *(*write_fn)(const ProtobufCFieldDescriptor *f, const void *slot);

static json_t *write_bool(const ProtobufCFieldDescriptor *f, const void *slot)
{
	(void)f;
	return json_boolean(*(const protobuf_c_boolean *)slot);
}

static json_t *write_uint32(const ProtobufCFieldDescriptor *f, const void *slot)
{
	(void)f;
	return json_integer(*(const uint32_t *)slot);
}

static json_t *write_uint64(const ProtobufCFieldDescriptor *f, const void *slot)
{
	uint64_t number = *(const uint64_t *)slot;

	(void)f;
	return number > (uint64_t)JSON_NUMBER_MOST ? NULL : json_integer((json_int_t)number);
}

static json_t *write_int64(const ProtobufCFieldDescriptor *f, const void *slot)
{
	int64_t number = *(const int64_t *)slot;
	char text[32];

	if (field_is_time(f)) {
		time_format(number, text);
		return json_string(text);
	}
	return number > JSON_NUMBER_MOST || number < -JSON_NUMBER_MOST ? NULL
								       : json_integer(number);
}

static json_t *write_enum(const ProtobufCFieldDescriptor *f, const void *slot)
{
	const ProtobufCEnumValue *value =
		protobuf_c_enum_descriptor_get_value(f->descriptor, *(const int *)slot);

	return value ? json_string(value->name) : NULL;
}

static json_t *write_string(const ProtobufCFieldDescriptor *f, const void *slot)
{
	(void)f;
	return json_string(*(char *const *)slot);
}

static json_t *write_bytes(const ProtobufCFieldDescriptor *f, const void *slot)
{
	const ProtobufCBinaryData *bytes = slot;
	char *hex = malloc(2 * bytes->len + 1);
	json_t *json;

	(void)f;
	if (!hex)
		return NULL;
	hex_encode(hex, bytes->data, bytes->len);
	json = json_string(hex);
	free(hex);
	return json;
}

static json_t *write_message(const ProtobufCFieldDescriptor *f, const void *slot)
{
	json_t *json = NULL;

	(void)f;
	return message_to_json(*(ProtobufCMessage *const *)slot, &json) == OK ? json : NULL;
}

static const write_fn writers[] = {
	[PROTOBUF_C_TYPE_BOOL] = write_bool,
	[PROTOBUF_C_TYPE_UINT32] = write_uint32,
	[PROTOBUF_C_TYPE_UINT64] = write_uint64,
	[PROTOBUF_C_TYPE_INT64] = write_int64,
	[PROTOBUF_C_TYPE_ENUM] = write_enum,
	[PROTOBUF_C_TYPE_STRING] = write_string,
	[PROTOBUF_C_TYPE_BYTES] = write_bytes,
	[PROTOBUF_C_TYPE_MESSAGE] = write_message,
};

static json_t *write_list(const ProtobufCFieldDescriptor *f, const uint8_t *list, size_t n)
{
	json_t *json = json_array();

	for (size_t i = 0; json && i < n; i++) {
		/* Takes the value in any case, and refuses NULL. */
		if (json_array_append_new(json, writers[f->type](f, list + i * field_size(f))) !=
			0) {
			json_decref(json);
			return NULL;
		}
	}
	return json;
}

/* A part that is there and empty is not the default: {} says that it is there. */
static bool is_default(const ProtobufCFieldDescriptor *f, const void *slot)
{
	static const uint8_t zero[sizeof(int64_t)];

	if (f->type == PROTOBUF_C_TYPE_STRING)
		return !*(char *const *)slot || !**(char *const *)slot;
	if (f->type == PROTOBUF_C_TYPE_BYTES)
		return ((const ProtobufCBinaryData *)slot)->len == 0;
	return memcmp(slot, zero, field_size(f)) == 0;
}

enum err message_to_json(const ProtobufCMessage *m, json_t **ret)
{
	json_t *json = json_object();
	const uint8_t *base = (const uint8_t *)m;

	if (!json)
		return ERR_NOMEM;
	for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
		const void *slot = base + f->offset;
		json_t *v;

		if (f->label == PROTOBUF_C_LABEL_REPEATED) {
			size_t n = *(const size_t *)(base + f->quantifier_offset);

			if (n == 0)
				continue;
			v = write_list(f, *(uint8_t *const *)slot, n);
		} else if (is_default(f, slot)) {
			continue;
		} else {
			v = writers[f->type](f, slot);
		}
		if (json_object_set_new(json, f->name, v) != 0) {
			json_decref(json);
			return ERR_INVALID;
		}
	}
	*ret = json;
	return OK;
}
