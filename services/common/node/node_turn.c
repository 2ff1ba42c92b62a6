#include <stdlib.h>

#include "proto/strict.h"
#include "services/common/base/log.h"
#include "services/common/node/node_inside.h"

/* The longest sleep, and how often what dead readers of the store hold is freed. */
#define TURN_MOST_MS 60000
#define REAP_MS      600000
/* A message that is neither receipted, nor refused, nor put off by then: the connection is given
 * up, and all is posted again on the next one. */
#define ANSWER_MS     30000
#define QUEUE_FULL_MS 100

void letters_clear(struct letters *l)
{
	for (size_t i = 0; i < l->n; i++)
		buf_free(&l->list[i]);
	l->n = 0;
}

static enum err letters_add(struct letters *l, const char *what, struct slice envelope)
{
	struct buf b = {0};

	if (l->n == LETTERS_MOST) {
		log_warn("NODE-FORGOT", "what=%s", what);
		return OK;
	}
	TRY(buf_append(&b, envelope.data, envelope.len));
	l->list[l->n++] = b;
	return OK;
}

enum err node_begin(struct node *n)
{
	if (n->begun)
		return OK;
	TRY(engine_begin(n->engine));
	n->begun = true;
	return OK;
}

enum err node_commit(struct node *n)
{
	if (!n->begun)
		return OK;
	n->begun = false;
	n->changed = true;
	TRY(engine_commit(n->engine));
	return node_show_registry(n);
}

/* --- what comes through the link: handled at once, committed at the end of the turn --- */

static enum err hello(void *arg, enum lane lane, Hello *ret)
{
	struct node *n = arg;

	return engine_hello(n->engine, lane, ret, &n->lanes[lane].said);
}

/* What is too old for one lane is too old for both. It goes on when its word has come. */
static enum err fenced(struct node *n, enum lane lane)
{
	bool recovered = false;

	n->fenced = ERR_FENCED;
	n->lanes[lane].fenced = true;
	for (int i = 0; i < LANES; i++)
		if (link_ready(n->link, (enum lane)i))
			link_renew(n->link, (enum lane)i, err_name(ERR_FENCED));
	TRY(node_commit(n));
	TRY(node_recover(n, &recovered));
	for (int i = 0; recovered && i < LANES; i++)
		n->lanes[i].fenced = false;
	return ERR_FENCED;
}

static enum err on_welcome(void *arg, enum lane lane, const Welcome *w)
{
	struct node *n = arg;
	struct node_lane *s = &n->lanes[lane];
	enum err e;

	s->fenced = w->fenced;
	if (!w->fenced && n->lanes[lane == LANE_URGENT ? LANE_ROUTINE : LANE_URGENT].fenced)
		return ERR_FENCED;
	TRY(node_begin(n));
	e = engine_welcome(n->engine, lane, &s->said, w, node_now());
	if (e == ERR_FENCED)
		return fenced(n, lane);
	n->fenced = e;
	if (e != OK)
		return e;
	/* What a recovery makes necessary is on disk before anything is posted. */
	TRY(node_commit(n));
	s->target = engine_cursor(n->engine, lane) + w->waiting;
	return OK;
}

static enum err on_safe(void *arg, enum lane lane, uint64_t safe)
{
	struct node *n = arg;

	engine_safe(n->engine, lane, safe);
	return OK;
}

/* The broker knew the sender when it took the message: if the registry here does not, the file may
 * be newer. Without that the message is refused, and the old registry stays. */
static enum err know_sender(struct node *n, const struct delivery *d)
{
	struct envelope env;
	const Key *key;
	enum err e;

	if (envelope_parse(d->envelope, &env) != OK)
		return OK;
	e = registry_key(
		n->registry, env.header->sender, env.header->key_id.data, d->received_at, &key);
	envelope_free(&env);
	if (e != ERR_UNKNOWN_SENDER && e != ERR_UNKNOWN_KEY)
		return OK;
	e = node_reload_registry(n);
	return e == ERR_IO || e == ERR_FULL || e == ERR_NOMEM ? e : OK;
}

static enum err on_delivery(void *arg, enum lane lane, const Delivery *d)
{
	struct node *n = arg;
	struct delivery delivery = {
		.lane = lane,
		.seq = d->seq,
		.index = d->index,
		.received_at = d->received_at,
		.envelope = slice_of(d->envelope.data, d->envelope.len),
		.placed = d->placed,
		.routine = d->routine,
	};

	TRY(know_sender(n, &delivery));
	TRY(node_begin(n));
	n->lanes[lane].took = true;
	return engine_take(n->engine, &delivery);
}

static void forget_posted(struct node *n, const uint8_t id[MSG_ID_LEN])
{
	for (int i = 0; i < LANES; i++)
		posted_remove(&n->lanes[i].posted, id);
}

