/*
 * keyring_secrets.h - what a keyring is made of, for keyring.c and keyring_file.c only.
 */
#ifndef HAVRE_KEYRING_SECRETS_H
#define HAVRE_KEYRING_SECRETS_H

#include <protobuf-c/protobuf-c.h>

#include "services/common/keyring.h"
#include "services/common/names.h"

#define EPOCHS_MOST 64
#define KEY_LEN     32

struct box_secret {
	uint32_t epoch;
	uint8_t secret[BOX_SK_LEN];
};

/* Lives in locked memory only. */
struct keyring {
	char principal[NAME_MOST + 1];
	uint8_t key_id[KEY_ID_LEN];
	uint8_t sign_seed[SIGN_SEED_LEN], sign_pk[SIGN_PK_LEN];
	uint8_t transport_secret[KEY_LEN], transport_pk[KEY_LEN];
	uint8_t step_key[KEY_LEN], store_key[KEY_LEN];
	size_t n_box;
	struct box_secret box[EPOCHS_MOST];
};

/* Zeroed memory that is checked to be locked. sodium_free wipes it. */
MUST_USE enum err locked_alloc(size_t len, void **ret);
/* ERR_INVALID: not a name. keyring_free. */
MUST_USE enum err keyring_alloc(const char *principal, struct keyring **ret);
/* Makes the public keys from the secrets; from here on nothing changes. */
void keyring_finish(struct keyring *k);

static inline ProtobufCBinaryData bytes_of(const void *data, size_t len)
{
	return (ProtobufCBinaryData){.len = len, .data = (uint8_t *)data};
}

#endif
