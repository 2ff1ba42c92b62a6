/* An envelope and its verdict: it is admitted, passed on, put off or refused. */
#include "broker/core_state.h"
#include "broker/verify.h"
#include "services/common/base/log.h"

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
	/* what comes again was receipted: it waits for the lift */
	if (verify_peer(c->o.registry, &from->peer, now) != ERR_SUSPENDED || v->err == OK ||
		v->receipt || core_full(c))
		return unheard(c, from, "hello");
	c->counts.received++;
	if (via == VIA_POST)
		return admit(c, from, v, envelope, now);
	return answer_refusal(c, from, v, ERR_SUSPENDED, now);
}

/* The registry has changed since. */
static void judge_again(struct core *c, const struct conn *from, enum via via,
	struct slice envelope, int64_t now, struct verdict *v)
{
	const Receipt *receipt = v->receipt;

	verify(c->o.registry, from, via, now, envelope, v);
	if (receipt)
		verify_receipt(c->o.registry, c->o.principal, receipt, envelope, v);
}

enum err core_judged(struct core *c, const struct conn *from, enum via via, const struct verdict *v,
	struct slice envelope, int64_t now)
{
	struct order *order = mailbox_order(c->boxes, from);
	struct verdict judged = *v;

	v = &judged;
	if (v->generation != registry_generation(c->o.registry))
		judge_again(c, from, via, envelope, now, &judged);
	if (!order)
		return judge_stranger(c, from, via, v, envelope, now);
	if (via == VIA_POST && !order_out(order))
		return unheard(c, from, "hello");
	TRY(resent_find(c, from, &judged));
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
