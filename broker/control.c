/* The frames that carry no envelope: a session begins, reads on, is heard. */
#include "broker/core_state.h"
#include "broker/verify.h"
#include "services/common/base/log.h"

bool core_knows(const struct core *c, const struct conn *from)
{
	return mailbox_knows(c->boxes, from);
}

bool core_hears(const struct core *c, const struct conn *from, int64_t now)
{
	return core_knows(c, from) || verify_peer(c->o.registry, &from->peer, now) == ERR_SUSPENDED;
}

enum err unheard(struct core *c, const struct conn *from, const char *why)
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
