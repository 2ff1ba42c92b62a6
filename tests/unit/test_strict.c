/* Goal: strict_unpack takes one encoding of each message and refuses all others; strict_pack makes
 * only that one. */
#include "wire_sample.h"

#include "proto/case.pb-c.h"
#include "proto/frame.pb-c.h"
#include "proto/keyfile.pb-c.h"
#include "proto/referral.pb-c.h"

/* What each row's bytes are, as which message, and what becomes of them. */
static const struct row {
	const char *what;
	const ProtobufCMessageDescriptor *type;
	const char *hex;
	enum err expected;
} rows[] = {
	{"empty", &header__descriptor, "", OK},
	{"two numbers", &header__descriptor, "08011803", OK},
	{"a negative number", &header__descriptor, "38ffffffffffffffffff01", OK},
	{"text of 2, 3, 4 bytes", &header__descriptor, "2209c3a9e28094f09f8f94", OK},
	{"the last characters", &header__descriptor, "220aefbfbff48fbfbfed9fbf", OK},
	{"a known enum value", &withdrawal__descriptor, "1801", OK},
	{"true", &withdrawal__descriptor, "1001", OK},
	{"packed enums", &decision__descriptor, "22020102", OK},
	{"one of several", &frame__descriptor, "6200", OK},
	{"repeated bytes", &batch_path__descriptor, "1a01001a00", OK},

	{"an unknown field", &header__descriptor, "7801", ERR_NOT_CANONICAL},
	{"an unknown field inside", &envelope__descriptor, "22027801", ERR_NOT_CANONICAL},
	{"an unknown group", &header__descriptor, "7b7c", ERR_NOT_CANONICAL},
	{"a zero that is written", &header__descriptor, "0800", ERR_NOT_CANONICAL},
	{"empty text that is written", &header__descriptor, "2200", ERR_NOT_CANONICAL},
	{"empty bytes that are written", &header__descriptor, "1200", ERR_NOT_CANONICAL},
	{"a number in too many bytes", &header__descriptor, "088100", ERR_NOT_CANONICAL},
	{"a field number in too many bytes", &header__descriptor, "880001", ERR_NOT_CANONICAL},
	{"a length in too many bytes", &header__descriptor, "12810001", ERR_NOT_CANONICAL},
	{"a number over 32 bits", &header__descriptor, "088080808010", ERR_NOT_CANONICAL},
	{"another order", &header__descriptor, "18030801", ERR_NOT_CANONICAL},
	{"a field twice", &header__descriptor, "08010801", ERR_NOT_CANONICAL},
	{"a message twice, to be merged", &envelope__descriptor, "2202080122021002",
		ERR_NOT_CANONICAL},
	{"two of one choice", &frame__descriptor, "62006a00", ERR_NOT_CANONICAL},
	{"neither true nor false", &withdrawal__descriptor, "1002", ERR_NOT_CANONICAL},
	{"an unknown enum value", &withdrawal__descriptor, "1863", ERR_NOT_CANONICAL},
	{"a negative enum value", &withdrawal__descriptor, "18ffffffffffffffffff01",
		ERR_NOT_CANONICAL},
	{"an enum value over 32 bits", &withdrawal__descriptor, "188180808010", ERR_NOT_CANONICAL},
	{"an unknown packed enum value", &decision__descriptor, "220163", ERR_NOT_CANONICAL},
	{"enums not packed", &decision__descriptor, "20012002", ERR_NOT_CANONICAL},
	{"packed in two pieces", &decision__descriptor, "220101220102", ERR_NOT_CANONICAL},
	{"packed, of none", &decision__descriptor, "2200", ERR_NOT_CANONICAL},
	{"NUL in text", &header__descriptor, "2203610062", ERR_NOT_CANONICAL},
	{"a byte that starts nothing", &header__descriptor, "2201ff", ERR_NOT_CANONICAL},
	{"a byte that only goes on", &header__descriptor, "220180", ERR_NOT_CANONICAL},
	{"half a character", &header__descriptor, "2201c3", ERR_NOT_CANONICAL},
	{"half a character, then another", &header__descriptor, "2202c361", ERR_NOT_CANONICAL},
	{"NUL in two bytes", &header__descriptor, "2202c080", ERR_NOT_CANONICAL},
	{"a solidus in two bytes", &header__descriptor, "2202c0af", ERR_NOT_CANONICAL},
	{"too long in three bytes", &header__descriptor, "2203e08080", ERR_NOT_CANONICAL},
	{"too long in four bytes", &header__descriptor, "2204f0808080", ERR_NOT_CANONICAL},
	{"a surrogate", &header__descriptor, "2203eda080", ERR_NOT_CANONICAL},
	{"above the last character", &header__descriptor, "2204f4908080", ERR_NOT_CANONICAL},
	{"far above", &header__descriptor, "2204f7bfbfbf", ERR_NOT_CANONICAL},
	{"bad text inside", &referral__descriptor, "62054a030a01ff", ERR_NOT_CANONICAL},
	{"bad text in a list", &referral__descriptor, "8201016182010180", ERR_NOT_CANONICAL},

	{"only a tag", &header__descriptor, "08", ERR_MALFORMED},
	{"a number without end", &header__descriptor, "08ffffffffffffffffffffff01", ERR_MALFORMED},
	{"a length behind the end", &header__descriptor, "12100102", ERR_MALFORMED},
	{"a huge length", &header__descriptor, "12ffffffffffffffff7f", ERR_MALFORMED},
	{"a number as bytes", &header__descriptor, "0a0101", ERR_MALFORMED},
	{"bytes as a number", &header__descriptor, "1001", ERR_MALFORMED},
	{"a number in four bytes", &header__descriptor, "0d01000000", ERR_MALFORMED},
	{"a number in eight bytes", &header__descriptor, "090100000000000000", ERR_MALFORMED},
	{"a known group", &header__descriptor, "0b0c", ERR_MALFORMED},
	{"a field number over 32 bits", &header__descriptor, "888080808010", ERR_MALFORMED},
	{"packed, cut", &decision__descriptor, "220181", ERR_MALFORMED},
	{"a message cut inside", &envelope__descriptor, "22020880", ERR_MALFORMED},
};

