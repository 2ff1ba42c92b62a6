/* `havre-admin backup`: a verified copy of each store, beside the running processes. A copy says
 * of itself that it is one: no program uses it before `havre-admin recover`. No key and no bucket
 * file is ever in it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/log.h"
#include "proto/json.h"
#include "services/admin/admin.h"
#include "services/admin/draft.h"
#include "services/admin/homes.h"
#include "services/admin/verify.h"
#include "services/common/store/recover.h"

/* clang-format off */
const struct cli_option backup_options[] = {
	HOMES_OPTIONS,
	CLI_OPTION("to", "DIR", "where the copies go: DIR/NAME, in the place of an older one",
		"où vont les copies : DIR/NOM, à la place d’une plus ancienne"),
	CLI_END,
};
/* clang-format on */

struct backup {
	const char *to;
	json_t *list;
};

/* What is known of a copy. */
struct copied {
	struct parts parts; /* of the home; its store is the copy, for reading */
	char path[PATH_MAX];
	struct safe safe;
	off_t bytes;
};

static enum err remove_copy(const char *folder)
{
	static const char *const files[] = {"data.mdb", "lock.mdb", "lock"};
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		TRY(join_path(folder, files[i], path));
		(void)unlink(path);
	}
	(void)rmdir(folder);
	return OK;
}

/* --- is the copy good? --- */

static enum err count_row(void *arg, struct slice key, struct slice value)
{
	uint64_t *sum = arg;

	/* every page is read */
	for (size_t i = 0; i < value.len; i += 512)
		*sum += value.data[i];
	*sum += key.len;
	return OK;
}

static enum err read_all(struct store *s, const struct store_layout *layout)
{
	struct txn *t;
	uint64_t sum = 0;
	enum err e;

	TRY(store_begin(s, TXN_READ, &t));
	e = OK;
	for (int i = 0; e == OK && layout->tables[i]; i++)
		e = txn_each(t, i, (struct slice){0}, count_row, &sum);
	txn_abort(&t);
	return e;
}

static enum err verify_broker(struct cli *c, const struct parts *p)
{
	struct verify *v = NULL;
	enum err e;

	TRY(verify_new(p, 1, draft_now(), c->lang, &v));
	e = verify_run(v);
	for (int i = 0; e == OK && i < CHECKS; i++)
		if (verify_result(v, (enum check)i) == RESULT_BROKEN) {
			fprintf(stderr, "%s: %s\n", check_id((enum check)i),
				v->tallies[i].first[0]);
			e = ERR_CORRUPT;
		}
	verify_free(&v);
	return e;
}

static enum err check_copy(struct cli *c, struct copied *k)
{
	struct store_layout layout;
	enum err e;

	TRY(parts_layout(k->parts.roles, &layout));
	store_free(&k->parts.store);
	e = store_open_lmdb_readonly(k->path, &layout, &k->parts.store);
	if (e == OK)
		e = read_all(k->parts.store, &layout);
	if (layout.tables != broker_layout.tables)
		free((void *)layout.tables);
	if (e == OK && (k->parts.roles & R(BROKER)))
		e = verify_broker(c, &k->parts);
	return e;
}

/* --- what it says of itself --- */

/* The table of the epoch is in every store, whatever else it holds. */
static const char *const epoch_tables[] = {EPOCH_TABLE, NULL};
static const struct store_layout epoch_layout = {epoch_tables};

static enum err log_size(struct copied *k)
{
	struct txn *t;
	enum err e;

	if (!(k->parts.roles & R(BROKER)))
		return OK;
	TRY(store_begin(k->parts.store, TXN_READ, &t));
	e = tree_size(t, &k->safe.done);
	txn_abort(&t);
	return e;
}

static enum err mark_in(struct txn *t, struct copied *k)
{
	TRY(epoch_check(t, 0)); /* a store that was put back and not recovered is no source */
	TRY(epoch_load(t, 0, &k->safe.epoch));
	if (k->parts.roles & R(BROKER))
		TRY(epoch_set_safe(t, 0, k->safe.done));
	return epoch_stop(t, 0, ERR_RESTORED);
}

static enum err mark(struct copied *k)
{
	static const char *const locks[] = {"lock.mdb", "lock"};
	struct store *s = NULL;
	char path[PATH_MAX];
	struct txn *t;
	enum err e;

