/* core_state.h - what core.c, admit.c and answer.c share. Not for others. */
#ifndef HAVRE_BROKER_CORE_STATE_H
#define HAVRE_BROKER_CORE_STATE_H

#include "broker/core.h"
#include "broker/mailbox.h"
#include "broker/query.h"

/* A receipt that is owed as soon as the batch is committed. */
struct due {
	uint64_t conn;
	uint8_t id[MSG_ID_LEN], hash[HASH_LEN];
	uint64_t index;
	int64_t received_at;
};

struct core {
	struct core_options o;
	struct mailboxes *boxes;
	struct queries queries;

	uint64_t size;         /* of the log, with this batch */
	int64_t last_received; /* the time of receipt never runs backwards */
	struct buf checkpoint; /* of the last commit */
	struct outputs out;    /* may be sent */

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

/* core.c: answers BUSY what was judged; if it is a Post, holds those behind it. */
MUST_USE enum err put_off(
	struct core *c, const struct conn *from, enum via via, const struct verdict *v);

/* admit.c: one durable message. */
MUST_USE enum err admit(struct core *c, const struct conn *from, const struct verdict *v,
	struct slice envelope, int64_t now);

/* answer.c: the frames that go back. They are staged. */
MUST_USE enum err answer_busy(
	struct core *c, uint64_t conn, const struct verdict *v, uint32_t retry_ms);
MUST_USE enum err answer_refusal(struct core *c, const struct conn *from, const struct verdict *v,
	enum err code, int64_t now);
MUST_USE enum err answer_receipts(struct core *c, struct txn *t);
MUST_USE enum err answer_welcome(struct core *c, const struct conn *from, Welcome *w, int64_t now);
MUST_USE enum err answer_pong(struct core *c, const struct conn *from);
MUST_USE enum err forward(struct core *c, uint64_t conn, enum via via, struct slice envelope);

#endif
