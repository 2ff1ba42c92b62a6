/*
 * Destroying the box secrets that nothing can need any more: not a sender, not a message that
 * waits, not a backup. From then on an old disk opens nothing of that epoch.
 */
#include <stdlib.h>

#include "proto/day.h"
#include "services/admin/admin.h"
#include "services/admin/draft.h"
#include "services/admin/keys.h"
#include "services/admin/keys_waiting.h"
#include "services/common/base/config.h"
#include "services/common/base/file.h"
#include "services/common/trust/registry.h"

/* clang-format off */
const struct cli_option keys_destroy_options[] = {
	CLI_OPTION("homes", "DIR", "where the broker’s home is: nothing may wait there under what is destroyed",
		"où est le dossier du courtier : rien ne doit y attendre sous ce qui est détruit"),
	CLI_FLAG("without-broker", "the broker is elsewhere: a person has seen there that nothing waits",
		"le courtier est ailleurs : une personne y a vu que rien n’attend"),
	CLI_END,
};
/* clang-format on */

struct destroying {
	const struct keyring *keys;
	const struct registry *registry;
	const Principal *self;
	int64_t now, horizon_ms;
	uint32_t over; /* every epoch below this one */
	json_t *gone;
};

static int64_t since(const Key *k, uint32_t epoch)
{
	for (size_t i = 0; i < k->n_box_keys; i++)
		if (k->box_keys[i]->epoch == epoch)
			return k->box_keys[i]->since;
	return 0;
}

/* Have all senders used this epoch, or a later one, for longer than a backup lives? */
static bool long_in_use(const struct destroying *d, uint32_t epoch)
{
	for (size_t i = 0; i < d->self->n_keys; i++) {
		int64_t from = since(d->self->keys[i], epoch);

		if (!d->self->keys[i]->retired && (!from || d->now - from < d->horizon_ms))
			return false;
	}
	return true;
}

static enum err find_over(struct destroying *d)
{
	struct reader readers[READERS_MOST];
	uint32_t epoch = 0;
	size_t n = 0;

	TRY(registry_readers(d->registry, d->self->name, d->now, readers, &n, &epoch));
	while (epoch > 1 && !long_in_use(d, epoch))
		epoch--;
	d->over = epoch;
	return OK;
}

static const Key *registered(const struct destroying *d, const uint8_t id[KEY_ID_LEN])
{
	for (size_t i = 0; i < d->self->n_keys; i++)
		if (memcmp(d->self->keys[i]->id.data, id, KEY_ID_LEN) == 0)
			return d->self->keys[i];
	return NULL;
}

/* A key that the registry does not have may yet come into it. */
static bool keep(void *arg, const uint8_t key_id[KEY_ID_LEN], uint32_t epoch)
{
	struct destroying *d = arg;
	const Key *k = registered(d, key_id);
	char id[2 * KEY_ID_LEN + 1];

	if (!k || (!k->retired && epoch >= d->over) ||
		(k->retired && (!k->not_after || d->now - k->not_after < d->horizon_ms)))
		return true;
	hex_encode(id, key_id, KEY_ID_LEN);
	json_array_append_new(d->gone, json_pack("{s:s, s:i}", "key_id", id, "epoch", (int)epoch));
	return false;
}

/* Nothing may wait under what goes. */
static enum err check_waiting(struct cli *c, const struct destroying *d)
{
	const char *homes = cli_value(c, "homes");
	size_t i;
	json_t *one;

	if (!homes && !cli_flag(c, "without-broker"))
		return cli_misused(c, MISUSE_NO_OPTION, "--homes");
	json_array_foreach(d->gone, i, one)
	{
		uint32_t epoch = (uint32_t)json_integer_value(json_object_get(one, "epoch"));
		uint8_t id[KEY_ID_LEN];
		enum err e = hex_decode(
			id, sizeof(id), json_string_value(json_object_get(one, "key_id")));

		if (e == OK)
			e = keys_waiting(c, d->keys, id, epoch, homes);
		if (e != OK)
			return cli_fail(c, e, json_string_value(json_object_get(one, "key_id")));
	}
	return OK;
}

/* The request that takes them out of the registry, too. */
static enum err tell(struct cli *c, const struct destroying *d, struct slice request)
{
	char file[PATH_MAX];
	enum err e;

	TRY(cli_path(c, "key.request", file));
	e = file_replace(file, request, 0644);
	if (e != OK)
		return cli_fail(c, e, file);
	cli_say(c, "box secrets destroyed: %zu\nrequest for the registry: %s\n",
		"secrets détruits : %zu\ndemande pour le registre : %s\n", json_array_size(d->gone),
		file);
	cli_json(c, json_pack("{s:O, s:s}", "destroyed", d->gone, "request", file));
	return OK;
}

static enum err destroy(struct cli *c, struct destroying *d, const char *path, struct slice phrase)
{
	struct keyring *less = NULL;
	struct buf request = {0};
	enum err e;

	TRY(find_over(d));
	TRY(keyring_without(d->keys, keep, d, &less));
	e = json_array_size(d->gone) ? check_waiting(c, d) : cli_fail(c, ERR_NEEDED, path);
	if (e == OK)
		e = keyring_request(less, "", "", d->now, &request);
	if (e == OK)
		e = keyring_replace(less, path, phrase);
	if (e == OK)
		e = tell(c, d, slice_buf(&request));
	buf_free(&request);
	keyring_free(&less);
	return e;
}

static enum err open_registry(struct cli *c, struct destroying *d, struct registry **ret)
{
	struct config config;
	enum err e;

	TRY(config_load(c->home, PROGRAM_ADMIN, stderr, c->lang, &config));
	d->horizon_ms = config.horizon_days * MS_A_DAY;
	e = registry_load(config.registry_file, config.root_file, 0, d->now, ret);
	if (e != OK)
		cli_fail(c, e, config.registry_file);
	config_free(&config);
	return e;
}

enum err keys_destroy(struct cli *c)
{
	struct destroying d = {.now = draft_now(), .gone = json_array()};
	struct registry *r = NULL;
	struct passphrase *p = NULL;
	struct keyring *k = NULL;
	char path[PATH_MAX];
	enum err e = keys_open(c, path, &k, &p);

	if (e == OK)
		e = open_registry(c, &d, &r);
	if (e == OK) {
		d.keys = k;
		d.registry = r;
		keyring_choose(k, r, d.now);
		d.self = registry_find(r, keyring_principal(k));
		e = d.self ? destroy(c, &d, path, passphrase_slice(p)) : ERR_UNKNOWN_KEY;
	}
	json_decref(d.gone);
	registry_free(&r);
	keyring_free(&k);
	passphrase_free(&p);
	return e == OK || c->told ? e : cli_fail(c, e, path);
}
