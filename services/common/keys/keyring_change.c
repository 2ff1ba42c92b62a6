/* One keyring from another; what is there is never changed in its place. */
#include <sodium.h>

#include "services/common/keys/keyring_secrets.h"

enum err keyring_copy(const struct keyring *k, struct keyring **ret)
{
	TRY(keyring_alloc(k->principal, ret));
	memcpy(*ret, k, sizeof(*k));
	return OK;
}

/* Takes `k` over. */
static enum err finished(struct keyring *k, enum err e, struct keyring **ret)
{
	if (e == OK)
		e = keyring_finish(k);
	if (e != OK)
		keyring_free(&k);
	else
		*ret = k;
	return e;
}

static enum err add_epoch(struct own_key *key)
{
	struct box_secret *box = &key->box[key->n_box];

	if (key->n_box == EPOCHS_MOST || key->box[key->n_box - 1].epoch == UINT32_MAX)
		return ERR_FULL;
	box->epoch = key->box[key->n_box - 1].epoch + 1;
	randombytes_buf(box->secret, sizeof(box->secret));
	key->n_box++;
	return OK;
}

enum err keyring_rotate(const struct keyring *k, struct keyring **ret)
{
	struct keyring *copy = NULL;

	if (!k->keys[k->n_keys - 1].signs)
		return ERR_INVALID;
	TRY(keyring_copy(k, &copy));
	return finished(copy, add_epoch(&copy->keys[copy->n_keys - 1]), ret);
}

enum err keyring_add_key(const struct keyring *k, uint32_t epoch, struct keyring **ret)
{
	struct keyring *copy = NULL;

	TRY(keyring_copy(k, &copy));
	return finished(copy, own_key_add(copy, epoch), ret);
}

static void keep_boxes(struct own_key *key, keyring_keep *keep, void *arg)
{
	size_t n = 0;

	for (size_t i = 0; i < key->n_box; i++)
		if (keep(arg, key->id, key->box[i].epoch))
			key->box[n++] = key->box[i];
	sodium_memzero(&key->box[n], (key->n_box - n) * sizeof(key->box[0]));
	key->n_box = n;
}

static enum err keep_keys(struct keyring *k, keyring_keep *keep, void *arg)
{
	size_t n = 0;

	for (size_t i = 0; i < k->n_keys; i++) {
		keep_boxes(&k->keys[i], keep, arg);
		if (!k->keys[i].n_box && i == k->used)
			return ERR_INVALID;
		if (k->keys[i].n_box && n++ != i)
			k->keys[n - 1] = k->keys[i];
	}
	sodium_memzero(&k->keys[n], (k->n_keys - n) * sizeof(k->keys[0]));
	k->n_keys = n;
	return OK;
}

enum err keyring_without(
	const struct keyring *k, keyring_keep *keep, void *arg, struct keyring **ret)
{
	struct keyring *copy = NULL;

	TRY(keyring_copy(k, &copy));
	return finished(copy, keep_keys(copy, keep, arg), ret);
}

enum err keyring_pack_readers(const struct keyring *k, uint8_t **ret, size_t *ret_len)
{
	return keyring_pack(k, false, ret, ret_len);
}

enum err keyring_recover(
	const char *principal, struct slice readers, uint32_t epoch, struct keyring **ret)
{
	struct keyring *k = NULL;
	enum err e;

	TRY(keyring_alloc(principal, &k));
	e = keyring_unpack(k, readers);
	if (e == OK)
		e = own_key_add(k, epoch);
	return finished(k, e, ret);
}