static void each_row_is_taken_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		uint8_t bytes[64];
		size_t len = strlen(rows[i].hex) / 2;
		ProtobufCMessage *m = NULL;
		enum err e;

		assert_int_equal(hex_decode(bytes, len, rows[i].hex), OK);
		e = strict_unpack(rows[i].type, slice_of(bytes, len), &m);
		if (e != rows[i].expected)
			fail_msg("%s: %s", rows[i].what, err_name(e));
		assert_int_equal(m != NULL, e == OK);
		if (m) {
			struct buf again = packed(m);

			assert_true(slice_eq(slice_buf(&again), slice_of(bytes, len)));
			buf_free(&again);
			protobuf_c_message_free_unpacked(m, NULL);
		}
	}
}

/* --- depth: none of our messages nests so far, so one that contains itself --- */

struct nest {
	ProtobufCMessage base;
	struct nest *inner;
};

extern const ProtobufCMessageDescriptor nest_descriptor;
static const ProtobufCFieldDescriptor nest_fields[] = {{.name = "inner",
	.id = 1,
	.label = PROTOBUF_C_LABEL_NONE,
	.type = PROTOBUF_C_TYPE_MESSAGE,
	.offset = offsetof(struct nest, inner),
	.descriptor = &nest_descriptor}};
static const unsigned nest_by_name[] = {0};
static const ProtobufCIntRange nest_ranges[] = {{1, 0}, {0, 1}};
const ProtobufCMessageDescriptor nest_descriptor = {.magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
	.name = "Nest",
	.sizeof_message = sizeof(struct nest),
	.n_fields = 1,
	.fields = nest_fields,
	.fields_sorted_by_name = nest_by_name,
	.n_field_ranges = 1,
	.field_ranges = nest_ranges};

static enum err unpack_nested(size_t depth)
{
	enum { ROOM = 1 << 20 };
	uint8_t *bytes = malloc(ROOM);
	size_t at = ROOM;
	ProtobufCMessage *m = NULL;
	enum err e;

