#include "proto/crypto.h"

#include <sodium.h>
#include <stdlib.h>

#include "proto/envelope.pb-c.h"
#include "proto/strict.h"

#define TAG_LEN     crypto_aead_xchacha20poly1305_ietf_ABYTES
#define NONCE_LEN   crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define CONTENT_LEN crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define WRAP_LEN    (CONTENT_LEN + TAG_LEN)

_Static_assert(SIGN_PK_LEN == crypto_sign_PUBLICKEYBYTES, "Ed25519");
_Static_assert(SIG_LEN == crypto_sign_BYTES, "Ed25519");
_Static_assert(BOX_PK_LEN == crypto_box_PUBLICKEYBYTES, "X25519");
_Static_assert(WRAP_LEN == 48, "as PROTOCOL.md says");

/* --- random bytes --- */

void entropy_fresh(struct entropy *e)
{
	randombytes_buf(e->key, sizeof(e->key));
	e->counter = 0;
}

/* BLAKE2b-256 keyed with `key` over label and data. */
static void keyed_hash(uint8_t ret[32], const uint8_t key[32], const char *label, struct slice data)
{
	crypto_generichash_state st;

	crypto_generichash_init(&st, key, 32, 32);
	crypto_generichash_update(&st, (const uint8_t *)label, strlen(label));
	crypto_generichash_update(&st, data.data, data.len);
	crypto_generichash_final(&st, ret, 32);
	sodium_memzero(&st, sizeof(st));
}

void entropy_from(struct entropy *e, const uint8_t key[32], struct slice context)
{
	keyed_hash(e->key, key, "havre/1 entropy of ", context);
	e->counter = 0;
}

void entropy_bytes(struct entropy *e, void *out, size_t len)
{
	uint8_t *p = out, block[32], number[8];

	while (len) {
		size_t n = len < sizeof(block) ? len : sizeof(block);

		be64_put(number, e->counter++);
		keyed_hash(block, e->key, "havre/1 entropy ", slice_of(number, sizeof(number)));
		memcpy(p, block, n);
		p += n;
		len -= n;
	}
	sodium_memzero(block, sizeof(block));
}

/* --- signatures --- */

static enum err add_u64(struct buf *out, uint64_t v)
{
	uint8_t be[8];

	be64_put(be, v);
	return buf_append(out, be, sizeof(be));
}

enum err pae(struct buf *out, const char *purpose, const struct slice *pieces, size_t n)
{
	static const char prefix[] = "havre/1 ";

	TRY(add_u64(out, n));
	TRY(add_u64(out, strlen(prefix) + strlen(purpose)));
	TRY(buf_append(out, prefix, strlen(prefix)));
	TRY(buf_append(out, purpose, strlen(purpose)));
	for (size_t i = 0; i < n; i++) {
		TRY(add_u64(out, pieces[i].len));
		TRY(buf_append(out, pieces[i].data, pieces[i].len));
	}
	return OK;
}

void key_id_of(uint8_t ret_id[KEY_ID_LEN], const uint8_t sign_pk[SIGN_PK_LEN])
{
	uint8_t hash[32];

	crypto_generichash(hash, sizeof(hash), sign_pk, SIGN_PK_LEN, NULL, 0);
	memcpy(ret_id, hash, KEY_ID_LEN);
}

enum err crypto_sign_pieces(uint8_t ret_sig[SIG_LEN], const char *purpose,
	const struct slice *pieces, size_t n, const uint8_t seed[SIGN_SEED_LEN])
{
	uint8_t pk[crypto_sign_PUBLICKEYBYTES], sk[crypto_sign_SECRETKEYBYTES];
	struct buf message = {0};
	enum err e = pae(&message, purpose, pieces, n);

	if (e == OK) {
		crypto_sign_seed_keypair(pk, sk, seed);
		crypto_sign_detached(ret_sig, NULL, message.data, message.len, sk);
		sodium_memzero(sk, sizeof(sk));
	}
	buf_free(&message);
	return e;
}

enum err crypto_verify_pieces(const uint8_t *sig, size_t sig_len, const char *purpose,
	const struct slice *pieces, size_t n, const uint8_t pk[SIGN_PK_LEN])
{
	struct buf message = {0};
	enum err e;

	if (sig_len != SIG_LEN)
		return ERR_BAD_SIGNATURE;
	e = pae(&message, purpose, pieces, n);
	if (e == OK && crypto_sign_verify_detached(sig, message.data, message.len, pk) != 0)
		e = ERR_BAD_SIGNATURE;
	buf_free(&message);
	return e;
}

