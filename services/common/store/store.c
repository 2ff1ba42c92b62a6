#include "services/common/store/store_backend.h"

#include <assert.h>

#include "services/common/keys/bucket_files.h"

int store_layout_count(const struct store_layout *layout)
{
	int n = 0;

	while (layout->tables[n])
		n++;
	return n;
}

void store_free(struct store **sp)
{
	if (!*sp)
		return;
	assert(atomic_load(&(*sp)->open) == 0);
	bucket_files_free(&(*sp)->buckets);
	(*sp)->ops->free(*sp);
	*sp = NULL;
}

void store_use_buckets(struct store *s, struct bucket_files **files)
{
	bucket_files_free(&s->buckets);
	s->buckets = *files;
	*files = NULL;
}

struct bucket_files *store_buckets(const struct store *s)
{
	return s->buckets;
}

enum err store_begin(struct store *s, enum txn_mode mode, struct txn **ret)
{
	struct txn *t = NULL;
	enum err e;

	if (mode == TXN_WRITE && s->readonly)
		return ERR_INVALID;
	if (mode == TXN_WRITE && atomic_exchange(&s->writing, true))
		return ERR_BUSY;
	e = s->ops->begin(s, mode, &t);
	if (e != OK) {
		if (mode == TXN_WRITE)
			atomic_store(&s->writing, false);
		return e;
	}
	atomic_fetch_add(&s->open, 1);
	t->store = s;
	t->tables = s->tables;
	t->mode = mode;
	*ret = t;
	return OK;
}

/* Ends a transaction by commit or abort, and lets its store or parent go on. */
static enum err end(struct txn *t, bool commit)
{
	struct store *s = t->store;
	bool writes = t->mode == TXN_WRITE;
	enum err e = commit ? t->failed : OK;

	assert(!t->overlay);
	if (t->parent)
		t->parent->overlay = NULL;
	if (commit && writes && e == OK)
		e = t->ops->commit(t);
	else
		t->ops->abort(t);
	if (s && writes)
		atomic_store(&s->writing, false);
	if (s)
		atomic_fetch_sub(&s->open, 1);
	return e;
}

enum err txn_commit(struct txn **tp)
{
	struct txn *t = *tp;

	*tp = NULL;
	return end(t, true);
}

void txn_abort(struct txn **tp)
{
	struct txn *t = *tp;

	*tp = NULL;
	if (t)
		(void)end(t, false);
}

void txn_drop(struct txn *t)
{
	if (t->overlay)
		txn_drop(t->overlay);
	(void)end(t, false);
}

/* `key` may be empty when it only says where to look from. */
static enum err check(const struct txn *t, int table, struct slice key, bool empty_allowed)
{
	assert(!t->overlay);
	if (table < 0 || table >= t->tables || key.len > STORE_MAX_KEY)
		return ERR_INVALID;
	if (key.len == 0 && !empty_allowed)
		return ERR_INVALID;
	return t->failed;
}

static enum err check_write(const struct txn *t, int table, struct slice key)
{
	return t->mode == TXN_WRITE ? check(t, table, key, false) : ERR_INVALID;
}

/* A write that failed may have been done in part: nothing of the transaction can stay. */
static enum err wrote(struct txn *t, enum err e)
{
	if (e != OK && e != ERR_NOT_FOUND)
		t->failed = e;
	return e;
}

enum err txn_get(struct txn *t, int table, struct slice key, struct slice *ret)
{
	TRY(check(t, table, key, false));
	return t->ops->get(t, table, key, ret);
}

enum err txn_put(struct txn *t, int table, struct slice key, struct slice value)
{
	TRY(check_write(t, table, key));
	if (value.len > STORE_MAX_VALUE)
		return ERR_INVALID;
	return wrote(t, t->ops->put(t, table, key, value, false));
}

enum err txn_append(struct txn *t, int table, struct slice key, struct slice value)
{
	struct slice last, ignored;
	enum err e;

	TRY(check_write(t, table, key));
	if (value.len > STORE_MAX_VALUE)
		return ERR_INVALID;
	e = t->ops->prev(t, table, (struct slice){0}, &last, &ignored);
	if (e == OK && slice_cmp(key, last) <= 0)
		return ERR_EXISTS;
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	return wrote(t, t->ops->put(t, table, key, value, true));
}

enum err txn_delete(struct txn *t, int table, struct slice key)
{
	TRY(check_write(t, table, key));
	return wrote(t, t->ops->del(t, table, key));
}

enum err txn_next(struct txn *t, int table, struct slice from, bool after, struct slice *ret_key,
	struct slice *ret_value)
{
	TRY(check(t, table, from, true));
	return t->ops->next(t, table, from, after, ret_key, ret_value);
}

enum err txn_prev(struct txn *t, int table, struct slice before, struct slice *ret_key,
	struct slice *ret_value)
{
	TRY(check(t, table, before, true));
	return t->ops->prev(t, table, before, ret_key, ret_value);
}

enum err txn_each(struct txn *t, int table, struct slice prefix, txn_each_fn *each, void *arg)
{
	struct key start = {0}, at;
	struct slice key, value;
	enum err e;

	TRY(check(t, table, prefix, true));
	key_bytes(&start, prefix.data, prefix.len); /* `each` may write: keep nothing borrowed */
	at = start;
	for (bool after = false;; after = true) {
		e = txn_next(t, table, key_slice(&at), after, &key, &value);
		if (e != OK)
			return e == ERR_NOT_FOUND ? OK : e;
		if (key.len < start.len || memcmp(key.data, start.data, start.len) != 0)
			return OK;
		at = (struct key){0};
		key_bytes(&at, key.data, key.len);
		TRY(each(arg, key, value));
	}
}

enum err txn_count(struct txn *t, int table, uint64_t *ret)
{
	TRY(check(t, table, (struct slice){0}, true));
	return t->ops->count(t, table, ret);
}

enum err store_copy(struct store *s, const char *to)
{
	return s->ops->copy ? s->ops->copy(s, to) : ERR_INVALID;
}

int store_fill_percent(struct store *s)
{
	return s->ops->fill_percent(s);
}

enum err store_reap_readers(struct store *s)
{
	return s->ops->reap_readers(s);
}