/* What the engine says of a receipt or a refusal. A false one changes nothing: the message stays
 * in the outbox and is posted again. */
static enum err settle(struct node *n, const uint8_t id[MSG_ID_LEN], enum err e)
{
	if (e == ERR_BAD_SIGNATURE) {
		log_error("NODE-FALSE-REPLY", "why=%s", err_name(e));
		return OK;
	}
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	forget_posted(n, id);
	return OK;
}

static enum err on_receipt(void *arg, const Receipt *r)
{
	struct node *n = arg;

	TRY(node_begin(n));
	return settle(n, r->id.data, engine_receipt(n->engine, r, node_now()));
}

static enum err on_refusal(void *arg, const Refusal *r)
{
	struct node *n = arg;

	log_warn("NODE-REFUSED", "why=%s", err_name((enum err)r->code));
	if (r->id.len == 0)
		return OK;
	if (n->asking && memcmp(r->id.data, n->asking, MSG_ID_LEN) == 0) {
		if (node_refusal_signed(n, r))
			n->asking_refused = (enum err)r->code;
		return OK;
	}
	TRY(node_begin(n));
	return settle(n, r->id.data, engine_refusal(n->engine, r, node_now()));
}

/* A question that was put off is asked again without this. */
static enum err on_busy(void *arg, const uint8_t id[MSG_ID_LEN], uint32_t retry_ms)
{
	struct node *n = arg;

	for (int i = 0; i < LANES; i++)
		posted_busy(&n->lanes[i].posted, id, link_clock() + retry_ms);
	return OK;
}

static enum err on_query(void *arg, struct slice envelope)
{
	struct node *n = arg;

	return letters_add(&n->queries, "query", envelope);
}

static enum err on_answer(void *arg, struct slice envelope)
{
	struct node *n = arg;

	return n->asking ? letters_add(&n->answers, "answer", envelope) : OK;
}

static enum err on_lost(void *arg, enum lane lane)
{
	struct node *n = arg;

	posted_clear(&n->lanes[lane].posted);
	n->changed = true;
	return OK;
}

/* Routine mail waits until the urgent lane has brought what was there: a suspension or a registry
 * that came before it must be known when it is read. */
static bool may_greet(void *arg, enum lane lane)
{
	struct node *n = arg;

	return lane == LANE_URGENT ||
	       (link_ready(n->link, LANE_URGENT) &&
		       engine_cursor(n->engine, LANE_URGENT) >= n->lanes[LANE_URGENT].target);
}

const struct link_ops node_link_ops = {
	.on_welcome = on_welcome,
	.on_delivery = on_delivery,
	.on_receipt = on_receipt,
	.on_refusal = on_refusal,
	.on_busy = on_busy,
	.on_query = on_query,
	.on_answer = on_answer,
	.on_lost = on_lost,
	.on_safe = on_safe,
	.hello = hello,
	.may_greet = may_greet,
};

/* --- the outbox --- */

/* Of what was receipted before the log was recovered; NULL: it was not. */
static enum err first_receipt(struct node *n, const uint8_t id[MSG_ID_LEN], ProtobufCMessage **ret)
{
	struct buf packed = {0};
	enum err e = engine_first_receipt(n->engine, id, &packed);

	if (e == OK)
		e = strict_unpack(&receipt__descriptor, slice_buf(&packed), ret);
	buf_free(&packed);
	return e == ERR_NOT_FOUND ? OK : e;
}

/* Posts the first message after that place. ERR_NOT_FOUND: none; ERR_BUSY: not now. */
static enum err post_after(struct node *n, enum lane lane, uint64_t after, uint64_t *ret_place,
	uint8_t ret_id[MSG_ID_LEN])
{
	struct buf envelope = {0};
	ProtobufCMessage *first = NULL;
	enum err e;

	TRY(engine_outbox_next(n->engine, lane, after, ret_place, ret_id, &envelope));
	e = first_receipt(n, ret_id, &first);
	if (e == OK)
		e = link_post(n->link, lane, slice_buf(&envelope), (const Receipt *)first);
	if (first)
		protobuf_c_message_free_unpacked(first, NULL);
	buf_free(&envelope);
	return e;
}

static enum err post_all(struct node *n, enum lane lane)
{
	struct posted *p = &n->lanes[lane].posted;
	uint8_t id[MSG_ID_LEN];
	uint64_t place;

	while (posted_room(p)) {
		TRY(post_after(n, lane, p->last, &place, id));
		posted_add(p, place, id, link_clock() + ANSWER_MS);
	}
	return OK;
}

static enum err post_lane(struct node *n, enum lane lane)
{
	struct posted *p = &n->lanes[lane].posted;
	int64_t now = link_clock();
	enum err e;