/* --- seals --- */

static size_t varint_len(size_t v)
{
	size_t n = 1;

	while (v >>= 7)
		n++;
	return n;
}

/* Bytes of a length-delimited field with a number below 16. */
static size_t field_len(size_t len)
{
	return 1 + varint_len(len) + len;
}

size_t crypto_sealed_size(size_t padded, size_t n_readers)
{
	size_t wrap = field_len(KEY_ID_LEN) + field_len(WRAP_LEN);

	return field_len(BOX_PK_LEN) + n_readers * field_len(wrap) + field_len(padded + TAG_LEN);
}

/* The key under a wrap is used for one message only; the nonce ties the wrap to its place. */
static void wrap_nonce(
	uint8_t nonce[NONCE_LEN], const uint8_t ephemeral[BOX_PK_LEN], const uint8_t *key_id)
{
	uint8_t place[BOX_PK_LEN + KEY_ID_LEN];

	memcpy(place, ephemeral, BOX_PK_LEN);
	memcpy(place + BOX_PK_LEN, key_id, KEY_ID_LEN);
	crypto_generichash(nonce, NONCE_LEN, place, sizeof(place), NULL, 0);
}

/* What one seal needs; lives on the stack and is wiped. */
struct sealing {
	uint8_t ephemeral_sk[BOX_SK_LEN], content_key[CONTENT_LEN];
	uint8_t ephemeral[BOX_PK_LEN];
	uint8_t boxes[READERS_MOST][WRAP_LEN];
	uint8_t ids[READERS_MOST][KEY_ID_LEN];
	Wrap wraps[READERS_MOST], *list[READERS_MOST];
};

/*
 * The keys come from the entropy and from what is sealed: entropy that comes again with another
 * text (a step done again after a restored backup, say) never meets the same key.
 */
static enum err draw_keys(struct sealing *s, struct slice plain, size_t padded,
	struct slice context, struct entropy *e)
{
	uint8_t drawn[32], size[8];
	struct slice pieces[] = {context, plain, slice_of(size, sizeof(size))};
	struct entropy keys;
	struct buf all = {0};
	enum err result;

	be64_put(size, padded);
	result = pae(&all, "draw", pieces, 3);
	if (result == OK) {
		entropy_bytes(e, drawn, sizeof(drawn));
		entropy_from(&keys, drawn, slice_buf(&all));
		entropy_bytes(&keys, s->ephemeral_sk, sizeof(s->ephemeral_sk));
		entropy_bytes(&keys, s->content_key, sizeof(s->content_key));
		crypto_scalarmult_base(s->ephemeral, s->ephemeral_sk);
		sodium_memzero(&keys, sizeof(keys));
		sodium_memzero(drawn, sizeof(drawn));
	}
	buf_free(&all);
	return result;
}

static enum err wrap_one(
	struct sealing *s, size_t i, const struct reader *reader, struct slice context)
{
	uint8_t shared[crypto_box_BEFORENMBYTES], nonce[NONCE_LEN];

	if (crypto_box_beforenm(shared, reader->box_pk, s->ephemeral_sk) != 0)
		return ERR_INVALID;
	memcpy(s->ids[i], reader->key_id, KEY_ID_LEN);
	wrap_nonce(nonce, s->ephemeral, reader->key_id);
	crypto_aead_xchacha20poly1305_ietf_encrypt(s->boxes[i], NULL, s->content_key, CONTENT_LEN,
		context.data, context.len, NULL, nonce, shared);
	sodium_memzero(shared, sizeof(shared));
	wrap__init(&s->wraps[i]);
	s->wraps[i].key_id = (ProtobufCBinaryData){KEY_ID_LEN, s->ids[i]};
	s->wraps[i].box = (ProtobufCBinaryData){WRAP_LEN, s->boxes[i]};
	s->list[i] = &s->wraps[i];
	return OK;
}

/* box holds padded + TAG_LEN bytes. */
static void fill_box(uint8_t *box, const struct sealing *s, struct slice plain, size_t padded,
	struct slice context)
{
	static const uint8_t nonce[NONCE_LEN];

	memset(box, 0, padded);
	if (plain.len)
		memcpy(box, plain.data, plain.len);
	box[plain.len] = 0x80;
	crypto_aead_xchacha20poly1305_ietf_encrypt(
		box, NULL, box, padded, context.data, context.len, NULL, nonce, s->content_key);
}

