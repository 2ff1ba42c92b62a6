#include "proto/envelope.h"

#include <sodium.h>

#include "proto/merkle.h"
#include "proto/strict.h"

/* Every byte of an envelope but the body's, at most: names, 16 readers, a batch path of 64. */
#define OVERHEAD_MOST 3600

static const size_t sizes[] = ENVELOPE_SIZES;
#define N_SIZES (sizeof(sizes) / sizeof(sizes[0]))

_Static_assert(SIG_LEN == 64 && HASH_LEN == 32 && MSG_ID_LEN == 16, "as PROTOCOL.md says");

static struct slice slice_pb(ProtobufCBinaryData b)
{
	return slice_of(b.data, b.len);
}

static ProtobufCBinaryData pb_of(const void *data, size_t len)
{
	return (ProtobufCBinaryData){len, (uint8_t *)data};
}

/* --- ids and names --- */

void msg_id_make(uint8_t ret_id[MSG_ID_LEN], int64_t ms, struct entropy *e)
{
	uint8_t time[8];

	be64_put(time, (uint64_t)ms);
	memcpy(ret_id, time + 2, 6);
	entropy_bytes(e, ret_id + 6, MSG_ID_LEN - 6);
}

int64_t msg_id_time(const uint8_t id[MSG_ID_LEN])
{
	uint8_t time[8] = {0};

	memcpy(time + 2, id, 6);
	return (int64_t)be64_get(time);
}

bool principal_name_valid(const char *name)
{
	size_t n = strlen(name);

	return n >= 1 && n <= 48 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n &&
	       name[0] != '-' && name[n - 1] != '-';
}

void envelope_hash(struct slice bytes, uint8_t ret_hash[HASH_LEN])
{
	crypto_hash_sha256(ret_hash, bytes.data, bytes.len);
}

/* --- making --- */

static size_t field_len(size_t len)
{
	size_t n = 2;

	for (size_t v = len; v >>= 7;)
		n++;
	return n + len;
}

static size_t total_len(size_t header, size_t padded, size_t n_readers)
{
	return field_len(header) + field_len(crypto_sealed_size(padded, n_readers)) +
	       field_len(SIG_LEN);
}

/* How far to pad, so that the whole envelope has one of the sizes exactly. */
static enum err choose_padding(size_t header, size_t plain, size_t n_readers, size_t *ret)
{
	for (size_t i = 0; i < N_SIZES; i++) {
		size_t room = sizes[i], padded;

		if (total_len(header, plain + 1, n_readers) > room)
			continue;
		/* the overhead grows with the padding by a few bytes of lengths: start low, rise */
		padded = room - (total_len(header, room, n_readers) - room);
		while (total_len(header, padded, n_readers) < room)
			padded++;
		if (total_len(header, padded, n_readers) == room) {
			*ret = padded;
			return OK;
		}
	}
	return ERR_TOO_LARGE;
}

static enum err make_header(const struct envelope_spec *spec, struct buf *out)
{
	Header h = HEADER__INIT;

	if (!principal_name_valid(spec->sender) || !principal_name_valid(spec->recipient) ||
		spec->created_at < 0)
		return ERR_INVALID;
	h.suite = SUITE_1;
	h.id = pb_of(spec->id, MSG_ID_LEN);
	h.kind = spec->kind;
	h.sender = (char *)spec->sender;
	h.key_id = pb_of(spec->key_id, KEY_ID_LEN);
	h.recipient = (char *)spec->recipient;
	h.created_at = spec->created_at;
	h.cause = pb_of(spec->cause, spec->cause ? MSG_ID_LEN : 0);
	h.epoch = spec->epoch;
	return strict_pack(&h.base, out);
}

/* What the seal is bound to: the header, so sender, recipient, kind, id and epoch. */
static enum err seal_context(struct slice header, struct buf *out)
{
	return pae(out, "seal", &header, 1);
}

