#include "services/common/node/link.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <time.h>
#include <zmq.h>

#include "services/common/node/link_lane.h"

#define FRAMES_A_RUN 256 /* then the turn's commit comes first */
#define LINGER_MS    200

int64_t link_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Urgent frames first, and between any two routine ones. */
static enum err take_all(struct link *l)
{
	bool took = true;

	for (unsigned i = 0; took && i < FRAMES_A_RUN; i++) {
		TRY(lane_take(l, &l->lanes[LANE_URGENT], &took));
		if (!took)
			TRY(lane_take(l, &l->lanes[LANE_ROUTINE], &took));
	}
	return OK;
}

static enum err tend_all(struct link *l)
{
	for (int i = 0; i < LANES; i++)
		TRY(lane_tend(l, &l->lanes[i]));
	return OK;
}

static enum err wait_all(struct link *l, int timeout_ms, int wake_fd)
{
	zmq_pollitem_t items[2 * LANES + 1];
	int64_t now = link_clock(), until = timeout_ms < 0 ? INT64_MAX : now + timeout_ms;
	int n = 0;

	for (int i = 0; i < LANES; i++) {
		struct lane_state *s = &l->lanes[i];
		short greet = s->greeted || !lane_may_greet(l, s) ? 0 : ZMQ_POLLOUT;

		if (lane_next(l, s) < until)
			until = lane_next(l, s);
		if (!s->open)
			continue;
		items[n++] = (zmq_pollitem_t){s->socket.dealer, 0, (short)(ZMQ_POLLIN | greet), 0};
		items[n++] = (zmq_pollitem_t){s->socket.monitor, 0, ZMQ_POLLIN, 0};
	}
	if (wake_fd >= 0)
		items[n++] = (zmq_pollitem_t){NULL, wake_fd, ZMQ_POLLIN, 0};
	until = until < now ? 0 : until - now;
	if (zmq_poll(items, n, until > INT_MAX ? INT_MAX : (long)until) < 0 && errno != EINTR)
		return ERR_IO;
	return OK;
}

enum err link_run(struct link *l, int timeout_ms, int wake_fd)
{
	TRY(tend_all(l));
	TRY(wait_all(l, timeout_ms, wake_fd));
	/* What came before the end of a connection counts still. */
	TRY(take_all(l));
	return tend_all(l);
}

/* --- the user's side --- */

/* It is used, or will be: the link does not look again when its day comes. */
static bool may_serve(const Key *k, int64_t now)
{
	return k->id.len == KEY_ID_LEN && k->transport_key.len == CURVE_KEY_LEN && !k->retired &&
	       (k->not_after == 0 || now < k->not_after);
}

/* The keys of the broker, the oldest first: while it changes its key it has two, and goes on with
 * the old one until that is retired or its time is over. */
static enum err broker_keys(const struct registry *r, const char *name, struct broker_keys *ret)
{
	const Principal *p = registry_find(r, name);
	struct broker_keys found = {.n = 0};
	struct timespec ts;
	int64_t now;

	clock_gettime(CLOCK_REALTIME, &ts);
	now = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
	for (size_t i = 0; p && i < p->n_keys && found.n < BROKER_KEYS_MOST; i++)
		if (may_serve(p->keys[i], now))
			memcpy(found.key[found.n++], p->keys[i]->transport_key.data, CURVE_KEY_LEN);
	if (!found.n)
		return ERR_UNKNOWN_RECIPIENT;
	*ret = found;
	return OK;
}