enum err crypto_seal(struct buf *out, struct slice plain, size_t padded, struct slice context,
	const struct reader *readers, size_t n, struct entropy *e)
{
	struct sealing s;
	Sealed sealed = SEALED__INIT;
	uint8_t *box = NULL;
	enum err result;

	if (n < 1 || n > READERS_MOST || padded <= plain.len)
		return ERR_INVALID;
	result = draw_keys(&s, plain, padded, context, e);
	for (size_t i = 0; result == OK && i < n; i++)
		result = wrap_one(&s, i, &readers[i], context);
	if (result != OK)
		goto out;
	result = ERR_NOMEM;
	box = malloc(padded + TAG_LEN);
	if (!box)
		goto out;
	fill_box(box, &s, plain, padded, context);
	sealed.ephemeral = (ProtobufCBinaryData){BOX_PK_LEN, s.ephemeral};
	sealed.n_wraps = n;
	sealed.wraps = s.list;
	sealed.box = (ProtobufCBinaryData){padded + TAG_LEN, box};
	result = strict_pack(&sealed.base, out);
out:
	free(box);
	sodium_memzero(&s, sizeof(s));
	return result;
}

static enum err sealed_parse(struct slice bytes, Sealed **ret)
{
	ProtobufCMessage *m;
	Sealed *s;
	bool good;

	TRY(strict_unpack(&sealed__descriptor, bytes, &m));
	s = (Sealed *)m;
	good = s->ephemeral.len == BOX_PK_LEN && s->n_wraps >= 1 && s->n_wraps <= READERS_MOST &&
	       s->box.len > TAG_LEN;
	for (size_t i = 0; good && i < s->n_wraps; i++)
		good = s->wraps[i]->key_id.len == KEY_ID_LEN && s->wraps[i]->box.len == WRAP_LEN;
	if (!good) {
		sealed__free_unpacked(s, NULL);
		return ERR_MALFORMED;
	}
	*ret = s;
	return OK;
}

enum err crypto_sealed_check(struct slice sealed)
{
	Sealed *s;

	TRY(sealed_parse(sealed, &s));
	sealed__free_unpacked(s, NULL);
	return OK;
}

static enum err unwrap(const Sealed *s, struct slice context, const uint8_t key_id[KEY_ID_LEN],
	const uint8_t box_sk[BOX_SK_LEN], uint8_t ret_key[CONTENT_LEN])
{
	uint8_t shared[crypto_box_BEFORENMBYTES], nonce[NONCE_LEN];
	enum err e = ERR_NOT_FOR_ME;

	if (crypto_box_beforenm(shared, s->ephemeral.data, box_sk) != 0)
		return ERR_NOT_FOR_ME;
	wrap_nonce(nonce, s->ephemeral.data, key_id);
	for (size_t i = 0; e != OK && i < s->n_wraps; i++)
		if (memcmp(s->wraps[i]->key_id.data, key_id, KEY_ID_LEN) == 0 &&
			crypto_aead_xchacha20poly1305_ietf_decrypt(ret_key, NULL, NULL,
				s->wraps[i]->box.data, WRAP_LEN, context.data, context.len, nonce,
				shared) == 0)
			e = OK;
	sodium_memzero(shared, sizeof(shared));
	return e;
}

static enum err open_box(
	const Sealed *s, struct slice context, const uint8_t key[CONTENT_LEN], struct buf *ret)
{
	static const uint8_t nonce[NONCE_LEN];
	size_t padded = s->box.len - TAG_LEN;
	size_t len;
	uint8_t *plain = malloc(padded);

	if (!plain)
		return ERR_NOMEM;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, s->box.data, s->box.len,
		    context.data, context.len, nonce, key) != 0 ||
		sodium_unpad(&len, plain, padded, padded) != 0) {
		sodium_memzero(plain, padded);
		free(plain);
		return ERR_NOT_FOR_ME;
	}
	*ret = (struct buf){plain, len, padded};
	return OK;
}

enum err crypto_open(struct slice sealed, struct slice context, const uint8_t key_id[KEY_ID_LEN],
	const uint8_t box_sk[BOX_SK_LEN], struct buf *ret)
{
	uint8_t key[CONTENT_LEN];
	Sealed *s;
	enum err e = sealed_parse(sealed, &s);

	if (e != OK)
		return e == ERR_NOMEM ? e : ERR_NOT_FOR_ME;
	e = unwrap(s, context, key_id, box_sk, key);
	if (e == OK)
		e = open_box(s, context, key, ret);
	sodium_memzero(key, sizeof(key));
	sealed__free_unpacked(s, NULL);
	return e;
}
