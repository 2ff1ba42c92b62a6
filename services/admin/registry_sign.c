/* Signing a registry with root keys, at one place or one after the other, and checking it. */
#include <stdio.h>
#include <stdlib.h>

#include "proto/json.h"
#include "proto/strict.h"
#include "services/admin/admin.h"
#include "services/admin/draft.h"
#include "services/admin/registry_keys.h"
#include "services/common/trust/registry.h"
#include "services/common/trust/registry_check.h"

#define DAY_MS INT64_C(86400000)
/* What a root's key and signature take in a signed registry, at most. */
#define SIGNATURE_ROOM 128

/* clang-format off */
const struct cli_option registry_sign_options[] = {
	CLI_OPTION("draft", "FILE", "the registry that is worked on (HOME/registry.draft)",
		"le registre en préparation (HOME/registry.draft)"),
	CLI_OPTION("out", "FILE", "the signed registry (HOME/registry)", "le registre signé (HOME/registry)"),
	CLI_OPTION("root-key", "FILE", "a root’s secret key; several times", "la clé secrète d’une racine; plusieurs fois"),
	CLI_OPTION("days", "N", "how long it is valid (365)", "durée de validité, en jours (365)"),
	CLI_FLAG("cosign", "add a signature to the signed registry as it is", "ajouter une signature au registre signé tel quel"),
	CLI_END,
};

const struct cli_option registry_check_options[] = {
	CLI_OPTION("root", "FILE", "the public root keys (HOME/root.json)", "les clés racines publiques (HOME/root.json)"),
	CLI_END,
};
/* clang-format on */

static bool is_root(const Registry *r, const uint8_t pk[SIGN_PK_LEN])
{
	for (size_t i = 0; i < r->n_root_keys; i++)
		if (r->root_keys[i].len == SIGN_PK_LEN &&
			memcmp(r->root_keys[i].data, pk, SIGN_PK_LEN) == 0)
			return true;
	return false;
}

static enum err copy_bytes(ProtobufCBinaryData *to, const void *data, size_t len)
{
	uint8_t *copy = malloc(len);

	if (!copy)
		return ERR_NOMEM;
	memcpy(copy, data, len);
	free(to->data);
	*to = (ProtobufCBinaryData){len, copy};
	return OK;
}

static bool has_signed(const SignedRegistry *s, const uint8_t pk[SIGN_PK_LEN])
{
	for (size_t i = 0; i < s->n_signatures; i++)
		if (s->signatures[i]->root_key.len == SIGN_PK_LEN &&
			memcmp(s->signatures[i]->root_key.data, pk, SIGN_PK_LEN) == 0)
			return true;
	return false;
}

static enum err add_signature(SignedRegistry *s, const struct keyring *k)
{
	struct slice bytes = slice_of(s->registry.data, s->registry.len);
	RootSignature *sig;
	uint8_t raw[SIG_LEN];
	enum err e;

	TRY(registry_sign_bytes(bytes, keyring_sign_seed(k), raw));
	sig = message_new(&root_signature__descriptor);
	if (!sig)
		return ERR_NOMEM;
	e = copy_bytes(&sig->root_key, keyring_sign_pk(k), SIGN_PK_LEN);
	if (e == OK)
		e = copy_bytes(&sig->signature, raw, sizeof(raw));
	if (e == OK)
		e = list_append((void ***)&s->signatures, &s->n_signatures, sig);
	if (e != OK)
		root_signature__free_unpacked(sig, NULL);
	return e;
}

/* Only a root that the registry names signs; but a set of roots that is replaced vouches for the
 * new one, with --cosign. */
static enum err sign_with(struct cli *c, SignedRegistry *s, const Registry *r, const char *path)
{
	struct keyring *k = NULL;
	enum err e;

	TRY(draft_keyring(c, path, &k));
	if (has_signed(s, keyring_sign_pk(k)))
		e = cli_fail(c, ERR_SIGNED_ALREADY, path);
	else if (!is_root(r, keyring_sign_pk(k)) && !cli_flag(c, "cosign"))
		e = cli_fail(c, ERR_UNKNOWN_KEY, path);
	else
		e = add_signature(s, k);
	keyring_free(&k);
	return e;
}

static enum err next_version(struct cli *c, Registry *r)
{
	long days = 365;

