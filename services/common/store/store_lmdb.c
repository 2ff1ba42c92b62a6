/* The LMDB backend. A plain entry in LMDB's main table says that a file is ours; every table of
 * the layout is a named one beside it. */
#include "services/common/store/store_backend.h"
#include "services/common/store/store_folder.h"
#include "services/common/store/store_lmdb_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORMAT_KEY "havre store"
#define FORMAT     "1"

struct lmdb_store {
	struct store base;
	MDB_env *env;
	int lock;        /* -1: opened for reading only */
	bool broken;     /* a commit failed: what LMDB believes is no longer known */
	size_t fill_txn; /* fill_percent was computed for this state */
	int fill_percent;
	size_t last_page; /* of the file, as it was last made long enough */
	MDB_dbi tables[];
};

struct lmdb_txn {
	struct txn base;
	MDB_txn *mdb;
	const MDB_dbi *tables;
	struct buf copy; /* of the key and value being put */
};

static MDB_val to_val(struct slice s)
{
	return (MDB_val){s.len, (void *)s.data};
}

static struct slice to_slice(MDB_val v)
{
	return slice_of(v.mv_data, v.mv_size);
}

/* ---- transactions ---- */

static void lmdb_abort(struct txn *t)
{
	struct lmdb_txn *lt = (struct lmdb_txn *)t;

	mdb_txn_abort(lt->mdb);
	buf_free(&lt->copy);
	free(lt);
}

static enum err lmdb_commit(struct txn *t)
{
	struct lmdb_store *ls = (struct lmdb_store *)t->store;
	struct lmdb_txn *lt = (struct lmdb_txn *)t;
	enum err e = store_lmdb_err(mdb_txn_commit(lt->mdb));

	if (e == OK)
		store_lmdb_extend(ls->env, &ls->last_page);
	else
		ls->broken = true;
	buf_free(&lt->copy);
	free(lt);
	return e;
}

static enum err lmdb_get(struct txn *t, int table, struct slice key, struct slice *ret)
{
	struct lmdb_txn *lt = (struct lmdb_txn *)t;
	MDB_val k = to_val(key), v;

	TRY(store_lmdb_err(mdb_get(lt->mdb, lt->tables[table], &k, &v)));
	*ret = to_slice(v);
	return OK;
}

static enum err lmdb_put(
	struct txn *t, int table, struct slice key, struct slice value, bool at_end)
{
	struct lmdb_txn *lt = (struct lmdb_txn *)t;
	MDB_val k, v;

	/* The arguments may lie in pages that LMDB moves while it makes room. */
	lt->copy.len = 0;
	TRY(buf_append(&lt->copy, key.data, key.len));
	TRY(buf_append(&lt->copy, value.data, value.len));
	k = (MDB_val){key.len, lt->copy.data};
	v = (MDB_val){value.len, lt->copy.data + key.len};
	return store_lmdb_err(mdb_put(lt->mdb, lt->tables[table], &k, &v, at_end ? MDB_APPEND : 0));
}

static enum err lmdb_del(struct txn *t, int table, struct slice key)
{
	struct lmdb_txn *lt = (struct lmdb_txn *)t;
	MDB_val k = to_val(key);

	return store_lmdb_err(mdb_del(lt->mdb, lt->tables[table], &k, NULL));
}

static int move_next(MDB_cursor *c, struct slice from, bool after, MDB_val *k, MDB_val *v)
{
	int rc;

	if (from.len == 0)
		return mdb_cursor_get(c, k, v, MDB_FIRST);
	*k = to_val(from);
	rc = mdb_cursor_get(c, k, v, MDB_SET_RANGE);
	if (rc == 0 && after && slice_eq(to_slice(*k), from))
		rc = mdb_cursor_get(c, k, v, MDB_NEXT);
	return rc;
}

static int move_prev(MDB_cursor *c, struct slice before, MDB_val *k, MDB_val *v)
{
	int rc = MDB_NOTFOUND;

	if (before.len) {
		*k = to_val(before);
		rc = mdb_cursor_get(c, k, v, MDB_SET_RANGE);
		if (rc == 0)
			return mdb_cursor_get(c, k, v, MDB_PREV);
	}
	return rc == MDB_NOTFOUND ? mdb_cursor_get(c, k, v, MDB_LAST) : rc;
}

static enum err seek(struct txn *t, int table, struct slice from, bool after, bool back,
	struct slice *ret_key, struct slice *ret_value)
{
	struct lmdb_txn *lt = (struct lmdb_txn *)t;
	MDB_cursor *c;
	MDB_val k, v;
	int rc;

	TRY(store_lmdb_err(mdb_cursor_open(lt->mdb, lt->tables[table], &c)));
	rc = back ? move_prev(c, from, &k, &v) : move_next(c, from, after, &k, &v);
	mdb_cursor_close(c);
	TRY(store_lmdb_err(rc));
	*ret_key = to_slice(k);
	*ret_value = to_slice(v);
	return OK;
}

