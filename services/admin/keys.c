/* Making keys: of a principal, with the request that `registry add` takes, and of the root. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "services/admin/admin.h"
#include "services/admin/draft.h"
#include "services/admin/keys.h"
#include "services/common/base/file.h"
#include "services/common/cli/home.h"

/* clang-format off */
const struct cli_option keys_new_options[] = {
	CLI_OPTION("principal", "NAME", "whose key: a-z, 0-9 and -", "à qui est la clé : a-z, 0-9 et -"),
	CLI_OPTION("holder", "CODE", "who holds it: a code, never a name", "qui la détient : un code, jamais un nom"),
	CLI_OPTION("device", "CODE", "on which device", "sur quel appareil"),
	CLI_OPTION("epoch", "N", "the box epoch that its other keys have (1)", "l’époque qu’ont ses autres clés (1)"),
	CLI_FLAG("passphrase", "ask for a new passphrase (or --passphrase-file)",
		"demander une nouvelle phrase de passe (ou --passphrase-file)"),
	CLI_END,
};

const struct cli_option keys_root_options[] = {
	CLI_OPTION("out", "FILE", "the secret key, to be kept offline", "la clé secrète, à garder hors ligne"),
	CLI_OPTION("root", "FILE", "the public root keys, to which it is added (HOME/root.json)",
		"les clés racines publiques, auxquelles elle est ajoutée (HOME/root.json)"),
	CLI_OPTION("threshold", "K", "how many roots must sign a registry (as before; at first 1)",
		"combien de racines doivent signer un registre (comme avant; d’abord 1)"),
	CLI_FLAG("passphrase", "ask for a new passphrase (or --passphrase-file)",
		"demander une nouvelle phrase de passe (ou --passphrase-file)"),
	CLI_END,
};
/* clang-format on */

static enum err make_home(struct cli *c)
{
	if (mkdir(c->home, 0700) && errno != EEXIST)
		return cli_fail(c, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, c->home);
	return OK;
}

/* Without a passphrase asked for there is none. */
static enum err save(struct cli *c, const struct keyring *k, const char *path)
{
	struct passphrase *p = NULL;
	enum err e = OK;

	if (c->passphrase_file || cli_flag(c, "passphrase"))
		e = home_passphrase(c, true, &p);
	if (e == OK)
		e = keyring_save(k, path, passphrase_slice(p));
	passphrase_free(&p);
	return e == OK || c->told ? e : cli_fail(c, e, path);
}

enum err keys_made(struct cli *c, const struct keyring *k, struct slice request)
{
	const uint8_t *newest = keyring_id_at(k, 0);
	char key[PATH_MAX], file[PATH_MAX], id[2 * KEY_ID_LEN + 1];
	uint32_t epoch = keyring_newest_epoch(k, newest);
	enum err e;

	TRY(cli_path(c, "key", key));
	TRY(cli_path(c, "key.request", file));
	e = file_replace(file, request, 0644);
	if (e != OK)
		return cli_fail(c, e, file);
	hex_encode(id, newest, KEY_ID_LEN);
	cli_say(c, "key %s, box epoch %u\nrequest for the registry: %s\n",
		"clé %s, époque %u\ndemande pour le registre : %s\n", id, epoch, file);
	cli_json(c, json_pack("{s:s, s:s, s:i, s:s, s:s}", "principal", keyring_principal(k),
			    "key_id", id, "epoch", (int)epoch, "key", key, "request", file));
	return OK;
}

static enum err save_both(struct cli *c, const struct keyring *k, struct slice request)
{
	char key[PATH_MAX];

	TRY(cli_path(c, "key", key));
	TRY(make_home(c));
	TRY(save(c, k, key));
	return keys_made(c, k, request);
}

enum err keys_new(struct cli *c)
{
	const char *principal = NULL, *holder = "", *device = "";
	struct keyring *k = NULL;
	struct buf request = {0};
	long epoch = 1;
	enum err e;

