/* `havre-admin held`: the messages that readers hold back, because their sender is suspended, or
 * all keys of somebody whom they would be answered to. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proto/envelope.h"
#include "proto/json.h"
#include "services/admin/admin.h"
#include "services/admin/draft.h"
#include "services/admin/verify.h"
#include "services/common/engine/engine_internal.h" /* the kit's own table is read here */

const struct cli_option held_options[] = {
	CLI_OPTION("homes", "DIR", "the folder of the home folders, one for each principal",
		"le dossier des dossiers personnels, un par entité"),
	CLI_END,
};

struct listing {
	struct cli *c;
	const char *home;
	json_t *list;
};

static enum err list_one(void *arg, struct slice key, struct slice value)
{
	struct listing *l = arg;
	ProtobufCMessage *owner;
	struct envelope env;
	struct delivery d;
	char when[32];
	json_t *one;
	enum err e;

	if (!parked_is_held(key))
		return OK;
	TRY(parked_unpack(value, &d, &owner));
	e = envelope_parse(d.envelope, &env);
	if (e == OK) {
		time_format(d.received_at, when);
		cli_say(l->c, "%s: %s of %s, received %s\n", "%s : %s de %s, reçu %s\n", l->home,
			env.row->name, env.header->sender, when);
		one = json_pack("{s:s, s:s, s:s, s:s, s:I}", "home", l->home, "kind", env.row->name,
			"from", env.header->sender, "received_at", when, "index",
			(json_int_t)d.index);
		e = json_array_append_new(l->list, one) ? ERR_NOMEM : OK;
		envelope_free(&env);
	}
	protobuf_c_message_free_unpacked(owner, NULL);
	return e;
}

static enum err list_home(struct listing *l, const char *folder)
{
	struct txn *t = NULL;
	struct parts p;
	enum err e = parts_open(folder, draft_now(), l->c->lang, stderr, &p);

	if (e == OK && !p.locked && !(p.roles & R(BROKER))) {
		e = store_begin(p.store, TXN_READ, &t);
		if (e == OK)
			e = txn_each(t, T_PARKED, (struct slice){0}, list_one, l);
		txn_abort(&t);
	}
	if (e != OK)
		cli_fail(l->c, e, p.about ? p.about : folder);
	parts_free(&p);
	return e;
}

/* A folder without a key and a store is no home. */
static bool is_home(const char *homes, const char *name, char folder[PATH_MAX])
{
	char path[PATH_MAX];

	if (*name == '.' || snprintf(folder, PATH_MAX, "%s/%s", homes, name) >= PATH_MAX)
		return false;
	if (snprintf(path, sizeof(path), "%s/key", folder) >= (int)sizeof(path) ||
		access(path, F_OK) != 0)
		return false;
	return snprintf(path, sizeof(path), "%s/store", folder) < (int)sizeof(path) &&
	       access(path, F_OK) == 0;
}

static enum err list_all(struct listing *l, const char *homes)
{
	struct dirent **entries;
	int n = scandir(homes, &entries, NULL, alphasort);
	char folder[PATH_MAX];
	enum err e = OK;

	if (n < 0)
		return cli_fail(l->c, ERR_NOT_FOUND, homes);
	for (int i = 0; i < n; i++) {
		l->home = entries[i]->d_name;
		if (e == OK && is_home(homes, l->home, folder))
			e = list_home(l, folder);
		free(entries[i]);
	}
	free(entries);
	return e;
}

enum err admin_held(struct cli *c)
{
	struct listing l = {.c = c};
	const char *homes;
	enum err e;

	TRY(cli_required(c, "homes", &homes));
	l.list = json_array();
	e = list_all(&l, homes);
	if (e == OK && json_array_size(l.list) == 0)
		cli_say(c, "Nothing is held.\n", "Rien n’est retenu.\n");
	if (e == OK)
		cli_json(c, json_pack("{s:O}", "held", l.list));
	json_decref(l.list);
	return e;
}