static enum err lmdb_next(struct txn *t, int table, struct slice from, bool after,
	struct slice *ret_key, struct slice *ret_value)
{
	return seek(t, table, from, after, false, ret_key, ret_value);
}

static enum err lmdb_prev(struct txn *t, int table, struct slice before, struct slice *ret_key,
	struct slice *ret_value)
{
	return seek(t, table, before, false, true, ret_key, ret_value);
}

static enum err lmdb_count(struct txn *t, int table, uint64_t *ret)
{
	struct lmdb_txn *lt = (struct lmdb_txn *)t;
	MDB_stat st;

	TRY(store_lmdb_err(mdb_stat(lt->mdb, lt->tables[table], &st)));
	*ret = st.ms_entries;
	return OK;
}

static const struct txn_ops txn_ops = {
	.commit = lmdb_commit,
	.abort = lmdb_abort,
	.get = lmdb_get,
	.put = lmdb_put,
	.del = lmdb_del,
	.next = lmdb_next,
	.prev = lmdb_prev,
	.count = lmdb_count,
};

/* ---- stores ---- */

static enum err lmdb_begin(struct store *s, enum txn_mode mode, struct txn **ret)
{
	struct lmdb_store *ls = (struct lmdb_store *)s;
	unsigned flags = mode == TXN_READ ? MDB_RDONLY : 0;
	struct lmdb_txn *lt;
	int rc;

	if (mode == TXN_WRITE && ls->broken)
		return ERR_IO;
	lt = calloc(1, sizeof(*lt));
	if (!lt)
		return ERR_NOMEM;
	rc = mdb_txn_begin(ls->env, NULL, flags, &lt->mdb);
	/* the process that writes was started again with a larger limit */
	if (rc == MDB_MAP_RESIZED && atomic_load(&s->open) == 0) {
		rc = mdb_env_set_mapsize(ls->env, 0);
		if (rc == 0)
			rc = mdb_txn_begin(ls->env, NULL, flags, &lt->mdb);
	}
	if (rc != 0) {
		free(lt);
		return store_lmdb_err(rc);
	}
	lt->base.ops = &txn_ops;
	lt->tables = ls->tables;
	*ret = &lt->base;
	return OK;
}

/* Pages on LMDB's list of free ones: each entry begins with their number. */
static int count_free(MDB_env *env, size_t *ret_pages)
{
	MDB_txn *txn;
	MDB_cursor *c;
	MDB_val k, v;
	size_t pages = 0, n;
	int rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);

	if (rc)
		return rc;
	rc = mdb_cursor_open(txn, 0, &c);
	if (rc == 0) {
		while ((rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) == 0) {
			memcpy(&n, v.mv_data, sizeof(n));
			pages += n;
		}
		mdb_cursor_close(c);
	}
	mdb_txn_abort(txn);
	if (rc != MDB_NOTFOUND)
		return rc;
	*ret_pages = pages;
	return 0;
}

static int lmdb_fill_percent(struct store *s)
{
	struct lmdb_store *ls = (struct lmdb_store *)s;
	size_t free_pages = 0, pages;
	MDB_envinfo info;
	MDB_stat st;

	if (mdb_env_info(ls->env, &info) || mdb_env_stat(ls->env, &st))
		return 100;
	if (info.me_last_txnid == ls->fill_txn)
		return ls->fill_percent;
	if (count_free(ls->env, &free_pages))
		return 100;
	pages = info.me_last_pgno + 1 - free_pages;
	ls->fill_txn = info.me_last_txnid;
	ls->fill_percent = (int)(pages * 100 / (info.me_mapsize / st.ms_psize));
	return ls->fill_percent;
}

static enum err lmdb_reap_readers(struct store *s)
{
	int dead;

	return store_lmdb_err(mdb_reader_check(((struct lmdb_store *)s)->env, &dead));
}

static enum err lmdb_copy(struct store *s, const char *to)
{
	return store_lmdb_copy(((struct lmdb_store *)s)->env, to);
}

static void lmdb_free(struct store *s)
{
	struct lmdb_store *ls = (struct lmdb_store *)s;

	mdb_env_close(ls->env);
	if (ls->lock >= 0)
		close(ls->lock);
	free(ls);
}

static const struct store_ops store_ops = {
	.free = lmdb_free,
	.begin = lmdb_begin,
	.fill_percent = lmdb_fill_percent,
	.reap_readers = lmdb_reap_readers,
	.copy = lmdb_copy,
};

/* ---- opening ---- */

enum opening { CREATE, WRITE, READ };

