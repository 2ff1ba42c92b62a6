/*
 * crypto.h - the primitives of suite 1, as Havre uses them: the pre-authentication encoding,
 * signatures over it, and seals. Only envelope.c, note.c (sealed notes), checkpoint.c, the key
 * files and the registry call it. Nothing here reads a clock; random bytes come from the caller
 * through `struct entropy`, so that a step done again gives the same bytes.
 */
#ifndef HAVRE_PROTO_CRYPTO_H
#define HAVRE_PROTO_CRYPTO_H

#include "proto/bytes.h"

#define KEY_ID_LEN    8
#define SIGN_PK_LEN   32
#define SIGN_SEED_LEN 32
#define SIG_LEN       64
#define BOX_PK_LEN    32
#define BOX_SK_LEN    32
#define HASH_LEN      32
#define MSG_ID_LEN    16
#define READERS_MOST  16

/* A deterministic stream of random bytes: BLAKE2b keyed with `key` over (label, counter). */
struct entropy {
	uint8_t key[32];
	uint64_t counter;
};

/* From the operating system. */
void entropy_fresh(struct entropy *e);
/* From a key and a context: the same pair gives the same bytes for ever. */
void entropy_from(struct entropy *e, const uint8_t key[32], struct slice context);
void entropy_bytes(struct entropy *e, void *out, size_t len);

/*
 * PAE(purpose, pieces): the count of pieces, the text "havre/1 " purpose with its length before
 * it, then for each piece its length and its bytes; numbers are 8 bytes, big-endian. Two different
 * lists never give the same bytes, and no purpose's bytes are valid for another.
 */
MUST_USE enum err pae(struct buf *out, const char *purpose, const struct slice *pieces, size_t n);

/* First 8 bytes of BLAKE2b-256 of the public signing key. A hint for finding it, never a proof. */
void key_id_of(uint8_t ret_id[KEY_ID_LEN], const uint8_t sign_pk[SIGN_PK_LEN]);

/* Sign and verify PAE(purpose, pieces) with Ed25519. ERR_BAD_SIGNATURE when it is not right. */
MUST_USE enum err crypto_sign_pieces(uint8_t ret_sig[SIG_LEN], const char *purpose,
	const struct slice *pieces, size_t n, const uint8_t seed[SIGN_SEED_LEN]);
MUST_USE enum err crypto_verify_pieces(const uint8_t *sig, size_t sig_len, const char *purpose,
	const struct slice *pieces, size_t n, const uint8_t pk[SIGN_PK_LEN]);

struct reader {
	uint8_t key_id[KEY_ID_LEN];
	uint8_t box_pk[BOX_PK_LEN];
};

/*
 * Seal `plain` to every reader, bound to `context` (which is not inside, and must be given again
 * to open it). The plain text is padded with 0x80 00 .. to exactly `padded` bytes; padded must be
 * greater than plain.len. Appends a packed Sealed to *out.
 */
MUST_USE enum err crypto_seal(struct buf *out, struct slice plain, size_t padded,
	struct slice context, const struct reader *readers, size_t n, struct entropy *e);
/* Bytes of the packed Sealed that crypto_seal would append. */
size_t crypto_sealed_size(size_t padded, size_t n_readers);
/* Is it a Sealed, in its one encoding, with every length right? ERR_MALFORMED, ERR_NOT_CANONICAL.
 */
MUST_USE enum err crypto_sealed_check(struct slice sealed);
/* ERR_NOT_FOR_ME: no wrap for this key, another context, or altered. *ret: buf_free it. */
MUST_USE enum err crypto_open(struct slice sealed, struct slice context,
	const uint8_t key_id[KEY_ID_LEN], const uint8_t box_sk[BOX_SK_LEN], struct buf *ret);

#endif
