/*
 * posted.h - which messages of a lane's outbox are with the broker and wait for its receipt. In
 * memory only: after a restart all of the outbox is posted again. Not for the node's users.
 */
#ifndef HAVRE_POSTED_H
#define HAVRE_POSTED_H

#include "proto/crypto.h"

struct posted_entry {
	uint64_t place; /* in the outbox */
	uint8_t id[MSG_ID_LEN];
	int64_t again_at; /* post it again then, by link_clock */
};

struct posted {
	struct posted_entry *list;
	size_t n, most;
	uint64_t last; /* place of the last one posted; 0: from the start */
};

MUST_USE enum err posted_open(size_t most, struct posted *ret);
void posted_free(struct posted *p);
/* Forgets all: everything is posted from the start. */
void posted_clear(struct posted *p);

bool posted_room(const struct posted *p);
/* Must have room; places rise. */
void posted_add(struct posted *p, uint64_t place, const uint8_t id[MSG_ID_LEN], int64_t again_at);
/* NULL: none of that id. Valid until the next add, remove or clear. */
struct posted_entry *posted_find(struct posted *p, const uint8_t id[MSG_ID_LEN]);
void posted_remove(struct posted *p, const uint8_t id[MSG_ID_LEN]);
/* The entry to be posted again soonest. NULL: none. */
struct posted_entry *posted_soonest(struct posted *p);

#endif