	TRY(cli_required(c, "principal", &principal));
	TRY(cli_number(c, "epoch", 1, UINT32_MAX - 1, &epoch));
	TRY(cli_code(c, "holder", &holder));
	TRY(cli_code(c, "device", &device));
	e = keyring_create_at(principal, (uint32_t)epoch, &k);
	if (e != OK)
		return cli_fail(c, e, principal);
	e = keyring_request(k, holder, device, draft_now(), &request);
	if (e == OK)
		e = save_both(c, k, slice_buf(&request));
	buf_free(&request);
	keyring_free(&k);
	return e;
}

/* Adds the key; the threshold stays what it was, unless told. */
static enum err add_root(struct cli *c, json_t *roots, const char *hex)
{
	json_t *keys = json_object_get(roots, "keys");
	long k = (long)json_integer_value(json_object_get(roots, "threshold"));

	if (json_array_append_new(keys, json_string(hex)))
		return ERR_NOMEM;
	TRY(cli_number(c, "threshold", 1, (long)json_array_size(keys), &k));
	return json_object_set_new(roots, "threshold", json_integer(k)) ? ERR_NOMEM : OK;
}

enum err roots_save(const char *path, const json_t *roots)
{
	char *text = json_dumps(roots, JSON_INDENT(2));
	struct buf b = {0};
	enum err e = ERR_NOMEM;

	if (text)
		e = buf_append(&b, text, strlen(text));
	if (e == OK)
		e = buf_append(&b, "\n", 1);
	if (e == OK)
		e = file_replace(path, slice_buf(&b), 0644);
	buf_free(&b);
	free(text);
	return e;
}

/* The secret first: root.json never names a key that nobody has. */
static enum err save_root_key(struct cli *c, const struct keyring *k, const char *out)
{
	char path[PATH_MAX], hex[2 * SIGN_PK_LEN + 1];
	json_t *roots = NULL;
	enum err e;

	TRY(draft_path(c, "root", "root.json", path));
	e = roots_load(path, &roots);
	if (e == ERR_NOT_FOUND) {
		roots = json_pack("{s:i, s:[]}", "threshold", 1, "keys");
		e = roots ? OK : ERR_NOMEM;
	}
	if (e != OK)
		return cli_fail(c, e, path);
	hex_encode(hex, keyring_sign_pk(k), SIGN_PK_LEN);
	e = add_root(c, roots, hex);
	if (e == OK && !cli_value(c, "root"))
		e = make_home(c);
	if (e == OK)
		e = save(c, k, out);
	if (e == OK)
		e = roots_save(path, roots);
	json_decref(roots);
	TRY(e);
	cli_say(c, "root key %s\n", "clé racine %s\n", hex);
	cli_json(c, json_pack("{s:s, s:s, s:s}", "root_key", hex, "key", out, "root", path));
	return OK;
}

enum err keys_root(struct cli *c)
{
	struct keyring *k = NULL;
	const char *out = NULL;
	enum err e;

	TRY(cli_required(c, "out", &out));
	TRY(keyring_create("root", &k));
	e = save_root_key(c, k, out);
	keyring_free(&k);
	return e;
}

enum err keys_show(struct cli *c)
{
	char path[PATH_MAX], id[2 * KEY_ID_LEN + 1], sign[2 * SIGN_PK_LEN + 1], transport[65];
	struct keyring *k = NULL;
	uint32_t epoch;

	if (c->n_operands)
		snprintf(path, sizeof(path), "%s", c->operands[0]);
	else
		TRY(cli_path(c, "key", path));
	TRY(draft_keyring(c, path, &k));
	hex_encode(id, keyring_key_id(k), KEY_ID_LEN);
	hex_encode(sign, keyring_sign_pk(k), SIGN_PK_LEN);
	hex_encode(transport, keyring_transport_pk(k), 32);
	epoch = keyring_newest_epoch(k, keyring_key_id(k));
	cli_say(c,
		"principal   %s\nkey         %s\nepoch       %u\nsigning     %s\ntransport   %s\n",
		"entité      %s\nclé         %s\népoque      %u\nsignature   %s\ntransport   %s\n",
		keyring_principal(k), id, epoch, sign, transport);
	cli_json(c,
		json_pack("{s:s, s:s, s:i, s:s, s:s}", "principal", keyring_principal(k), "key_id",
			id, "epoch", (int)epoch, "sign_key", sign, "transport_key", transport));
	keyring_free(&k);
	return OK;
}
