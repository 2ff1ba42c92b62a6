/*
 * mailbox.h - a mailbox for each (principal, lane), a cursor for each key that reads it, and the
 * sessions: what a connection has said hello for.
 *
 * A delivery is repeated until the reader's cursor passes it: a new hello starts again behind the
 * cursor. Content stays when a cursor has passed: nothing here erases.
 */
#ifndef HAVRE_BROKER_MAILBOX_H
#define HAVRE_BROKER_MAILBOX_H

#include "broker/flow.h"
#include "broker/order.h"
#include "broker/output.h"
#include "broker/verify.h"

/* Bounds for each session: deliveries that wait for their credit to come back, and their bytes. */
#define CREDIT_MOST       1024
#define FLIGHT_BYTES_MOST (4u * 1024 * 1024)

struct mailboxes;

MUST_USE enum err mailboxes_open(struct mailboxes **ret);
void mailboxes_free(struct mailboxes **mp);

/* Puts the message at `index` at the end of the mailbox. */
MUST_USE enum err mailbox_put(struct mailboxes *m, struct txn *t, const char *recipient,
	enum lane lane, uint64_t index, uint64_t *ret_seq);

/* The number of the last entry in the store; 0: empty. */
MUST_USE enum err mailbox_stored_last(
	struct txn *t, const char *name, enum lane lane, uint64_t *ret);

/*
 * A hello: takes the place of an older session of the same key and lane, and of what this
 * connection said before. Fills read_up_to and waiting of the welcome. Delivery starts behind what
 * the reader says, also when that is less than the cursor here (its store was restored).
 */
MUST_USE enum err mailbox_hello(struct mailboxes *m, struct txn *t, const struct conn *from,
	const Hello *hello, Welcome *ret);
bool mailbox_knows(const struct mailboxes *m, const struct conn *from);
/* Of what the connection posts since its hello. NULL: it has not said hello. */
struct order *mailbox_order(const struct mailboxes *m, const struct conn *from);
/* The next two ignore a connection that has not said hello. */
void mailbox_credit(struct mailboxes *m, const struct conn *from, uint32_t more);
/* ERR_INVALID: says that it read what was never put. */
MUST_USE enum err mailbox_cursor(struct mailboxes *m, struct txn *t, const struct conn *from,
	const Cursor *cursor, int64_t now);
void mailbox_gone(struct mailboxes *m, uint64_t conn);
/* A connection that reads for this principal; 0: none. */
uint64_t mailbox_reader(struct mailboxes *m, const char *principal, enum lane lane);
/* The last number whose message is below this index of the log; 0: none. */
MUST_USE enum err mailbox_base(
	struct txn *t, const char *name, enum lane lane, uint64_t index, uint64_t *ret);
/* Every connection that has a session. */
void mailboxes_each(const struct mailboxes *m, void (*each)(void *arg, uint64_t conn), void *arg);
/* Ends the sessions whose keys are not good any more. */
void mailboxes_recheck(struct mailboxes *m, const struct registry *r, int64_t now);

/* May a pump give something? */
bool mailboxes_ready(const struct mailboxes *m);
/* Deliveries for whoever has credit and room (flow.h), the urgent lane first, until `out` holds
 * most_bytes: the rest waits for the next pump. Call it only when all that was put is committed. */
MUST_USE enum err mailboxes_pump(struct mailboxes *m, struct txn *t, const struct flows *flows,
	size_t most_bytes, struct outputs *out, uint64_t *ret_delivered);

#endif
