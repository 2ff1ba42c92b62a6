/* core_state.h - what the files of the core share. Not for others. */
#ifndef HAVRE_BROKER_CORE_STATE_H
#define HAVRE_BROKER_CORE_STATE_H

#include "broker/core.h"
#include "broker/flow.h"
#include "broker/mailbox.h"
#include "broker/query.h"
#include "broker/tally.h"
#include "proto/checkpoint.h"

/* A receipt that is owed as soon as the batch is committed. */
struct due {
	uint64_t conn;
	uint8_t id[MSG_ID_LEN], hash[HASH_LEN];
	uint64_t index;
	int64_t received_at;
};

struct core {
	struct core_options o;             /* its registry is `effective` */
	struct registry *base, *effective; /* as it was signed; with the suspension list */
	struct mailboxes *boxes;
	struct queries queries;
	struct flows *flows;
	struct tallies refusals; /* the lines about them */
	struct tallies fences;   /* the lines about readers' stores, by key id and lane */

	uint64_t size;          /* of the log, with this batch */
	int64_t last_received;  /* the time of receipt never runs backwards */
	struct buf checkpoint;  /* of the last commit */
	struct checkpoint head; /* the same */
	struct epoch epoch;
	uint64_t safe;      /* below this index the log is in a verified backup */
	struct outputs out; /* may be sent */

	/* The batch. */
	struct txn *txn; /* NULL: nothing was read or written yet */
	bool written, appended, failed;
	size_t bytes;
	struct due due[CORE_BATCH_MOST];
	size_t n_due;
	struct outputs staged; /* may be sent after the commit */

	struct core_counts counts;
};

/* core.c: the writing transaction of the batch. */
MUST_USE enum err core_txn(struct core *c, struct txn **ret);
/* core.c: one signature over the log as it is in the batch. */
MUST_USE enum err core_sign(struct core *c, struct txn *t);
/* core.c: versions only rise. ERR_ROLLED_BACK. */
MUST_USE enum err core_version(struct txn *t, const struct registry *r);

/* recover.c: the epoch of the store, when the core is opened. ERR_RESTORED, ERR_ROLLED_BACK. */
MUST_USE enum err epoch_open(struct core *c, struct txn *t);
/* recover.c: what a hello says of the reader's store, and of what it has seen of the log. */
struct place {
	bool fenced;
	Hello hello;     /* to be heard in its place */
	uint64_t cursor; /* before it was lowered to what a restored reader says */
	uint64_t after;  /* the epochs after this one are told */
	uint64_t base;   /* up to this the mailbox is as the reader has followed it, */
	uint64_t kept;   /* and up to this as this log had it before them */
	bool known;
	struct checkpoint head; /* that it has seen */
};
MUST_USE enum err place_find(struct core *c, struct txn *t, const struct conn *from,
	const Hello *hello, struct place *ret);
/* recover.c: answers with what the mailbox says, and all that goes with it. */
MUST_USE enum err place_welcome(struct core *c, struct txn *t, const struct conn *from,
	const struct place *p, const Welcome *read, int64_t now);

/* recover.c: what the receipt says that was shown with it. A good one of an earlier epoch of this
 * log: it is taken, at its first time of receipt, whatever the registry says by now. */
MUST_USE enum err resent_find(struct core *c, const struct conn *from, struct verdict *v);

/* control.c: nothing is answered. A program that hears nothing says hello again. */
MUST_USE enum err unheard(struct core *c, const struct conn *from, const char *why);

/* judged.c: answers BUSY what was judged; if it is a Post, holds those behind it. */
MUST_USE enum err put_off(
	struct core *c, const struct conn *from, enum via via, const struct verdict *v);

/* admit.c: one durable message. */
MUST_USE enum err admit(struct core *c, const struct conn *from, const struct verdict *v,
	struct slice envelope, int64_t now);

/* Part of it: no receipt is owed, nothing is judged. *ret_row: what the log says of it. */
MUST_USE enum err admit_append(struct core *c, struct txn *t, const struct verdict *v,
	struct slice envelope, int64_t now, struct log_row *ret_row);

/* answer.c: the frames that go back. They are staged. */
MUST_USE enum err answer_busy(
	struct core *c, uint64_t conn, const struct verdict *v, uint32_t retry_ms);
MUST_USE enum err answer_refusal(struct core *c, const struct conn *from, const struct verdict *v,
	enum err code, int64_t now);
MUST_USE enum err answer_receipts(struct core *c, struct txn *t);
MUST_USE enum err answer_welcome(struct core *c, const struct conn *from, Welcome *w, int64_t now);
MUST_USE enum err answer_pong(struct core *c, const struct conn *from, uint64_t nonce);
/* A question to a connection: flow.h. */
MUST_USE enum err ask_ping(struct outputs *out, uint64_t conn, uint64_t nonce);
MUST_USE enum err forward(struct core *c, uint64_t conn, enum via via, struct slice envelope);

#endif
