/* The batch: from the first frame to the commit, and then, not before, what leaves. */
#include "broker/log.h"
#include "broker/own.h"
#include "proto/checkpoint.h"
#include "services/common/base/log.h"

#include <stdlib.h>

/* --- opening --- */

static struct slice meta(const char *name)
{
	return slice_str(name);
}

enum err core_seen_registry(struct store *store, uint64_t *ret)
{
	struct txn *t;
	enum err e;

	TRY(store_begin(store, TXN_READ, &t));
	e = number_get(t, TABLE_META, meta(META_REGISTRY), ret);
	txn_abort(&t);
	if (e == ERR_NOT_FOUND) {
		*ret = 0;
		e = OK;
	}
	return e;
}

static enum err renew_checkpoint(struct core *c, struct txn *t)
{
	struct checkpoint head = {.epoch = c->epoch.number, .size = c->size};

	TRY(tree_root(t, c->size, head.root));
	c->head = head;
	buf_free(&c->checkpoint);
	TRY(checkpoint_sign(&head, c->o.principal, c->o.sign_seed, &c->checkpoint));
	TRY(number_put(t, TABLE_META, meta(META_RECEIVED), (uint64_t)c->last_received));
	return txn_put(t, TABLE_META, meta(META_CHECKPOINT), slice_buf(&c->checkpoint));
}

/* The log, its tree and the time of the last receipt. */
static enum err load_log(struct core *c, struct txn *t)
{
	struct slice key, value;
	uint64_t received = 0;
	enum err e;

	TRY(tree_size(t, &c->size));
	e = number_get(t, TABLE_META, meta(META_RECEIVED), &received);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	c->last_received = (int64_t)received;
	e = txn_prev(t, TABLE_LOG, (struct slice){0}, &key, &value);
	if (e == ERR_NOT_FOUND)
		return c->size == 0 ? OK : ERR_CORRUPT;
	TRY(e);
	return key.len == 8 && be64_get(key.data) + 1 == c->size ? OK : ERR_CORRUPT;
}

static enum err use_version(struct txn *t, const struct registry *r)
{
	uint64_t version = registry_message(r)->version, seen = 0;
	enum err e = number_get(t, TABLE_META, meta(META_REGISTRY), &seen);

	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	if (version < seen)
		return ERR_ROLLED_BACK;
	return number_put(t, TABLE_META, meta(META_REGISTRY), version);
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
	enum err e = txn_get(t, TABLE_META, meta(META_CHECKPOINT), &note);

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
		e = use_version(t, c->o.registry);
	if (e == OK)
		e = own_registry(c, t, c->o.registry);
	if (e == OK)
		e = load_log(c, t);
	if (e == OK)
		e = check_head(c, t);
	if (e == OK)
		e = renew_checkpoint(c, t);
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
	registry_free(&c->base);
	registry_free(&c->effective);
	free(c);
	*cp = NULL;
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
	TRY(use_version(t, r));
	c->written = true;
	TRY(own_registry(c, t, r));
	mailboxes_recheck(c->boxes, c->o.registry, now);
	return may_sign(c, now) ? own_spread(c, t, now) : OK;
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

/* --- frames --- */

bool core_knows(const struct core *c, const struct conn *from)
{
	return mailbox_knows(c->boxes, from);
}

bool core_hears(const struct core *c, const struct conn *from, int64_t now)
{
	return core_knows(c, from) || verify_peer(c->o.registry, &from->peer, now) == ERR_SUSPENDED;
}

/* Nothing is answered: a program that hears nothing says hello again. */
static enum err unheard(struct core *c, const struct conn *from, const char *why)
{
	c->counts.unheard++;
	log_debug("FRAME-UNHEARD", "from=%s lane=%s why=%s", from->peer.principal,
		lane_name(from->lane), why);
	return OK;
}

/* The connections of one key are counted: those that are gone show when something is sent. */
static enum err join(struct core *c, const struct conn *from)
{
	bool known = core_knows(c, from);

	for (uint64_t other = flow_other(c->flows, from, 0);
		other != 0 && !known && flow_count(c->flows, from) >= FLOW_CONNECTIONS / 2;
		other = flow_other(c->flows, from, other))
		TRY(ask_ping(&c->staged, other, 0));
	return flow_join(c->flows, from);
}

static enum err on_hello(struct core *c, const struct conn *from, const Hello *hello, int64_t now)
{
	Welcome w = WELCOME__INIT;
	struct place p;
	struct txn *t;
	enum err e;

	if (hello->protocol != 1)
		return unheard(c, from, "protocol");
	if (verify_peer(c->o.registry, &from->peer, now) != OK)
		return unheard(c, from, "key");
	e = join(c, from);
	if (e == ERR_BUSY)
		return unheard(c, from, "unread");
	TRY(e);
	TRY(core_txn(c, &t));
	TRY(place_find(c, t, from, hello, &p));
	if (!p.fenced)
		TRY(mailbox_hello(c->boxes, t, from, &p.hello, &w));
	c->written = true;
	return place_welcome(c, t, from, &p, &w, now);
}

static enum err on_cursor(
	struct core *c, const struct conn *from, const Cursor *cursor, int64_t now)
{
	struct txn *t;
	enum err e;

