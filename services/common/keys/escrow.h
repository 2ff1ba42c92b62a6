/*
 * escrow.h - what the recovery key opens: copies in HOME/escrow that are safe to carry away, and
 * the recovery key itself, which exists in the parts of its custodians only.
 */
#ifndef HAVRE_ESCROW_H
#define HAVRE_ESCROW_H

#include "proto/crypto.h"
#include "proto/keyfile.pb-c.h"

#define RECOVERY_KEY_LEN 32
/* "escrow/keys" of what the key file reads with; else a bucket's number */
#define ESCROW_KEYS      "keys"
#define ESCROW_FILE_MOST (512u * 1024)

/* Seals `secret` to the recovery key. `store_key` makes the digest. */
MUST_USE enum err escrow_seal(const char *principal, const char *name, struct slice secret,
	const uint8_t recovery_key[RECOVERY_KEY_LEN], const uint8_t store_key[32], struct buf *ret);
/* Is the copy that lies there of this secret, and for this recovery key? */
bool escrow_is_of(struct slice file, const char *principal, const char *name, struct slice secret,
	const uint8_t recovery_key[RECOVERY_KEY_LEN], const uint8_t store_key[32]);
/* escrow_file__free_unpacked. ERR_CORRUPT. */
MUST_USE enum err escrow_unpack(struct slice file, EscrowFile **ret);
/* *ret: in locked memory, sodium_free. ERR_BAD_SIGNATURE: not sealed to this recovery key;
 * ERR_CORRUPT: altered. */
MUST_USE enum err escrow_open(const EscrowFile *f, const uint8_t recovery_secret[RECOVERY_KEY_LEN],
	uint8_t **ret, size_t *ret_len);

/* --- the recovery key in parts --- */

/* Parts and secrets belong into locked memory (locked.h); what libgfshare computes in is not, for a
 * moment, and is overwritten. ERR_NOMEM: also when memory cannot be locked. */

/* A new one, of which `threshold` of `n` parts (2 <= threshold <= n <= 16) are needed. */
MUST_USE enum err escrow_split(unsigned n, unsigned threshold, Share shares[],
	uint8_t parts[][RECOVERY_KEY_LEN], uint8_t ret_recovery_key[RECOVERY_KEY_LEN]);
/* From parts of one recovery key. ERR_NOT_PERMITTED: too few different ones; ERR_INVALID: of
 * different recovery keys; ERR_CORRUPT: they do not make the key that they name. */
MUST_USE enum err escrow_join(
	const Share *const *shares, size_t n, uint8_t ret_secret[RECOVERY_KEY_LEN]);

#endif
