#include <sodium.h>
#include <stdlib.h>

#include "proto/strict.h"
#include "services/common/keys/case_keys.h"

#define KEY_LEN   crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define NONCE_LEN crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_LEN   crypto_aead_xchacha20poly1305_ietf_ABYTES
#define PAD       256

/* BLAKE2b under the store key: each use and purpose has its own. */
static void store_hash(const struct engine *e, const char *use, const char *purpose,
	struct slice input, uint8_t ret[32])
{
	crypto_generichash_state st;
	uint8_t len[8];

	crypto_generichash_init(&st, keyring_store_key(e->keys), 32, 32);
	crypto_generichash_update(&st, (const uint8_t *)use, strlen(use) + 1);
	be64_put(len, strlen(purpose));
	crypto_generichash_update(&st, len, sizeof(len));
	crypto_generichash_update(&st, (const uint8_t *)purpose, strlen(purpose));
	crypto_generichash_update(&st, input.data, input.len);
	crypto_generichash_final(&st, ret, 32);
	sodium_memzero(&st, sizeof(st));
}

void step_blind(const struct step *s, const char *purpose, struct slice input, uint8_t ret[32])
{
	store_hash(s->engine, "havre/1 blind", purpose, input, ret);
}

/*
 * The nonce comes from the step's random bytes and from what is sealed: a step that is done again
 * with another result (over a restored store, by a newer program) never uses one twice.
 */
static void draw_nonce(
	struct step *s, struct slice plain, struct slice about, uint8_t ret[NONCE_LEN])
{
	crypto_generichash_state st;
	uint8_t drawn[32], len[8];

	step_random(s, drawn, sizeof(drawn));
	be64_put(len, about.len);
	crypto_generichash_init(&st, drawn, sizeof(drawn), NONCE_LEN);
	crypto_generichash_update(&st, len, sizeof(len));
	crypto_generichash_update(&st, about.data, about.len);
	crypto_generichash_update(&st, plain.data, plain.len);
	crypto_generichash_final(&st, ret, NONCE_LEN);
	sodium_memzero(&st, sizeof(st));
	sodium_memzero(drawn, sizeof(drawn));
}

/* out: nonce, then plain.len + TAG_LEN bytes. */
static void seal(struct step *s, const uint8_t key[KEY_LEN], struct slice plain, struct slice about,
	uint8_t *out)
{
	draw_nonce(s, plain, about, out);
	crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE_LEN, NULL, plain.data, plain.len,
		about.data, about.len, NULL, out, key);
}

/* out: box.len - NONCE_LEN - TAG_LEN bytes. */
static enum err unseal(
	const uint8_t key[KEY_LEN], struct slice box, struct slice about, uint8_t *out)
{
	if (box.len < NONCE_LEN + TAG_LEN ||
		crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, box.data + NONCE_LEN,
			box.len - NONCE_LEN, about.data, about.len, box.data, key) != 0)
		return ERR_CORRUPT;
	return OK;
}

/* What a sealed record is bound to. */
static enum err about_record(int table, struct slice key, const char *case_number, struct buf *ret)
{
	uint8_t t[8];

	be64_put(t, (uint64_t)table);
	return pae(ret, "case-record",
		(struct slice[]){slice_of(t, sizeof(t)), key, slice_str(case_number)}, 3);
}

/* Packs, and pads with 0x80 00 .. to a multiple of PAD. */
static enum err pack_padded(const ProtobufCMessage *m, struct buf *ret)
{
	static const uint8_t zeros[PAD];
	size_t len, padded;

	TRY(strict_pack(m, ret));
	len = ret->len;
	TRY(buf_append(ret, zeros, PAD - len % PAD));
	if (sodium_pad(&padded, ret->data, len, PAD, ret->len) != 0)
		return ERR_INVALID;
	return OK;
}

static enum err put_sealed(struct step *s, int table, struct slice key,
	const uint8_t case_key[KEY_LEN], struct slice plain, struct slice about)
{
	size_t len = NONCE_LEN + plain.len + TAG_LEN;
	uint8_t *box = malloc(len);
	enum err err;

	if (!box)
		return ERR_NOMEM;
	seal(s, case_key, plain, about, box);
	err = step_put(s, table, key, slice_of(box, len));
	free(box);
	return err;
}

enum err case_put(struct step *s, int table, struct slice key, const char *case_number,
	const ProtobufCMessage *m)
{
	struct buf plain = {0}, about = {0};
	uint8_t case_key[KEY_LEN];
	enum err err;

	step_must_write(s);
	err = case_key_get(s->engine, s->txn, case_number, case_key);
	if (err == ERR_NOT_FOUND)
		err = case_key_make(s, case_number, case_key);
	if (err == OK)
		err = pack_padded(m, &plain);
	if (err == OK)
		err = about_record(table, key, case_number, &about);
	if (err == OK)
		err = put_sealed(s, table, key, case_key, slice_buf(&plain), slice_buf(&about));
	sodium_memzero(case_key, sizeof(case_key));
	buf_free(&plain);
	buf_free(&about);
	return err;
}

/* *ret: buf_free it. */
static enum err open_record(
	const uint8_t case_key[KEY_LEN], struct slice box, struct slice about, struct buf *ret)
{
	struct buf plain = {0};
	size_t len;
	enum err err = buf_append(&plain, box.data, box.len); /* as long as needed, and more */

	if (err == OK)
		err = unseal(case_key, box, about, plain.data);
	if (err == OK && sodium_unpad(&len, plain.data, box.len - NONCE_LEN - TAG_LEN, PAD) != 0)
		err = ERR_CORRUPT;
	if (err != OK) {
		buf_free(&plain);
		return err;
	}
	plain.len = len;
	*ret = plain;
	return OK;
}

enum err case_get(struct step *s, int table, struct slice key, const char *case_number,
	const ProtobufCMessageDescriptor *type, ProtobufCMessage **ret)
{
	struct buf plain = {0}, about = {0};
	uint8_t case_key[KEY_LEN];
	struct slice box;
	enum err err;

	TRY(step_get(s, table, key, &box));
	err = case_key_get(s->engine, s->txn, case_number, case_key);
	if (err == OK)
		err = about_record(table, key, case_number, &about);
	if (err == OK)
		err = open_record(case_key, box, slice_buf(&about), &plain);
	if (err == OK)
		err = strict_unpack(type, slice_buf(&plain), ret);
	sodium_memzero(case_key, sizeof(case_key));
	buf_free(&plain);
	buf_free(&about);
	return is_refusal(err) ? ERR_CORRUPT : err;
}
