/* mailbox_state.h - what mailbox.c and pump.c share. Not for others. */
#ifndef HAVRE_BROKER_MAILBOX_STATE_H
#define HAVRE_BROKER_MAILBOX_STATE_H

#include "broker/mailbox.h"
#include "broker/tally.h"

struct mailbox {
	char name[NAME_SIZE];
	enum lane lane;
	uint64_t last; /* seq of the newest entry */
	struct session *sessions;
	bool ready; /* is in the list of its lane */
	struct mailbox *next_ready;
};

/* A key that reads: at most one for each (key, lane). */
struct session {
	struct session *next;
	struct mailbox *box;
	uint64_t conn;
	struct peer peer;
	uint64_t cursor; /* as stored */
	uint64_t done;   /* what this reader said it has processed; may be less than the cursor */
	uint64_t sent;   /* what was delivered to it */
	uint32_t credit;
	size_t flight_bytes; /* delivered since all that was sent was done */
	struct order order;  /* of what it posts */
};

struct ready {
	struct mailbox *first, *last;
};

struct mailboxes {
	void *boxes, *sessions; /* trees of search.h, by (name, lane) and by connection */
	struct ready ready[LANES];
	struct tallies lines; /* that readers cause */
};

/* Something may be delivered from this mailbox. */
void mailbox_make_ready(struct mailboxes *m, struct mailbox *box);

#endif
