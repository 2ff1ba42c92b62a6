#include "services/common/keys/bucket_file.h"

#include <sodium.h>
#include <stdlib.h>

#include "proto/strict.h"
#include "services/common/keys/locked.h"

#define FILE_VERSION 1
#define NONCE_LEN    crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_LEN      crypto_aead_xchacha20poly1305_ietf_ABYTES
#define BOX_LEN      (NONCE_LEN + BUCKET_KEY_LEN + TAG_LEN)

/* What a bucket's key is under, and bound to. */
static void wrapping_key(
	const uint8_t store_key[32], uint64_t number, uint64_t generation, uint8_t ret[32])
{
	static const char use[] = "havre/1 bucket key";
	crypto_generichash_state st;
	uint8_t n[8], g[8];

	be64_put(n, number);
	be64_put(g, generation);
	crypto_generichash_init(&st, store_key, 32, 32);
	crypto_generichash_update(&st, (const uint8_t *)use, sizeof(use));
	crypto_generichash_update(&st, n, sizeof(n));
	crypto_generichash_update(&st, g, sizeof(g));
	crypto_generichash_final(&st, ret, 32);
	sodium_memzero(&st, sizeof(st));
}

static enum err open_box(ProtobufCBinaryData box, const uint8_t key[32], uint8_t *out)
{
	if (box.len < NONCE_LEN + TAG_LEN ||
		crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, box.data + NONCE_LEN,
			box.len - NONCE_LEN, NULL, 0, box.data, key) != 0)
		return ERR_CORRUPT;
	return OK;
}

/* out: NONCE_LEN + plain.len + TAG_LEN bytes. */
static void seal_box(uint8_t *out, struct slice plain, const uint8_t key[32])
{
	randombytes_buf(out, NONCE_LEN);
	crypto_aead_xchacha20poly1305_ietf_encrypt(
		out + NONCE_LEN, NULL, plain.data, plain.len, NULL, 0, NULL, out, key);
}

static enum err unpack_file(struct slice bytes, uint64_t number, BucketFile **ret)
{
	ProtobufCMessage *m = NULL;
	enum err e = strict_unpack(&bucket_file__descriptor, bytes, &m);
	BucketFile *f = (BucketFile *)m;

	if (e != OK)
		return e == ERR_NOMEM ? e : ERR_CORRUPT;
	if (f->version != FILE_VERSION || f->number != number || !f->generation ||
		f->box.len != BOX_LEN) {
		protobuf_c_message_free_unpacked(m, NULL);
		return ERR_CORRUPT;
	}
	*ret = f;
	return OK;
}

static enum err open_key(
	const BucketFile *f, const uint8_t store_key[32], uint8_t ret[BUCKET_KEY_LEN])
{
	uint8_t wrapping[32];
	enum err e;

	wrapping_key(store_key, f->number, f->generation, wrapping);
	e = open_box(f->box, wrapping, ret);
	sodium_memzero(wrapping, sizeof(wrapping));
	return e;
}

enum err bucket_file_open(struct slice file, const uint8_t store_key[32], uint64_t number,
	uint64_t *ret_generation, uint8_t ret[BUCKET_KEY_LEN])
{
	uint8_t key[BUCKET_KEY_LEN];
	BucketFile *f = NULL;
	enum err e;

	TRY(unpack_file(file, number, &f));
	e = open_key(f, store_key, key);
	if (e == OK) {
		memcpy(ret, key, sizeof(key));
		*ret_generation = f->generation;
	}
	sodium_memzero(key, sizeof(key));
	bucket_file__free_unpacked(f, NULL);
	return e;
}

/* --- the case keys that stayed --- */

void bucket_rest_free(BucketRest **rp)
{
	for (size_t i = 0; *rp && i < (*rp)->n_cases; i++)
		if ((*rp)->cases[i]->key.data)
			sodium_memzero((*rp)->cases[i]->key.data, (*rp)->cases[i]->key.len);
	bucket_rest__free_unpacked(*rp, NULL);
	*rp = NULL;
}

static enum err unpack_rest(struct slice plain, BucketRest **ret)
{
	ProtobufCMessage *m = NULL;
	enum err e = strict_unpack(&bucket_rest__descriptor, plain, &m);
	BucketRest *rest = (BucketRest *)m;

	if (e != OK)
		return e == ERR_NOMEM ? e : ERR_CORRUPT;
	for (size_t i = 0; i < rest->n_cases; i++)
		if (rest->cases[i]->key.len != BUCKET_KEY_LEN) {
			bucket_rest_free(&rest);
			return ERR_CORRUPT;
		}
	*ret = rest;
	return OK;
}

static enum err open_rest(const BucketFile *f, const uint8_t key[32], BucketRest **ret)
{
	void *plain = NULL;
	size_t len;
	enum err e;

	if (f->rest.len < NONCE_LEN + TAG_LEN)
		return f->rest.len ? ERR_CORRUPT : unpack_rest((struct slice){0}, ret);
	len = f->rest.len - NONCE_LEN - TAG_LEN;
	TRY(locked_alloc(len + 1, &plain));
	e = open_box(f->rest, key, plain);
	if (e == OK)
		e = unpack_rest(slice_of(plain, len), ret);
	sodium_free(plain);
	return e;
}

enum err bucket_file_rest(
	struct slice file, const uint8_t store_key[32], uint64_t number, BucketRest **ret)
{
	uint8_t key[BUCKET_KEY_LEN];
	BucketFile *f = NULL;
	enum err e;

	TRY(unpack_file(file, number, &f));
	e = open_key(f, store_key, key);
	if (e == OK)
		e = open_rest(f, key, ret);
	sodium_memzero(key, sizeof(key));
	bucket_file__free_unpacked(f, NULL);
	return e;
}

/* *ret: free() it. */
static enum err seal_rest(const BucketRest *rest, const uint8_t key[32], ProtobufCBinaryData *ret)
{
	size_t len = bucket_rest__get_packed_size(rest);
	uint8_t *box = malloc(NONCE_LEN + len + TAG_LEN);
	void *plain = NULL;
	enum err e = box ? locked_alloc(len + 1, &plain) : ERR_NOMEM;

	if (e != OK) {
		free(box);
		return e;
	}
	bucket_rest__pack(rest, plain);
	seal_box(box, slice_of(plain, len), key);
	sodium_free(plain);
	*ret = (ProtobufCBinaryData){NONCE_LEN + len + TAG_LEN, box};
	return OK;
}

enum err bucket_file_make(const uint8_t store_key[32], uint64_t number, uint64_t generation,
	const uint8_t key[BUCKET_KEY_LEN], const BucketRest *rest, struct buf *ret)
{
	uint8_t box[BOX_LEN], wrapping[32];
	BucketFile f = BUCKET_FILE__INIT;
	enum err e = OK;

	wrapping_key(store_key, number, generation, wrapping);
	seal_box(box, slice_of(key, BUCKET_KEY_LEN), wrapping);
	sodium_memzero(wrapping, sizeof(wrapping));
	f.version = FILE_VERSION;
	f.number = number;
	f.generation = generation;
	f.box = (ProtobufCBinaryData){BOX_LEN, box};
	if (rest && rest->n_cases)
		e = seal_rest(rest, key, &f.rest);
	if (e == OK)
		e = strict_pack(&f.base, ret);
	free(f.rest.data);
	return e;
}
