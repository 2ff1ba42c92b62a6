#include "proto/checkpoint.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/envelope.h"
#include "proto/merkle.h"

#define KEY_HASH_LEN  4
#define BLOB_LEN      (KEY_HASH_LEN + SIG_LEN)
#define ROOT_TEXT_LEN 44
#define BLOB_TEXT_LEN 92
#define NOTE_MOST     512
#define EPOCH         "epoch "

_Static_assert(
	sodium_base64_ENCODED_LEN(HASH_LEN, sodium_base64_VARIANT_ORIGINAL) == ROOT_TEXT_LEN + 1,
	"root");
_Static_assert(
	sodium_base64_ENCODED_LEN(BLOB_LEN, sodium_base64_VARIANT_ORIGINAL) == BLOB_TEXT_LEN + 1,
	"signature");

/* A name of 48 characters stands twice; the rest is below 300 characters. */
struct text {
	char s[NOTE_MOST];
	size_t len;
};

static void write_head(struct text *t, const struct checkpoint *c, const char *broker)
{
	char root[ROOT_TEXT_LEN + 1];

	sodium_bin2base64(root, sizeof(root), c->root, HASH_LEN, sodium_base64_VARIANT_ORIGINAL);
	t->len = (size_t)snprintf(t->s, sizeof(t->s),
		"havre/%s\n%" PRIu64 "\n%s\nepoch %" PRIu64 "\n", broker, c->size, root, c->epoch);
}

static void write_signature(struct text *t, const char *broker, const uint8_t blob[BLOB_LEN])
{
	char b64[BLOB_TEXT_LEN + 1];

	sodium_bin2base64(b64, sizeof(b64), blob, BLOB_LEN, sodium_base64_VARIANT_ORIGINAL);
	t->len += (size_t)snprintf(
		t->s + t->len, sizeof(t->s) - t->len, "\n\xe2\x80\x94 %s %s\n", broker, b64);
}

/* C2SP signed-note: SHA-256(name, newline, 1 for Ed25519, public key), its first 4 bytes. */
static void key_hash(uint8_t ret[KEY_HASH_LEN], const char *name, const uint8_t pk[SIGN_PK_LEN])
{
	static const uint8_t between[] = {'\n', 1};
	crypto_hash_sha256_state st;
	uint8_t hash[HASH_LEN];

	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, (const uint8_t *)name, strlen(name));
	crypto_hash_sha256_update(&st, between, sizeof(between));
	crypto_hash_sha256_update(&st, pk, SIGN_PK_LEN);
	crypto_hash_sha256_final(&st, hash);
	memcpy(ret, hash, KEY_HASH_LEN);
}

enum err checkpoint_sign(const struct checkpoint *c, const char *broker,
	const uint8_t seed[SIGN_SEED_LEN], struct buf *out)
{
	uint8_t pk[crypto_sign_PUBLICKEYBYTES], sk[crypto_sign_SECRETKEYBYTES], blob[BLOB_LEN];
	struct text t;

	if (!principal_name_valid(broker))
		return ERR_INVALID;
	write_head(&t, c, broker);
	crypto_sign_seed_keypair(pk, sk, seed);
	key_hash(blob, broker, pk);
	crypto_sign_detached(blob + KEY_HASH_LEN, NULL, (const uint8_t *)t.s, t.len, sk);
	sodium_memzero(sk, sizeof(sk));
	write_signature(&t, broker, blob);
	return buf_append(out, t.s, t.len);
}

/* Exactly len bytes of base64 at *p, then a newline; *p moves behind it. */
static bool take_base64(const char **p, uint8_t *ret, size_t len, size_t text_len)
{
	size_t got;

	if (strlen(*p) <= text_len || (*p)[text_len] != '\n' ||
		sodium_base642bin(ret, len, *p, text_len, NULL, &got, NULL,
			sodium_base64_VARIANT_ORIGINAL) != 0 ||
		got != len)
		return false;
	*p += text_len + 1;
	return true;
}

