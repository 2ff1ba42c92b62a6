#include "proto/strict.h"

#include <stdlib.h>

#include "proto/wipe.h"

/* The wire types that our messages use. */
enum wire { WIRE_VARINT = 0, WIRE_BYTES = 2 };

static enum err take_varint(struct slice *in, uint64_t *ret)
{
	uint64_t v = 0;

	for (size_t i = 0; i < in->len && i < 10; i++) {
		v |= (uint64_t)(in->data[i] & 0x7f) << (7 * i);
		if (in->data[i] & 0x80)
			continue;
		*in = slice_of(in->data + i + 1, in->len - i - 1);
		*ret = v;
		return OK;
	}
	return ERR_MALFORMED;
}

static enum err take_bytes(struct slice *in, struct slice *ret)
{
	uint64_t len;

	TRY(take_varint(in, &len));
	if (len > in->len)
		return ERR_MALFORMED;
	*ret = slice_of(in->data, (size_t)len);
	*in = slice_of(in->data + len, in->len - (size_t)len);
	return OK;
}

/* One character of UTF-8 in its shortest form, not a surrogate, not NUL; 0 when it is none. */
static size_t character(const uint8_t *s, size_t len)
{
	static const uint32_t least[] = {1, 0x80, 0x800, 0x10000};
	size_t n = s[0] < 0x80 ? 0 : s[0] < 0xe0 ? 1 : s[0] < 0xf0 ? 2 : 3;
	uint32_t c = n ? s[0] & (0x3fu >> n) : s[0];

	if ((s[0] >= 0x80 && s[0] < 0xc2) || s[0] > 0xf4 || n >= len)
		return 0;
	for (size_t i = 1; i <= n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return n + 1;
}

static enum err scan_text(struct slice s)
{
	for (size_t i = 0, n; i < s.len; i += n) {
		n = character(s.data + i, s.len - i);
		if (!n)
			return ERR_NOT_CANONICAL;
	}
	return OK;
}

static bool is_number(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_BOOL:
	case PROTOBUF_C_TYPE_ENUM:
		return true;
	default:
		return false;
	}
}

/* Whether a number fits its type is left to the second encoding. */
static enum err scan_number(const ProtobufCFieldDescriptor *f, struct slice *in)
{
	uint64_t v;

	TRY(take_varint(in, &v));
	if (f->type == PROTOBUF_C_TYPE_ENUM &&
		(v > INT32_MAX || !protobuf_c_enum_descriptor_get_value(f->descriptor, (int)v)))
		return ERR_NOT_CANONICAL;
	return OK;
}

static enum err scan_packed(const ProtobufCFieldDescriptor *f, struct slice in)
{
	if (f->label != PROTOBUF_C_LABEL_REPEATED || !is_number(f->type))
		return ERR_MALFORMED;
	for (unsigned n = 1; in.len; n++) {
		if (n > STRICT_ELEMENTS_MOST)
			return ERR_MALFORMED;
		TRY(scan_number(f, &in));
	}
	return OK;
}

static enum err scan_message(
	const ProtobufCMessageDescriptor *type, struct slice in, unsigned depth);

static enum err scan_field(
	const ProtobufCFieldDescriptor *f, enum wire wire, struct slice *in, unsigned depth)
{
	struct slice inside;

	if (wire == WIRE_VARINT && is_number(f->type))
		return scan_number(f, in);
	if (wire != WIRE_BYTES)
		return ERR_MALFORMED;
	TRY(take_bytes(in, &inside));
	switch (f->type) {
	case PROTOBUF_C_TYPE_STRING:
		return scan_text(inside);
	case PROTOBUF_C_TYPE_BYTES:
		return OK;
	case PROTOBUF_C_TYPE_MESSAGE:
		return scan_message(f->descriptor, inside, depth + 1);
	default:
		return scan_packed(f, inside);
	}
}

/*
 * The bytes are judged before protobuf-c sees them: how deep it will recurse, how much it will
 * allocate, and that it has nothing to skip or to merge.
 */
static enum err scan_message(
	const ProtobufCMessageDescriptor *type, struct slice in, unsigned depth)
{
	const ProtobufCFieldDescriptor *f = NULL, *last;
	unsigned n = 0;
	uint64_t tag;

	if (depth > STRICT_DEPTH_MOST)
		return ERR_MALFORMED;
	while (in.len) {
		TRY(take_varint(&in, &tag));
		if (tag > UINT32_MAX)
			return ERR_MALFORMED;
		last = f;
		f = protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3));
		if (!f || (last && f->id < last->id))
			return ERR_NOT_CANONICAL;
		n = f == last ? n + 1 : 1;
		if (n > 1 && f->label != PROTOBUF_C_LABEL_REPEATED)
			return ERR_NOT_CANONICAL;
		if (n > STRICT_ELEMENTS_MOST)
			return ERR_MALFORMED;
		TRY(scan_field(f, (enum wire)(tag & 7), &in, depth));
	}
	return OK;
}

static enum err pack(const ProtobufCMessage *m, struct buf *ret)
{
	size_t len = protobuf_c_message_get_packed_size(m);
	uint8_t *data = malloc(len ? len : 1);

	if (!data)
		return ERR_NOMEM;
	*ret = (struct buf){data, protobuf_c_message_pack(m, data), len};
	return OK;
}

static enum err check_same(const ProtobufCMessage *m, struct slice bytes)
{
	struct buf again;
	enum err e;

	TRY(pack(m, &again));
	e = slice_eq(slice_buf(&again), bytes) ? OK : ERR_NOT_CANONICAL;
	buf_free(&again);
	return e;
}

enum err strict_unpack(
	const ProtobufCMessageDescriptor *type, struct slice bytes, ProtobufCMessage **ret)
{
	ProtobufCMessage *m;
	enum err e;

	TRY(scan_message(type, bytes, 1));
	m = protobuf_c_message_unpack(type, NULL, bytes.len, bytes.data);
	if (!m)
		return ERR_MALFORMED;
	e = check_same(m, bytes);
	if (e != OK) {
		message_wipe(m);
		return e;
	}
	*ret = m;
	return OK;
}

enum err strict_pack(const ProtobufCMessage *m, struct buf *out)
{
	struct buf packed;
	enum err e;

	TRY(pack(m, &packed));
	e = scan_message(m->descriptor, slice_buf(&packed), 1);
	if (e == OK)
		e = buf_append(out, packed.data, packed.len);
	else
		e = ERR_NOT_CANONICAL;
	buf_free(&packed);
	return e;
}
