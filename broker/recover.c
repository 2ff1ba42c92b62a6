/* Epochs at the broker: of its own log, which clients hold against what they have seen, and of the
 * readers' stores, which it holds against what it has seen. PROTOCOL.md, section 19, says why. */
#include "broker/core_state.h"
#include "broker/log.h"
#include "services/common/base/log.h"

#include <inttypes.h>

/* --- the own store --- */

enum err epoch_open(struct core *c, struct txn *t)
{
	TRY(epoch_begin(t, TABLE_EPOCH, c->o.principal, &c->epoch));
	return epoch_safe(t, TABLE_EPOCH, &c->safe);
}

/* Somebody has a signed head of this epoch that this log never had: it lost something, and must not
 * sign again. Nothing of the batch leaves. */
static enum err stop(struct core *c, const struct checkpoint *seen)
{
	struct txn *t;
	enum err e;

	log_error("LOG-ROLLED-BACK", "seen=%" PRIu64 "/%" PRIu64 " now=%" PRIu64 "/%" PRIu64,
		seen->epoch, seen->size, c->head.epoch, c->head.size);
	c->failed = true;
	txn_abort(&c->txn);
	outputs_clear(&c->staged);
	TRY(store_begin(c->o.store, TXN_WRITE, &t));
	e = epoch_stop(t, TABLE_EPOCH, ERR_ROLLED_BACK);
	if (e == OK)
		e = txn_commit(&t);
	else
		txn_abort(&t);
	return e == OK ? ERR_ROLLED_BACK : e;
}

/* The mailbox and the key of an entry of CURSOR or STORES. */
static bool read_cursor_key(struct slice k, char ret_name[NAME_SIZE], enum lane *ret_lane)
{
	size_t n = strnlen((const char *)k.data, k.len);

	if (n >= NAME_SIZE || k.len != n + 1 + 1 + KEY_ID_LEN || k.data[n + 1] >= LANES)
		return false;
	memcpy(ret_name, k.data, n + 1);
	*ret_lane = (enum lane)k.data[n + 1];
	return true;
}

/* What comes again is yet to be processed, whatever a reader said of it. */
static enum err lower_cursors(struct txn *t, uint64_t from)
{
	struct slice k, v;
	struct key at = {0};
	enum err e;

