#include <stdlib.h>
#include <string.h>

#include "proto/json.h"
#include "proto/json_rules.h"
#include "proto/strict.h"

#define TEXT_MOST (4u * 1024 * 1024)
#define LIST_MOST STRICT_ELEMENTS_MOST /* more could not be packed */
/*
 * One walk over the JSON. Values that are wrong are noted and left at their default, so that the
 * walk finds all of them; the message is given out only when none was.
 */
struct reader {
	struct faults *faults;
	struct fault_path path; /* of the value being read */
};

/* Reads one value of a field into its slot in the message or in a list. Only ERR_NOMEM is returned:
 * what is wrong with the value goes into the faults. */
typedef enum err (*read_fn)(
	struct reader *r, const ProtobufCFieldDescriptor *f, const json_t *v, void *slot);

static void note(struct reader *r, enum fault_code code)
{
	fault_add(r->faults, code, "%s", r->path.text);
}

static enum err read_bool(
	struct reader *r, const ProtobufCFieldDescriptor *f, const json_t *v, void *slot)
{
	(void)f;
	if (json_is_boolean(v))
		*(protobuf_c_boolean *)slot = json_is_true(v);
	else
		note(r, FAULT_WRONG_TYPE);
	return OK;
}

static bool read_number(
	struct reader *r, const json_t *v, int64_t least, int64_t most, int64_t *ret)
{
	int64_t number = json_integer_value(v);

	if (!json_is_integer(v)) {
		note(r, FAULT_WRONG_TYPE);
		return false;
	}
	if (number < least || number > most) {
		note(r, FAULT_OUT_OF_RANGE);
		return false;
	}
	*ret = number;
	return true;
}

static enum err read_uint32(
	struct reader *r, const ProtobufCFieldDescriptor *f, const json_t *v, void *slot)
{
	int64_t number;

	(void)f;
	if (read_number(r, v, 0, UINT32_MAX, &number))
		*(uint32_t *)slot = (uint32_t)number;
	return OK;
}

static enum err read_uint64(
	struct reader *r, const ProtobufCFieldDescriptor *f, const json_t *v, void *slot)
{
	int64_t number;

	(void)f;
	if (read_number(r, v, 0, JSON_NUMBER_MOST, &number))
		*(uint64_t *)slot = (uint64_t)number;
	return OK;
}

static enum err read_int64(
	struct reader *r, const ProtobufCFieldDescriptor *f, const json_t *v, void *slot)
{
	int64_t number;

	if (!field_is_time(f)) {
		if (read_number(r, v, -JSON_NUMBER_MOST, JSON_NUMBER_MOST, &number))
			*(int64_t *)slot = number;
	} else if (!json_is_string(v)) {
		note(r, FAULT_WRONG_TYPE);
	} else if (time_parse(json_string_value(v), slot) != OK) {
		note(r, FAULT_NOT_A_TIME);
	}
	return OK;
}

static enum err read_enum(
	struct reader *r, const ProtobufCFieldDescriptor *f, const json_t *v, void *slot)
{
	const ProtobufCEnumValue *value;

	if (!json_is_string(v)) {
		note(r, FAULT_WRONG_TYPE);
		return OK;
	}
	/* The value 0 says "not given": that is said by leaving the field out. */
	value = protobuf_c_enum_descriptor_get_value_by_name(f->descriptor, json_string_value(v));
	if (value && value->value != 0)
		*(int *)slot = value->value;
	else
		fault_add_list(r->faults, r->path.text, f->descriptor);
	return OK;
}

static enum err read_string(
	struct reader *r, const ProtobufCFieldDescriptor *f, const json_t *v, void *slot)
{
	const char *text = json_string_value(v);
	enum fault_code fault;
	char *copy;

	if (!text) {
		note(r, FAULT_WRONG_TYPE);
		return OK;
	}
	fault = strlen(text) == json_string_length(v) ? field_text_fault(f, text) : FAULT_NOT_TEXT;
	if (fault != FAULT_COUNT) {
		note(r, fault);
		return OK;
	}
	if (!*text && f->label != PROTOBUF_C_LABEL_REPEATED)
		return OK;
	copy = strdup(text);
	if (!copy)
		return ERR_NOMEM;
	*(char **)slot = copy;
	return OK;
}

static enum err read_bytes(
	struct reader *r, const ProtobufCFieldDescriptor *f, const json_t *v, void *slot)
{
	const char *hex = json_string_value(v);
	ProtobufCBinaryData *bytes = slot;
	size_t len = json_string_length(v) / 2;
	uint8_t *data;

	(void)f;
	if (!hex) {
		note(r, FAULT_WRONG_TYPE);
		return OK;
	}
	if (!*hex)
		return OK;
	data = malloc(len + 1);
	if (!data)
		return ERR_NOMEM;
	if (hex_decode(data, len, hex) == OK) {
		bytes->len = len;
		bytes->data = data;
	} else {
		note(r, FAULT_NOT_HEX);
		free(data);
	}
	return OK;
}

static enum err read_message(
	struct reader *r, const ProtobufCFieldDescriptor *f, const json_t *v, void *slot);

static const read_fn readers[] = {
	[PROTOBUF_C_TYPE_BOOL] = read_bool,
	[PROTOBUF_C_TYPE_UINT32] = read_uint32,
	[PROTOBUF_C_TYPE_UINT64] = read_uint64,
	[PROTOBUF_C_TYPE_INT64] = read_int64,
	[PROTOBUF_C_TYPE_ENUM] = read_enum,
	[PROTOBUF_C_TYPE_STRING] = read_string,
	[PROTOBUF_C_TYPE_BYTES] = read_bytes,
	[PROTOBUF_C_TYPE_MESSAGE] = read_message,
};

