/*
 * core.h - what the broker decides: admit, deduplicate, append, deliver. One thread, no clock, no
 * socket, no file but the store seam; connections are numbers and time is a parameter, so that a
 * simulator drives it as the front does:
 *
 *   for each Post, in the order of arrival of each connection: core_lets, then core_given or
 *   core_busy; any number of core_control, core_judged, core_busy, core_gone, in that order too;
 *   then core_commit; then core_output until it gives NULL;
 *   and core_watch every second or so, whatever comes.
 *
 * Whatever the commit must come before (receipts, refusals, deliveries) is held back until then.
 * Functions return OK, or an error after which the process must end without sending anything:
 * every mistake of the other side is answered or counted, and is OK.
 */
#ifndef HAVRE_BROKER_CORE_H
#define HAVRE_BROKER_CORE_H

#include "broker/output.h"
#include "broker/verify.h"
#include "services/common/keys/keyring.h"
#include "services/common/store/recover.h"

/* Most messages and bytes of one commit; what comes then is answered BUSY. */
#define CORE_BATCH_MOST       4096
#define CORE_BATCH_BYTES_MOST (16u * 1024 * 1024)
/* Deliveries that one commit hands out, in bytes, before the front has sent them. */
#define CORE_PUMP_BYTES_MOST (8u * 1024 * 1024)
#define CORE_RETRY_MS        500

/* Above this share of the store the lane is answered BUSY. */
#define FULL_ROUTINE_PERCENT 90
#define FULL_URGENT_PERCENT  98

struct core;

/* Borrowed, and must outlive the core; of the registry it becomes a further owner. */
struct core_options {
	struct store *store;  /* opened with broker_layout */
	uint64_t store_bytes; /* its limit; 0: not known */
	const struct registry *registry;
	const char *principal;    /* the broker's own */
	const uint8_t *sign_seed; /* SIGN_SEED_LEN */
	/* With them the broker hears what is sent to it, and speaks itself. NULL: it is silent. */
	const struct keyring *keys;
	int64_t unread_ms; /* urgent mail that a service leaves unread for so long raises an alarm
			    */
};

#define CODES_MOST 64
struct core_counts {
	uint64_t received, accepted, duplicates, delivered, busy, asked, answered;
	uint64_t unheard;             /* frames that nothing may be answered to */
	uint64_t fenced;              /* hellos of stores that were put back by hand */
	uint64_t refused[CODES_MOST]; /* by code - 100 */
};

/* The registry's version that was used last, for registry_load; 0: none yet. */
MUST_USE enum err core_seen_registry(struct store *store, uint64_t *ret);

/* ERR_ROLLED_BACK: the registry is older than one that was used before. ERR_CORRUPT: the log, its
 * tree and its checkpoint do not fit together. ERR_RESTORED, ERR_ROLLED_BACK: the store was put
 * back, or readers have seen more of the log than is in it, and recovery_run has not begun its next
 * epoch. A reader that proves the latter later ends the process so. */
MUST_USE enum err core_open(const struct core_options *o, struct core **ret);
void core_free(struct core **cp);
/* For recovery_run (recover.h), before core_open. The table is TABLE_EPOCH; arg is not used. */
MUST_USE enum err core_recovered(struct txn *t, const Recover *r, void *arg);
/* ERR_ROLLED_BACK: nothing happened, and the old one stays. Ends the sessions of keys that are no
 * longer good. */
MUST_USE enum err core_use_registry(struct core *c, const struct registry *r, int64_t now);

/* With the suspension list. It changes within core_judged, when two officers want it. Valid until
 * the next call that changes it: registry_ref. */
const struct registry *core_registry(const struct core *c);

/* The broker's own name. */
const char *core_principal(const struct core *c);
/* Has the connection said hello? Nothing else is heard before that. */
bool core_knows(const struct core *c, const struct conn *from);
/* May what it posts be given to the verifiers? When it has said hello; and, so that it hears why,
 * when it is suspended. */
bool core_hears(const struct core *c, const struct conn *from, int64_t now);
/* HELLO, CREDIT, CURSOR, PING and PONG. Others are counted. */
MUST_USE enum err core_control(
	struct core *c, const struct conn *from, const Frame *f, int64_t now);
/* May this POST be judged? false: core_busy is its answer, since one before it on this connection
 * had that answer and has not come again. */
bool core_lets(struct core *c, const struct conn *from, struct slice envelope);
/* The verifiers have the POST: core_judged follows. Until then a new hello makes it unheard. */
void core_given(struct core *c, const struct conn *from);
/* An envelope that came by POST, QUERY or ANSWER, and what verify said about it; verified again
 * here when the registry has changed since. */
MUST_USE enum err core_judged(struct core *c, const struct conn *from, enum via via,
	const struct verdict *v, struct slice envelope, int64_t now);
/* The front could not take it: answers BUSY. */
MUST_USE enum err core_busy(
	struct core *c, const struct conn *from, enum via via, struct slice envelope);
/* The connection is gone. */
void core_gone(struct core *c, uint64_t conn);
/* It takes nothing: its session ends, and it still holds what was sent to it. */
void core_stuck(struct core *c, uint64_t conn);
/* The batch is full: commit before more is judged. */
bool core_full(const struct core *c);

MUST_USE enum err core_commit(struct core *c);
/* free() it. NULL: none. */
struct output *core_output(struct core *c);
/* There is more to deliver than the last commit handed out: commit again when that is sent. */
bool core_more(const struct core *c);

/* From a timer of a second: the alarms that are due; the registry to everybody when it is a new
 * version. `now` should not run backwards. ERR_UNKNOWN_KEY: the own key is retired, or its time is
 * over; the process must end, and goes on with its next key. */
MUST_USE enum err core_watch(struct core *c, int64_t now);
/* A verified backup (HOME/safe) holds so much of the log: senders may forget it. What is not of
 * this epoch is ignored. */
MUST_USE enum err core_safe(struct core *c, const struct safe *s);
/* From a timer of some minutes: ends the sessions of keys whose time is over; frees what readers of
 * the store that died have pinned. */
MUST_USE enum err core_tidy(struct core *c, int64_t now);

const struct core_counts *core_counts(const struct core *c);
/* Number of messages in the log, those of this batch too. */
uint64_t core_size(const struct core *c);
/* The latest time of receipt; 0: none yet. */
int64_t core_newest(const struct core *c);

#endif
