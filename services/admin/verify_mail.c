/* I2: every message of the log is in one mailbox, and there it is processed, set aside or waiting.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "services/admin/verify.h"

/* --- the mailboxes are what the log says --- */

struct mailbox_walk {
	struct verify *v;
	struct key box; /* without the number */
	uint64_t seq, total;
};

static enum err mailbox_row(void *arg, struct slice key, struct slice value)
{
	struct mailbox_walk *w = arg;
	const struct logged *m;
	uint64_t seq, index;
	struct key k;

	if (key.len < 8 + 3 || value.len != 8)
		return ERR_CORRUPT;
	seq = be64_get(key.data + key.len - 8);
	index = be64_get(value.data);
	key.len -= 8;
	if (!slice_eq(key, key_slice(&w->box))) {
		w->box = (struct key){0};
		key_bytes(&w->box, key.data, key.len);
		w->seq = 0;
	}
	w->total++;
	m = index < w->v->size ? &w->v->log[index] : NULL;
	if (m)
		mailbox_key(&k, m->row.recipient, m->row.lane, m->row.seq);
	if (!m || seq != ++w->seq || m->row.seq != seq ||
		!slice_eq(slice_of(k.data, k.len - 8), key))
		found(w->v, FOUND_MAILBOX_DIFFERS, "%s %" PRIu64, (const char *)key.data, seq);
	return OK;
}

static enum err check_mailboxes(struct verify *v)
{
	struct mailbox_walk w = {.v = v};

	TRY(txn_each(v->broker->txn, TABLE_MAILBOX, (struct slice){0}, mailbox_row, &w));
	if (w.total != v->size)
		found(v, FOUND_NOT_DELIVERED, "%" PRIu64 " / %" PRIu64, w.total, v->size);
	return OK;
}

/* Every message is known for ever, so that none is taken twice. */
static enum err check_seen(struct verify *v)
{
	for (uint64_t i = 0; i < v->size; i++) {
		const struct logged *m = &v->log[i];
		struct logged *known;

		if (!m->has_content)
			continue;
		TRY(verify_find(v, m->row.sender, slice_of(m->id, MSG_ID_LEN), &known));
		if (known != m)
			found(v, FOUND_SEEN_DIFFERS, "%" PRIu64, i);
	}
	return OK;
}

/* --- how far everybody is --- */

static enum err last_of(struct verify *v, const char *name, enum lane lane, uint64_t *ret)
{
	struct slice key, value;
	struct key after;
	enum err e;

	mailbox_key(&after, name, lane, UINT64_MAX);
	e = txn_prev(v->broker->txn, TABLE_MAILBOX, key_slice(&after), &key, &value);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	/* the last key before the end of this mailbox may be one of another */
	*ret = e == OK && key.len == after.len && memcmp(key.data, after.data, key.len - 8) == 0
		       ? be64_get(key.data + key.len - 8)
		       : 0;
	return OK;
}

static enum err broker_cursor(struct verify *v, const char *name, enum lane lane,
	const uint8_t key_id[KEY_ID_LEN], uint64_t *ret)
{
	struct key k;
	enum err e;

	cursor_key(&k, name, lane, key_id);
	e = number_get(v->broker->txn, TABLE_CURSOR, key_slice(&k), ret);
	if (e == ERR_NOT_FOUND)
		*ret = 0;
	return e == ERR_NOT_FOUND ? OK : e;
}

static struct home *home_of_key(const struct verify *v, const Key *key)
{
	for (size_t i = 0; i < v->n_homes; i++)
		if (slice_eq(slice_of(key->id.data, key->id.len),
			    slice_of(keyring_key_id(v->homes[i].parts->keys), KEY_ID_LEN)))
			return &v->homes[i];
	return NULL;
}

/* Its own store knows best; the broker's cursor stands for a store that is not here. */
static enum err passed_by(
	struct verify *v, const char *name, enum lane lane, const Key *key, uint64_t *ret)
{
	struct home *h = home_of_key(v, key);

