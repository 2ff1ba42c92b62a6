/* Mailboxes, sessions, cursors. What delivers is pump.c. */
#include "broker/mailbox_state.h"
#include "services/common/base/log.h"

#include <inttypes.h>
#include <search.h>
#include <stdlib.h>

static int by_name(const void *a, const void *b)
{
	const struct mailbox *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	return c ? c : (int)x->lane - (int)y->lane;
}

static int by_conn(const void *a, const void *b)
{
	const struct session *x = a, *y = b;

	return (x->conn > y->conn) - (x->conn < y->conn);
}

enum err mailboxes_open(struct mailboxes **ret)
{
	struct mailboxes *m = calloc(1, sizeof *m);

	if (!m)
		return ERR_NOMEM;
	*ret = m;
	return OK;
}

static void mailbox_free(void *arg)
{
	struct mailbox *box = arg;

	while (box->sessions) {
		struct session *s = box->sessions;

		box->sessions = s->next;
		free(s);
	}
	free(box);
}

static void keep_nothing(void *arg)
{
	(void)arg; /* mailbox_free frees the sessions */
}

void mailboxes_free(struct mailboxes **mp)
{
	struct mailboxes *m = *mp;

	if (!m)
		return;
	tdestroy(m->sessions, keep_nothing);
	tdestroy(m->boxes, mailbox_free);
	tallies_clear(&m->lines);
	free(m);
	*mp = NULL;
}

/* The last key before the end of this mailbox may be one of another. */
static enum err last_seq(struct txn *t, int table, const char *name, enum lane lane, uint64_t *ret)
{
	struct slice key, value;
	struct key after;
	enum err e;

	mailbox_key(&after, name, lane, UINT64_MAX);
	e = txn_prev(t, table, key_slice(&after), &key, &value);
	*ret = 0;
	if (e == ERR_NOT_FOUND)
		return OK;
	TRY(e);
	if (key.len == after.len && memcmp(key.data, after.data, key.len - 8) == 0)
		*ret = be64_get(key.data + key.len - 8);
	return OK;
}

enum err mailbox_stored_last(struct txn *t, const char *name, enum lane lane, uint64_t *ret)
{
	return last_seq(t, TABLE_MAILBOX, name, lane, ret);
}

static enum err box_of(
	struct mailboxes *m, struct txn *t, const char *name, enum lane lane, struct mailbox **ret)
{
	struct mailbox probe = {.lane = lane}, *box;
	void *found;
	enum err e;

	memcpy(probe.name, name, strnlen(name, NAME_SIZE - 1));
	found = tfind(&probe, &m->boxes, by_name);
	if (found) {
		*ret = *(struct mailbox **)found;
		return OK;
	}
	box = malloc(sizeof *box);
	if (!box)
		return ERR_NOMEM;
	*box = probe;
	e = mailbox_stored_last(t, name, lane, &box->last);
	if (e == OK && !tsearch(box, &m->boxes, by_name))
		e = ERR_NOMEM;
	if (e != OK) {
		free(box);
		return e;
	}
	*ret = box;
	return OK;
}

static struct session *session_of(const struct mailboxes *m, uint64_t conn)
{
	struct session probe = {.conn = conn};
	void *found = tfind(&probe, &m->sessions, by_conn);

	return found ? *(struct session **)found : NULL;
}

static void session_end(struct mailboxes *m, struct session *s)
{
	struct session **link = &s->box->sessions;

	while (*link != s)
		link = &(*link)->next;
	*link = s->next;
	tdelete(s, &m->sessions, by_conn);
	free(s);
}

void mailbox_make_ready(struct mailboxes *m, struct mailbox *box)
{
	struct ready *ready = &m->ready[box->lane];

	if (box->ready || !box->sessions)
		return;
	box->ready = true;
	box->next_ready = NULL;
	*(ready->last ? &ready->last->next_ready : &ready->first) = box;
	ready->last = box;
}

enum err mailbox_put(struct mailboxes *m, struct txn *t, const char *recipient, enum lane lane,
	uint64_t index, uint64_t *ret_seq)
{
	struct mailbox *box;
	struct key k;

	TRY(box_of(m, t, recipient, lane, &box));
	mailbox_key(&k, recipient, lane, box->last + 1);
	TRY(number_put(t, TABLE_MAILBOX, key_slice(&k), index));
	*ret_seq = ++box->last;
	mailbox_make_ready(m, box);
	return OK;
}

static enum err session_new(
	struct mailboxes *m, struct mailbox *box, const struct conn *from, struct session **ret)
{
	struct session *s, *old = session_of(m, from->id);
	struct order order = old ? order_anew(&old->order) : (struct order){.unjudged = 0};

