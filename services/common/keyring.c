#include "services/common/keyring.h"

#include <sodium.h>

#include "proto/registry.pb-c.h"
#include "proto/strict.h"
#include "services/common/keyring_secrets.h"
#include "services/common/log.h"

/* sodium_malloc hands out unlocked memory past the limit without a word: ask again. */
enum err locked_alloc(size_t len, void **ret)
{
	void *p;

	if (sodium_init() < 0)
		return ERR_NOMEM;
	p = sodium_malloc(len);
	if (!p)
		return ERR_NOMEM;
	if (sodium_mlock(p, len)) {
		log_error("KEYRING-NOT-LOCKED", "bytes=%zu why=memlock", len);
		sodium_free(p);
		return ERR_NOMEM;
	}
	sodium_memzero(p, len);
	*ret = p;
	return OK;
}

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

void keyring_finish(struct keyring *k)
{
	uint8_t sk[crypto_sign_SECRETKEYBYTES];

	crypto_sign_seed_keypair(k->sign_pk, sk, k->sign_seed);
	sodium_memzero(sk, sizeof(sk));
	crypto_scalarmult_base(k->transport_pk, k->transport_secret);
	key_id_of(k->key_id, k->sign_pk);
	sodium_mprotect_readonly(k);
}

enum err keyring_create(const char *principal, struct keyring **ret)
{
	struct keyring *k = NULL;

	TRY(keyring_alloc(principal, &k));
	randombytes_buf(k->sign_seed, sizeof(k->sign_seed));
	randombytes_buf(k->transport_secret, sizeof(k->transport_secret));
	randombytes_buf(k->step_key, sizeof(k->step_key));
	randombytes_buf(k->store_key, sizeof(k->store_key));
	k->n_box = 1;
	k->box[0].epoch = 1;
	randombytes_buf(k->box[0].secret, sizeof(k->box[0].secret));
	keyring_finish(k);
	*ret = k;
	return OK;
}

const char *keyring_principal(const struct keyring *k)
{
	return k->principal;
}

#define GETTER(field)                                                                              \
	const uint8_t *keyring_##field(const struct keyring *k)                                    \
	{                                                                                          \
		return k->field;                                                                   \
	}

GETTER(key_id)
GETTER(sign_seed)
GETTER(sign_pk)
GETTER(transport_secret)
GETTER(transport_pk)
GETTER(step_key)
GETTER(store_key)

const uint8_t *keyring_box_secret(const struct keyring *k, uint32_t epoch)
{
	for (size_t i = 0; i < k->n_box; i++)
		if (k->box[i].epoch == epoch)
			return k->box[i].secret;
	return NULL;
}

static enum err sign_request(const struct keyring *k, const KeyRequest *r, struct buf *ret)
{
	KeyRequest with_signature = *r;
	uint8_t sig[SIG_LEN];
	struct buf key = {0};
	struct slice pieces[2];
	enum err e = strict_pack(&r->key->base, &key);

	pieces[0] = slice_str(r->principal);
	pieces[1] = slice_buf(&key);
	if (e == OK)
		e = crypto_sign_pieces(sig, "key-request", pieces, 2, k->sign_seed);
	with_signature.signature = bytes_of(sig, sizeof(sig));
	if (e == OK)
		e = strict_pack(&with_signature.base, ret);
	buf_free(&key);
	return e;
}

enum err keyring_request(const struct keyring *k, const char *holder, const char *device,
	int64_t now, struct buf *ret)
{
	uint8_t box_pk[EPOCHS_MOST][BOX_PK_LEN];
	BoxKey box[EPOCHS_MOST], *refs[EPOCHS_MOST];
	KeyRequest request = KEY_REQUEST__INIT;
	Key key = KEY__INIT;

	for (size_t i = 0; i < k->n_box; i++) {
		crypto_scalarmult_base(box_pk[i], k->box[i].secret);
		box_key__init(&box[i]);
		box[i].epoch = k->box[i].epoch;
		box[i].box_key = bytes_of(box_pk[i], BOX_PK_LEN);
		refs[i] = &box[i];
	}
	key.id = bytes_of(k->key_id, KEY_ID_LEN);
	key.holder = (char *)holder;
	key.device = (char *)device;
	key.not_before = now;
	key.sign_key = bytes_of(k->sign_pk, SIGN_PK_LEN);
	key.transport_key = bytes_of(k->transport_pk, KEY_LEN);
	key.n_box_keys = k->n_box;
	key.box_keys = refs;
	request.principal = (char *)k->principal;
	request.key = &key;
	return sign_request(k, &request, ret);
}