	TRY(cli_number(c, "days", 1, 3660, &days));
	r->version++;
	r->issued_at = draft_now();
	r->expires_at = r->issued_at + days * DAY_MS;
	keys_announced(r, r->issued_at);
	TRY(registry_check_head(r));
	return registry_check_principals(r);
}

/* The draft as its next version, not signed yet. */
static enum err from_draft(struct cli *c, SignedRegistry *s)
{
	char path[PATH_MAX];
	struct buf b = {0};
	Registry *r = NULL;
	enum err e;

	TRY(draft_path(c, "draft", "registry.draft", path));
	e = draft_load(path, &r);
	if (e == OK)
		e = next_version(c, r);
	if (e == OK)
		e = strict_pack(&r->base, &b);
	/* all roots may sign, one after the other: each must find it as it is */
	if (e == OK && b.len + r->n_root_keys * SIGNATURE_ROOM > registry_most())
		e = ERR_REGISTRY_SIZE;
	if (e == OK)
		e = copy_bytes(&s->registry, b.data, b.len);
	buf_free(&b);
	registry__free_unpacked(r, NULL);
	return e == OK || c->told ? e : cli_fail(c, e, path);
}

/* The draft first: it takes over the version, so that none is given twice. */
static enum err save(struct cli *c, const SignedRegistry *s, const Registry *r, const char *out)
{
	char path[PATH_MAX];

	TRY(draft_path(c, "draft", "registry.draft", path));
	if (!cli_flag(c, "cosign"))
		TRY(draft_save(path, r));
	return signed_save(out, s);
}

static void tell_signed(struct cli *c, const SignedRegistry *s, const Registry *r, const char *path)
{
	size_t own = 0;

	for (size_t i = 0; i < s->n_signatures; i++)
		own += s->signatures[i]->root_key.len == SIGN_PK_LEN &&
		       is_root(r, s->signatures[i]->root_key.data);
	cli_say(c, "%s: version %llu, signatures: %zu of %u\n",
		"%s : version %llu, signatures : %zu de %u\n", path, (unsigned long long)r->version,
		own, r->threshold);
	cli_json(c, json_pack("{s:s, s:I, s:I, s:I}", "registry", path, "version",
			    (json_int_t)r->version, "signatures", (json_int_t)own, "threshold",
			    (json_int_t)r->threshold));
}

static enum err prepare(struct cli *c, const char *out, SignedRegistry **ret)
{
	SignedRegistry *s;
	enum err e;

	if (cli_flag(c, "cosign")) {
		e = signed_load(out, ret);
		return e == OK ? OK : cli_fail(c, e, out);
	}
	s = message_new(&signed_registry__descriptor);
	if (!s)
		return ERR_NOMEM;
	e = from_draft(c, s);
	if (e != OK)
		signed_registry__free_unpacked(s, NULL);
	else
		*ret = s;
	return e;
}

static enum err sign_all(struct cli *c, SignedRegistry *s, const char *out)
{
	Registry *r = NULL;
	const char *key;
	enum err e;

	TRY(signed_inside(s, &r));
	e = OK;
	for (size_t i = 0; e == OK && (key = cli_value_at(c, "root-key", i)); i++)
		e = sign_with(c, s, r, key);
	if (e == OK)
		e = save(c, s, r, out);
	if (e == OK)
		tell_signed(c, s, r, out);
	registry__free_unpacked(r, NULL);
	return e;
}

enum err registry_sign(struct cli *c)
{
	const char *key = NULL;
	SignedRegistry *s = NULL;
	char out[PATH_MAX];
	enum err e;

	TRY(cli_required(c, "root-key", &key));
	TRY(draft_path(c, "out", "registry", out));
	TRY(prepare(c, out, &s));
	e = sign_all(c, s, out);
	signed_registry__free_unpacked(s, NULL);
	return e;
}

enum err registry_check(struct cli *c)
{
	char root[PATH_MAX], until[32];
	struct registry *r = NULL;
	const Registry *m;

	TRY(draft_checked(c, root, &r));
	m = registry_message(r);
	time_format(m->expires_at, until);
	cli_say(c, "right: version %llu, %zu principals, until %s\n",
		"valable : version %llu, %zu entités, jusqu’au %s\n",
		(unsigned long long)m->version, m->n_principals, until);
	cli_json(c, json_pack("{s:I, s:I, s:s, s:b}", "version", (json_int_t)m->version,
			    "principals", (json_int_t)m->n_principals, "expires_at", until,
			    "expired", registry_expired(r, draft_now())));
	registry_free(&r);
	return OK;
}