	/* A key reads a lane once: the new connection takes over. */
	for (old = box->sessions; old; old = old->next)
		if (memcmp(old->peer.key_id, from->peer.key_id, KEY_ID_LEN) == 0)
			break;
	if (old)
		session_end(m, old);
	old = session_of(m, from->id);
	if (old)
		session_end(m, old);
	s = calloc(1, sizeof *s);
	if (!s)
		return ERR_NOMEM;
	*s = (struct session){.next = box->sessions, .box = box, .order = order};
	s->conn = from->id;
	s->peer = from->peer;
	if (!tsearch(s, &m->sessions, by_conn)) {
		free(s);
		return ERR_NOMEM;
	}
	box->sessions = s;
	*ret = s;
	return OK;
}

static enum err cursor_get(struct txn *t, const struct session *s, uint64_t *ret)
{
	struct key k;
	enum err e;

	cursor_key(&k, s->box->name, s->box->lane, s->peer.key_id);
	*ret = 0;
	e = number_get(t, TABLE_CURSOR, key_slice(&k), ret);
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err cursor_raise(struct txn *t, struct session *s, uint64_t seq)
{
	struct key k;

	if (seq <= s->cursor)
		return OK;
	cursor_key(&k, s->box->name, s->box->lane, s->peer.key_id);
	TRY(number_put(t, TABLE_CURSOR, key_slice(&k), seq));
	s->cursor = seq;
	return OK;
}

/* Either this store is older than what the reader has seen, or the reader errs; or the reader's
 * store was restored. */
static void tell_place(struct mailboxes *m, const struct session *s, uint64_t says)
{
	uint64_t count;

	if (says > s->box->last && tally(&m->lines, s->box->name, "READER-AHEAD", &count))
		log_error("READER-AHEAD",
			"reader=%s lane=%s says=%" PRIu64 " last=%" PRIu64 " count=%" PRIu64,
			s->box->name, lane_name(s->box->lane), says, s->box->last, count);
	if (says < s->cursor && tally(&m->lines, s->box->name, "READER-BEHIND", &count))
		log_warn("READER-BEHIND",
			"reader=%s lane=%s says=%" PRIu64 " cursor=%" PRIu64 " count=%" PRIu64,
			s->box->name, lane_name(s->box->lane), says, s->cursor, count);
}

enum err mailbox_hello(struct mailboxes *m, struct txn *t, const struct conn *from,
	const Hello *hello, Welcome *ret)
{
	uint64_t says = hello->read_up_to;
	struct mailbox *box;
	struct session *s;

	TRY(box_of(m, t, from->peer.principal, from->lane, &box));
	TRY(session_new(m, box, from, &s));
	TRY(cursor_get(t, s, &s->cursor));
	tell_place(m, s, says);
	if (says > box->last)
		says = box->last;
	TRY(cursor_raise(t, s, says));
	s->sent = s->done = says;
	s->credit = hello->credit < CREDIT_MOST ? hello->credit : CREDIT_MOST;
	ret->read_up_to = s->cursor;
	ret->waiting = box->last - says;
	if (box->lane == LANE_URGENT)
		TRY(last_seq(t, TABLE_ORDER, box->name, box->lane, &ret->placed));
	mailbox_make_ready(m, box);
	return OK;
}

bool mailbox_knows(const struct mailboxes *m, const struct conn *from)
{
	return session_of(m, from->id) != NULL;
}

struct order *mailbox_order(const struct mailboxes *m, const struct conn *from)
{
	struct session *s = session_of(m, from->id);

	return s ? &s->order : NULL;
}

void mailbox_credit(struct mailboxes *m, const struct conn *from, uint32_t more)
{
	struct session *s = session_of(m, from->id);

	if (!s)
		return;
	s->credit = more < CREDIT_MOST - s->credit ? s->credit + more : CREDIT_MOST;
	mailbox_make_ready(m, s->box);
}

static enum err quarantine(struct mailboxes *m, struct txn *t, const struct session *s,
	const Quarantined *q, int64_t now)
{
	const char *why = err_name((enum err)q->code);
	uint8_t value[12];
	uint64_t count;
	struct key k;

	quarantine_key(&k, s->box->name, s->box->lane, s->peer.key_id, q->seq);
	be64_put(value + 4, (uint64_t)now);
	for (int i = 0; i < 4; i++)
		value[i] = (uint8_t)(q->code >> (24 - 8 * i));
	if (tally(&m->lines, s->box->name, why, &count))
		log_warn("QUARANTINED", "reader=%s lane=%s seq=%" PRIu64 " why=%s count=%" PRIu64,
			s->box->name, lane_name(s->box->lane), q->seq, why, count);
	return txn_put(t, TABLE_QUARANTINE, key_slice(&k), slice_of(value, sizeof value));
}

/* What a reader of several keys says last, stands: only services depend on it. */
static enum err place(struct txn *t, const struct session *s, const Cursor *cursor)
{
	struct key k;