static int open_format(MDB_txn *txn, enum opening how)
{
	struct slice format = slice_str(FORMAT);
	MDB_val k = to_val(slice_str(FORMAT_KEY)), v = to_val(format);
	MDB_dbi main;
	int rc = mdb_dbi_open(txn, NULL, 0, &main);

	if (rc)
		return rc;
	if (how == CREATE)
		return mdb_put(txn, main, &k, &v, 0);
	rc = mdb_get(txn, main, &k, &v);
	if (rc == 0 && !slice_eq(to_slice(v), format))
		rc = MDB_VERSION_MISMATCH;
	return rc;
}

static enum err open_tables(
	struct lmdb_store *ls, const struct store_layout *layout, enum opening how)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(ls->env, NULL, how == READ ? MDB_RDONLY : 0, &txn);

	if (rc)
		return store_lmdb_err(rc);
	rc = open_format(txn, how);
	for (int i = 0; rc == 0 && i < ls->base.tables; i++)
		rc = mdb_dbi_open(
			txn, layout->tables[i], how == READ ? 0 : MDB_CREATE, &ls->tables[i]);
	if (rc) {
		mdb_txn_abort(txn);
		return rc == MDB_NOTFOUND ? ERR_CORRUPT : store_lmdb_err(rc);
	}
	return store_lmdb_err(mdb_txn_commit(txn));
}

static enum err open_env(const char *path, const struct store_layout *layout, size_t map_bytes,
	enum opening how, struct lmdb_store **ret)
{
	/* While a store is created nobody else can see it: no lock.mdb. */
	static const unsigned flags[] = {MDB_NOLOCK, 0, MDB_RDONLY};
	int tables = store_layout_count(layout);
	struct lmdb_store *ls = calloc(1, sizeof(*ls) + (size_t)tables * sizeof(ls->tables[0]));
	enum err e;

	if (!ls)
		return ERR_NOMEM;
	ls->base.ops = &store_ops;
	ls->base.tables = tables;
	ls->base.readonly = how == READ;
	ls->lock = -1;
	e = store_lmdb_err(mdb_env_create(&ls->env));
	if (e != OK)
		goto free_store;
	e = store_lmdb_err(mdb_env_set_maxdbs(ls->env, (MDB_dbi)tables));
	if (e == OK && map_bytes)
		e = store_lmdb_err(mdb_env_set_mapsize(ls->env, map_bytes));
	if (e == OK)
		e = store_lmdb_err(mdb_env_open(ls->env, path, flags[how] | MDB_NOTLS, 0600));
	if (e == OK)
		e = store_lmdb_check(ls->env, how != READ);
	if (e == OK)
		e = open_tables(ls, layout, how);
	if (e == OK) {
		*ret = ls;
		return OK;
	}
	mdb_env_close(ls->env);
free_store:
	free(ls);
	return e;
}

struct creation {
	const struct store_layout *layout;
	size_t map_bytes;
};

static enum err fill_new(const char *folder, void *arg)
{
	const struct creation *c = arg;
	struct lmdb_store *ls = NULL;

	TRY(open_env(folder, c->layout, c->map_bytes, CREATE, &ls));
	lmdb_free(&ls->base);
	return OK;
}

enum err store_open_lmdb(
	const char *path, const struct store_layout *layout, size_t map_bytes, struct store **ret)
{
	struct creation c = {layout, map_bytes};
	struct lmdb_store *ls = NULL;
	int lock = -1;
	enum err e;

	TRY(store_folder_open(path, fill_new, &c, &lock));
	e = open_env(path, layout, map_bytes, WRITE, &ls);
	if (e != OK) {
		close(lock);
		return e;
	}
	ls->lock = lock;
	e = lmdb_reap_readers(&ls->base);
	if (e != OK) {
		lmdb_free(&ls->base);
		return e;
	}
	*ret = &ls->base;
	return OK;
}

/* Root looks into the stores of others: a lock file that LMDB made meanwhile must be its owner's,
 * or the owner could not open the store any more. */
static enum err give_lock_file(const char *path)
{
	char data[PATH_MAX], lock[PATH_MAX];
	struct stat owner, st;
	int fd;
	enum err e;

	if (snprintf(data, sizeof(data), "%s/data.mdb", path) >= (int)sizeof(data) ||
		snprintf(lock, sizeof(lock), "%s/lock.mdb", path) >= (int)sizeof(lock))
		return ERR_INVALID;
	fd = open(lock, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || stat(data, &owner) || fstat(fd, &st))
		e = store_errno(errno);
	else if (st.st_uid != owner.st_uid && fchown(fd, owner.st_uid, owner.st_gid))
		e = store_errno(errno);
	else
		e = OK;
	if (fd >= 0)
		close(fd);
	return e;
}

enum err store_open_lmdb_readonly(
	const char *path, const struct store_layout *layout, struct store **ret)
{
	struct lmdb_store *ls = NULL;
	enum err e;

	TRY(open_env(path, layout, 0, READ, &ls));
	e = geteuid() == 0 ? give_lock_file(path) : OK;
	if (e == OK)
		*ret = &ls->base;
	else
		lmdb_free(&ls->base);
	return e;
}