	store_free(&k->parts.store);
	TRY(store_open_lmdb(k->path, &epoch_layout, 0, &s));
	e = store_begin(s, TXN_WRITE, &t);
	if (e == OK) {
		e = mark_in(t, k);
		if (e == OK)
			e = txn_commit(&t);
		else
			txn_abort(&t);
	}
	store_free(&s);
	for (size_t i = 0; e == OK && i < 2; i++) {
		e = join_path(k->path, locks[i], path);
		if (e == OK)
			(void)unlink(path);
	}
	return e == OK ? sync_path(k->path) : e;
}

/* --- one home --- */

static enum err copy_store(const struct admin_home *h, const char *to)
{
	struct store *s = NULL;
	enum err e;

	TRY(remove_copy(to));
	TRY(store_open_lmdb_readonly(h->config.store_path, &epoch_layout, &s));
	e = store_copy(s, to);
	store_free(&s);
	return e;
}

/* The older one stays until the new one is there. */
static enum err publish(const struct backup *b, const char *from, const char *name)
{
	char path[PATH_MAX], old[PATH_MAX + 4];

	TRY(join_path(b->to, name, path));
	snprintf(old, sizeof(old), "%s.old", path);
	TRY(remove_copy(old));
	if (rename(path, old) == 0)
		TRY(sync_path(b->to));
	if (rename(from, path))
		return ERR_IO;
	TRY(sync_path(b->to));
	return remove_copy(old);
}

static void tell(
	struct cli *c, struct backup *b, const struct admin_home *h, const struct copied *k)
{
	char at[32];

	time_format(k->safe.at, at);
	cli_say(c, "%-16s %10" PRIdMAX " bytes  epoch %" PRIu64 "  %s\n",
		"%-16s %10" PRIdMAX " octets  époque %" PRIu64 "  %s\n", h->name,
		(intmax_t)k->bytes, k->safe.epoch.number, at);
	if (!c->json)
		fflush(stdout);
	json_array_append_new(
		b->list, json_pack("{s:s, s:s, s:I, s:I, s:I, s:s}", "home", h->name, "principal",
				 h->principal, "bytes", (json_int_t)k->bytes, "epoch",
				 (json_int_t)k->safe.epoch.number, "size", (json_int_t)k->safe.done,
				 "at", at));
}

static enum err copy_and_check(
	struct cli *c, const struct admin_home *h, struct backup *b, struct copied *k)
{
	char data[PATH_MAX];
	struct stat st;

	TRY(copy_store(h, k->path));
	TRY(check_copy(c, k));
	TRY(log_size(k));
	TRY(mark(k));
	TRY(join_path(k->path, "data.mdb", data));
	k->bytes = stat(data, &st) == 0 ? st.st_size : 0;
	k->safe.at = draft_now();
	TRY(publish(b, k->path, h->name));
	/* only now may what it holds be forgotten elsewhere */
	return safe_write(h->folder, &k->safe);
}

static enum err backup_one(struct cli *c, const struct admin_home *h, void *arg)
{
	struct backup *b = arg;
	struct copied *k;
	enum err e;

	if (!has_store(h->config.store_path))
		return OK;
	k = calloc(1, sizeof(*k));
	if (!k)
		return ERR_NOMEM;
	e = join_path(b->to, h->name, k->path);
	if (e == OK && strlen(k->path) + 5 > sizeof(k->path))
		e = ERR_INVALID;
	if (e == OK) {
		strcat(k->path, ".tmp");
		e = parts_open(h->folder, draft_now(), c->lang, stderr, &k->parts);
	}
	if (e == OK)
		e = copy_and_check(c, h, b, k);
	if (e == OK)
		tell(c, b, h, k);
	else if (*k->path)
		(void)!remove_copy(k->path);
	parts_free(&k->parts);
	free(k);
	return e;
}

enum err admin_backup(struct cli *c)
{
	struct backup b = {.list = json_array()};
	enum err e = cli_required(c, "to", &b.to);

	if (e == OK && mkdir(b.to, 0700) && access(b.to, W_OK))
		e = cli_fail(c, ERR_IO, b.to);
	if (e == OK)
		e = homes_each(c, backup_one, &b);
	if (e == OK)
		cli_json(c, json_pack("{s:s, s:O}", "to", b.to, "backups", b.list));
	json_decref(b.list);
	return e;
}