/* Finds the four values; whether the text around them is right is seen by writing it again. */
static bool find_values(
	const char *p, const char *broker, struct checkpoint *ret, uint8_t ret_blob[BLOB_LEN])
{
	char *end;

	p = strchr(p, '\n');
	if (!p)
		return false;
	ret->size = strtoull(p + 1, &end, 10);
	if (*end != '\n')
		return false;
	p = end + 1;
	if (!take_base64(&p, ret->root, HASH_LEN, ROOT_TEXT_LEN))
		return false;
	if (strncmp(p, EPOCH, sizeof(EPOCH) - 1) != 0)
		return false;
	ret->epoch = strtoull(p + sizeof(EPOCH) - 1, &end, 10);
	if (*end != '\n')
		return false;
	p = end + 1;
	/* an empty line, a dash of three bytes, a blank, the name, a blank */
	if (strlen(p) < strlen(broker) + 6)
		return false;
	p += strlen(broker) + 6;
	return take_base64(&p, ret_blob, BLOB_LEN, BLOB_TEXT_LEN);
}

enum err checkpoint_verify(struct slice note, const char *broker,
	const uint8_t sign_pk[SIGN_PK_LEN], struct checkpoint *ret)
{
	uint8_t blob[BLOB_LEN], hash[KEY_HASH_LEN];
	char copy[NOTE_MOST] = {0};
	struct checkpoint c;
	struct text t;
	size_t head;

	if (!principal_name_valid(broker) || note.len == 0 || note.len >= sizeof(copy))
		return ERR_MALFORMED;
	memcpy(copy, note.data, note.len);
	if (!find_values(copy, broker, &c, blob))
		return ERR_MALFORMED;
	write_head(&t, &c, broker);
	head = t.len;
	write_signature(&t, broker, blob);
	if (!slice_eq(slice_of(t.s, t.len), note))
		return ERR_MALFORMED;
	key_hash(hash, broker, sign_pk);
	if (memcmp(hash, blob, KEY_HASH_LEN) != 0 ||
		crypto_sign_verify_detached(
			blob + KEY_HASH_LEN, (const uint8_t *)t.s, head, sign_pk) != 0)
		return ERR_BAD_SIGNATURE;
	*ret = c;
	return OK;
}

enum err receipt_verify(const Receipt *r, struct slice envelope, const char *broker,
	const uint8_t sign_pk[SIGN_PK_LEN])
{
	uint8_t hash[HASH_LEN], leaf[HASH_LEN], root[HASH_LEN], proof[PROOF_MOST][HASH_LEN];
	struct checkpoint c;

	envelope_hash(envelope, hash);
	if (!slice_eq(slice_of(r->envelope_hash.data, r->envelope_hash.len),
		    slice_of(hash, HASH_LEN)) ||
		r->n_proof > PROOF_MOST)
		return ERR_BAD_SIGNATURE;
	for (size_t i = 0; i < r->n_proof; i++) {
		if (r->proof[i].len != HASH_LEN)
			return ERR_BAD_SIGNATURE;
		memcpy(proof[i], r->proof[i].data, HASH_LEN);
	}
	if (checkpoint_verify(
		    slice_of(r->checkpoint.data, r->checkpoint.len), broker, sign_pk, &c) != OK)
		return ERR_BAD_SIGNATURE;
	log_leaf(r->received_at, hash, leaf);
	if (merkle_root_from_path(leaf, r->index, c.size, proof, r->n_proof, root) != OK ||
		memcmp(root, c.root, HASH_LEN) != 0)
		return ERR_BAD_SIGNATURE;
	return OK;
}

/* What a refusal's signature covers. */
struct refusal_pieces {
	uint8_t code[8], at[8];
	struct slice list[4];
};

static void refusal_pieces(const Refusal *r, struct refusal_pieces *p)
{
	be64_put(p->code, r->code);
	be64_put(p->at, (uint64_t)r->at);
	p->list[0] = slice_of(r->id.data, r->id.len);
	p->list[1] = slice_of(r->envelope_hash.data, r->envelope_hash.len);
	p->list[2] = slice_of(p->code, sizeof(p->code));
	p->list[3] = slice_of(p->at, sizeof(p->at));
}

enum err refusal_sign(Refusal *r, const uint8_t seed[SIGN_SEED_LEN], uint8_t ret_sig[SIG_LEN])
{
	struct refusal_pieces p;

	refusal_pieces(r, &p);
	TRY(crypto_sign_pieces(ret_sig, "refusal", p.list, 4, seed));
	r->signature = (ProtobufCBinaryData){SIG_LEN, ret_sig};
	return OK;
}

enum err refusal_verify(const Refusal *r, const uint8_t sign_pk[SIGN_PK_LEN])
{
	struct refusal_pieces p;

	refusal_pieces(r, &p);
	return crypto_verify_pieces(
		r->signature.data, r->signature.len, "refusal", p.list, 4, sign_pk);
}