static enum err make_sealed(const struct envelope_spec *spec, struct slice header,
	struct slice plain, struct entropy *e, struct buf *out)
{
	struct buf context = {0};
	size_t padded = 0;
	enum err result;

	TRY(choose_padding(header.len, plain.len, spec->n_readers, &padded));
	result = seal_context(header, &context);
	if (result == OK)
		result = crypto_seal(
			out, plain, padded, slice_buf(&context), spec->readers, spec->n_readers, e);
	buf_free(&context);
	return result;
}

static enum err sign_and_pack(
	const uint8_t *seed, struct slice header, struct slice sealed, struct buf *out)
{
	Envelope outer = ENVELOPE__INIT;
	struct slice pieces[] = {header, sealed};
	uint8_t sig[SIG_LEN];

	TRY(crypto_sign_pieces(sig, "envelope", pieces, 2, seed));
	outer.header = pb_of(header.data, header.len);
	outer.sealed = pb_of(sealed.data, sealed.len);
	outer.signature = pb_of(sig, SIG_LEN);
	return strict_pack(&outer.base, out);
}

enum err envelope_make(const struct envelope_spec *spec, const ProtobufCMessage *body,
	struct entropy *e, struct buf *out)
{
	const struct kind_row *row = catalogue_find(spec->kind);
	struct buf header = {0}, plain = {0}, sealed = {0};
	enum err result;

	if (!row || body->descriptor != row->body || spec->n_readers < 1 ||
		spec->n_readers > READERS_MOST)
		return ERR_INVALID;
	result = strict_pack(body, &plain);
	if (result == OK && plain.len > row->most)
		result = ERR_TOO_LARGE;
	if (result == OK)
		result = make_header(spec, &header);
	if (result == OK)
		result = make_sealed(spec, slice_buf(&header), slice_buf(&plain), e, &sealed);
	if (result == OK)
		result =
			sign_and_pack(spec->sign_seed, slice_buf(&header), slice_buf(&sealed), out);
	buf_free(&plain);
	buf_free(&header);
	buf_free(&sealed);
	return result;
}

/* --- reading --- */

static enum err check_header(const Header *h)
{
	if (h->suite != SUITE_1)
		return ERR_SUITE_REFUSED;
	if (h->id.len != MSG_ID_LEN || h->key_id.len != KEY_ID_LEN ||
		(h->cause.len != 0 && h->cause.len != MSG_ID_LEN) || h->created_at < 0 ||
		!principal_name_valid(h->sender) || !principal_name_valid(h->recipient))
		return ERR_MALFORMED;
	return catalogue_find(h->kind) ? OK : ERR_UNKNOWN_KIND;
}

static enum err check_outer(const Envelope *outer)
{
	const BatchPath *b = outer->batch;

	if (outer->signature.len != SIG_LEN)
		return ERR_MALFORMED;
	if (b && (b->index >= b->size || b->n_path > PROOF_MOST))
		return ERR_MALFORMED;
	for (size_t i = 0; b && i < b->n_path; i++)
		if (b->path[i].len != HASH_LEN)
			return ERR_MALFORMED;
	return crypto_sealed_check(slice_pb(outer->sealed));
}

/* Exactly one of the sizes, and not one that the kind never needs. */
static enum err check_size(size_t len, const struct kind_row *row)
{
	size_t limit = 0;
	bool exact = false;

	for (size_t i = 0; i < N_SIZES && limit < row->most + OVERHEAD_MOST; i++) {
		limit = sizes[i];
		exact = exact || len == limit;
	}
	if (len > limit)
		return ERR_TOO_LARGE;
	return exact ? OK : ERR_NOT_CANONICAL;
}

enum err envelope_parse(struct slice bytes, struct envelope *ret)
{
	struct envelope e = {.bytes = bytes};
	ProtobufCMessage *m;
	enum err result;