	assert_non_null(bytes);
	for (size_t i = 1; i < depth; i++) {
		size_t len = ROOM - at;
		uint8_t head[6] = {0x0a};
		size_t n = 1;

		for (; len >= 0x80; len >>= 7)
			head[n++] = (uint8_t)(len | 0x80);
		head[n++] = (uint8_t)len;
		at -= n;
		memcpy(bytes + at, head, n);
	}
	e = strict_unpack(&nest_descriptor, slice_of(bytes + at, ROOM - at), &m);
	if (e == OK)
		protobuf_c_message_free_unpacked(m, NULL);
	free(bytes);
	return e;
}

static void depth_is_bounded(void **state)
{
	struct nest chain[STRICT_DEPTH_MOST + 1];
	struct buf out = {0};

	(void)state;
	assert_int_equal(unpack_nested(STRICT_DEPTH_MOST), OK);
	assert_int_equal(unpack_nested(STRICT_DEPTH_MOST + 1), ERR_MALFORMED);
	assert_int_equal(unpack_nested(200000), ERR_MALFORMED);
	for (size_t i = 0; i < N_OF(chain); i++)
		chain[i] = (struct nest){{.descriptor = &nest_descriptor},
			i + 1 < N_OF(chain) ? &chain[i + 1] : NULL};
	assert_int_equal(strict_pack(&chain[0].base, &out), ERR_NOT_CANONICAL);
	assert_int_equal(strict_pack(&chain[1].base, &out), OK);
	buf_free(&out);
}

static void elements_are_bounded(void **state)
{
	enum { N = STRICT_ELEMENTS_MOST + 1 };
	static Quarantined one = QUARANTINED__INIT, *list[N];
	static uint32_t numbers[N];
	Cursor cursor = CURSOR__INIT;
	Person person = PERSON__INIT;
	struct buf out = {0};

	(void)state;
	for (size_t i = 0; i < N; i++) {
		list[i] = &one;
		numbers[i] = 1;
	}
	cursor.quarantined = list;
	person.hidden_from = numbers;
	cursor.n_quarantined = person.n_hidden_from = N;
	assert_int_equal(strict_pack(&cursor.base, &out), ERR_NOT_CANONICAL);
	assert_int_equal(strict_pack(&person.base, &out), ERR_NOT_CANONICAL);
	assert_int_equal(out.len, 0);
	cursor.n_quarantined = person.n_hidden_from = N - 1;
	assert_int_equal(strict_pack(&cursor.base, &out), OK);
	assert_int_equal(strict_pack(&person.base, &out), OK);
	buf_free(&out);
}

static void too_many_elements_are_refused_before_they_are_decoded(void **state)
{
	enum { N = STRICT_ELEMENTS_MOST + 1 };
	static uint8_t bytes[2 * N];
	ProtobufCMessage *m;

	(void)state;
	for (size_t i = 0; i < N; i++)
		bytes[2 * i] = 0x12; /* an empty Quarantined */
	assert_int_equal(strict_unpack(&cursor__descriptor, slice_of(bytes, sizeof(bytes)), &m),
		ERR_MALFORMED);
	assert_int_equal(strict_unpack(&cursor__descriptor, slice_of(bytes, 2 * (N - 1)), &m), OK);
	protobuf_c_message_free_unpacked(m, NULL);
}

static void what_could_not_be_read_back_is_not_packed(void **state)
{
	Withdrawal w = WITHDRAWAL__INIT;
	struct buf out = {0};

	(void)state;
	w.case_number = (char *)"\xff";
	assert_int_equal(strict_pack(&w.base, &out), ERR_NOT_CANONICAL);
	w.case_number = (char *)"\xc3\xa9";
	w.reason = (Reason)99;
	assert_int_equal(strict_pack(&w.base, &out), ERR_NOT_CANONICAL);
	w.reason = (Reason)-1;
	assert_int_equal(strict_pack(&w.base, &out), ERR_NOT_CANONICAL);
	assert_int_equal(out.len, 0);
	w.reason = REASON__OTHER_REASON;
	assert_int_equal(strict_pack(&w.base, &out), OK);
	buf_free(&out);
}

/* --- every message type that exists --- */

