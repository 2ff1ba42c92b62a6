#include "services/common/trust/registry_check.h"

#include <stdlib.h>

#include "proto/strict.h"
#include "services/common/base/names.h"

#define TRANSPORT_LEN 32

static bool key_sound(const Key *k)
{
	uint8_t id[KEY_ID_LEN];
	uint32_t epoch = 0;

	if (k->id.len != KEY_ID_LEN || k->sign_key.len != SIGN_PK_LEN ||
		k->transport_key.len != TRANSPORT_LEN)
		return false;
	key_id_of(id, k->sign_key.data);
	if (memcmp(id, k->id.data, KEY_ID_LEN) != 0)
		return false;
	for (size_t i = 0; i < k->n_box_keys; i++) {
		if (k->box_keys[i]->box_key.len != BOX_PK_LEN || k->box_keys[i]->epoch <= epoch)
			return false;
		epoch = k->box_keys[i]->epoch;
	}
	return true;
}

static bool principal_sound(const Principal *p)
{
	size_t in_use = 0;

	for (size_t i = 0; i < p->n_keys; i++) {
		if (!key_sound(p->keys[i]))
			return false;
		in_use += !p->keys[i]->retired;
	}
	return name_valid(p->name) && in_use <= READERS_MOST;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum err check_names(const Registry *r)
{
	const char **names = calloc(r->n_principals + 1, sizeof(*names));
	enum err e = OK;

	if (!names)
		return ERR_NOMEM;
	for (size_t i = 0; i < r->n_principals; i++)
		names[i] = r->principals[i]->name;
	qsort(names, r->n_principals, sizeof(*names), compare_names);
	for (size_t i = 1; i < r->n_principals; i++)
		if (strcmp(names[i - 1], names[i]) == 0)
			e = ERR_CORRUPT;
	free(names);
	return e;
}

static int compare_keys(const void *a, const void *b)
{
	return memcmp(*(const uint8_t *const *)a, *(const uint8_t *const *)b, 32);
}

/* Signing and transport keys together: one that stands for both is refused like one given twice. */
static enum err check_keys(const Registry *r)
{
	size_t n = 0, at = 0;
	const uint8_t **keys;
	enum err e = OK;

	for (size_t i = 0; i < r->n_principals; i++)
		n += 2 * r->principals[i]->n_keys;
	keys = calloc(n + 1, sizeof(*keys));
	if (!keys)
		return ERR_NOMEM;
	for (size_t i = 0; i < r->n_principals; i++)
		for (size_t j = 0; j < r->principals[i]->n_keys; j++) {
			keys[at++] = r->principals[i]->keys[j]->sign_key.data;
			keys[at++] = r->principals[i]->keys[j]->transport_key.data;
		}
	qsort(keys, n, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < n; i++)
		if (memcmp(keys[i - 1], keys[i], 32) == 0)
			e = ERR_CORRUPT;
	free(keys);
	return e;
}

enum err registry_check_principals(const Registry *r)
{
	for (size_t i = 0; i < r->n_principals; i++)
		if (!principal_sound(r->principals[i]))
			return ERR_CORRUPT;
	TRY(check_names(r));
	return check_keys(r);
}

enum err registry_check_head(const Registry *r)
{
	if (r->version < 1 || r->expires_at <= r->issued_at || r->threshold < 1 ||
		r->threshold > r->n_root_keys ||
		(r->recovery_key.len && r->recovery_key.len != BOX_PK_LEN))
		return ERR_CORRUPT;
	for (size_t i = 0; i < r->n_root_keys; i++) {
		if (r->root_keys[i].len != SIGN_PK_LEN)
			return ERR_CORRUPT;
		for (size_t j = 0; j < i; j++)
			if (memcmp(r->root_keys[i].data, r->root_keys[j].data, SIGN_PK_LEN) == 0)
				return ERR_CORRUPT;
	}
	return OK;
}

enum err registry_sign_bytes(
	struct slice registry, const uint8_t seed[SIGN_SEED_LEN], uint8_t ret_sig[SIG_LEN])
{
	return crypto_sign_pieces(ret_sig, "registry", &registry, 1, seed);
}

static bool signed_by(const SignedRegistry *s, const uint8_t root[SIGN_PK_LEN])
{
	struct slice bytes = slice_of(s->registry.data, s->registry.len);

	for (size_t i = 0; i < s->n_signatures; i++) {
		const RootSignature *sig = s->signatures[i];

		if (sig->root_key.len == SIGN_PK_LEN &&
			memcmp(sig->root_key.data, root, SIGN_PK_LEN) == 0 &&
			crypto_verify_pieces(sig->signature.data, sig->signature.len, "registry",
				&bytes, 1, root) == OK)
			return true;
	}
	return false;
}

/* Too few signed it; or it was altered, when a signature is not that of the key that it names. */
static enum err judge_count(const SignedRegistry *s, unsigned count, unsigned threshold)
{
	if (count >= threshold)
		return OK;
	for (size_t i = 0; i < s->n_signatures; i++) {
		const ProtobufCBinaryData *root = &s->signatures[i]->root_key;

		if (root->len != SIGN_PK_LEN || !signed_by(s, root->data))
			return ERR_BAD_SIGNATURE;
	}
	return ERR_NOT_ENOUGH_SIGNATURES;
}

/* A root counts once, however often it signed and however often it stands in the list. */
static enum err check_roots(
	const SignedRegistry *s, const uint8_t (*roots)[32], size_t n_roots, unsigned threshold)
{
	unsigned count = 0;

	if (threshold < 1)
		return ERR_BAD_SIGNATURE;
	for (size_t i = 0; i < n_roots; i++) {
		bool twice = false;

		for (size_t j = 0; j < i; j++)
			twice |= memcmp(roots[i], roots[j], SIGN_PK_LEN) == 0;
		count += !twice && signed_by(s, roots[i]);
	}
	return judge_count(s, count, threshold);
}

static enum err check_own_roots(const SignedRegistry *s, const Registry *r)
{
	unsigned count = 0;

	for (size_t i = 0; i < r->n_root_keys; i++)
		count += signed_by(s, r->root_keys[i].data);
	return judge_count(s, count, r->threshold);
}

static enum err unpack_registry(const SignedRegistry *s, Registry **ret)
{
	ProtobufCMessage *m = NULL;
	enum err e = strict_unpack(
		&registry__descriptor, slice_of(s->registry.data, s->registry.len), &m);

	if (e != OK)
		return e == ERR_NOMEM ? e : ERR_CORRUPT;
	e = registry_check_head((Registry *)m);
	if (e == OK)
		e = check_own_roots(s, (Registry *)m);
	if (e != OK)
		protobuf_c_message_free_unpacked(m, NULL);
	else
		*ret = (Registry *)m;
	return e;
}

enum err registry_check_signed(struct slice signed_registry, const uint8_t (*roots)[32],
	size_t n_roots, unsigned threshold, Registry **ret)
{
	ProtobufCMessage *m = NULL;
	enum err e = strict_unpack(&signed_registry__descriptor, signed_registry, &m);

	if (e != OK)
		return e == ERR_NOMEM ? e : ERR_CORRUPT;
	e = check_roots((SignedRegistry *)m, roots, n_roots, threshold);
	if (e == OK)
		e = unpack_registry((SignedRegistry *)m, ret);
	protobuf_c_message_free_unpacked(m, NULL);
	return e;
}

enum err registry_check_request(const KeyRequest *r)
{
	struct buf key = {0};
	struct slice pieces[2];
	enum err e;

	if (!r->key || !name_valid(r->principal) || !key_sound(r->key) || !r->key->n_box_keys)
		return ERR_CORRUPT;
	TRY(strict_pack(&r->key->base, &key));
	pieces[0] = slice_str(r->principal);
	pieces[1] = slice_buf(&key);
	e = crypto_verify_pieces(r->signature.data, r->signature.len, "key-request", pieces, 2,
		r->key->sign_key.data);
	buf_free(&key);
	return e;
}
