/*
 * registry_check.h - is this a registry that may be used? For registry.c and for the commands that
 * make one.
 */
#ifndef HAVRE_REGISTRY_CHECK_H
#define HAVRE_REGISTRY_CHECK_H

#include "proto/crypto.h"
#include "proto/registry.pb-c.h"

/* ERR_CORRUPT: a bad name, a name or a key twice, a key id that is not its key's, bad lengths,
 * box epochs that do not rise, more than READERS_MOST keys in use. */
MUST_USE enum err registry_check_principals(const Registry *r);
/* ERR_CORRUPT: no sound set of root keys and threshold, or it expires before it is issued. */
MUST_USE enum err registry_check_head(const Registry *r);
/*
 * Signed by `threshold` of these roots, and by the threshold of its own root keys too, so that a
 * new set of root keys is vouched for by the old one and shown to exist. ERR_CORRUPT,
 * ERR_NOT_ENOUGH_SIGNATURES, ERR_BAD_SIGNATURE. protobuf_c_message_free_unpacked(*ret). Says
 * nothing about the principals.
 */
MUST_USE enum err registry_check_signed(struct slice signed_registry, const uint8_t (*roots)[32],
	size_t n_roots, unsigned threshold, Registry **ret);
/* One root's signature. */
MUST_USE enum err registry_sign_bytes(
	struct slice registry, const uint8_t seed[SIGN_SEED_LEN], uint8_t ret_sig[SIG_LEN]);
/* A KeyRequest's proof of possession, and its soundness. ERR_CORRUPT, ERR_BAD_SIGNATURE. */
MUST_USE enum err registry_check_request(const KeyRequest *r);

#endif
