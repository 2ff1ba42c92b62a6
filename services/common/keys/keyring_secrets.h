/*
 * keyring_secrets.h - what a keyring is made of, for the files of the keyring only.
 *
 *   keyring.c         made, chosen, read
 *   keyring_change.c  another one from one: rotated, without, recovered
 *   keyring_pack.c    to and from packed Secrets
 *   keyring_file.c    to and from its file
 */
#ifndef HAVRE_KEYRING_SECRETS_H
#define HAVRE_KEYRING_SECRETS_H

#include <protobuf-c/protobuf-c.h>

#include "services/common/keys/keyring.h"
#include "services/common/keys/locked.h"
#include "services/common/base/names.h"

#define EPOCHS_MOST 64
#define KEYS_MOST   8
#define KEY_LEN     32

struct box_secret {
	uint32_t epoch;
	uint8_t secret[BOX_SK_LEN];
};

struct own_key {
	uint8_t id[KEY_ID_LEN];
	bool signs; /* else the next four are zero */
	uint8_t sign_seed[SIGN_SEED_LEN], sign_pk[SIGN_PK_LEN];
	uint8_t transport_secret[KEY_LEN], transport_pk[KEY_LEN];
	size_t n_box;
	struct box_secret box[EPOCHS_MOST];
};

/* Lives in locked memory only. */
struct keyring {
	char principal[NAME_MOST + 1];
	uint8_t step_key[KEY_LEN], store_key[KEY_LEN];
	size_t n_keys, used;
	struct own_key keys[KEYS_MOST]; /* the newest last */
};

/* ERR_INVALID: not a name. keyring_free. */
MUST_USE enum err keyring_alloc(const char *principal, struct keyring **ret);
MUST_USE enum err keyring_copy(const struct keyring *k, struct keyring **ret);
/* A new random key at the end. ERR_FULL. */
MUST_USE enum err own_key_add(struct keyring *k, uint32_t epoch);
/* Makes the public keys and the ids from the secrets; the newest key is in use. ERR_CORRUPT: no
 * key that signs. From here on only keyring_choose changes it. */
MUST_USE enum err keyring_finish(struct keyring *k);

/* Packed Secrets in locked memory: sodium_free. */
MUST_USE enum err keyring_pack(
	const struct keyring *k, bool signing, uint8_t **ret, size_t *ret_len);
MUST_USE enum err keyring_unpack(struct keyring *k, struct slice packed);

static inline ProtobufCBinaryData bytes_of(const void *data, size_t len)
{
	return (ProtobufCBinaryData){.len = len, .data = (uint8_t *)data};
}

#endif