	if (key->id.len != KEY_ID_LEN)
		return ERR_CORRUPT;
	if (!h || !h->step) /* the broker's own mailbox is in its store */
		return broker_cursor(v, name, lane, key->id.data, ret);
	*ret = h->cursor[lane];
	return OK;
}

static enum err fill_lane(struct verify *v, struct box *b, enum lane lane)
{
	const Principal *p = b->principal;
	uint64_t passed, least = UINT64_MAX;

	TRY(last_of(v, p->name, lane, &b->last[lane]));
	for (size_t i = 0; i < p->n_keys; i++) {
		if (p->keys[i]->retired)
			continue;
		TRY(passed_by(v, p->name, lane, p->keys[i], &passed));
		if (passed < least)
			least = passed;
	}
	/* The broker's snapshot is the newest: nobody is ahead of it (check_reader says who is). */
	b->passed[lane] = least < b->last[lane] ? least : b->last[lane];
	return OK;
}

static enum err fill_boxes(struct verify *v)
{
	const Registry *r = registry_message(v->broker->parts->registry);

	v->boxes = calloc(r->n_principals + 1, sizeof(*v->boxes));
	if (!v->boxes)
		return ERR_NOMEM;
	for (size_t i = 0; i < r->n_principals; i++) {
		struct box *b = &v->boxes[v->n_boxes++];

		b->principal = r->principals[i];
		for (int lane = 0; lane < LANES; lane++)
			TRY(fill_lane(v, b, (enum lane)lane));
	}
	return OK;
}

/* --- each reader against the broker --- */

/* Does the broker know that the store was put back? */
static enum err knows_store(struct verify *v, const struct home *h, enum lane lane,
	const struct epoch *store, bool *ret)
{
	struct slice known;
	struct key k;
	enum err e;

	cursor_key(&k, h->name, lane, keyring_key_id(h->parts->keys));
	e = txn_get(v->broker->txn, TABLE_STORES, key_slice(&k), &known);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	*ret = e != OK ||
	       (known.len == EPOCH_LEN + 8 && memcmp(known.data, store->store, EPOCH_LEN) == 0);
	return OK;
}

/* A reader that has yet to follow a recovery, of the log or of its own store, is not held against
 * the broker. */
static enum err check_reader(struct verify *v, struct home *h)
{
	uint64_t followed[LANES];
	struct epoch store;

	TRY(home_epochs(h, &store, followed));
	for (int lane = 0; lane < LANES; lane++) {
		uint64_t last, told;
		bool known;

		TRY(last_of(v, h->name, (enum lane)lane, &last));
		TRY(broker_cursor(
			v, h->name, (enum lane)lane, keyring_key_id(h->parts->keys), &told));
		TRY(knows_store(v, h, (enum lane)lane, &store, &known));
		if (h->cursor[lane] > last && (!followed[lane] || followed[lane] == v->epoch))
			found(v, FOUND_READER_AHEAD, "%s %s %" PRIu64 " > %" PRIu64, h->name,
				lane_name((enum lane)lane), h->cursor[lane], last);
		if (told > h->later[lane] && known)
			found(v, FOUND_READER_BEHIND, "%s %s %" PRIu64 " < %" PRIu64, h->name,
				lane_name((enum lane)lane), h->later[lane], told);
	}
	return OK;
}

struct aside_count {
	struct verify *v;
	const struct home *h;
	struct box *box;
};

static enum err count_aside(void *arg, const struct aside *a)
{
	struct aside_count *c = arg;
	struct verify *v = c->v;
	struct logged *m = a->index < v->size ? &v->log[a->index] : NULL;