static void check_type(const ProtobufCMessageDescriptor *type, unsigned depth)
{
	assert_true(depth <= STRICT_DEPTH_MOST);
	for (unsigned i = 0; i < type->n_fields; i++)
		switch (type->fields[i].type) {
		case PROTOBUF_C_TYPE_MESSAGE:
			check_type(type->fields[i].descriptor, depth + 1);
			break;
		case PROTOBUF_C_TYPE_SINT32:
		case PROTOBUF_C_TYPE_SINT64:
		case PROTOBUF_C_TYPE_FIXED32:
		case PROTOBUF_C_TYPE_FIXED64:
		case PROTOBUF_C_TYPE_SFIXED32:
		case PROTOBUF_C_TYPE_SFIXED64:
		case PROTOBUF_C_TYPE_FLOAT:
		case PROTOBUF_C_TYPE_DOUBLE:
			fail_msg("%s.%s: strict.c does not know this type", type->name,
				type->fields[i].name);
			break;
		default:
			break;
		}
}

static void every_message_of_ours_can_be_read(void **state)
{
	static const ProtobufCMessageDescriptor *const roots[] = {&envelope__descriptor,
		&header__descriptor, &sealed__descriptor, &frame__descriptor, &note__descriptor,
		&signed_registry__descriptor, &registry__descriptor, &key_request__descriptor,
		&key_file__descriptor, &secrets__descriptor};
	unsigned n;
	const struct kind_row *row = catalogue_rows(&n);

	(void)state;
	for (size_t i = 0; i < N_OF(roots); i++)
		check_type(roots[i], 1);
	for (unsigned i = 0; i < n; i++)
		check_type(row[i].body, 1);
}

static struct buf sample_referral(void)
{
	Referral r = REFERRAL__INIT;
	Person a = PERSON__INIT, b = PERSON__INIT, *persons[] = {&a, &b};
	Identity identity = IDENTITY__INIT;
	Claim claim = CLAIM__INIT;
	Ground grounds[] = {GROUND__RACE, GROUND__SOCIAL_GROUP};
	uint32_t hidden[] = {2, 300};
	char *names[] = {(char *)"Aruna", (char *)"\xc3\x89lia"};

	r.reference = (char *)"SAMPLE-1";
	r.made_at = SAMPLE_TIME;
	r.case_size = 2;
	r.persons = persons;
	r.n_persons = 2;
	r.claim = &claim;
	a.number = 1;
	a.accompanying = true;
	a.identity = &identity;
	identity.n_other_names = 2;
	identity.other_names = names;
	b.number = 2;
	b.n_hidden_from = 2;
	b.hidden_from = hidden;
	claim.n_grounds = 2;
	claim.grounds = grounds;
	return packed(&r.base);
}

/* Whatever is accepted has exactly one form: changed bytes are refused, or are that form. */
static void changed_bytes_are_refused_or_are_the_one_form(void **state)
{
	struct buf good = sample_referral(), bad = {0};
	struct entropy e = sample_entropy("changes");
	unsigned refused = 0;
	ProtobufCMessage *m;

	(void)state;
	assert_int_equal(strict_unpack(&referral__descriptor, slice_buf(&good), &m), OK);
	protobuf_c_message_free_unpacked(m, NULL);
	assert_int_equal(buf_append(&bad, good.data, good.len), OK);
	for (int i = 0; i < 50000; i++) {
		uint8_t random[6];
		size_t at;

		memcpy(bad.data, good.data, good.len);
		entropy_bytes(&e, random, sizeof(random));
		at = (size_t)(random[0] << 8 | random[1]) % good.len;
		bad.data[at] = random[2];
		if (random[3] & 1)
			bad.data[(at + random[4] % 8) % good.len] = random[5];
		bad.len = random[3] & 2 ? good.len : at + 1;
		if (strict_unpack(&referral__descriptor, slice_buf(&bad), &m) != OK) {
			refused++;
			continue;
		}
		struct buf again = packed(m);

		assert_true(slice_eq(slice_buf(&again), slice_buf(&bad)));
		buf_free(&again);
		protobuf_c_message_free_unpacked(m, NULL);
	}
	assert_in_range(refused, 10000, 49000);
	buf_free(&good);
	buf_free(&bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_is_taken_or_refused),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(elements_are_bounded),
		cmocka_unit_test(too_many_elements_are_refused_before_they_are_decoded),
		cmocka_unit_test(what_could_not_be_read_back_is_not_packed),
		cmocka_unit_test(every_message_of_ours_can_be_read),
		cmocka_unit_test(changed_bytes_are_refused_or_are_the_one_form),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
