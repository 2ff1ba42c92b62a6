/*
 * posted.h - which messages of a lane's outbox are with the broker and wait for its answer. In
 * memory only: after a restart all of the outbox is posted again. Not for the node's users.
 *
 * The lane keeps its order: once a message was answered BUSY, so are all behind it, and nothing is
 * posted until every answer is there. Then posting goes on from the first that was put off. So the
 * broker never has one message twice at a time from one connection.
 */
#ifndef HAVRE_POSTED_H
#define HAVRE_POSTED_H

#include "proto/crypto.h"

struct posted_entry {
	uint64_t place; /* in the outbox */
	uint8_t id[MSG_ID_LEN];
	int64_t answer_by; /* by link_clock: then the connection is given up */
};

/* Times are link_clock's. */
struct posted {
	struct posted_entry *list;
	size_t n, most;
	uint64_t last;    /* place of the last one posted; 0: from the start */
	uint64_t put_off; /* place of the first that was answered BUSY; 0: none */
	int64_t not_before;
};

MUST_USE enum err posted_open(size_t most, struct posted *ret);
void posted_free(struct posted *p);
/* Forgets all: everything is posted from the start. */
void posted_clear(struct posted *p);

bool posted_room(const struct posted *p);
/* Must have room; places rise. */
void posted_add(struct posted *p, uint64_t place, const uint8_t id[MSG_ID_LEN], int64_t answer_by);
/* It is settled. Ignores what is not there. */
void posted_remove(struct posted *p, const uint8_t id[MSG_ID_LEN]);
/* It was answered BUSY, and is not posted again before that time. Ignores what is not there. */
void posted_busy(struct posted *p, const uint8_t id[MSG_ID_LEN], int64_t not_before);
/* Nothing is posted before that time. */
void posted_wait(struct posted *p, int64_t not_before);

/* May what comes after `last` be posted now? Goes back to the first that was put off. */
bool posted_go(struct posted *p, int64_t now);
/* An answer is overdue. */
bool posted_overdue(const struct posted *p, int64_t now);
/* When one of the two may change without an answer; INT64_MAX: never. */
int64_t posted_next(const struct posted *p);

#endif
