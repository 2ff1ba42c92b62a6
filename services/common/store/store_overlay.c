/* The overlay backend: what a transaction would change in its parent, held in maps. */
#include "services/common/store/omap.h"
#include "services/common/store/store_backend.h"

#include <stdlib.h>

/* The marks of the entries. GONE: the parent has this key, and it is deleted here. */
enum { PUT, APPENDED, GONE };

struct overlay {
	struct txn base;
	struct omap maps[];
};

static void overlay_abort(struct txn *t)
{
	struct overlay *o = (struct overlay *)t;

	for (int i = 0; i < t->tables; i++)
		omap_clear(&o->maps[i]);
	free(o);
}

static enum err merge(struct txn *parent, int table, const struct omap_entry *entry)
{
	if (entry->mark == GONE)
		return txn_delete(parent, table, entry->key);
	if (entry->mark == APPENDED) {
		/* a greater key that was deleted and put back leaves it not the last */
		enum err e = txn_append(parent, table, entry->key, entry->value);

		if (e != ERR_EXISTS)
			return e;
	}
	return txn_put(parent, table, entry->key, entry->value);
}

static enum err overlay_commit(struct txn *t)
{
	struct overlay *o = (struct overlay *)t;
	enum err e = OK;

	for (int i = 0; e == OK && i < t->tables; i++) {
		const struct omap_entry *entry = omap_next(&o->maps[i], (struct slice){0}, false);

		for (; e == OK && entry; entry = omap_next(&o->maps[i], entry->key, true))
			e = merge(t->parent, i, entry);
	}
	overlay_abort(t);
	return e;
}

static enum err overlay_get(struct txn *t, int table, struct slice key, struct slice *ret)
{
	const struct omap_entry *own = omap_get(&((struct overlay *)t)->maps[table], key);

	if (!own)
		return t->parent->ops->get(t->parent, table, key, ret);
	if (own->mark == GONE)
		return ERR_NOT_FOUND;
	*ret = own->value;
	return OK;
}

static enum err overlay_put(
	struct txn *t, int table, struct slice key, struct slice value, bool at_end)
{
	struct overlay *o = (struct overlay *)t;

	return omap_set(&o->maps[table], key, value, at_end ? APPENDED : PUT);
}

static enum err overlay_del(struct txn *t, int table, struct slice key)
{
	struct omap *map = &((struct overlay *)t)->maps[table];
	const struct omap_entry *own = omap_get(map, key);
	struct slice ignored;
	enum err e;

	if (own && own->mark == GONE)
		return ERR_NOT_FOUND;
	e = t->parent->ops->get(t->parent, table, key, &ignored);
	if (e == OK)
		return omap_set(map, key, (struct slice){0}, GONE);
	return e == ERR_NOT_FOUND ? omap_remove(map, key) : e;
}

/* The nearer of what the parent has and what is here, past all that is gone. */
static enum err seek(struct txn *t, int table, struct slice from, bool after, bool back,
	struct slice *ret_key, struct slice *ret_value)
{
	const struct omap *map = &((struct overlay *)t)->maps[table];
	const struct txn_ops *ops = t->parent->ops;
	const struct omap_entry *own;
	struct slice key, value;

	for (;; from = own->key, after = true) {
		enum err e = back ? ops->prev(t->parent, table, from, &key, &value)
				  : ops->next(t->parent, table, from, after, &key, &value);
		int c = 0;

		if (e != OK && e != ERR_NOT_FOUND)
			return e;
		own = back ? omap_prev(map, from) : omap_next(map, from, after);
		if (!own && e != OK)
			return e;
		if (own && e == OK)
			c = back ? slice_cmp(own->key, key) : slice_cmp(key, own->key);
		if (!own || c < 0)
			break;
		if (own->mark != GONE) {
			key = own->key;
			value = own->value;
			break;
		}
	}
	*ret_key = key;
	*ret_value = value;
	return OK;
}

static enum err overlay_next(struct txn *t, int table, struct slice from, bool after,
	struct slice *ret_key, struct slice *ret_value)
{
	return seek(t, table, from, after, false, ret_key, ret_value);
}

static enum err overlay_prev(struct txn *t, int table, struct slice before, struct slice *ret_key,
	struct slice *ret_value)
{
	return seek(t, table, before, false, true, ret_key, ret_value);
}

/* Counted when it is asked for, so that writing costs nothing more. */
static enum err overlay_count(struct txn *t, int table, uint64_t *ret)
{
	const struct omap *map = &((struct overlay *)t)->maps[table];
	const struct omap_entry *own = omap_next(map, (struct slice){0}, false);
	uint64_t n = 0;

	TRY(t->parent->ops->count(t->parent, table, &n));
	for (; own; own = omap_next(map, own->key, true)) {
		struct slice ignored;
		enum err e;

		if (own->mark == GONE) {
			n--;
			continue;
		}
		e = t->parent->ops->get(t->parent, table, own->key, &ignored);
		if (e != OK && e != ERR_NOT_FOUND)
			return e;
		n += e == ERR_NOT_FOUND;
	}
	*ret = n;
	return OK;
}

static const struct txn_ops overlay_ops = {
	.commit = overlay_commit,
	.abort = overlay_abort,
	.get = overlay_get,
	.put = overlay_put,
	.del = overlay_del,
	.next = overlay_next,
	.prev = overlay_prev,
	.count = overlay_count,
};

enum err txn_begin_overlay(struct txn *parent, struct txn **ret)
{
	struct overlay *o;

	if (parent->mode != TXN_WRITE || parent->overlay)
		return ERR_INVALID;
	if (parent->failed != OK)
		return parent->failed;
	o = calloc(1, sizeof(*o) + (size_t)parent->tables * sizeof(o->maps[0]));
	if (!o)
		return ERR_NOMEM;
	o->base = (struct txn){
		.ops = &overlay_ops,
		.tables = parent->tables,
		.mode = TXN_WRITE,
		.parent = parent,
	};
	parent->overlay = &o->base;
	*ret = &o->base;
	return OK;
}