	if (bytes.len > ENVELOPE_MOST)
		return ERR_TOO_LARGE;
	TRY(strict_unpack(&envelope__descriptor, bytes, &m));
	e.outer = (Envelope *)m;
	result = strict_unpack(&header__descriptor, slice_pb(e.outer->header), &m);
	if (result != OK)
		goto fail;
	e.header = (Header *)m;
	result = check_header(e.header);
	if (result != OK)
		goto fail;
	e.row = catalogue_find(e.header->kind);
	result = check_size(bytes.len, e.row);
	if (result == OK)
		result = check_outer(e.outer);
	if (result != OK)
		goto fail;
	*ret = e;
	return OK;
fail:
	envelope_free(&e);
	return result;
}

void envelope_free(struct envelope *e)
{
	if (e->outer)
		envelope__free_unpacked(e->outer, NULL);
	if (e->header)
		header__free_unpacked(e->header, NULL);
	*e = (struct envelope){0};
}

/* The size is signed with the root: a path can fit several sizes, and an envelope has one form. */
static enum err verify_batch(
	const Envelope *outer, const struct slice pieces[2], const uint8_t sign_pk[SIGN_PK_LEN])
{
	uint8_t path[PROOF_MOST][HASH_LEN], leaf[HASH_LEN], root[HASH_LEN];
	uint8_t size[8];
	const struct slice signed_root[] = {slice_of(root, HASH_LEN), slice_of(size, sizeof(size))};
	struct buf encoded = {0};
	enum err e = pae(&encoded, "batch-leaf", pieces, 2);

	merkle_leaf(slice_buf(&encoded), leaf);
	buf_free(&encoded);
	TRY(e);
	for (size_t i = 0; i < outer->batch->n_path; i++)
		memcpy(path[i], outer->batch->path[i].data, HASH_LEN);
	if (merkle_root_from_path(leaf, outer->batch->index, outer->batch->size, path,
		    outer->batch->n_path, root) != OK)
		return ERR_BAD_SIGNATURE;
	be64_put(size, outer->batch->size);
	return crypto_verify_pieces(
		outer->signature.data, outer->signature.len, "batch-root", signed_root, 2, sign_pk);
}

enum err envelope_verify(const struct envelope *e, const uint8_t sign_pk[SIGN_PK_LEN])
{
	struct slice pieces[] = {slice_pb(e->outer->header), slice_pb(e->outer->sealed)};

	if (e->outer->batch)
		return verify_batch(e->outer, pieces, sign_pk);
	return crypto_verify_pieces(
		e->outer->signature.data, e->outer->signature.len, "envelope", pieces, 2, sign_pk);
}

enum err envelope_names(const struct envelope *e, const uint8_t key_id[KEY_ID_LEN], bool *ret)
{
	ProtobufCMessage *m = NULL;
	const Sealed *s;
	bool named = false;

	TRY(strict_unpack(&sealed__descriptor, slice_pb(e->outer->sealed), &m));
	s = (const Sealed *)m;
	for (size_t i = 0; i < s->n_wraps; i++)
		named |= s->wraps[i]->key_id.len == KEY_ID_LEN &&
			 memcmp(s->wraps[i]->key_id.data, key_id, KEY_ID_LEN) == 0;
	protobuf_c_message_free_unpacked(m, NULL);
	*ret = named;
	return OK;
}

enum err envelope_open(const struct envelope *e, const uint8_t key_id[KEY_ID_LEN],
	const uint8_t box_sk[BOX_SK_LEN], ProtobufCMessage **ret)
{
	struct buf context = {0}, plain = {0};
	enum err result = seal_context(slice_pb(e->outer->header), &context);

	if (result == OK)
		result = crypto_open(
			slice_pb(e->outer->sealed), slice_buf(&context), key_id, box_sk, &plain);
	if (result == OK && plain.len > e->row->most)
		result = ERR_TOO_LARGE;
	if (result == OK)
		result = strict_unpack(e->row->body, slice_buf(&plain), ret);
	buf_free(&plain);
	buf_free(&context);
	return result;
}
