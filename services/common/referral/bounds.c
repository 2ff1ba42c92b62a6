#include "services/common/referral/bounds.h"

#include <string.h>

#include "proto/day.h"
#include "proto/json_rules.h"

struct walk {
	const struct bound *rows;
	size_t n_rows;
	int64_t today;
	struct faults *faults;
	struct fault_path path;
};

static const struct bound no_bound = {.entries = UINT32_MAX, .bytes = UINT32_MAX};

static void note(struct walk *w, enum fault_code code)
{
	fault_add(w->faults, code, "%s", w->path.text);
}

static const struct bound *bound_of(
	const struct walk *w, const ProtobufCMessageDescriptor *in, const char *field)
{
	for (size_t i = 0; i < w->n_rows; i++)
		if (w->rows[i].in == in && strcmp(w->rows[i].field, field) == 0)
			return &w->rows[i];
	return &no_bound;
}

static bool given(const ProtobufCFieldDescriptor *f, const uint8_t *slot)
{
	static const uint8_t zero[sizeof(int64_t)];
	const char *text;

	if (f->type == PROTOBUF_C_TYPE_STRING) {
		text = *(char *const *)slot;
		return text && *text;
	}
	if (f->type == PROTOBUF_C_TYPE_BYTES)
		return ((const ProtobufCBinaryData *)slot)->len > 0;
	return memcmp(slot, zero, field_size(f)) != 0;
}

static void check_day(struct walk *w, const struct bound *b, int64_t day)
{
	if (!b->years)
		return;
	if (day > w->today + 1)
		note(w, FAULT_IN_THE_FUTURE);
	else if (day < w->today - (int64_t)b->years * 366)
		note(w, FAULT_TOO_LONG_AGO);
}

static void check_text(
	struct walk *w, const ProtobufCFieldDescriptor *f, const struct bound *b, const char *text)
{
	enum fault_code fault = field_text_fault(f, text);
	int64_t day;

	if (strlen(text) > b->bytes && b->bytes)
		note(w, FAULT_TOO_LONG);
	else if (fault != FAULT_COUNT)
		note(w, fault);
	else if (b->form && *text && !b->form(text))
		note(w, b->not_form);
	else if (day_parse(text, &day) == OK)
		check_day(w, b, day);
}

static void check_message(struct walk *w, const ProtobufCMessage *m);

static void check_value(struct walk *w, const ProtobufCFieldDescriptor *f, const struct bound *b,
	const uint8_t *slot)
{
	int code;

	switch (f->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
		check_message(w, *(ProtobufCMessage *const *)slot);
		break;
	case PROTOBUF_C_TYPE_STRING:
		check_text(w, f, b, *(char *const *)slot);
		break;
	case PROTOBUF_C_TYPE_ENUM:
		code = *(const int *)slot;
		if (code == 0 || !protobuf_c_enum_descriptor_get_value(f->descriptor, code))
			fault_add_list(w->faults, w->path.text, f->descriptor);
		break;
	case PROTOBUF_C_TYPE_INT64:
		if (field_is_time(f))
			check_day(w, b, day_of_time(*(const int64_t *)slot));
		break;
	default:
		break;
	}
}

static bool same_value(const ProtobufCFieldDescriptor *f, const uint8_t *a, const uint8_t *b)
{
	if (f->type == PROTOBUF_C_TYPE_MESSAGE)
		return false;
	if (f->type == PROTOBUF_C_TYPE_STRING)
		return strcmp(*(char *const *)a, *(char *const *)b) == 0;
	return memcmp(a, b, field_size(f)) == 0;
}

static void check_list(struct walk *w, const ProtobufCFieldDescriptor *f, const struct bound *b,
	const uint8_t *list, size_t n)
{
	size_t size = field_size(f);

	if (n > b->entries) {
		note(w, FAULT_TOO_MANY);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		size_t before = fault_path_index(&w->path, i), earlier = 0;

		check_value(w, f, b, list + i * size);
		while (earlier < i && !same_value(f, list + earlier * size, list + i * size))
			earlier++;
		if (earlier < i)
			note(w, FAULT_SAME_TWICE);
		fault_path_back(&w->path, before);
	}
}

static void check_message(struct walk *w, const ProtobufCMessage *m)
{
	const uint8_t *base = (const uint8_t *)m;

	for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
		const struct bound *b = bound_of(w, m->descriptor, f->name);
		const uint8_t *slot = base + f->offset;
		size_t before = fault_path_name(&w->path, f->name);
		bool list = f->label == PROTOBUF_C_LABEL_REPEATED;
		size_t n = list ? *(const size_t *)(base + f->quantifier_offset) : given(f, slot);

		if (b->required && n == 0)
			note(w, FAULT_REQUIRED);
		else if (list)
			check_list(w, f, b, *(uint8_t *const *)slot, n);
		else if (n > 0)
			check_value(w, f, b, slot);
		fault_path_back(&w->path, before);
	}
}

void bounds_check(const ProtobufCMessage *m, const struct bound *rows, size_t n_rows,
	int64_t now_ms, struct faults *faults)
{
	struct walk w = {rows, n_rows, day_of_time(now_ms), faults, {{0}, 0}};

	check_message(&w, m);
}
