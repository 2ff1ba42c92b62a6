/*
 * omap.h - an ordered map of byte keys in memory (a treap). Maps share what they have in common:
 * a copy costs nothing, and what is written to one afterwards is not seen in the other. That is
 * all that snapshots, commit and abort need. One thread only.
 */
#ifndef HAVRE_OMAP_H
#define HAVRE_OMAP_H

#include "proto/bytes.h"

/* Never changes once it is in a map, and lives as long as a map holds it. */
struct omap_entry {
	struct slice key, value;
	int mark; /* the user's own */
	size_t refs;
	uint8_t bytes[];
};

/* `{0}` is an empty map. */
struct omap {
	struct omap_node *root;
	size_t count;
	uint64_t random;
};

/* *ret holds what `m` holds; free it with omap_clear. */
void omap_copy(const struct omap *m, struct omap *ret);
/* Forgets all entries. */
void omap_clear(struct omap *m);

/* Insert or replace; copies the bytes, which may be those of an entry of the map. ERR_NOMEM. */
MUST_USE enum err omap_set(struct omap *m, struct slice key, struct slice value, int mark);
/* ERR_NOT_FOUND, ERR_NOMEM (a shared map has to be copied in part). */
MUST_USE enum err omap_remove(struct omap *m, struct slice key);

/* These give NULL when there is no such entry. */
const struct omap_entry *omap_get(const struct omap *m, struct slice key);
/* The first key >= `from`, or > `from` when `after`. */
const struct omap_entry *omap_next(const struct omap *m, struct slice from, bool after);
/* The last key < `before`, or the last of all when `before` is empty. */
const struct omap_entry *omap_prev(const struct omap *m, struct slice before);

#endif
