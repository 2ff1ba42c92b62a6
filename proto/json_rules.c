#include "proto/json_rules.h"

#include <string.h>

#include "proto/json.h"

bool country_valid(const char *alpha2)
{
	static const char codes[][3] = {
#define COUNTRY(code) #code,
#include "proto/countries.def"
#undef COUNTRY
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(codes[i], alpha2) == 0)
			return true;
	return false;
}

static bool date_valid(const char *text)
{
	int year, month, day;

	return date_parse(text, &year, &month, &day) == OK;
}

/* U+0000 to U+001F, U+007F, and U+0080 to U+009F, which are C2 80 to C2 9F in UTF-8. */
static bool text_valid(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	for (; *c; c++)
		if ((*c < 0x20 && *c != '\n' && *c != '\t') || *c == 0x7f ||
			(*c == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f))
			return false;
	return true;
}

static bool ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), e = strlen(end);

	return n > e && strcmp(name + n - e, end) == 0;
}

size_t field_size(const ProtobufCFieldDescriptor *field)
{
	static const size_t sizes[] = {
		[PROTOBUF_C_TYPE_BOOL] = sizeof(protobuf_c_boolean),
		[PROTOBUF_C_TYPE_UINT32] = sizeof(uint32_t),
		[PROTOBUF_C_TYPE_UINT64] = sizeof(uint64_t),
		[PROTOBUF_C_TYPE_INT64] = sizeof(int64_t),
		[PROTOBUF_C_TYPE_ENUM] = sizeof(int),
		[PROTOBUF_C_TYPE_STRING] = sizeof(char *),
		[PROTOBUF_C_TYPE_BYTES] = sizeof(ProtobufCBinaryData),
		[PROTOBUF_C_TYPE_MESSAGE] = sizeof(ProtobufCMessage *),
	};

	return sizes[field->type];
}

bool field_is_time(const ProtobufCFieldDescriptor *field)
{
	return field->type == PROTOBUF_C_TYPE_INT64 &&
	       (ends_with(field->name, "_at") || strcmp(field->name, "at") == 0);
}

enum fault_code field_text_fault(const ProtobufCFieldDescriptor *field, const char *text)
{
	static const struct {
		const char *end;
		bool (*valid)(const char *text);
		enum fault_code fault;
	} rules[] = {
		{"_on", date_valid, FAULT_NOT_A_DATE},
		{"_country", country_valid, FAULT_NOT_A_COUNTRY},
		{"", text_valid, FAULT_NOT_TEXT},
	};

	if (!*text)
		return FAULT_COUNT;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (ends_with(field->name, rules[i].end) && !rules[i].valid(text))
			return rules[i].fault;
	return FAULT_COUNT;
}
