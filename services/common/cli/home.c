#include "services/common/cli/home.h"

#include <errno.h>
#include <sys/stat.h>

#include "services/common/base/file.h"
#include "services/common/base/log.h"

/* What `init` was told. */
struct wanted {
	const char *principal, *holder, *device;
	long epoch;
};

static enum err read_wanted(struct cli *c, struct wanted *w)
{
	*w = (struct wanted){.holder = "main", .device = "main", .epoch = 1};
	TRY(cli_required(c, "principal", &w->principal));
	if (!principal_name_valid(w->principal))
		return cli_misused(c, MISUSE_WRONG_VALUE, "--principal");
	TRY(cli_code(c, "holder", &w->holder));
	TRY(cli_code(c, "device", &w->device));
	return cli_number(c, "epoch", 1, UINT32_MAX - 1, &w->epoch);
}

enum err home_passphrase(struct cli *c, bool twice, struct passphrase **ret)
{
	enum err e = passphrase_get(c->passphrase_file, c->lang, twice, ret);

	return e != OK && c->passphrase_file ? cli_fail(c, e, c->passphrase_file) : e;
}

static enum err write_request(struct cli *c, const struct wanted *w, const struct keyring *k)
{
	struct buf request = {0};
	char path[PATH_MAX];
	enum err e;

	TRY(cli_path(c, "key.request", path));
	e = keyring_request(k, w->holder, w->device, node_now(), &request);
	if (e == OK)
		e = file_create(path, slice_buf(&request), 0644);
	buf_free(&request);
	return e;
}

static void tell_keys(struct cli *c, const struct keyring *k, const char *path)
{
	const char *name = keyring_principal(k);
	char id[2 * KEY_ID_LEN + 1];

	hex_encode(id, keyring_key_id(k), KEY_ID_LEN);
	cli_say(c,
		"The keys of %s are made: key %s.\nNext: give %s.request to the registry's "
		"administrator, and put the files registry, root.json and havre.conf that you get "
		"into %s.\n",
		"Les clés de %s sont créées : clé %s.\nEnsuite : remettez %s.request à "
		"l’administrateur du registre, et placez les fichiers registry, root.json et "
		"havre.conf que vous recevrez dans %s.\n",
		name, id, path, c->home);
	cli_json(c, json_pack("{s:s, s:s, s:s}", "principal", name, "key", id, "home", c->home));
}

enum err home_init(struct cli *c)
{
	struct passphrase *pass = NULL;
	struct keyring *k = NULL;
	struct wanted w;
	char path[PATH_MAX];
	enum err e;

	TRY(read_wanted(c, &w));
	TRY(cli_path(c, "key", path));
	if (mkdir(c->home, 0700) && errno != EEXIST)
		return cli_fail(c, ERR_IO, c->home);
	e = keyring_create_at(w.principal, (uint32_t)w.epoch, &k);
	if (e == OK)
		e = home_passphrase(c, true, &pass);
	if (e == OK)
		e = keyring_save(k, path, passphrase_slice(pass));
	if (e == OK)
		e = write_request(c, &w, k);
	passphrase_free(&pass);
	if (e == OK)
		tell_keys(c, k, path);
	keyring_free(&k);
	return e == OK || c->told ? e : cli_fail(c, e, path);
}

/* A home folder is one command's at a time; a live view keeps it. */
static enum err say_in_use(struct cli *c)
{
	if (!c->json)
		fputs(c->lang == LANG_FR
				? "Une autre commande se sert de ce dossier, par exemple "
				  "havre-staff "
				  "watch : attendez sa fin, ou quittez-la (q).\n"
				: "Another command is using this folder, havre-staff watch for "
				  "example: wait for its end, or quit it (q).\n",
			stderr);
	return cli_fail(c, ERR_LOCKED, c->home);
}

enum err home_open(struct cli *c, const struct service *svc, const void *context, struct node **ret)
{
	struct node_options o = {c->home, c->passphrase_file, c->lang, stderr, context};
	enum err e;

	log_setup(svc->name, LOG_ERROR); /* a person reads it, in words of its own */
	e = node_open(svc, &o, ret);
	if (e == ERR_LOCKED)
		return say_in_use(c);
	if (e != OK && e != ERR_NOMEM && !c->json) /* node_open told which file */
		c->told = true;
	return e == OK || c->told ? e : cli_fail(c, e, c->home);
}

enum err home_wait(struct cli *c, long otherwise, int64_t *ret_ms)
{
	long seconds = otherwise;

	TRY(cli_number(c, "wait", 0, 86400, &seconds));
	*ret_ms = (int64_t)seconds * 1000;
	return OK;
}

static bool all_done(struct node *n, void *arg)
{
	(void)arg;
	return node_caught_up(n) && node_outbox_empty(n);
}

enum err home_sync(struct cli *c, struct node *n, long otherwise, bool *ret_online)
{
	int64_t within_ms;
	enum err e;

	TRY(home_wait(c, otherwise, &within_ms));
	e = node_run(n, all_done, NULL, within_ms);
	if (e != OK && e != ERR_TIMEOUT)
		return cli_fail(c, e, e == ERR_FENCED ? c->home : NULL);
	*ret_online = node_connected(n);
	return OK;
}
