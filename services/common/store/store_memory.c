/* The memory backend: a table is a map, a transaction has copies of all maps, and a commit puts
 * the copies in the place of the originals. One thread only; never full. */
#include "services/common/keys/bucket_files.h"
#include "services/common/store/omap.h"
#include "services/common/store/store_backend.h"

#include <assert.h>
#include <stdlib.h>

struct memory_txn {
	struct txn base;
	struct memory_txn *next, **link; /* in the store's list */
	struct omap maps[];
};

struct memory_store {
	struct store base;
	enum err fail_next;
	struct memory_txn *txns;
	struct omap maps[];
};

static void memory_abort(struct txn *t)
{
	struct memory_txn *mt = (struct memory_txn *)t;

	for (int i = 0; i < t->tables; i++)
		omap_clear(&mt->maps[i]);
	*mt->link = mt->next;
	if (mt->next)
		mt->next->link = mt->link;
	free(mt);
}

static enum err memory_commit(struct txn *t)
{
	struct memory_txn *mt = (struct memory_txn *)t;
	struct memory_store *ms = (struct memory_store *)t->store;
	enum err e = ms->fail_next;

	ms->fail_next = OK;
	for (int i = 0; e == OK && i < t->tables; i++) {
		struct omap old = ms->maps[i];

		ms->maps[i] = mt->maps[i];
		mt->maps[i] = old;
	}
	memory_abort(t);
	return e;
}

static enum err memory_get(struct txn *t, int table, struct slice key, struct slice *ret)
{
	const struct omap_entry *entry = omap_get(&((struct memory_txn *)t)->maps[table], key);

	if (!entry)
		return ERR_NOT_FOUND;
	*ret = entry->value;
	return OK;
}

static enum err memory_put(
	struct txn *t, int table, struct slice key, struct slice value, bool at_end)
{
	(void)at_end;
	return omap_set(&((struct memory_txn *)t)->maps[table], key, value, 0);
}

static enum err memory_del(struct txn *t, int table, struct slice key)
{
	return omap_remove(&((struct memory_txn *)t)->maps[table], key);
}

static enum err hand_out(
	const struct omap_entry *entry, struct slice *ret_key, struct slice *ret_value)
{
	if (!entry)
		return ERR_NOT_FOUND;
	*ret_key = entry->key;
	*ret_value = entry->value;
	return OK;
}

static enum err memory_next(struct txn *t, int table, struct slice from, bool after,
	struct slice *ret_key, struct slice *ret_value)
{
	struct memory_txn *mt = (struct memory_txn *)t;

	return hand_out(omap_next(&mt->maps[table], from, after), ret_key, ret_value);
}

static enum err memory_prev(struct txn *t, int table, struct slice before, struct slice *ret_key,
	struct slice *ret_value)
{
	struct memory_txn *mt = (struct memory_txn *)t;

	return hand_out(omap_prev(&mt->maps[table], before), ret_key, ret_value);
}

static enum err memory_count(struct txn *t, int table, uint64_t *ret)
{
	*ret = ((struct memory_txn *)t)->maps[table].count;
	return OK;
}

static const struct txn_ops txn_ops = {
	.commit = memory_commit,
	.abort = memory_abort,
	.get = memory_get,
	.put = memory_put,
	.del = memory_del,
	.next = memory_next,
	.prev = memory_prev,
	.count = memory_count,
};

static enum err memory_begin(struct store *s, enum txn_mode mode, struct txn **ret)
{
	struct memory_store *ms = (struct memory_store *)s;
	struct memory_txn *mt = calloc(1, sizeof(*mt) + (size_t)s->tables * sizeof(mt->maps[0]));

	(void)mode;
	if (!mt)
		return ERR_NOMEM;
	mt->base.ops = &txn_ops;
	for (int i = 0; i < s->tables; i++)
		omap_copy(&ms->maps[i], &mt->maps[i]);
	mt->next = ms->txns;
	mt->link = &ms->txns;
	if (mt->next)
		mt->next->link = &mt->next;
	ms->txns = mt;
	*ret = &mt->base;
	return OK;
}

static void memory_free(struct store *s)
{
	struct memory_store *ms = (struct memory_store *)s;

	for (int i = 0; i < s->tables; i++)
		omap_clear(&ms->maps[i]);
	free(ms);
}

static int memory_fill_percent(struct store *s)
{
	(void)s;
	return 0;
}

static enum err memory_reap_readers(struct store *s)
{
	(void)s;
	return OK;
}

static const struct store_ops store_ops = {
	.free = memory_free,
	.begin = memory_begin,
	.fill_percent = memory_fill_percent,
	.reap_readers = memory_reap_readers,
};

enum err store_open_memory(const struct store_layout *layout, struct store **ret)
{
	int tables = store_layout_count(layout);
	struct memory_store *ms = calloc(1, sizeof(*ms) + (size_t)tables * sizeof(ms->maps[0]));

	if (!ms)
		return ERR_NOMEM;
	if (bucket_files_memory(&ms->base.buckets) != OK) {
		free(ms);
		return ERR_NOMEM;
	}
	ms->base.ops = &store_ops;
	ms->base.tables = tables;
	*ret = &ms->base;
	return OK;
}

void store_memory_fail_next_commit(struct store *s, enum err e)
{
	assert(s->ops == &store_ops);
	((struct memory_store *)s)->fail_next = e;
}

void store_memory_crash(struct store *s)
{
	struct memory_store *ms = (struct memory_store *)s;

	assert(s->ops == &store_ops);
	while (ms->txns)
		txn_drop(&ms->txns->base);
	ms->fail_next = OK;
}
