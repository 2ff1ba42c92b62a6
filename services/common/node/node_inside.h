/*
 * node_inside.h - what the files of a node share: node.c (opening and closing), node_turn.c (the
 * network and the commits), node_ask.c (questions). Not for the node's users.
 */
#ifndef HAVRE_NODE_INSIDE_H
#define HAVRE_NODE_INSIDE_H

#include "services/common/node/link.h"
#include "services/common/node/node.h"
#include "services/common/node/posted.h"

/* Questions to answer, or answers, that came in one turn; more are forgotten, and asked again. */
#define LETTERS_MOST 64

struct letters {
	struct buf list[LETTERS_MOST];
	size_t n;
};

struct node_lane {
	struct posted posted;
	struct greeting said;      /* in the last hello */
	uint64_t target;           /* the mailbox's last sequence number as of the welcome */
	bool fenced;               /* its last welcome said so */
	bool took;                 /* deliveries since the last cursor was sent */
	Quarantined **quarantined; /* to be told with the next cursor; free() it */
	size_t n_quarantined;
};

struct node {
	const struct service *svc;
	struct config config;
	bool configured;
	struct passphrase *passphrase; /* until the keys are open */
	struct keyring *keys;
	struct registry *registry;
	struct store *store;
	struct engine *engine;
	struct link *link;
	int wake_fd;         /* -1: none */
	int64_t reap_at;     /* by link_clock */
	int64_t report_at;   /* by link_clock: the next writing of the metrics */
	int64_t reported_at; /* by link_clock: the last one */
	bool changed;        /* since then: something was committed, or a lane was lost */
	int64_t started_at;  /* by node_now */
	int64_t time;        /* by the clock of the timers, when link_clock was time_at */
	int64_t time_at;
	bool begun;      /* a commit of the engine is open */
	enum err fenced; /* OK, or why the broker's last welcome was not taken */
	struct node_lane lanes[LANES];
	struct letters queries, answers;
	const uint8_t *asking; /* id of the question that node_ask waits for; NULL: none */
	enum err asking_refused;
};

/* Opens a commit, if none is open. */
MUST_USE enum err node_begin(struct node *n);
/* Commits, if one is open. ERR_..: the process must end. */
MUST_USE enum err node_commit(struct node *n);
/* HOME/recover may have come: then the store begins its next epoch. No batch may be open. */
MUST_USE enum err node_recover(struct node *n, bool *ret_recovered);
/* The node and its link go by what the engine goes by. */
MUST_USE enum err node_show_registry(struct node *n);
/* Posts as much of the outbox as the windows and the link take. */
MUST_USE enum err node_post(struct node *n);
/* --- node_keys.c --- */
/* HOME/buckets and HOME/escrow, for the store. */
MUST_USE enum err node_open_buckets(struct node *n);
/* The newest of its keys that the registry has is the one in use. */
MUST_USE enum err node_choose_key(struct node *n);

/* The calls of the link: arg is the node. */
extern const struct link_ops node_link_ops;

void letters_clear(struct letters *l);

/* The broker's signature on the refusal of a question, which the engine does not know of. */
bool node_refusal_signed(const struct node *n, const Refusal *r);

#endif