/* A string that is not there is the empty one, in lists too: a draft can be read like a message. */
static enum err fill_strings(const ProtobufCFieldDescriptor *f, ProtobufCMessage *m)
{
	char **list = *(char ***)((uint8_t *)m + f->offset);
	size_t n = *(size_t *)((uint8_t *)m + f->quantifier_offset);

	for (size_t i = 0; i < n; i++)
		if (!list[i] && !(list[i] = strdup("")))
			return ERR_NOMEM;
	return OK;
}

/* The list is in the message from the start, its entries all zero: it can be freed at any point. */
static enum err read_list(
	struct reader *r, const ProtobufCFieldDescriptor *f, const json_t *v, ProtobufCMessage *m)
{
	size_t n = json_array_size(v), size = field_size(f);
	uint8_t *list;

	if (!json_is_array(v) || n > LIST_MOST) {
		note(r, json_is_array(v) ? FAULT_TOO_MANY : FAULT_WRONG_TYPE);
		return OK;
	}
	if (n == 0)
		return OK;
	list = calloc(n, size);
	if (!list)
		return ERR_NOMEM;
	*(void **)((uint8_t *)m + f->offset) = list;
	*(size_t *)((uint8_t *)m + f->quantifier_offset) = n;
	for (size_t i = 0; i < n; i++) {
		size_t before = fault_path_index(&r->path, i);

		TRY(readers[f->type](r, f, json_array_get(v, i), list + i * size));
		fault_path_back(&r->path, before);
	}
	return f->type == PROTOBUF_C_TYPE_STRING ? fill_strings(f, m) : OK;
}

/* A name that is not a field's may be anything that somebody typed, so it is told only when it
 * looks like one. */
static const char *name_to_tell(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz_");

	return n > 0 && n <= 32 && !name[n] ? name : "?";
}

static enum err read_fields(struct reader *r, const json_t *object, ProtobufCMessage *m)
{
	json_t *o = (json_t *)object, *v;
	const char *name;

	json_object_foreach(o, name, v)
	{
		const ProtobufCFieldDescriptor *f =
			protobuf_c_message_descriptor_get_field_by_name(m->descriptor, name);
		size_t before = fault_path_name(&r->path, f ? name : name_to_tell(name));

		if (!f)
			note(r, FAULT_UNKNOWN_FIELD);
		else if (f->label == PROTOBUF_C_LABEL_REPEATED)
			TRY(read_list(r, f, v, m));
		else
			TRY(readers[f->type](r, f, v, (uint8_t *)m + f->offset));
		fault_path_back(&r->path, before);
	}
	return OK;
}

static enum err read_object(struct reader *r, const ProtobufCMessageDescriptor *type,
	const json_t *v, ProtobufCMessage **slot)
{
	*slot = malloc(type->sizeof_message);
	if (!*slot)
		return ERR_NOMEM;
	protobuf_c_message_init(type, *slot);
	if (json_is_object(v))
		return read_fields(r, v, *slot);
	note(r, FAULT_WRONG_TYPE); /* an empty one stands for it */
	return OK;
}

static enum err read_message(
	struct reader *r, const ProtobufCFieldDescriptor *f, const json_t *v, void *slot)
{
	return read_object(r, f->descriptor, v, slot);
}

enum err json_to_draft(const json_t *json, const ProtobufCMessageDescriptor *type,
	struct faults *faults, ProtobufCMessage **ret)
{
	struct reader r = {.faults = faults};
	ProtobufCMessage *m = NULL;
	enum err e = read_object(&r, type, json, &m);

	if (e != OK) {
		protobuf_c_message_free_unpacked(m, NULL);
		return e;
	}
	*ret = m;
	return OK;
}

/* The draft as a message, when nothing was wrong with it. */
static enum err whole(
	ProtobufCMessage *draft, const struct faults *faults, size_t before, ProtobufCMessage **ret)
{
	if (faults->n + faults->more > before) {
		protobuf_c_message_free_unpacked(draft, NULL);
		return ERR_INVALID;
	}
	*ret = draft;
	return OK;
}

enum err json_to_message(const json_t *json, const ProtobufCMessageDescriptor *type,
	struct faults *faults, ProtobufCMessage **ret)
{
	size_t before = faults->n + faults->more;
	ProtobufCMessage *m;

	TRY(json_to_draft(json, type, faults, &m));
	return whole(m, faults, before, ret);
}

enum err json_text_to_draft(struct slice text, const ProtobufCMessageDescriptor *type,
	struct faults *faults, ProtobufCMessage **ret)
{
	json_t *json = NULL;
	enum err e;

	if (text.len <= TEXT_MOST)
		json = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
	if (!json) {
		fault_add(faults, FAULT_NOT_JSON, "%s", "");
		return ERR_INVALID;
	}
	e = json_to_draft(json, type, faults, ret);
	json_decref(json);
	return e;
}

enum err json_text_to_message(struct slice text, const ProtobufCMessageDescriptor *type,
	struct faults *faults, ProtobufCMessage **ret)
{
	size_t before = faults->n + faults->more;
	ProtobufCMessage *m;

	TRY(json_text_to_draft(text, type, faults, &m));
	return whole(m, faults, before, ret);
}
