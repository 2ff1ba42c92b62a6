#include "services/common/keys/keyring.h"

#include <sodium.h>

#include "proto/registry.pb-c.h"
#include "proto/strict.h"
#include "services/common/keys/keyring_secrets.h"
#include "services/common/trust/registry.h"

enum err keyring_alloc(const char *principal, struct keyring **ret)
{
	void *p = NULL;
	struct keyring *k;

	if (!name_valid(principal))
		return ERR_INVALID;
	TRY(locked_alloc(sizeof(*k), &p));
	k = p;
	memcpy(k->principal, principal, strlen(principal) + 1);
	*ret = k;
	return OK;
}

void keyring_free(struct keyring **kp)
{
	if (*kp)
		sodium_free(*kp); /* wipes */
	*kp = NULL;
}

static void own_key_finish(struct own_key *key)
{
	uint8_t sk[crypto_sign_SECRETKEYBYTES];

	crypto_sign_seed_keypair(key->sign_pk, sk, key->sign_seed);
	sodium_memzero(sk, sizeof(sk));
	crypto_scalarmult_base(key->transport_pk, key->transport_secret);
	key_id_of(key->id, key->sign_pk);
}

enum err own_key_add(struct keyring *k, uint32_t epoch)
{
	struct own_key *key = &k->keys[k->n_keys];

	if (k->n_keys == KEYS_MOST)
		return ERR_FULL;
	*key = (struct own_key){.signs = true, .n_box = 1, .box = {{.epoch = epoch}}};
	randombytes_buf(key->sign_seed, sizeof(key->sign_seed));
	randombytes_buf(key->transport_secret, sizeof(key->transport_secret));
	randombytes_buf(key->box[0].secret, sizeof(key->box[0].secret));
	k->n_keys++;
	return OK;
}

enum err keyring_finish(struct keyring *k)
{
	k->used = KEYS_MOST;
	for (size_t i = 0; i < k->n_keys; i++)
		if (k->keys[i].signs) {
			own_key_finish(&k->keys[i]);
			k->used = i;
		}
	if (k->used == KEYS_MOST)
		return ERR_CORRUPT;
	sodium_mprotect_readonly(k);
	return OK;
}

enum err keyring_create_at(const char *principal, uint32_t epoch, struct keyring **ret)
{
	struct keyring *k = NULL;
	enum err e;

	TRY(keyring_alloc(principal, &k));
	randombytes_buf(k->step_key, sizeof(k->step_key));
	randombytes_buf(k->store_key, sizeof(k->store_key));
	e = own_key_add(k, epoch);
	if (e == OK)
		e = keyring_finish(k);
	if (e != OK)
		keyring_free(&k);
	else
		*ret = k;
	return e;
}

enum err keyring_create(const char *principal, struct keyring **ret)
{
	return keyring_create_at(principal, 1, ret);
}

/* In use: announced, valid, not retired. */
static bool announced(const struct registry *r, const struct keyring *k, size_t i, int64_t now)
{
	const Key *key = NULL;

	return registry_key(r, k->principal, k->keys[i].id, now, &key) == OK && !key->retired;
}

static bool use(struct keyring *k, size_t chosen)
{
	bool other = k->used != chosen;

	sodium_mprotect_readwrite(k);
	k->used = chosen;
	sodium_mprotect_readonly(k);
	return other;
}

static size_t first_that_signs(const struct keyring *k)
{
	size_t i = 0;

	while (!k->keys[i].signs) /* keyring_finish: there is one */
		i++;
	return i;
}

bool keyring_choose(struct keyring *k, const struct registry *r, int64_t now)
{
	for (size_t i = k->n_keys; i-- > 0;)
		if (k->keys[i].signs && announced(r, k, i, now))
			return use(k, i);
	return use(k, first_that_signs(k));
}

bool keyring_choose_oldest(struct keyring *k, const struct registry *r, int64_t now)
{
	for (size_t i = 0; i < k->n_keys; i++)
		if (k->keys[i].signs && announced(r, k, i, now))
			return use(k, i);
	return use(k, first_that_signs(k));
}