	if (!link_ready(n->link, lane))
		return OK;
	if (posted_overdue(p, now)) {
		link_renew(n->link, lane, "unanswered");
		return OK;
	}
	if (!posted_go(p, now))
		return OK;
	e = post_all(n, lane);
	if (e == ERR_BUSY)
		posted_wait(p, now + QUEUE_FULL_MS);
	return e == ERR_BUSY || e == ERR_NOT_FOUND ? OK : e;
}

enum err node_post(struct node *n)
{
	TRY(post_lane(n, LANE_URGENT));
	return post_lane(n, LANE_ROUTINE);
}

/* --- the turn --- */

/*
 * What the timers go by. The machine's clock may be set back, or may have been ahead once: a timer
 * must not wait for it. This one is never behind any step's time, and never stands still.
 */
static int64_t timer_now(struct node *n)
{
	int64_t at = link_clock(), now = node_now(), newest = engine_newest(n->engine);

	if (now < newest)
		now = newest;
	if (n->time && now < n->time + (at - n->time_at))
		now = n->time + (at - n->time_at);
	n->time = now;
	n->time_at = at;
	return now;
}

static int sleep_ms(struct node *n, int timeout_ms, int64_t timer_at)
{
	int64_t sleep = timeout_ms < 0 ? TURN_MOST_MS : timeout_ms, left;

	if (timer_at != INT64_MAX && (left = timer_at - timer_now(n)) < sleep)
		sleep = left;
	for (int i = 0; i < LANES; i++) {
		int64_t next = posted_next(&n->lanes[i].posted);

		if (next != INT64_MAX && (left = next - link_clock()) < sleep)
			sleep = left;
	}
	return sleep < 0 ? 0 : sleep > TURN_MOST_MS ? TURN_MOST_MS : (int)sleep;
}

static enum err fill_cursor(struct node *n, enum lane lane, Cursor *c)
{
	struct node_lane *s = &n->lanes[lane];

	if (!s->quarantined)
		TRY(engine_quarantined(n->engine, lane, &s->quarantined, &s->n_quarantined));
	c->seq = engine_cursor(n->engine, lane);
	c->quarantined = s->quarantined;
	c->n_quarantined = s->n_quarantined;
	if (lane == LANE_URGENT && link_ready(n->link, lane))
		TRY(engine_placed(n->engine, &c->placed, &c->n_placed));
	return OK;
}

static enum err tell_cursor(struct node *n, enum lane lane)
{
	struct node_lane *s = &n->lanes[lane];
	Cursor c = CURSOR__INIT;
	enum err e = fill_cursor(n, lane, &c);

	if (e == OK && (s->took || c.n_quarantined > 0 || c.n_placed > 0))
		e = link_cursor(n->link, lane, &c);
	else if (e == OK)
		return OK;
	if (e == OK && c.n_placed > 0)
		engine_placed_told(n->engine, c.placed[c.n_placed - 1]->seq);
	free(c.placed);
	if (e != OK)
		return e == ERR_BUSY ? OK : e;
	s->took = false;
	free(s->quarantined);
	s->quarantined = NULL;
	s->n_quarantined = 0;
	return OK;
}

/* From what is committed. Nothing hangs on it: who hears no answer asks again or gives up, and a
 * broken store shows at the next commit. */
static void answer_queries(struct node *n)
{
	for (size_t i = 0; i < n->queries.n; i++) {
		struct buf answer = {0};
		enum err e = engine_answer(
			n->engine, slice_buf(&n->queries.list[i]), node_now(), &answer);

		if (e == OK)
			e = link_answer(n->link, slice_buf(&answer));
		if (e != OK)
			log_warn("NODE-NO-ANSWER", "why=%s", err_name(e));
		buf_free(&answer);
	}
	letters_clear(&n->queries);
}

static enum err reap(struct node *n)
{
	int64_t now = link_clock();

	if (now < n->reap_at)
		return OK;
	n->reap_at = now + REAP_MS;
	return store_reap_readers(n->store);
}

enum err node_turn(struct node *n, int timeout_ms)
{
	int64_t timer_at = INT64_MAX;

	TRY(reap(n));
	if (n->fenced != ERR_FENCED) /* what it would do was done, or should not be */
		TRY(engine_next_timer(n->engine, &timer_at));
	TRY(link_run(n->link, sleep_ms(n, timeout_ms, timer_at), n->wake_fd));
	if (timer_at <= timer_now(n) && n->fenced != ERR_FENCED) {
		TRY(node_begin(n));
		TRY(engine_timers(n->engine, timer_now(n)));
	}
	/* First the commit, then everything that says that it happened. */
	TRY(node_commit(n));
	TRY(tell_cursor(n, LANE_URGENT));
	TRY(tell_cursor(n, LANE_ROUTINE));
	answer_queries(n);
	return node_post(n);
}
