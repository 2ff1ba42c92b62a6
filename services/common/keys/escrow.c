#include "services/common/keys/escrow.h"

#include <libgfshare.h>
#include <sodium.h>
#include <stdlib.h>

#include "proto/strict.h"
#include "services/common/keys/locked.h"

#define FILE_VERSION 1
#define DIGEST_LEN   32
#define SHARES_MOST  16

static ProtobufCBinaryData bytes(const void *data, size_t len)
{
	return (ProtobufCBinaryData){.len = len, .data = (uint8_t *)data};
}

/* Says nothing about the secret to who does not have the store key. */
static void digest_of(const char *principal, const char *name, struct slice secret,
	const uint8_t store_key[32], uint8_t ret[DIGEST_LEN])
{
	crypto_generichash_state st;

	crypto_generichash_init(&st, store_key, 32, DIGEST_LEN);
	crypto_generichash_update(&st, (const uint8_t *)principal, strlen(principal) + 1);
	crypto_generichash_update(&st, (const uint8_t *)name, strlen(name) + 1);
	crypto_generichash_update(&st, secret.data, secret.len);
	crypto_generichash_final(&st, ret, DIGEST_LEN);
	sodium_memzero(&st, sizeof(st));
}

enum err escrow_seal(const char *principal, const char *name, struct slice secret,
	const uint8_t recovery_key[RECOVERY_KEY_LEN], const uint8_t store_key[32], struct buf *ret)
{
	size_t len = secret.len + crypto_box_SEALBYTES;
	uint8_t digest[DIGEST_LEN], *box = malloc(len);
	EscrowFile f = ESCROW_FILE__INIT;
	enum err e;

	if (!box)
		return ERR_NOMEM;
	digest_of(principal, name, secret, store_key, digest);
	f.version = FILE_VERSION;
	f.principal = (char *)principal;
	f.name = (char *)name;
	f.recovery_key = bytes(recovery_key, RECOVERY_KEY_LEN);
	f.digest = bytes(digest, sizeof(digest));
	f.box = bytes(box, len);
	e = crypto_box_seal(box, secret.data, secret.len, recovery_key) ? ERR_INVALID : OK;
	if (e == OK)
		e = strict_pack(&f.base, ret);
	free(box);
	return e;
}

enum err escrow_unpack(struct slice file, EscrowFile **ret)
{
	ProtobufCMessage *m = NULL;
	enum err e = strict_unpack(&escrow_file__descriptor, file, &m);
	EscrowFile *f = (EscrowFile *)m;

	if (e != OK)
		return e == ERR_NOMEM ? e : ERR_CORRUPT;
	if (f->version != FILE_VERSION || f->recovery_key.len != RECOVERY_KEY_LEN ||
		f->digest.len != DIGEST_LEN || f->box.len <= crypto_box_SEALBYTES) {
		escrow_file__free_unpacked(f, NULL);
		return ERR_CORRUPT;
	}
	*ret = f;
	return OK;
}

bool escrow_is_of(struct slice file, const char *principal, const char *name, struct slice secret,
	const uint8_t recovery_key[RECOVERY_KEY_LEN], const uint8_t store_key[32])
{
	uint8_t digest[DIGEST_LEN];
	EscrowFile *f = NULL;
	bool same;

	if (escrow_unpack(file, &f) != OK)
		return false;
	digest_of(principal, name, secret, store_key, digest);
	same = strcmp(f->name, name) == 0 && strcmp(f->principal, principal) == 0 &&
	       memcmp(f->recovery_key.data, recovery_key, RECOVERY_KEY_LEN) == 0 &&
	       sodium_memcmp(f->digest.data, digest, DIGEST_LEN) == 0;
	escrow_file__free_unpacked(f, NULL);
	return same;
}

enum err escrow_open(const EscrowFile *f, const uint8_t recovery_secret[RECOVERY_KEY_LEN],
	uint8_t **ret, size_t *ret_len)
{
	uint8_t pk[RECOVERY_KEY_LEN];
	size_t len = f->box.len - crypto_box_SEALBYTES;
	void *plain = NULL;

	crypto_scalarmult_base(pk, recovery_secret);
	if (memcmp(pk, f->recovery_key.data, RECOVERY_KEY_LEN) != 0)
		return ERR_BAD_SIGNATURE;
	TRY(locked_alloc(len, &plain));
	if (crypto_box_seal_open(plain, f->box.data, f->box.len, pk, recovery_secret) != 0) {
		sodium_free(plain);
		return ERR_CORRUPT;
	}
	*ret = plain;
	*ret_len = len;
	return OK;
}