const char *keyring_principal(const struct keyring *k)
{
	return k->principal;
}

#define GETTER(field, of)                                                                          \
	const uint8_t *keyring_##field(const struct keyring *k)                                    \
	{                                                                                          \
		return k->of field;                                                                \
	}

GETTER(sign_seed, keys[k->used].)
GETTER(sign_pk, keys[k->used].)
GETTER(transport_secret, keys[k->used].)
GETTER(transport_pk, keys[k->used].)
GETTER(step_key, )
GETTER(store_key, )

const uint8_t *keyring_key_id(const struct keyring *k)
{
	return k->keys[k->used].id;
}

static const struct own_key *find(const struct keyring *k, const uint8_t id[KEY_ID_LEN])
{
	for (size_t i = 0; i < k->n_keys; i++)
		if (memcmp(k->keys[i].id, id, KEY_ID_LEN) == 0)
			return &k->keys[i];
	return NULL;
}

const uint8_t *keyring_box_secret_of(
	const struct keyring *k, const uint8_t key_id[KEY_ID_LEN], uint32_t epoch)
{
	const struct own_key *key = find(k, key_id);

	for (size_t i = 0; key && i < key->n_box; i++)
		if (key->box[i].epoch == epoch)
			return key->box[i].secret;
	return NULL;
}

const uint8_t *keyring_box_secret(const struct keyring *k, uint32_t epoch)
{
	return keyring_box_secret_of(k, keyring_key_id(k), epoch);
}

const uint8_t *keyring_id_at(const struct keyring *k, size_t i)
{
	return i < k->n_keys ? k->keys[k->n_keys - 1 - i].id : NULL;
}

uint32_t keyring_newest_epoch(const struct keyring *k, const uint8_t key_id[KEY_ID_LEN])
{
	const struct own_key *key = find(k, key_id);

	return key && key->n_box ? key->box[key->n_box - 1].epoch : 0;
}

static enum err sign_request(const struct own_key *own, const KeyRequest *r, struct buf *ret)
{
	KeyRequest with_signature = *r;
	uint8_t sig[SIG_LEN];
	struct buf key = {0};
	struct slice pieces[2];
	enum err e = strict_pack(&r->key->base, &key);

	pieces[0] = slice_str(r->principal);
	pieces[1] = slice_buf(&key);
	if (e == OK)
		e = crypto_sign_pieces(sig, "key-request", pieces, 2, own->sign_seed);
	with_signature.signature = bytes_of(sig, sizeof(sig));
	if (e == OK)
		e = strict_pack(&with_signature.base, ret);
	buf_free(&key);
	return e;
}

enum err keyring_request(const struct keyring *k, const char *holder, const char *device,
	int64_t now, struct buf *ret)
{
	const struct own_key *own = &k->keys[k->n_keys - 1];
	uint8_t box_pk[EPOCHS_MOST][BOX_PK_LEN];
	BoxKey box[EPOCHS_MOST], *refs[EPOCHS_MOST];
	KeyRequest request = KEY_REQUEST__INIT;
	Key key = KEY__INIT;

	if (!own->signs)
		return ERR_INVALID;
	for (size_t i = 0; i < own->n_box; i++) {
		crypto_scalarmult_base(box_pk[i], own->box[i].secret);
		box_key__init(&box[i]);
		box[i].epoch = own->box[i].epoch;
		box[i].box_key = bytes_of(box_pk[i], BOX_PK_LEN);
		refs[i] = &box[i];
	}
	key.id = bytes_of(own->id, KEY_ID_LEN);
	key.holder = (char *)holder;
	key.device = (char *)device;
	key.not_before = now;
	key.sign_key = bytes_of(own->sign_pk, SIGN_PK_LEN);
	key.transport_key = bytes_of(own->transport_pk, KEY_LEN);
	key.n_box_keys = own->n_box;
	key.box_keys = refs;
	request.principal = (char *)k->principal;
	request.key = &key;
	return sign_request(own, &request, ret);
}
