#include "services/common/node/link_lane.h"

#include <sodium.h>
#include <stdio.h>

#include "proto/strict.h"
#include "services/common/base/log.h"

#define PROBES_MOST    2   /* unanswered, one a heartbeat; the next heartbeat ends it */
#define PAUSE_FIRST_MS 200 /* its half is the least; it doubles with each failure */
#define PAUSE_MOST_MS  5000
#define PAUSE_DOUBLES  5

enum err lane_open(struct link *l, struct lane_state *s)
{
	unsigned again = s->failures ? s->failures - 1 : 0; /* then with its other keys in turn */
	char name[32];

	memcpy(l->keys.broker, l->brokers.key[again % l->brokers.n], CURVE_KEY_LEN);
	snprintf(name, sizeof(name), "%s-%u", lane_name(s->lane), s->connections);
	TRY(link_socket_open(l->context, name, s->endpoint, &l->keys, &s->socket));
	s->connections++;
	s->open = true;
	s->quiet_since = link_clock();
	return OK;
}

void lane_close(struct lane_state *s, int linger_ms)
{
	link_socket_close(&s->socket, linger_ms);
	if (s->hello)
		frame__free_unpacked(s->hello, NULL);
	s->hello = NULL;
}

enum err lane_lose(struct link *l, struct lane_state *s, const char *why)
{
	int64_t pause = PAUSE_FIRST_MS;
	bool was_welcomed = s->welcomed;

	/* While the broker is away, the first failure says it all. */
	if (was_welcomed || s->failures == 0)
		log_warn("LINK-LOST", "lane=%s why=%s", lane_name(s->lane), why);
	pause <<= s->failures < PAUSE_DOUBLES ? s->failures : PAUSE_DOUBLES;
	if (pause > PAUSE_MOST_MS)
		pause = PAUSE_MOST_MS;
	pause = pause / 2 + randombytes_uniform((uint32_t)(pause / 2) + 1);
	lane_close(s, 0);
	*s = (struct lane_state){.lane = s->lane,
		.endpoint = s->endpoint,
		.failures = s->failures + 1,
		.connections = s->connections,
		.open_at = link_clock() + pause};
	return was_welcomed ? l->ops->on_lost(l->arg, s->lane) : OK;
}

bool lane_may_greet(const struct link *l, const struct lane_state *s)
{
	return !l->ops->may_greet || l->ops->may_greet(l->arg, s->lane);
}

/* What the program knows of the log may grow meanwhile, through the other lane: a Welcome to the
 * first Hello would not prove what the second one asked for. */
static enum err make_hello(struct link *l, struct lane_state *s)
{
	ProtobufCMessage *copy = NULL;
	struct buf packed = {0};
	Frame f = FRAME__INIT;
	Hello h = HELLO__INIT;
	enum err e;

	h.protocol = LINK_PROTOCOL;
	TRY(l->ops->hello(l->arg, s->lane, &h));
	h.credit = (uint32_t)l->config->credit;
	f.what_case = FRAME__WHAT_HELLO;
	f.hello = &h;
	e = strict_pack(&f.base, &packed);
	if (e == OK)
		e = strict_unpack(&frame__descriptor, slice_buf(&packed), &copy);
	buf_free(&packed);
	if (e != OK)
		return e;
	if (s->hello) /* that could not be sent */
		frame__free_unpacked(s->hello, NULL);
	s->hello = (Frame *)copy;
	return OK;
}

/* A full queue or nobody there is no failure of the greeting: it is tried again. */
static enum err lane_greet(struct link *l, struct lane_state *s)
{
	if (!s->greeted)
		TRY(make_hello(l, s));
	if (link_socket_send(&s->socket, s->hello) != OK)
		return OK;
	s->greeted = true;
	s->seq = s->hello->hello->read_up_to;
	s->credit += s->hello->hello->credit;
	return OK;
}

static void lane_ping(struct lane_state *s)
{
	Frame f = FRAME__INIT;
	Ping ping = PING__INIT;

	f.what_case = FRAME__WHAT_PING;
	f.ping = &ping;
	if (link_socket_send(&s->socket, &f) != OK)
		log_debug("LINK-PING", "lane=%s why=queue", lane_name(s->lane));
}

void lane_give_credit(struct lane_state *s)
{
	Frame f = FRAME__INIT;
	Credit c = CREDIT__INIT;

	c.more = s->due;
	f.what_case = FRAME__WHAT_CREDIT;
	f.credit = &c;
	if (s->due == 0 || link_socket_send(&s->socket, &f) != OK)
		return;
	s->credit += s->due;
	s->due = 0;
}

static enum err lane_probe(struct link *l, struct lane_state *s)
{
	if (s->probes == PROBES_MOST)
		return lane_lose(l, s, "silence");
	if (s->welcomed)
		lane_ping(s);
	else
		TRY(lane_greet(l, s));
	s->probes++;
	s->quiet_since = link_clock();
	return OK;
}

/* What is due without any frame. */
enum err lane_tend(struct link *l, struct lane_state *s)
{
	int64_t now = link_clock();

	if (s->open && s->renew)
		TRY(lane_lose(l, s, s->renew));
	else if (s->open && link_socket_cut(&s->socket))
		TRY(lane_lose(l, s, "cut"));
	if (!s->open)
		return now >= s->open_at ? lane_open(l, s) : OK;
	if (!s->greeted && lane_may_greet(l, s))
		TRY(lane_greet(l, s));
	lane_give_credit(s);
	return now - s->quiet_since >= l->heartbeat_ms ? lane_probe(l, s) : OK;
}

int64_t lane_next(const struct link *l, const struct lane_state *s)
{
	return s->open ? s->quiet_since + l->heartbeat_ms : s->open_at;
}
