/* `havre-admin recover`: the signed word with which a store that was put back begins its next
 * epoch. The home folder of the command is an administrator's. */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

#include "broker/log.h"
#include "broker/tables.h"
#include "services/admin/admin.h"
#include "services/admin/draft.h"
#include "services/admin/homes.h"
#include "services/common/base/file.h"
#include "services/common/store/recover.h"

#define R(role)   ROLE_BIT(ROLE__##role)
#define WORD_MOST 4096

/* clang-format off */
const struct cli_option recover_options[] = {
	HOMES_OPTIONS,
	CLI_END,
};
/* clang-format on */

struct recovering {
	struct keyring *admin;
	json_t *list;
};

/* What the store says; the root is of a log. */
struct found {
	struct epoch was;
	enum err stopped;
	uint64_t next; /* the number of the epoch that begins */
	uint64_t from_size;
	uint8_t root[HASH_LEN];
};

/* --- what was there before this copy --- */

/* 0: there is no such word, or it is nobody's. */
static enum err word_epoch(const struct admin_home *h, const char *file,
	const struct registry *registry, uint64_t *ret)
{
	struct buf bytes = {0};
	char path[PATH_MAX];
	Recover *word;
	enum err e;

	*ret = 0;
	TRY(join_path(h->folder, file, path));
	if (file_read(path, WORD_MOST, &bytes) != OK)
		return OK;
	e = recover_open(slice_buf(&bytes), registry, &word);
	buf_free(&bytes);
	if (e != OK)
		return e == ERR_NOMEM ? e : OK;
	*ret = word->epoch;
	recover__free_unpacked(word, NULL);
	return OK;
}

/* The same copy may have been put back before, and its epochs be known to others: above them by the
 * words that are still here, and by the clock when the home is a new one. */
static enum err next_number(
	const struct admin_home *h, const struct registry *registry, uint64_t was, uint64_t *ret)
{
	static const char *const files[] = {RECOVER_FILE, RECOVER_USED};
	uint64_t next = was + 1, now = (uint64_t)(draft_now() / 1000), before;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		TRY(word_epoch(h, files[i], registry, &before));
		if (before >= next)
			next = before + 1;
	}
	*ret = next > now ? next : now;
	return OK;
}

/* Others keep nothing of what is below the mark of the newest backup. */
static enum err check_newest(struct cli *c, const struct admin_home *h, const struct found *f)
{
	struct safe safe;
	enum err e = safe_read(h->folder, &safe);

	if (e != OK)
		return e == ERR_NOMEM ? e : OK; /* a new home: the programs know it all the same */
	if (safe.epoch.number > f->was.number ||
		(epoch_same(&safe.epoch, &f->was) && safe.done > f->from_size))
		return cli_fail(c, ERR_OLD_BACKUP, h->name);
	return OK;
}

/* --- the word --- */

static enum err read_store(struct txn *t, int table, bool log, struct found *ret)
{
	TRY(epoch_load(t, table, &ret->was));
	ret->stopped = epoch_check(t, table);
	if (!log)
		return OK;
	TRY(epoch_safe(t, table, &ret->from_size));
	return tree_root(t, ret->from_size, ret->root);
}

static enum err look(const struct admin_home *h, bool log, struct found *ret)
{
	static const char *const tables[] = {EPOCH_TABLE, NULL};
	const struct store_layout epoch = {tables};
	struct store *s = NULL;
	struct txn *t;
	enum err e;

	TRY(store_open_lmdb_readonly(h->config.store_path, log ? &broker_layout : &epoch, &s));
	e = store_begin(s, TXN_READ, &t);
	if (e == OK) {
		e = read_store(t, log ? TABLE_EPOCH : 0, log, ret);
		txn_abort(&t);
	}
	store_free(&s);
	return e;
}