	TRY(core_txn(c, &t));
	e = mailbox_cursor(c->boxes, t, from, cursor, now);
	if (e == ERR_INVALID)
		return unheard(c, from, "cursor");
	c->written = true;
	return e;
}

static enum err on_pong(struct core *c, const struct conn *from, const Pong *pong)
{
	if (flow_pong(c->flows, from->id, pong->nonce))
		mailbox_credit(c->boxes, from, 0); /* what waited for room goes on */
	return OK;
}

enum err core_control(struct core *c, const struct conn *from, const Frame *f, int64_t now)
{
	if (f->what_case == FRAME__WHAT_HELLO)
		return on_hello(c, from, f->hello, now);
	if (f->what_case == FRAME__WHAT_PONG)
		return on_pong(c, from, f->pong);
	if (!core_knows(c, from))
		return unheard(c, from, "hello");
	switch (f->what_case) {
	case FRAME__WHAT_CREDIT:
		mailbox_credit(c->boxes, from, f->credit->more);
		return OK;
	case FRAME__WHAT_CURSOR:
		return on_cursor(c, from, f->cursor, now);
	case FRAME__WHAT_PING:
		return answer_pong(c, from, f->ping->nonce);
	default:
		return unheard(c, from, "frame");
	}
}

static enum err on_query(struct core *c, const struct conn *from, const struct verdict *v,
	struct slice envelope, int64_t now)
{
	uint64_t reader = mailbox_reader(c->boxes, v->recipient, v->row->lane);
	struct query q = {.conn = from->id};

	memcpy(q.id, v->id, MSG_ID_LEN);
	memcpy(q.asker, v->sender, NAME_SIZE);
	memcpy(q.asked, v->recipient, NAME_SIZE);
	if (reader == 0 || !flow_room(c->flows, reader) || queries_add(&c->queries, &q, now) != OK)
		return answer_busy(c, from->id, v, CORE_RETRY_MS);
	c->bytes += envelope.len;
	return forward(c, reader, VIA_QUERY, envelope);
}

/* Is it still there, and is who asked not suspended since? A carrier asks for others. */
static bool may_hear(const struct core *c, uint64_t asker, const char *who)
{
	const Principal *p = registry_find(c->o.registry, who);

	return core_knows(c, &(struct conn){.id = asker}) && p && !p->suspended;
}

static enum err on_answer(struct core *c, const struct conn *from, const struct verdict *v,
	struct slice envelope, int64_t now)
{
	uint64_t asker = 0;
	enum err e = ERR_NOT_ASKED;

	if (v->has_cause)
		e = queries_answer(&c->queries, v->recipient, v->sender, v->cause, now, &asker);
	if (e != OK)
		return answer_refusal(c, from, v, e, now);
	if (!may_hear(c, asker, v->recipient))
		return unheard(c, from, "asker");
	c->bytes += envelope.len;
	return forward(c, asker, VIA_ANSWER, envelope);
}

/* Not judged, or not for good: an expired registry is renewed, and the message waits for that. */
static bool is_passing(enum err e)
{
	return (e != OK && e < 100) || e == ERR_REGISTRY_EXPIRED;
}

enum err put_off(struct core *c, const struct conn *from, enum via via, const struct verdict *v)
{
	if (via == VIA_POST)
		order_busy(mailbox_order(c->boxes, from), GATE_JUDGED, v);
	return answer_busy(c, from->id, v, CORE_RETRY_MS);
}

/* Its session is over. Who is suspended hears so, or gets the receipt of what was taken before. */
static enum err judge_stranger(struct core *c, const struct conn *from, enum via via,
	const struct verdict *v, struct slice envelope, int64_t now)
{
	if (verify_peer(c->o.registry, &from->peer, now) != ERR_SUSPENDED || v->err == OK ||
		core_full(c))
		return unheard(c, from, "hello");
	c->counts.received++;
	if (via == VIA_POST)
		return admit(c, from, v, envelope, now);
	return answer_refusal(c, from, v, ERR_SUSPENDED, now);
}

enum err core_judged(struct core *c, const struct conn *from, enum via via, const struct verdict *v,
	struct slice envelope, int64_t now)
{
	struct order *order = mailbox_order(c->boxes, from);
	struct verdict again;

	if (v->generation != registry_generation(c->o.registry)) {
		verify(c->o.registry, from, via, now, envelope, &again);
		v = &again;
	}
	if (!order)
		return judge_stranger(c, from, via, v, envelope, now);
	if (via == VIA_POST && !order_out(order))
		return unheard(c, from, "hello");
	c->counts.received++;
	if ((via == VIA_POST && !order_lets(order, GATE_JUDGED, v)) || is_passing(v->err) ||
		core_full(c))
		return put_off(c, from, via, v);
	if (via == VIA_POST)
		return admit(c, from, v, envelope, now);
	if (v->err != OK)
		return answer_refusal(c, from, v, v->err, now);
	if (via == VIA_QUERY)
		return on_query(c, from, v, envelope, now);
	return on_answer(c, from, v, envelope, now);
}

bool core_lets(struct core *c, const struct conn *from, struct slice envelope)
{
	struct order *order = mailbox_order(c->boxes, from);
	struct verdict v;

	if (!order || !order->at[GATE_COME].holds)
		return true;
	verify_id(envelope, &v);
	return order_lets(order, GATE_COME, &v);
}

void core_given(struct core *c, const struct conn *from)
{
	struct order *order = mailbox_order(c->boxes, from);

	if (order)
		order_in(order);
}

enum err core_busy(struct core *c, const struct conn *from, enum via via, struct slice envelope)
{
	struct order *order = mailbox_order(c->boxes, from);
	struct verdict v;

	if (!order)
		return unheard(c, from, "hello");
	c->counts.received++;
	verify_id(envelope, &v);
	if (via == VIA_POST)
		order_busy(order, GATE_COME, &v);
	return answer_busy(c, from->id, &v, CORE_RETRY_MS);
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
		TRY(renew_checkpoint(c, c->txn));
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