	for (size_t i = 0; i < cursor->n_placed; i++) {
		lane_order_key(&k, s->box->name, cursor->placed[i]->seq);
		TRY(number_put(t, TABLE_ORDER, key_slice(&k), cursor->placed[i]->routine));
	}
	return OK;
}

static bool cursor_is_sound(const struct session *s, const Cursor *cursor)
{
	if (cursor->seq > s->box->last || (cursor->n_placed > 0 && s->box->lane != LANE_URGENT))
		return false;
	for (size_t i = 0; i < cursor->n_quarantined; i++)
		if (cursor->quarantined[i]->seq - 1 >= cursor->seq)
			return false;
	for (size_t i = 0; i < cursor->n_placed; i++)
		if (cursor->placed[i]->seq - 1 >= cursor->seq)
			return false;
	return true;
}

enum err mailbox_cursor(struct mailboxes *m, struct txn *t, const struct conn *from,
	const Cursor *cursor, int64_t now)
{
	struct session *s = session_of(m, from->id);

	if (!s)
		return OK;
	if (!cursor_is_sound(s, cursor))
		return ERR_INVALID;
	TRY(place(t, s, cursor));
	for (size_t i = 0; i < cursor->n_quarantined; i++)
		TRY(quarantine(m, t, s, cursor->quarantined[i], now));
	if (cursor->seq > s->done)
		s->done = cursor->seq;
	/* A reader that goes on from a restored store has done more than was sent to it here. */
	if (s->done >= s->sent) {
		s->sent = s->done;
		s->flight_bytes = 0;
	}
	mailbox_make_ready(m, s->box);
	return cursor_raise(t, s, cursor->seq);
}

void mailbox_gone(struct mailboxes *m, uint64_t conn)
{
	struct session *s = session_of(m, conn);

	if (s)
		session_end(m, s);
}

uint64_t mailbox_reader(struct mailboxes *m, const char *principal, enum lane lane)
{
	struct mailbox probe = {.lane = lane}, *box;
	void *found;

	memcpy(probe.name, principal, strnlen(principal, NAME_SIZE - 1));
	found = tfind(&probe, &m->boxes, by_name);
	box = found ? *(struct mailbox **)found : NULL;
	return box && box->sessions ? box->sessions->conn : 0;
}

enum err mailbox_base(
	struct txn *t, const char *name, enum lane lane, uint64_t index, uint64_t *ret)
{
	uint64_t below = 0, above, at;
	struct key k;

	TRY(mailbox_stored_last(t, name, lane, &above));
	for (above++; above - below > 1;) {
		uint64_t middle = below + (above - below) / 2;

		mailbox_key(&k, name, lane, middle);
		TRY(number_get(t, TABLE_MAILBOX, key_slice(&k), &at));
		*(at < index ? &below : &above) = middle;
	}
	*ret = below;
	return OK;
}

struct each_conn {
	void (*each)(void *arg, uint64_t conn);
	void *arg;
};

static void visit_conn(const void *node, VISIT visit, void *arg)
{
	const struct each_conn *w = arg;

	if (visit == postorder || visit == leaf)
		w->each(w->arg, (*(const struct session *const *)node)->conn);
}

void mailboxes_each(const struct mailboxes *m, void (*each)(void *arg, uint64_t conn), void *arg)
{
	struct each_conn w = {each, arg};

	twalk_r(m->sessions, visit_conn, &w);
}

struct recheck {
	struct mailboxes *m;
	const struct registry *registry;
	int64_t now;
};

static void recheck_box(const void *node, VISIT visit, void *arg)
{
	const struct recheck *r = arg;
	const struct mailbox *box = *(const struct mailbox *const *)node;

	if (visit != postorder && visit != leaf)
		return;
	for (struct session *s = box->sessions, *next; s; s = next) {
		next = s->next;
		if (verify_peer(r->registry, &s->peer, r->now) != OK)
			session_end(r->m, s);
	}
}

void mailboxes_recheck(struct mailboxes *m, const struct registry *r, int64_t now)
{
	struct recheck arg = {m, r, now};

	twalk_r(m->boxes, recheck_box, &arg);
}

bool mailboxes_ready(const struct mailboxes *m)
{
	return m->ready[LANE_URGENT].first || m->ready[LANE_ROUTINE].first;
}