static enum err sign(const struct recovering *r, const struct admin_home *h, const struct found *f,
	bool log, struct buf *ret)
{
	Recover word = RECOVER__INIT;
	uint8_t next[EPOCH_LEN];

	randombytes_buf(next, sizeof(next));
	word.principal = (char *)h->principal;
	word.was = (ProtobufCBinaryData){EPOCH_LEN, (uint8_t *)f->was.store};
	word.was_epoch = f->was.number;
	word.store = (ProtobufCBinaryData){EPOCH_LEN, next};
	word.epoch = f->next;
	word.from_size = f->from_size;
	if (log)
		word.root = (ProtobufCBinaryData){HASH_LEN, (uint8_t *)f->root};
	word.at = draft_now();
	return recover_sign(&word, r->admin, ret);
}

/* What no program would take is not written. */
static enum err write_word(
	const struct admin_home *h, const struct registry *registry, const struct buf *bytes)
{
	char path[PATH_MAX];
	Recover *checked;

	TRY(recover_open(slice_buf(bytes), registry, &checked));
	recover__free_unpacked(checked, NULL);
	TRY(join_path(h->folder, RECOVER_FILE, path));
	return file_replace(path, slice_buf(bytes), 0644);
}

static void tell(struct cli *c, const struct recovering *r, const struct admin_home *h,
	const struct found *f, bool log)
{
	if (log)
		cli_say(c,
			"%s: may start; epoch %" PRIu64 " of the log begins at number %" PRIu64
			"\n",
			"%s : peut démarrer; l’époque %" PRIu64
			" du journal commence au numéro %" PRIu64 "\n",
			h->name, f->next, f->from_size);
	else
		cli_say(c, "%s: may start; epoch %" PRIu64 " of its store begins\n",
			"%s : peut démarrer; l’époque %" PRIu64 " de son magasin commence\n",
			h->name, f->next);
	json_array_append_new(r->list,
		json_pack("{s:s, s:s, s:I, s:I}", "home", h->name, "principal", h->principal,
			"epoch", (json_int_t)f->next, "from_size", (json_int_t)f->from_size));
}

static enum err recover_with(struct cli *c, const struct recovering *r, const struct admin_home *h,
	const struct registry *registry)
{
	const Principal *p = registry_find(registry, h->principal);
	bool log = p && (roles_of(p) & R(BROKER));
	struct found f = {.from_size = 0};
	struct buf bytes = {0};
	enum err e;

	TRY(look(h, log, &f));
	/* one that was put back by hand is not stopped: it must be named */
	if (f.stopped == OK && !cli_value(c, "only"))
		return OK;
	if (log)
		TRY(check_newest(c, h, &f));
	TRY(next_number(h, registry, f.was.number, &f.next));
	e = sign(r, h, &f, log, &bytes);
	if (e == OK)
		e = write_word(h, registry, &bytes);
	buf_free(&bytes);
	if (e == OK)
		tell(c, r, h, &f, log);
	return e;
}

static enum err recover_one(struct cli *c, const struct admin_home *h, void *arg)
{
	struct recovering *r = arg;
	struct registry *registry = NULL;
	enum err e;

	if (!has_store(h->config.store_path))
		return cli_value(c, "only") ? ERR_NOT_FOUND : OK;
	e = registry_load(h->config.registry_file, h->config.root_file, 0, draft_now(), &registry);
	if (e != OK)
		return cli_fail(c, e, h->config.registry_file);
	e = recover_with(c, r, h, registry);
	registry_free(&registry);
	return e;
}

enum err admin_recover(struct cli *c)
{
	struct recovering r = {.list = json_array()};
	char path[PATH_MAX];
	enum err e = cli_path(c, "key", path);

	if (e == OK)
		e = draft_keyring(c, path, &r.admin);
	if (e == OK)
		e = homes_each(c, recover_one, &r);
	if (e == OK && json_array_size(r.list) == 0)
		cli_say(c, "no store was put back\n", "aucun magasin n’a été remis en place\n");
	if (e == OK)
		cli_json(c, json_pack("{s:O}", "recovered", r.list));
	keyring_free(&r.admin);
	json_decref(r.list);
	return e;
}