	if (a->lost) {
		c->box->parked++;
		return OK;
	}
	if (!m || m->aside == c->h || a->seq > c->h->cursor[a->lane] || m->row.seq != a->seq ||
		m->row.lane != a->lane || strcmp(m->row.recipient, c->h->name) != 0) {
		found(v, FOUND_ASIDE_WRONG, "%s %s %" PRIu64, c->h->name, lane_name(a->lane),
			a->seq);
		return OK;
	}
	if (!m->aside) { /* by another device of this principal, too */
		++*(a->parked ? &c->box->parked : &c->box->quarantined);
		c->box->held += a->held;
	}
	m->aside = c->h;
	return OK;
}

/* What the broker was told of, for who has no store here. */
static enum err count_one(void *arg, struct slice key, struct slice value)
{
	(void)key;
	(void)value;
	++*(uint64_t *)arg;
	return OK;
}

/* *ret: has a store of its here. */
static enum err check_own_stores(struct verify *v, struct box *b, const char *name, bool *ret)
{
	*ret = false;
	for (size_t i = 0; i < v->n_homes; i++) {
		struct home *h = &v->homes[i];
		struct aside_count c = {v, h, b};

		if (!h->step || strcmp(h->name, name) != 0)
			continue;
		*ret = true;
		TRY(check_reader(v, h));
		TRY(home_aside(h, count_aside, &c));
	}
	return OK;
}

static enum err check_readers(struct verify *v)
{
	const Registry *r = registry_message(v->broker->parts->registry);

	for (size_t i = 0; i < v->n_boxes; i++) {
		struct box *b = &v->boxes[i];
		struct key k = {0};
		bool here;

		TRY(check_own_stores(v, b, r->principals[i]->name, &here));
		if (here)
			continue;
		key_str(&k, r->principals[i]->name);
		TRY(txn_each(v->broker->txn, TABLE_QUARANTINE, key_slice(&k), count_one,
			&b->quarantined));
	}
	return OK;
}

/* --- the three add up --- */

static void check_contents(struct verify *v)
{
	for (uint64_t i = 0; i < v->size; i++) {
		const struct logged *m = &v->log[i];
		const struct box *b = m->has_content ? NULL : verify_box(v, m->row.recipient);

		if (b && (m->aside || m->row.seq > b->passed[m->row.lane]))
			found(v, FOUND_CONTENT_GONE, "%" PRIu64, i);
	}
}

static enum err add_up(struct verify *v)
{
	uint64_t passed = 0, waiting = 0, quarantined = 0, parked = 0, held = 0;

	for (size_t i = 0; i < v->n_boxes; i++) {
		const struct box *b = &v->boxes[i];
		bool staff = roles_of(b->principal) & STAFF;

		for (int lane = 0; lane < LANES; lane++) {
			passed += b->passed[lane];
			waiting += b->last[lane] - b->passed[lane];
			v->waiting += staff ? 0 : b->last[lane] - b->passed[lane];
		}
		quarantined += b->quarantined;
		parked += b->parked;
		held += b->held;
	}
	if (passed + waiting != v->size)
		found(v, FOUND_NOT_DELIVERED, "%" PRIu64 " / %" PRIu64, passed + waiting, v->size);
	checked(v, CHECK_2,
		"%" PRIu64 " messages: %" PRIu64 " processed, %" PRIu64 " set aside, %" PRIu64
		" waiting (%" PRIu64 " of them held for a suspension)",
		"%" PRIu64 " messages : %" PRIu64 " traités, %" PRIu64 " mis de côté, %" PRIu64
		" en attente (dont %" PRIu64 " retenus pour une suspension)",
		v->size, passed - quarantined - parked, quarantined, waiting + parked, held);
	for (size_t i = 0; i < v->n_homes; i++) {
		struct home *h = &v->homes[i];
		uint64_t n = 0;

		if (h->step && !(h->parts->roles & STAFF))
			TRY(home_outbox_count(h, &n));
		v->waiting += n;
	}
	return OK;
}

enum err check_mail(struct verify *v)
{
	TRY(check_mailboxes(v));
	TRY(check_seen(v));
	TRY(fill_boxes(v));
	TRY(check_readers(v));
	check_contents(v);
	return add_up(v);
}