enum err link_open(const struct config *c, const struct keyring *keys,
	const struct registry *registry, const struct link_ops *ops, void *arg, struct link **ret)
{
	struct link *l = calloc(1, sizeof(*l));
	enum err e;

	if (!l)
		return ERR_NOMEM;
	l->config = c;
	l->ops = ops;
	l->arg = arg;
	l->heartbeat_ms = c->heartbeat_s * 1000;
	l->keys.public_key = keyring_transport_pk(keys);
	l->keys.secret = keyring_transport_secret(keys);
	l->lanes[LANE_ROUTINE] = (struct lane_state){.lane = LANE_ROUTINE, .endpoint = c->routine};
	l->lanes[LANE_URGENT] = (struct lane_state){.lane = LANE_URGENT, .endpoint = c->urgent};
	l->context = zmq_ctx_new();
	e = l->context ? broker_keys(registry, c->broker_name, &l->brokers) : ERR_NOMEM;
	/* A bad endpoint is found now, an absent broker later. */
	for (int i = 0; e == OK && i < LANES; i++)
		e = lane_open(l, &l->lanes[i]);
	if (e != OK)
		link_free(&l);
	else
		*ret = l;
	return e;
}

void link_free(struct link **lp)
{
	struct link *l = *lp;

	if (!l)
		return;
	for (int i = 0; i < LANES; i++)
		lane_close(&l->lanes[i], LINGER_MS);
	if (l->context)
		(void)zmq_ctx_term(l->context);
	free(l);
	*lp = NULL;
}

enum err link_use_registry(struct link *l, const struct registry *registry)
{
	struct broker_keys now = {.n = 0};
	bool same;

	TRY(broker_keys(registry, l->config->broker_name, &now));
	same = memcmp(now.key[0], l->brokers.key[0], CURVE_KEY_LEN) == 0;
	l->brokers = now;
	for (int i = 0; !same && i < LANES; i++)
		link_renew(l, (enum lane)i, "registry");
	return OK;
}

void link_use_keys(struct link *l, const struct keyring *keys)
{
	l->keys.public_key = keyring_transport_pk(keys);
	l->keys.secret = keyring_transport_secret(keys);
	for (int i = 0; i < LANES; i++)
		link_renew(l, (enum lane)i, "key");
}

void link_renew(struct link *l, enum lane lane, const char *why)
{
	if (l->lanes[lane].open)
		l->lanes[lane].renew = why;
}

bool link_ready(const struct link *l, enum lane lane)
{
	return l->lanes[lane].welcomed;
}

static enum err send_ready(struct link *l, enum lane lane, const Frame *f)
{
	return link_ready(l, lane) ? link_socket_send(&l->lanes[lane].socket, f) : ERR_BUSY;
}

enum err link_post(struct link *l, enum lane lane, struct slice envelope, const Receipt *receipt)
{
	Frame f = FRAME__INIT;
	Post p = POST__INIT;

	p.envelope = (ProtobufCBinaryData){envelope.len, (uint8_t *)envelope.data};
	p.receipt = (Receipt *)receipt; /* only read */
	f.what_case = FRAME__WHAT_POST;
	f.post = &p;
	return send_ready(l, lane, &f);
}

enum err link_query(struct link *l, struct slice envelope)
{
	Frame f = FRAME__INIT;
	Query q = QUERY__INIT;

	q.envelope = (ProtobufCBinaryData){envelope.len, (uint8_t *)envelope.data};
	f.what_case = FRAME__WHAT_QUERY;
	f.query = &q;
	return send_ready(l, LANE_ROUTINE, &f);
}

enum err link_answer(struct link *l, struct slice envelope)
{
	Frame f = FRAME__INIT;
	Answer a = ANSWER__INIT;

	a.envelope = (ProtobufCBinaryData){envelope.len, (uint8_t *)envelope.data};
	f.what_case = FRAME__WHAT_ANSWER;
	f.answer = &a;
	return send_ready(l, LANE_ROUTINE, &f);
}

enum err link_cursor(struct link *l, enum lane lane, Cursor *c)
{
	struct lane_state *s = &l->lanes[lane];
	Frame f = FRAME__INIT;

	f.what_case = FRAME__WHAT_CURSOR;
	f.cursor = c;
	TRY(send_ready(l, lane, &f));
	s->due += s->owed;
	s->owed = 0;
	lane_give_credit(s);
	return OK;
}
