#include "tests/fuzz/full.h"

#include "proto/json_rules.h"
#include "services/common/base/message.h"
#include "tests/fuzz/fuzz.h"

#define DEPTH_MOST 7
#define A_TIME     INT64_C(1772366400000)

static ProtobufCMessage *full(const ProtobufCMessageDescriptor *type, int depth);

static char *some_text(const ProtobufCFieldDescriptor *f)
{
	static const char *const texts[] = {"text", "2026-02-28", "CA"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (field_text_fault(f, texts[i]) == FAULT_COUNT)
			return strdup(texts[i]);
	return strdup("");
}

static void fill_slot(const ProtobufCFieldDescriptor *f, void *slot, int depth)
{
	static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8};
	const ProtobufCEnumDescriptor *values = f->descriptor;

	switch (f->type) {
	case PROTOBUF_C_TYPE_STRING:
		*(char **)slot = some_text(f);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		*(ProtobufCBinaryData *)slot = (ProtobufCBinaryData){0};
		HOLDS(set_bytes(slot, bytes, sizeof(bytes)) == OK);
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		*(ProtobufCMessage **)slot = full(f->descriptor, depth + 1);
		break;
	case PROTOBUF_C_TYPE_ENUM:
		*(int *)slot = values->values[values->n_values > 1].value;
		break;
	case PROTOBUF_C_TYPE_BOOL:
		*(protobuf_c_boolean *)slot = 1;
		break;
	case PROTOBUF_C_TYPE_UINT32:
		*(uint32_t *)slot = 2026;
		break;
	default:
		*(uint64_t *)slot = (uint64_t)A_TIME;
	}
}

static ProtobufCMessage *full(const ProtobufCMessageDescriptor *type, int depth)
{
	ProtobufCMessage *m = message_new(type);

	HOLDS(m);
	for (unsigned i = 0; i < type->n_fields && depth < DEPTH_MOST; i++) {
		const ProtobufCFieldDescriptor *f = &type->fields[i];
		void *member = (char *)m + f->offset;

		if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
			continue;
		if (f->label == PROTOBUF_C_LABEL_REPEATED) {
			void *list = calloc(1, field_size(f));

			fill_slot(f, list, depth);
			*(void **)member = list;
			*(size_t *)((char *)m + f->quantifier_offset) = 1;
		} else {
			fill_slot(f, member, depth);
		}
	}
	return m;
}

ProtobufCMessage *full_message(const ProtobufCMessageDescriptor *type)
{
	return full(type, 0);
}