	while ((e = txn_next(t, TABLE_CURSOR, key_slice(&at), true, &k, &v)) == OK) {
		char name[NAME_SIZE];
		enum lane lane;
		uint64_t base, seq;

		at = (struct key){0};
		key_bytes(&at, k.data, k.len);
		if (v.len != 8 || !read_cursor_key(k, name, &lane))
			return ERR_CORRUPT;
		seq = be64_get(v.data);
		TRY(mailbox_base(t, name, lane, from, &base));
		if (seq > base)
			TRY(number_put(t, TABLE_CURSOR, key_slice(&at), base));
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err core_recovered(struct txn *t, const Recover *r, void *arg)
{
	uint8_t root[HASH_LEN];
	uint64_t size;

	(void)arg;
	TRY(tree_size(t, &size));
	if (r->from_size > size || r->root.len != HASH_LEN)
		return ERR_STALE;
	TRY(tree_root(t, r->from_size, root));
	if (memcmp(root, r->root.data, HASH_LEN) != 0)
		return ERR_STALE;
	TRY(lower_cursors(t, r->from_size));
	return epoch_set_safe(t, TABLE_EPOCH, r->from_size);
}

struct telling {
	struct core *c;
	enum err err;
};

static void tell_safe(void *arg, uint64_t conn)
{
	struct telling *tell = arg;
	const struct conn to = {.id = conn};

	if (tell->err == OK)
		tell->err = answer_pong(tell->c, &to, 0);
}

enum err core_safe(struct core *c, const struct safe *s)
{
	struct telling tell = {c, OK};
	struct txn *t;

	if (!epoch_same(&s->epoch, &c->epoch) || s->done <= c->safe || s->done > c->head.size)
		return OK;
	TRY(core_txn(c, &t));
	TRY(epoch_set_safe(t, TABLE_EPOCH, s->done));
	c->written = true;
	c->safe = s->done;
	log_info("BACKUP-KNOWN", "safe=%" PRIu64 " size=%" PRIu64, s->done, c->head.size);
	mailboxes_each(c->boxes, tell_safe, &tell);
	return tell.err;
}

/* --- what the reader has seen of the log --- */

/* Any key that the registry ever listed for this broker may have signed it. */
static bool own_head(const struct core *c, struct slice note, struct checkpoint *ret)
{
	const Principal *self = registry_find(c->o.registry, c->o.principal);

	for (size_t i = 0; self && i < self->n_keys; i++)
		if (checkpoint_verify(note, c->o.principal, self->keys[i]->sign_key.data, ret) ==
			OK)
			return true;
	return false;
}

static enum err is_past(struct core *c, struct txn *t, const struct checkpoint *seen, bool *ret)
{
	uint8_t root[HASH_LEN];

	*ret = seen->epoch < c->epoch.number;
	if (*ret || seen->epoch > c->epoch.number || seen->size > c->head.size)
		return OK;
	TRY(tree_root(t, seen->size, root));
	*ret = memcmp(root, seen->root, HASH_LEN) == 0;
	return OK;
}

static enum err look_at_head(struct core *c, struct txn *t, struct place *p)
{
	struct slice note = slice_of(p->hello.checkpoint.data, p->hello.checkpoint.len);
	bool past;

	if (note.len == 0)
		return OK;
	p->known = own_head(c, note, &p->head);
	if (!p->known)
		return OK; /* of a key that is forgotten: the reader decides */
	TRY(is_past(c, t, &p->head, &past));
	return past ? OK : stop(c, &p->head);
}

/* The least size at which an epoch after this one began. UINT64_MAX: none did. */
static enum err again_from(struct txn *t, uint64_t after, uint64_t *ret)
{
	uint64_t least = UINT64_MAX;
	struct slice bytes;
	enum err e;

	while ((e = epoch_recover_after(t, TABLE_EPOCH, after, &after, &bytes)) == OK) {
		Recover *r;

		TRY(recover_read(bytes, &r));
		if (r->from_size < least)
			least = r->from_size;
		recover__free_unpacked(r, NULL);
	}
	*ret = least;
	return e == ERR_NOT_FOUND ? OK : e;
}

/* Is it an epoch of this log? The first began with no word. */
static enum err is_own(struct txn *t, uint64_t epoch, bool *ret)
{
	struct slice ignored;
	enum err e = epoch == 1 ? OK : epoch_recover(t, TABLE_EPOCH, epoch, &ignored);

	*ret = e == OK;
	return e == ERR_NOT_FOUND ? OK : e;
}

/* The last epoch that this log and the lane both had. The lane may have followed others since, of a
 * log that was put back as well, and was lost in its turn; *ret_least: where those began. */
static enum err common_epoch(struct txn *t, const Hello *h, uint64_t *ret, uint64_t *ret_least)
{
	uint64_t found = 1, least = UINT64_MAX;
	bool own;

	TRY(is_own(t, h->log_epoch, &own));
	if (own)
		found = h->log_epoch;
	for (size_t i = 0; i < h->n_followed && !own; i++) {
		bool known;

		TRY(is_own(t, h->followed[i]->epoch, &known));
		if (known && h->followed[i]->epoch > found)
			found = h->followed[i]->epoch;
	}
	for (size_t i = 0; i < h->n_followed; i++)
		if (h->followed[i]->epoch > found && h->followed[i]->from_size < least)
			least = h->followed[i]->from_size;
	*ret = found;
	*ret_least = least;
	return OK;
}

static enum err look_at_epoch(
	struct core *c, struct txn *t, const struct conn *from, struct place *p)
{
	const Hello *h = &p->hello;
	uint64_t index, least;

	/* anybody can say that it is later: only a signed head shows it */
	if (!h->log_epoch || h->log_epoch >= c->epoch.number) {
		p->after = h->log_epoch == c->epoch.number ? h->log_epoch : 0;
		return OK;
	}
	TRY(common_epoch(t, h, &p->after, &least));
	TRY(again_from(t, p->after, &index));
	TRY(mailbox_base(t, from->peer.principal, from->lane, index, &p->kept));
	TRY(mailbox_base(
		t, from->peer.principal, from->lane, least < index ? least : index, &p->base));
	if (p->hello.read_up_to > p->base)
		p->hello.read_up_to = p->base;
	return OK;
}

/* --- the reader's store --- */

static enum err store_get(struct txn *t, const struct key *k, struct epoch *ret)
{
	struct slice v;

	TRY(txn_get(t, TABLE_STORES, key_slice(k), &v));
	if (v.len != EPOCH_LEN + 8)
		return ERR_CORRUPT;
	memcpy(ret->store, v.data, EPOCH_LEN);
	ret->number = be64_get(v.data + EPOCH_LEN);
	return OK;
}

static enum err store_put(struct txn *t, const struct key *k, const struct epoch *e)
{
	uint8_t v[EPOCH_LEN + 8];

	memcpy(v, e->store, EPOCH_LEN);
	be64_put(v + EPOCH_LEN, e->number);
	return txn_put(t, TABLE_STORES, key_slice(k), slice_of(v, sizeof v));
}

/* Is this a later epoch than the one that was seen, and was it signed for? */
static bool signed_for(const struct core *c, const struct conn *from, const Hello *h,
	const struct epoch *seen, const struct epoch *now)
{
	struct epoch was, next;
	Recover *r;
	bool ok;

	if (now->number <= seen->number ||
		recover_open(slice_of(h->recover.data, h->recover.len), c->o.registry, &r) != OK)
		return false;
	recover_epochs(r, &was, &next);
	ok = epoch_same(&next, now) && strcmp(r->principal, from->peer.principal) == 0;
	recover__free_unpacked(r, NULL);
	return ok;
}

/* How far the reader had come. What it had read before this log was put back, and is not in the
 * other one that it followed meanwhile, it has yet to read. */
static enum err cursor_in_common(struct txn *t, const struct key *k, struct place *p)
{
	enum err e = number_get(t, TABLE_CURSOR, key_slice(k), &p->cursor);

	if (e != OK || p->cursor <= p->base || p->cursor > p->kept)
		return e == ERR_NOT_FOUND ? OK : e;
	p->cursor = p->base;
	return number_put(t, TABLE_CURSOR, key_slice(k), p->base);
}

/* A fenced reader says hello every few seconds until somebody recovers it. */
static void tell_fenced(struct core *c, const struct conn *from, const struct place *p)
{
	char key[NAME_SIZE];
	uint64_t count;

	c->counts.fenced++;
	hex_encode(key, from->peer.key_id, KEY_ID_LEN);
	if (tally(&c->fences, key, lane_name(from->lane), &count))
		log_error("READER-FENCED",
			"reader=%s key=%s lane=%s says=%" PRIu64 " cursor=%" PRIu64
			" count=%" PRIu64,
			from->peer.principal, key, lane_name(from->lane), p->hello.read_up_to,
			p->cursor, count);
}

static void tell_recovered(struct core *c, const struct conn *from, const struct place *p)
{
	char key[NAME_SIZE];

	hex_encode(key, from->peer.key_id, KEY_ID_LEN);
	tally_forget(&c->fences, key, lane_name(from->lane));
	log_warn("READER-RECOVERED", "reader=%s lane=%s epoch=%" PRIu64 " from=%" PRIu64,
		from->peer.principal, lane_name(from->lane), p->hello.store_epoch,
		p->hello.read_up_to);
}

/* A store that was put back and goes on as if nothing had been: what it did since would be done a
 * second time, and differently. */
static enum err look_at_store(
	struct core *c, struct txn *t, const struct conn *from, struct place *p)
{
	struct epoch seen, now = {.number = p->hello.store_epoch};
	const Hello *h = &p->hello;
	struct key k;
	enum err e;

	cursor_key(&k, from->peer.principal, from->lane, from->peer.key_id);
	TRY(cursor_in_common(t, &k, p));
	if (h->store.len != EPOCH_LEN || now.number == 0)
		return OK;
	memcpy(now.store, h->store.data, EPOCH_LEN);
	e = store_get(t, &k, &seen);
	if (e == ERR_NOT_FOUND)
		return store_put(t, &k, &now);
	TRY(e);
	if (epoch_same(&seen, &now)) {
		p->fenced = h->read_up_to < p->cursor;
		return OK;
	}
	p->fenced = !signed_for(c, from, h, &seen, &now);
	if (p->fenced)
		return OK;
	tell_recovered(c, from, p);
	if (h->read_up_to < p->cursor)
		TRY(number_put(t, TABLE_CURSOR, key_slice(&k), h->read_up_to));
	return store_put(t, &k, &now);
}

enum err place_find(struct core *c, struct txn *t, const struct conn *from, const Hello *hello,
	struct place *ret)
{
	*ret = (struct place){.hello = *hello};
	TRY(look_at_head(c, t, ret));
	TRY(look_at_epoch(c, t, from, ret));
	TRY(look_at_store(c, t, from, ret));
	if (ret->fenced)
		tell_fenced(c, from, ret);
	return OK;
}

/* --- the answer --- */

struct telling_log {
	ProtobufCBinaryData recovers[RECOVERS_MOST], consistency[PROOF_MOST];
	struct tree_proof proof;
};

/* When there is no room for all, the reader finds that the last is missing, and takes nothing. */
static enum err fill_recovers(
	struct txn *t, const struct place *p, struct telling_log *l, Welcome *w)
{
	uint64_t n = p->after;
	struct slice bytes;
	enum err e = OK;

	w->recovers = l->recovers;
	while (w->n_recovers < RECOVERS_MOST &&
		(e = epoch_recover_after(t, TABLE_EPOCH, n, &n, &bytes)) == OK)
		l->recovers[w->n_recovers++] =
			(ProtobufCBinaryData){bytes.len, (uint8_t *)bytes.data};
	return e == ERR_NOT_FOUND ? OK : e;
}

/* From the head that it has seen of this epoch, or from where this epoch began. */
static enum err fill_consistency(
	struct core *c, struct txn *t, const struct place *p, struct telling_log *l, Welcome *w)
{
	uint64_t from = p->head.size;

	if (!p->known && w->n_recovers == 0)
		return OK;
	if (!p->known || p->head.epoch < c->epoch.number)
		TRY(again_from(t, c->epoch.number - 1, &from));
	TRY(tree_consistency(t, from, c->head.size, &l->proof));
	for (size_t i = 0; i < l->proof.n; i++)
		l->consistency[i] = (ProtobufCBinaryData){HASH_LEN, l->proof.hash[i]};
	w->consistency = l->consistency;
	w->n_consistency = l->proof.n;
	return OK;
}

enum err place_welcome(struct core *c, struct txn *t, const struct conn *from,
	const struct place *p, const Welcome *read, int64_t now)
{
	struct telling_log l;
	Welcome w = *read;

	if (p->fenced || p->cursor > w.read_up_to)
		w.read_up_to = p->cursor;
	w.fenced = p->fenced;
	w.base_seq = p->base;
	w.safe = c->safe;
	TRY(fill_recovers(t, p, &l, &w));
	TRY(fill_consistency(c, t, p, &l, &w));
	return answer_welcome(c, from, &w, now);
}

/* --- what comes again --- */

/* What a receipt stands for was looked at when it was given. */
static bool was_looked_at(const struct verdict *v)
{
	return v->row && v->err != ERR_WRONG_CONNECTION && v->err != ERR_REGISTRY_EXPIRED &&
	       (v->err == OK || (int)v->err >= 100);
}

enum err resent_find(struct core *c, const struct conn *from, struct verdict *v)
{
	const struct checkpoint *head = &v->receipt_head;
	uint64_t count;

	if (!v->receipt)
		return OK;
	if (!v->receipt_good) {
		if (tally(&c->refusals, from->peer.principal, "RECEIPT-FALSE", &count))
			log_warn("RECEIPT-FALSE", "from=%s count=%" PRIu64, from->peer.principal,
				count);
	} else if (head->epoch > c->epoch.number ||
		   (head->epoch == c->epoch.number && head->size > c->head.size)) {
		return stop(c, head);
	} else if (head->epoch < c->epoch.number && was_looked_at(v)) {
		v->err = OK;
		v->resent = true;
		v->first_at = v->receipt->received_at;
	}
	return OK;
}
