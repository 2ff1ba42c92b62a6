/*
 * keyring.h - the secrets of one key of one principal, in locked memory that is checked to be
 * locked, wiped when freed. A key file is 0600, owned by who reads it; an officer's opens with a
 * passphrase (Argon2id), a service's without, so that it restarts alone.
 */
#ifndef HAVRE_KEYRING_H
#define HAVRE_KEYRING_H

#include "proto/crypto.h"

struct keyring;

/* New random secrets, box epoch 1. */
MUST_USE enum err keyring_create(const char *principal, struct keyring **ret);
/* `passphrase`: {0} for none. Writes path.tmp, syncs, renames, syncs the folder. ERR_EXISTS. */
MUST_USE enum err keyring_save(const struct keyring *k, const char *path, struct slice passphrase);
/* ERR_PERMISSIONS, ERR_PASSPHRASE (wrong or missing), ERR_CORRUPT, ERR_NOT_FOUND. */
MUST_USE enum err keyring_load(const char *path, struct slice passphrase, struct keyring **ret);
/* Does this file open with a passphrase only? */
MUST_USE enum err keyring_needs_passphrase(const char *path, bool *ret);
void keyring_free(struct keyring **kp);

const char *keyring_principal(const struct keyring *k);
const uint8_t *keyring_key_id(const struct keyring *k);           /* KEY_ID_LEN */
const uint8_t *keyring_sign_seed(const struct keyring *k);        /* SIGN_SEED_LEN */
const uint8_t *keyring_sign_pk(const struct keyring *k);          /* SIGN_PK_LEN */
const uint8_t *keyring_transport_secret(const struct keyring *k); /* 32 */
const uint8_t *keyring_transport_pk(const struct keyring *k);     /* 32 */
const uint8_t *keyring_step_key(const struct keyring *k);         /* 32 */
const uint8_t *keyring_store_key(const struct keyring *k);        /* 32 */
/* NULL when the secret of that epoch was destroyed or never was. */
const uint8_t *keyring_box_secret(const struct keyring *k, uint32_t epoch);

/* The packed, self-signed KeyRequest that `havre-admin registry add` takes. */
MUST_USE enum err keyring_request(const struct keyring *k, const char *holder, const char *device,
	int64_t now, struct buf *ret);

#endif
