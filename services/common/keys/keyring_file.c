#include <sodium.h>

#include "services/common/keys/keyring_secrets.h"
#include "services/common/keys/secret_file.h"

static enum err write_keyring(
	const struct keyring *k, const char *path, struct slice passphrase, bool replace)
{
	struct secret_name name = {k->principal, keyring_id_at(k, 0), false};
	uint8_t *packed = NULL;
	size_t len = 0;
	enum err e;

	TRY(keyring_pack(k, true, &packed, &len));
	e = secret_file_write(path, &name, slice_of(packed, len), passphrase, replace);
	sodium_free(packed);
	return e;
}

enum err keyring_save(const struct keyring *k, const char *path, struct slice passphrase)
{
	return write_keyring(k, path, passphrase, false);
}

enum err keyring_replace(const struct keyring *k, const char *path, struct slice passphrase)
{
	return write_keyring(k, path, passphrase, true);
}

static enum err fill(struct keyring *k, const KeyFile *f, struct slice passphrase)
{
	uint8_t *plain = NULL;
	size_t len = 0;
	enum err e;

	TRY(secret_file_open(f, passphrase, &plain, &len));
	e = keyring_unpack(k, slice_of(plain, len));
	sodium_free(plain);
	if (e == OK)
		e = keyring_finish(k);
	if (e == OK && sodium_memcmp(keyring_id_at(k, 0), f->key_id.data, KEY_ID_LEN))
		e = ERR_CORRUPT;
	return e;
}

static enum err keyring_from_file(const KeyFile *f, struct slice passphrase, struct keyring **ret)
{
	struct keyring *k = NULL;
	enum err e;

	if (f->salt.len && !passphrase.len)
		return ERR_PASSPHRASE;
	TRY(keyring_alloc(f->principal, &k));
	e = fill(k, f, passphrase);
	if (e != OK)
		keyring_free(&k);
	else
		*ret = k;
	return e;
}

enum err keyring_load(const char *path, struct slice passphrase, struct keyring **ret)
{
	KeyFile *f = NULL;
	enum err e;

	TRY(secret_file_read(path, false, &f));
	e = keyring_from_file(f, passphrase, ret);
	protobuf_c_message_free_unpacked(&f->base, NULL);
	return e;
}

static bool same_owner(const struct keyring *a, const struct keyring *b)
{
	return strcmp(a->principal, b->principal) == 0 &&
	       sodium_memcmp(a->store_key, b->store_key, KEY_LEN) == 0 &&
	       sodium_memcmp(a->step_key, b->step_key, KEY_LEN) == 0;
}

/* Where the key in use is in the other; KEYS_MOST: nowhere. */
static size_t place_of_used(const struct keyring *k, const struct keyring *other)
{
	size_t i = 0;

	while (i < other->n_keys && memcmp(other->keys[i].id, keyring_key_id(k), KEY_ID_LEN) != 0)
		i++;
	return i < other->n_keys ? i : KEYS_MOST;
}

enum err keyring_reload(struct keyring *k, const char *path, bool in_place)
{
	struct keyring *now = NULL;
	enum err e = OK;
	size_t used;

	TRY(keyring_load(path, (struct slice){0}, &now));
	used = place_of_used(k, now);
	if (!same_owner(k, now))
		e = ERR_INVALID;
	else if (in_place && used != k->used)
		e = ERR_BUSY;
	if (e == OK) {
		sodium_mprotect_readwrite(k);
		memcpy(k, now, sizeof(*k));
		if (used != KEYS_MOST)
			k->used = used;
		sodium_mprotect_readonly(k);
	}
	keyring_free(&now);
	return e;
}

enum err keyring_needs_passphrase(const char *path, bool *ret)
{
	KeyFile *f = NULL;

	TRY(secret_file_read(path, false, &f));
	*ret = f->salt.len > 0;
	protobuf_c_message_free_unpacked(&f->base, NULL);
	return OK;
}
