/*
 * checkpoint.h - the log's signed head, in the text form of C2SP tlog-checkpoint / signed-note:
 *
 *   havre/BROKER
 *   SIZE
 *   BASE64(ROOT)
 *   epoch NUMBER
 *
 *   — BROKER BASE64(4-byte key hash || Ed25519 signature over the text above the empty line)
 */
#ifndef HAVRE_PROTO_CHECKPOINT_H
#define HAVRE_PROTO_CHECKPOINT_H

#include "proto/bytes.h"
#include "proto/crypto.h"
#include "proto/frame.pb-c.h"

struct checkpoint {
	uint64_t epoch; /* of the broker's store, from 1; within one the log only grows */
	uint64_t size;
	uint8_t root[HASH_LEN];
};

MUST_USE enum err checkpoint_sign(const struct checkpoint *c, const char *broker,
	const uint8_t seed[SIGN_SEED_LEN], struct buf *out);
/* ERR_MALFORMED, ERR_BAD_SIGNATURE. */
MUST_USE enum err checkpoint_verify(struct slice note, const char *broker,
	const uint8_t sign_pk[SIGN_PK_LEN], struct checkpoint *ret);

/*
 * Checks a whole receipt for an envelope: the hash, the inclusion proof, the checkpoint's
 * signature. ERR_BAD_SIGNATURE when any of them is not right.
 */
MUST_USE enum err receipt_verify(const Receipt *r, struct slice envelope, const char *broker,
	const uint8_t sign_pk[SIGN_PK_LEN]);
/* The broker's signature on a Refusal frame, over id, envelope_hash, code and at. It goes to
 * ret_sig, and r->signature points there: ret_sig must live as long as r. */
MUST_USE enum err refusal_sign(
	Refusal *r, const uint8_t seed[SIGN_SEED_LEN], uint8_t ret_sig[SIG_LEN]);
MUST_USE enum err refusal_verify(const Refusal *r, const uint8_t sign_pk[SIGN_PK_LEN]);

#endif
