#include "services/staff/show.h"

#include <stdio.h>
#include <string.h>

#include "proto/json.h"
#include "proto/words.h"

/* A member of a message, by its offset. */
static const void *at(const ProtobufCMessage *m, unsigned offset)
{
	return (const char *)m + offset;
}

static size_t width_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_STRING:
		return sizeof(char *);
	case PROTOBUF_C_TYPE_INT64:
		return sizeof(int64_t);
	case PROTOBUF_C_TYPE_UINT32:
		return sizeof(uint32_t);
	case PROTOBUF_C_TYPE_ENUM:
		return sizeof(int);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	default:
		return 0; /* bytes and messages are not shown */
	}
}

static bool says_nothing(const ProtobufCFieldDescriptor *f, const void *value)
{
	static const char zero[sizeof(int64_t)];

	if (f->type == PROTOBUF_C_TYPE_STRING)
		return !**(char *const *)value;
	return memcmp(value, zero, width_of(f->type)) == 0;
}

/* What others wrote must not steer the terminal: control characters, C1 ones too, show as "?". */
static void print_text(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		bool c1 = p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f;

		putchar(c1 || (*p < ' ' && *p != '\n' && *p != '\t') || *p == 0x7f ? '?' : *p);
		p += c1;
	}
}

static void print_value(const ProtobufCFieldDescriptor *f, const void *value, enum lang lang)
{
	static const char *const yes_no[2][2] = {{"no", "non"}, {"yes", "oui"}};
	char when[32];

	switch (f->type) {
	case PROTOBUF_C_TYPE_STRING:
		print_text(*(char *const *)value);
		break;
	case PROTOBUF_C_TYPE_INT64:
		time_format(*(const int64_t *)value, when);
		printf("%s", when);
		break;
	case PROTOBUF_C_TYPE_UINT32:
		printf("%u", *(const uint32_t *)value);
		break;
	case PROTOBUF_C_TYPE_ENUM:
		printf("%s", word(f->descriptor, *(const int *)value, lang));
		break;
	case PROTOBUF_C_TYPE_BOOL:
		printf("%s", yes_no[*(const protobuf_c_boolean *)value != 0][lang]);
		break;
	default:
		break;
	}
}

static void show_field(const struct cli *c, const ProtobufCMessage *m,
	const ProtobufCFieldDescriptor *f, const struct shown *row, int indent)
{
	const void *value = at(m, f->offset);
	size_t n = 1, width = width_of(f->type);

	if (f->label == PROTOBUF_C_LABEL_REPEATED) {
		n = *(const size_t *)at(m, f->quantifier_offset);
		value = *(const void *const *)value;
	} else if (says_nothing(f, value) && !row->always) {
		return;
	}
	if (!n)
		return;
	printf("%*s%s%s ", indent, "", row->words[c->lang], c->lang == LANG_FR ? " :" : ":");
	for (size_t i = 0; i < n; i++) {
		printf("%s", i ? "; " : "");
		print_value(f, (const char *)value + i * width, c->lang);
	}
	printf("\n");
}

void show_fields(
	const struct cli *c, const ProtobufCMessage *m, const struct shown *rows, int indent)
{
	if (c->json || !m)
		return;
	for (; rows->field; rows++) {
		const ProtobufCFieldDescriptor *f =
			protobuf_c_message_descriptor_get_field_by_name(m->descriptor, rows->field);

		if (f)
			show_field(c, m, f, rows, indent);
	}
}

void show_title(const struct cli *c, const char *en, const char *fr)
{
	if (!c->json)
		printf("\n%s\n", c->lang == LANG_FR ? fr : en);
}
