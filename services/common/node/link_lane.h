/*
 * link_lane.h - one lane of a link: its connection (link_lane.c) and the frames that come through
 * it (link_frame.c). Not for the link's users.
 */
#ifndef HAVRE_LINK_LANE_H
#define HAVRE_LINK_LANE_H

#include "services/common/node/link.h"
#include "services/common/node/link_socket.h"

#define LINK_PROTOCOL 1

struct lane_state {
	enum lane lane;
	const char *endpoint;
	struct link_socket socket;
	bool open, greeted, welcomed;
	const char *renew;    /* why another connection is to be opened at the next chance; NULL */
	int64_t open_at;      /* when not open */
	int64_t quiet_since;  /* last frame, probe or opening */
	unsigned probes;      /* since the last frame */
	unsigned failures;    /* connections that brought nothing but a welcome, in a row */
	unsigned connections; /* so far */
	Frame *hello;         /* what was said on this connection; NULL: nothing yet */
	uint64_t seq;         /* of the last delivery of this connection */
	uint64_t credit;      /* deliveries that the broker may still send */
	uint32_t owed;        /* deliveries taken, whose credit is due at the next cursor */
	uint32_t due;         /* credit to be given now */
};

#define BROKER_KEYS_MOST 4

struct broker_keys {
	uint8_t key[BROKER_KEYS_MOST][CURVE_KEY_LEN];
	size_t n;
};

struct link {
	const struct config *config;
	const struct link_ops *ops;
	void *arg, *context;
	struct link_keys keys; /* the own pair; the broker's is set for each connection */
	struct broker_keys brokers;
	int64_t heartbeat_ms;
	struct lane_state lanes[LANES];
};

MUST_USE enum err lane_open(struct link *l, struct lane_state *s);
/* Closes the socket, at its latest after linger_ms, and forgets what was said on it. */
void lane_close(struct lane_state *s, int linger_ms);
/* Closes the connection and sets the pause before the next one. */
MUST_USE enum err lane_lose(struct link *l, struct lane_state *s, const char *why);
/* Does what is due without any frame: reconnect, greet, give credit, probe. */
MUST_USE enum err lane_tend(struct link *l, struct lane_state *s);
/* When something may be due next, by link_clock. */
int64_t lane_next(const struct link *l, const struct lane_state *s);
/* Does the user want it to say hello now? After a heartbeat it does so anyway. */
bool lane_may_greet(const struct link *l, const struct lane_state *s);
void lane_give_credit(struct lane_state *s);

/* Takes one frame, if one is there. */
MUST_USE enum err lane_take(struct link *l, struct lane_state *s, bool *ret_took);

#endif
