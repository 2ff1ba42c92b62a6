/*
 * keyring.h - the secrets of one principal on one device, in locked memory that is checked to be
 * locked, wiped when freed. A key file is 0600 or 0400, owned by who reads it (root reads
 * everybody's); an officer's opens with a passphrase (Argon2id), a service's without, so that it
 * restarts alone.
 *
 * A file holds one key, or several while they change: the registry says which of them is used
 * (keyring_choose); the others only open what was sealed to them. A key has box secrets by epoch:
 * senders seal to the newest that the registry announces, older ones open what is on its way, and
 * are destroyed when no backup can need them. An object changes by keyring_choose and
 * keyring_reload only.
 */
#ifndef HAVRE_KEYRING_H
#define HAVRE_KEYRING_H

#include "proto/crypto.h"

struct keyring;
struct registry;

/* New random secrets: one key, with a box secret of this epoch. */
MUST_USE enum err keyring_create_at(const char *principal, uint32_t epoch, struct keyring **ret);
MUST_USE enum err keyring_create(const char *principal, struct keyring **ret); /* epoch 1 */
/* The same with one box epoch more, or with a new key more, whose box secret is of that epoch.
 * ERR_FULL: EPOCHS_MOST or KEYS_MOST: destroy first. */
MUST_USE enum err keyring_rotate(const struct keyring *k, struct keyring **ret);
MUST_USE enum err keyring_add_key(const struct keyring *k, uint32_t epoch, struct keyring **ret);
/* The same without what `keep` (for each key, and each box secret of it) says no to; a key without
 * any box secret goes. ERR_INVALID: nothing would be left of the key in use. */
typedef bool keyring_keep(void *arg, const uint8_t key_id[KEY_ID_LEN], uint32_t epoch);
MUST_USE enum err keyring_without(
	const struct keyring *k, keyring_keep *keep, void *arg, struct keyring **ret);

/* `passphrase`: {0} for none. Writes path.tmp, syncs, renames, syncs the folder. ERR_EXISTS. */
MUST_USE enum err keyring_save(const struct keyring *k, const char *path, struct slice passphrase);
/* Takes the place of the file, whose bytes are then overwritten. Whole, or not at all. */
MUST_USE enum err keyring_replace(
	const struct keyring *k, const char *path, struct slice passphrase);
/* ERR_PERMISSIONS, ERR_PASSPHRASE (wrong or missing), ERR_CORRUPT, ERR_NOT_FOUND. */
MUST_USE enum err keyring_load(const char *path, struct slice passphrase, struct keyring **ret);
/* Takes what the file, without a passphrase, has now into the same object: all who hold it go on
 * with the same key in use, if it is still there. ERR_INVALID: another principal's or store's.
 * ERR_BUSY: `in_place`, and the key in use would be at another address. */
MUST_USE enum err keyring_reload(struct keyring *k, const char *path, bool in_place);
/* Does this file open with a passphrase only? */
MUST_USE enum err keyring_needs_passphrase(const char *path, bool *ret);
void keyring_free(struct keyring **kp);

/* From now on the newest key that this registry has, not retired, is the one in use, or the oldest
 * (of the broker: others may not know a newer one yet); none: the first that signs. Says whether it
 * is another one than before. */
bool keyring_choose(struct keyring *k, const struct registry *r, int64_t now);
bool keyring_choose_oldest(struct keyring *k, const struct registry *r, int64_t now);

/* Of the key in use; at first the newest. */
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

/* All keys, the newest first. NULL: no more. */
const uint8_t *keyring_id_at(const struct keyring *k, size_t i);
const uint8_t *keyring_box_secret_of(
	const struct keyring *k, const uint8_t key_id[KEY_ID_LEN], uint32_t epoch);
/* The newest epoch of the key, 0 when it has none. */
uint32_t keyring_newest_epoch(const struct keyring *k, const uint8_t key_id[KEY_ID_LEN]);

/* The packed, self-signed KeyRequest of the newest key that `havre-admin registry add` takes. */
MUST_USE enum err keyring_request(const struct keyring *k, const char *holder, const char *device,
	int64_t now, struct buf *ret);

/* What escrow keeps: packed Secrets, in locked memory (sodium_free), of keys that do not sign. */
MUST_USE enum err keyring_pack_readers(const struct keyring *k, uint8_t **ret, size_t *ret_len);
/* A keyring of a new key of that epoch and of what escrow kept. ERR_CORRUPT. */
MUST_USE enum err keyring_recover(
	const char *principal, struct slice readers, uint32_t epoch, struct keyring **ret);

#endif
