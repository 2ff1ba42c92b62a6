/* Opening: what the store holds must be the log that was signed last. */
#include "broker/log.h"
#include "broker/own.h"
#include "proto/checkpoint.h"
#include "services/common/base/log.h"

#include <stdlib.h>

enum err core_seen_registry(struct store *store, uint64_t *ret)
{
	struct txn *t;
	enum err e;

	TRY(store_begin(store, TXN_READ, &t));
	e = number_get(t, TABLE_META, slice_str(META_REGISTRY), ret);
	txn_abort(&t);
	if (e == ERR_NOT_FOUND) {
		*ret = 0;
		e = OK;
	}
	return e;
}

/* The log, its tree and the time of the last receipt. */
static enum err load_log(struct core *c, struct txn *t)
{
	struct slice key, value;
	uint64_t received = 0;
	enum err e;

	TRY(tree_size(t, &c->size));
	e = number_get(t, TABLE_META, slice_str(META_RECEIVED), &received);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	c->last_received = (int64_t)received;
	e = txn_prev(t, TABLE_LOG, (struct slice){0}, &key, &value);
	if (e == ERR_NOT_FOUND)
		return c->size == 0 ? OK : ERR_CORRUPT;
	TRY(e);
	return key.len == 8 && be64_get(key.data) + 1 == c->size ? OK : ERR_CORRUPT;
}

/* ERR_BAD_SIGNATURE: no key of this broker in the registry, old ones too, signed it. */
static enum err stored_head(struct core *c, struct slice note, struct checkpoint *ret)
{
	const Principal *self = registry_find(c->o.registry, c->o.principal);
	enum err e = ERR_BAD_SIGNATURE;

	for (size_t i = 0; self && i < self->n_keys && e == ERR_BAD_SIGNATURE; i++)
		e = checkpoint_verify(note, c->o.principal, self->keys[i]->sign_key.data, ret);
	return e;
}

/* What was signed last must be the head of this very log: a store that lost or changed something
 * must not get a new signature over it. */
static enum err check_head(struct core *c, struct txn *t)
{
	struct checkpoint head;
	uint8_t root[HASH_LEN];
	struct slice note;
	enum err e = txn_get(t, TABLE_META, slice_str(META_CHECKPOINT), &note);

	if (e == ERR_NOT_FOUND)
		return c->size == 0 ? OK : ERR_CORRUPT;
	TRY(e);
	e = stored_head(c, note, &head);
	if (e == ERR_BAD_SIGNATURE) {
		log_warn("CHECKPOINT-UNCHECKED", "why=%s", err_name(ERR_UNKNOWN_KEY));
		return OK;
	}
	if (e != OK || head.size != c->size)
		return ERR_CORRUPT;
	TRY(tree_root(t, c->size, root));
	return memcmp(root, head.root, HASH_LEN) == 0 ? OK : ERR_CORRUPT;
}

static enum err load(struct core *c)
{
	struct txn *t;
	enum err e;

	TRY(store_begin(c->o.store, TXN_WRITE, &t));
	e = epoch_open(c, t);
	if (e == OK)
		e = core_version(t, c->o.registry);
	if (e == OK)
		e = own_registry(c, t, c->o.registry);
	if (e == OK)
		e = load_log(c, t);
	if (e == OK)
		e = check_head(c, t);
	if (e == OK)
		e = core_sign(c, t);
	if (e == OK)
		return txn_commit(&t);
	txn_abort(&t);
	return e;
}

enum err core_open(const struct core_options *o, struct core **ret)
{
	struct core *c = calloc(1, sizeof *c);
	enum err e;

	if (!c)
		return ERR_NOMEM;
	c->o = *o;
	e = mailboxes_open(&c->boxes);
	if (e == OK)
		e = load(c);
	if (e == OK)
		e = flows_open(c->o.sign_seed, slice_buf(&c->checkpoint), &c->flows);
	if (e != OK) {
		core_free(&c);
		return e;
	}
	*ret = c;
	return OK;
}

void core_free(struct core **cp)
{
	struct core *c = *cp;

	if (!c)
		return;
	txn_abort(&c->txn);
	outputs_clear(&c->staged);
	outputs_clear(&c->out);
	buf_free(&c->checkpoint);
	mailboxes_free(&c->boxes);
	flows_free(&c->flows);
	tallies_clear(&c->refusals);
	tallies_clear(&c->fences);
	registry_free(&c->base);
	registry_free(&c->effective);
	free(c);
	*cp = NULL;
}
