/*
 * case_keys.h - the keys of cases and what keeps them. For the engine's files only.
 *
 *   casekeys.c     what is encrypted under a case key, or hashed under the store key
 *   case_bucket.c  case keys under bucket keys: made, erased
 *   case_settle.c  around a commit, after a crash, after a restore
 *   case_rows.c    their rows
 *   buckets.c      bucket keys in their files
 *   case_escrow.c  copies for the recovery key
 *   case_count.c   what verify looks at
 */
#ifndef HAVRE_CASE_KEYS_H
#define HAVRE_CASE_KEYS_H

#include "services/common/keys/buckets.h"
#include "services/common/engine/engine_internal.h"

#define CASE_KEY_LEN 32

/* ERR_NOT_FOUND: there is none, or it was erased. Who asks wipes it. */
MUST_USE enum err case_key_get(
	struct engine *e, struct txn *t, const char *case_number, uint8_t ret[CASE_KEY_LEN]);
MUST_USE enum err case_key_make(struct step *s, const char *case_number, uint8_t ret[CASE_KEY_LEN]);

/* For verify, in a snapshot: what is right, and what is not. */
struct case_key_counts {
	uint64_t keys, erased;
	uint64_t kept; /* erased, and its key is in a bucket's file still */
	uint64_t lost; /* not erased, and its key does not open */
};
MUST_USE enum err case_keys_count(struct engine *e, struct txn *t, struct case_key_counts *ret);

/* --- case_escrow.c: nothing happens without a recovery key, or for a person's own device --- */
/* A copy of this bucket's file as it is now. */
MUST_USE enum err escrow_bucket(struct engine *e, uint64_t number, struct slice file);
/* A copy of what the key file reads with. */
MUST_USE enum err escrow_keys(struct engine *e);

#endif