/* --- in parts --- */

static void fill_random(unsigned char *out, unsigned int len)
{
	randombytes_buf(out, len);
}

/* The library's own random numbers are none. */
static gfshare_ctx *splitter(uint8_t numbers[SHARES_MOST], unsigned n, unsigned threshold)
{
	for (unsigned i = 0; i < n; i++)
		numbers[i] = (uint8_t)(i + 1);
	gfshare_fill_rand = fill_random;
	return gfshare_ctx_init_enc(numbers, n, (unsigned char)threshold, RECOVERY_KEY_LEN);
}

enum err escrow_split(unsigned n, unsigned threshold, Share shares[],
	uint8_t parts[][RECOVERY_KEY_LEN], uint8_t ret_recovery_key[RECOVERY_KEY_LEN])
{
	uint8_t numbers[SHARES_MOST];
	void *secret = NULL;
	gfshare_ctx *ctx;

	if (threshold < 2 || threshold > n || n > SHARES_MOST)
		return ERR_INVALID;
	TRY(locked_alloc(RECOVERY_KEY_LEN, &secret));
	ctx = splitter(numbers, n, threshold);
	if (!ctx) {
		sodium_free(secret);
		return ERR_NOMEM;
	}
	crypto_box_keypair(ret_recovery_key, secret);
	gfshare_ctx_enc_setsecret(ctx, secret);
	sodium_free(secret);
	for (unsigned i = 0; i < n; i++) {
		gfshare_ctx_enc_getshare(ctx, (unsigned char)i, parts[i]);
		share__init(&shares[i]);
		shares[i].recovery_key = bytes(ret_recovery_key, RECOVERY_KEY_LEN);
		shares[i].threshold = threshold;
		shares[i].shares = n;
		shares[i].number = i + 1;
		shares[i].part = bytes(parts[i], RECOVERY_KEY_LEN);
	}
	gfshare_ctx_free(ctx); /* fills it with random bytes first */
	return OK;
}

/* Each number once. */
static enum err pick(
	const Share *const *shares, size_t n, const Share *picked[SHARES_MOST], unsigned *ret_n)
{
	unsigned count = 0;

	for (size_t i = 0; i < n; i++) {
		bool twice = false;

		if (shares[i]->recovery_key.len != RECOVERY_KEY_LEN ||
			shares[i]->part.len != RECOVERY_KEY_LEN || !shares[i]->number ||
			shares[i]->number > SHARES_MOST)
			return ERR_CORRUPT;
		if (memcmp(shares[i]->recovery_key.data, shares[0]->recovery_key.data,
			    RECOVERY_KEY_LEN) != 0)
			return ERR_INVALID;
		for (unsigned j = 0; j < count; j++)
			twice |= picked[j]->number == shares[i]->number;
		if (!twice)
			picked[count++] = shares[i];
	}
	*ret_n = count;
	return count && count >= picked[0]->threshold ? OK : ERR_NOT_PERMITTED;
}

static enum err join(const Share *const *picked, unsigned n, uint8_t secret[RECOVERY_KEY_LEN])
{
	uint8_t numbers[SHARES_MOST], pk[RECOVERY_KEY_LEN];
	gfshare_ctx *ctx;

	for (unsigned i = 0; i < n; i++)
		numbers[i] = (uint8_t)picked[i]->number;
	gfshare_fill_rand = fill_random; /* it is overwritten with these at the end */
	ctx = gfshare_ctx_init_dec(numbers, n, RECOVERY_KEY_LEN);
	if (!ctx)
		return ERR_NOMEM;
	for (unsigned i = 0; i < n; i++)
		gfshare_ctx_dec_giveshare(ctx, (unsigned char)i, picked[i]->part.data);
	gfshare_ctx_dec_extract(ctx, secret);
	gfshare_ctx_free(ctx);
	crypto_scalarmult_base(pk, secret);
	return sodium_memcmp(pk, picked[0]->recovery_key.data, RECOVERY_KEY_LEN) ? ERR_CORRUPT : OK;
}

enum err escrow_join(const Share *const *shares, size_t n, uint8_t ret_secret[RECOVERY_KEY_LEN])
{
	const Share *picked[SHARES_MOST];
	unsigned count = 0;
	void *secret = NULL;
	enum err e;

	TRY(pick(shares, n, picked, &count));
	TRY(locked_alloc(RECOVERY_KEY_LEN, &secret));
	e = join(picked, count, secret);
	if (e == OK)
		memcpy(ret_secret, secret, RECOVERY_KEY_LEN);
	sodium_free(secret);
	return e;
}
