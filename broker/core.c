/* The batch: one transaction, its commit, and then, not before, what leaves. */
#include "broker/log.h"
#include "broker/own.h"
#include "proto/checkpoint.h"
#include "services/common/base/log.h"

enum err core_sign(struct core *c, struct txn *t)
{
	struct checkpoint head = {.epoch = c->epoch.number, .size = c->size};

	TRY(tree_root(t, c->size, head.root));
	c->head = head;
	buf_free(&c->checkpoint);
	TRY(checkpoint_sign(&head, c->o.principal, c->o.sign_seed, &c->checkpoint));
	TRY(number_put(t, TABLE_META, slice_str(META_RECEIVED), (uint64_t)c->last_received));
	return txn_put(t, TABLE_META, slice_str(META_CHECKPOINT), slice_buf(&c->checkpoint));
}

enum err core_version(struct txn *t, const struct registry *r)
{
	uint64_t version = registry_message(r)->version, seen = 0;
	enum err e = number_get(t, TABLE_META, slice_str(META_REGISTRY), &seen);

	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	if (version < seen)
		return ERR_ROLLED_BACK;
	return number_put(t, TABLE_META, slice_str(META_REGISTRY), version);
}

enum err core_txn(struct core *c, struct txn **ret)
{
	if (c->failed)
		return ERR_IO;
	if (!c->txn)
		TRY(store_begin(c->o.store, TXN_WRITE, &c->txn));
	*ret = c->txn;
	return OK;
}

/* What a key signs whose time is over is refused by all who know that. */
static bool may_sign(const struct core *c, int64_t now)
{
	const Key *key;

	return !c->o.keys || (registry_key(c->o.registry, c->o.principal, keyring_key_id(c->o.keys),
				      now, &key) == OK &&
				     !key->retired);
}

enum err core_use_registry(struct core *c, const struct registry *r, int64_t now)
{
	struct txn *t;

	TRY(core_txn(c, &t));
	TRY(core_version(t, r));
	c->written = true;
	TRY(own_registry(c, t, r));
	mailboxes_recheck(c->boxes, c->o.registry, now);
	return may_sign(c, now) ? own_spread(c, t, now) : OK;
}

const char *core_principal(const struct core *c)
{
	return c->o.principal;
}

const struct registry *core_registry(const struct core *c)
{
	return c->o.registry;
}

enum err core_watch(struct core *c, int64_t now)
{
	struct txn *t;

	if (!c->o.keys)
		return OK;
	if (!may_sign(c, now)) {
		log_error("BROKER-KEY-ENDED", "why=%s", err_name(ERR_UNKNOWN_KEY));
		return ERR_UNKNOWN_KEY;
	}
	TRY(core_txn(c, &t));
	TRY(own_spread(c, t, now));
	return own_watch(c, t, now);
}

void core_gone(struct core *c, uint64_t conn)
{
	mailbox_gone(c->boxes, conn);
	flow_gone(c->flows, conn);
}

void core_stuck(struct core *c, uint64_t conn)
{
	mailbox_gone(c->boxes, conn);
}

bool core_full(const struct core *c)
{
	return c->n_due == CORE_BATCH_MOST || c->bytes >= CORE_BATCH_BYTES_MOST;
}

/* --- the commit --- */

static enum err finish_batch(struct core *c)
{
	if (!c->txn)
		return OK;
	if (c->appended)
		TRY(core_sign(c, c->txn));
	TRY(answer_receipts(c, c->txn));
	if (c->written)
		return txn_commit(&c->txn);
	txn_abort(&c->txn);
	return OK;
}

static enum err pump(struct core *c)
{
	struct txn *t;
	enum err e;

	if (!mailboxes_ready(c->boxes) || c->out.bytes >= CORE_PUMP_BYTES_MOST)
		return OK;
	TRY(store_begin(c->o.store, TXN_READ, &t));
	e = mailboxes_pump(
		c->boxes, t, c->flows, CORE_PUMP_BYTES_MOST, &c->out, &c->counts.delivered);
	txn_abort(&t);
	return e;
}

enum err core_commit(struct core *c)
{
	enum err e = c->failed ? ERR_IO : finish_batch(c);

	if (e != OK) {
		/* Nothing is known to be on disk: nothing may leave. */
		c->failed = true;
		txn_abort(&c->txn);
		outputs_clear(&c->staged);
		outputs_clear(&c->out);
		return e;
	}
	c->written = c->appended = false;
	c->bytes = 0;
	/* The commit is on disk; now the receipts may leave. */
	outputs_move(&c->out, &c->staged);
	return pump(c);
}

struct output *core_output(struct core *c)
{
	struct output *o = outputs_take(&c->out);
	uint64_t nonce;

	if (!o)
		return NULL;
	if (flow_sent(c->flows, o->conn, o->len, &nonce) && ask_ping(&c->out, o->conn, nonce) != OK)
		c->failed = true;
	if (flow_unread(c->flows, o->conn) >= FLOW_END)
		mailbox_gone(c->boxes, o->conn);
	return o;
}

bool core_more(const struct core *c)
{
	return mailboxes_ready(c->boxes);
}

enum err core_tidy(struct core *c, int64_t now)
{
	mailboxes_recheck(c->boxes, c->o.registry, now);
	return store_reap_readers(c->o.store);
}

const struct core_counts *core_counts(const struct core *c)
{
	return &c->counts;
}

uint64_t core_size(const struct core *c)
{
	return c->size;
}

int64_t core_newest(const struct core *c)
{
	return c->last_received;
}
