#include "services/common/store/omap.h"

#include <stdlib.h>

/* Ordered by key from left to right, and by priority from the root down. A node with more than
 * one reference belongs to several maps and is copied before it is changed. */
struct omap_node {
	struct omap_node *kid[2];
	struct omap_entry *entry;
	uint64_t priority;
	size_t refs;
};

static struct omap_node *hold(struct omap_node *n)
{
	if (n)
		n->refs++;
	return n;
}

static void entry_drop(struct omap_entry *entry)
{
	if (--entry->refs == 0)
		free(entry);
}

static void node_drop(struct omap_node *n)
{
	if (!n || --n->refs > 0)
		return;
	node_drop(n->kid[0]);
	node_drop(n->kid[1]);
	entry_drop(n->entry);
	free(n);
}

void omap_copy(const struct omap *m, struct omap *ret)
{
	*ret = *m;
	hold(ret->root);
}

void omap_clear(struct omap *m)
{
	node_drop(m->root);
	*m = (struct omap){0};
}

static enum err entry_new(struct slice key, struct slice value, int mark, struct omap_entry **ret)
{
	struct omap_entry *entry = malloc(sizeof(*entry) + key.len + value.len);

	if (!entry)
		return ERR_NOMEM;
	entry->refs = 1;
	entry->mark = mark;
	entry->key = slice_of(entry->bytes, key.len);
	entry->value = slice_of(entry->bytes + key.len, value.len);
	if (key.len)
		memcpy(entry->bytes, key.data, key.len);
	if (value.len)
		memcpy(entry->bytes + key.len, value.data, value.len);
	*ret = entry;
	return OK;
}

/* Makes the node at *link this map's own. Failing changes nothing that can be seen. */
static enum err own(struct omap_node **link)
{
	struct omap_node *n = *link, *copy;

	if (n->refs == 1)
		return OK;
	copy = malloc(sizeof(*copy));
	if (!copy)
		return ERR_NOMEM;
	*copy = *n;
	copy->refs = 1;
	hold(copy->kid[0]);
	hold(copy->kid[1]);
	copy->entry->refs++;
	n->refs--;
	*link = copy;
	return OK;
}

/* The kid takes the place of the node at *link; both are this map's own. */
static void rotate(struct omap_node **link, int side)
{
	struct omap_node *n = *link, *kid = n->kid[side];

	n->kid[side] = kid->kid[!side];
	kid->kid[!side] = n;
	*link = kid;
}

/* splitmix64: balance needs no more, and whoever chooses the keys has no say in it. */
static uint64_t draw(struct omap *m)
{
	uint64_t z = m->random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Takes over `entry` when it returns OK. */
static enum err insert(struct omap *m, struct omap_node **link, struct omap_entry *entry)
{
	int c, side;

	if (!*link) {
		struct omap_node *n = malloc(sizeof(*n));

		if (!n)
			return ERR_NOMEM;
		*n = (struct omap_node){.entry = entry, .priority = draw(m), .refs = 1};
		*link = n;
		m->count++;
		return OK;
	}
	TRY(own(link));
	c = slice_cmp(entry->key, (*link)->entry->key);
	if (c == 0) {
		entry_drop((*link)->entry);
		(*link)->entry = entry;
		return OK;
	}
	side = c > 0;
	TRY(insert(m, &(*link)->kid[side], entry));
	if ((*link)->kid[side]->priority > (*link)->priority)
		rotate(link, side);
	return OK;
}

enum err omap_set(struct omap *m, struct slice key, struct slice value, int mark)
{
	struct omap_entry *entry = NULL;
	enum err e;

	TRY(entry_new(key, value, mark, &entry));
	e = insert(m, &m->root, entry);
	if (e != OK)
		entry_drop(entry);
	return e;
}

enum err omap_remove(struct omap *m, struct slice key)
{
	struct omap_node **link = &m->root, *n;
	int c;

	while (*link) {
		TRY(own(link));
		c = slice_cmp(key, (*link)->entry->key);
		if (c == 0)
			break;
		link = &(*link)->kid[c > 0];
	}
	n = *link;
	if (!n)
		return ERR_NOT_FOUND;
	while (n->kid[0] && n->kid[1]) { /* down, until it has one kid at most */
		int side = n->kid[1]->priority > n->kid[0]->priority;

		TRY(own(&n->kid[side]));
		rotate(link, side);
		link = &(*link)->kid[!side];
	}
	*link = n->kid[0] ? n->kid[0] : n->kid[1];
	n->kid[0] = n->kid[1] = NULL;
	node_drop(n);
	m->count--;
	return OK;
}

const struct omap_entry *omap_get(const struct omap *m, struct slice key)
{
	const struct omap_node *n = m->root;
	int c;

	while (n && (c = slice_cmp(key, n->entry->key)) != 0)
		n = n->kid[c > 0];
	return n ? n->entry : NULL;
}

const struct omap_entry *omap_next(const struct omap *m, struct slice from, bool after)
{
	const struct omap_entry *best = NULL;

	for (const struct omap_node *n = m->root; n;) {
		int c = slice_cmp(n->entry->key, from);
		bool fits = after ? c > 0 : c >= 0;

		if (fits)
			best = n->entry;
		n = n->kid[!fits];
	}
	return best;
}

const struct omap_entry *omap_prev(const struct omap *m, struct slice before)
{
	const struct omap_entry *best = NULL;

	for (const struct omap_node *n = m->root; n;) {
		bool fits = !before.len || slice_cmp(n->entry->key, before) < 0;

		if (fits)
			best = n->entry;
		n = n->kid[fits];
	}
	return best;
}
