/* A box epoch more, or a key more, in a key file: without downtime, the old ones stay beside. */
#include "services/admin/admin.h"
#include "services/admin/draft.h"
#include "services/admin/keys.h"
#include "services/common/cli/home.h"

/* clang-format off */
const struct cli_option keys_rotate_options[] = {
	CLI_FLAG("new-key", "a new key to sign and connect with, too", "aussi une nouvelle clé de signature et de connexion"),
	CLI_OPTION("holder", "CODE", "who holds the new key", "qui détient la nouvelle clé"),
	CLI_OPTION("device", "CODE", "on which device", "sur quel appareil"),
	CLI_END,
};
/* clang-format on */

enum err keys_open(struct cli *c, char ret_path[PATH_MAX], struct keyring **ret,
	struct passphrase **ret_passphrase)
{
	bool needed = false;
	enum err e;

	TRY(cli_path(c, "key", ret_path));
	e = keyring_needs_passphrase(ret_path, &needed);
	if (e == OK && needed)
		e = home_passphrase(c, false, ret_passphrase);
	if (e == OK)
		e = keyring_load(ret_path, passphrase_slice(*ret_passphrase), ret);
	return e == OK || c->told ? e : cli_fail(c, e, ret_path);
}

static enum err change(const struct cli *c, const struct keyring *k, struct keyring **ret)
{
	const uint8_t *newest = keyring_id_at(k, 0);

	return cli_flag(c, "new-key") ? keyring_add_key(k, keyring_newest_epoch(k, newest), ret)
				      : keyring_rotate(k, ret);
}

/* The key file first: the registry never announces what nobody can open. */
static enum err write_both(
	struct cli *c, const struct keyring *k, const char *path, const struct passphrase *p)
{
	const char *holder = "", *device = "";
	struct buf request = {0};
	enum err e;

	TRY(cli_code(c, "holder", &holder));
	TRY(cli_code(c, "device", &device));
	e = keyring_request(k, holder, device, draft_now(), &request);
	if (e == OK)
		e = keyring_replace(k, path, passphrase_slice(p));
	if (e != OK)
		cli_fail(c, e, path);
	else
		e = keys_made(c, k, slice_buf(&request));
	buf_free(&request);
	return e;
}

enum err keys_rotate(struct cli *c)
{
	struct keyring *k = NULL, *changed = NULL;
	struct passphrase *p = NULL;
	char path[PATH_MAX];
	enum err e = keys_open(c, path, &k, &p);

	if (e == OK) {
		e = change(c, k, &changed);
		if (e != OK)
			cli_fail(c, e, path);
	}
	if (e == OK)
		e = write_both(c, changed, path, p);
	keyring_free(&changed);
	keyring_free(&k);
	passphrase_free(&p);
	return e;
}
