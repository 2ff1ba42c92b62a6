/*
 * engine_internal.h - what the files of the engine share. Not for services.
 *
 *   engine.c     the batch: begin, commit, what is kept from one to the next; local steps
 *   take.c       one message to its end: checked, opened, handled; three deaths
 *   newcomer.c   what is older than this key
 *   parked.c     messages that wait or are held, and those that may go on
 *   order.c      the order of the two lanes, as it was the first time
 *   quarantine.c messages that were set aside
 *   step.c       what a handler sees
 *   casekeys.c   what is encrypted under a case's key (case_keys.h)
 *   outbox.c     what was sent, until the broker has it
 *   timers.c     what is to happen later
 *   kept.c       what is sent again and not done again, should the log lose its end
 *   marks.c      hello and welcome: that the log only grew, or was recovered
 *   followed.c   which recoveries a lane has followed, and what it has in common with others
 *   query.c      questions and answers
 */
#ifndef HAVRE_ENGINE_INTERNAL_H
#define HAVRE_ENGINE_INTERNAL_H

#include "proto/checkpoint.h"
#include "services/common/engine/engine.h"

struct buckets;
#include "services/common/store/epoch.h"

/* The engine's tables; the service's own follow. */
enum engine_table {
	T_STATE,       /* name, lane -> number; "checkpoint" -> epoch, size, root, note; "followed",
			* lane -> (epoch, size) of each recovery */
	T_OUTBOX,      /* lane, place -> envelope */
	T_OUTBOX_IDS,  /* message id -> lane, place */
	T_TIMERS,      /* at, name, key -> id of what set it */
	T_TIMER_INDEX, /* name, key -> at */
	T_PARKED,      /* table, hash of the key waited for, log index, lane, seq -> StoredParked */
	T_READY,       /* log index, lane, seq -> StoredParked: released, not yet handled */
	T_CASE_KEYS,   /* case number -> bucket, nonce, wrapped key; nothing: it was erased */
	T_QUARANTINE,  /* lane, seq -> StoredQuarantine */
	T_DEATHS,  /* lane, seq; or TIMER_DEATHS, hash -> attempts that did not come to an end */
	T_REFUSED, /* lane, place -> code (8), time (8), envelope: what the broker refused */
	T_TRUST,   /* see trust.h; "r" -> the SignedRegistry that came as a message */
	T_EPOCH,   /* epoch.h */
	T_KEPT,    /* lane, log index -> StoredKept: receipted, above the broker's safe mark */
	T_FIRST,   /* message id -> its first Receipt: in the outbox for a second time */
	T_SEEN,    /* lane, log index -> StoredSeen: handled or parked, above that mark */
	T_AGAIN,   /* sender, id -> log index (8), seq (8), as they were: it may come again */
	T_ORDER,   /* urgent seq -> routine seq: how far that lane was, not yet known to be told */
	T_BUCKETS, /* number -> generation, how many cases were put into it */
	T_COUNT
};

/* Up to where was it done before this store was put back? The broker will say. */
#define REDO_UNKNOWN UINT64_MAX

/* After a start, so many deliveries of each lane, and so many timers, are handled in a commit of
 * their own, each after a commit that counts the attempt: the largest batch that may have died.
 * What a timer's death takes with it was committed before, so no message is blamed for it. */
#define CAREFUL 1024

/* What a parked message waits for: the table (1 byte) and the hash of the key. */
#define AWAITED_LEN (1 + HASH_LEN)
#define WAIT_MOST   (INT64_C(24) * 3600 * 1000)
/* The engine's own timers have names that no service's can have. */
#define TIMER_WAITED "~waited"

/* Recoveries of the log, their epochs rising: from which size on it was collected again. */
struct recovered {
	uint64_t epoch, from;
};
struct followed {
	struct recovered list[RECOVERS_MOST];
	size_t n;
};

struct set_aside {
	enum lane lane;
	uint64_t seq;
	enum err code;
	bool committed;
};

struct engine {
	const struct service *svc;
	const void *context;
	struct store *store;
	const struct keyring *keys;
	struct registry *base, *registry; /* as it was signed; with the suspension list */
	const char *self;
	struct buckets *buckets;

	struct txn *batch;
	enum err broken; /* the first error after which nothing may be committed */
	struct {
		uint64_t cursor, committed, stored;
		unsigned taken;        /* since the start */
		uint64_t log_epoch;    /* of the log, as this lane has followed it; 0: none yet */
		uint64_t redo;         /* this store was put back: done before, up to this */
		uint64_t safe, pruned; /* the broker's mark; what is below `pruned` was looked at */
		uint64_t gone;         /* the highest mark that anything was pruned by */
		struct followed followed;
		Followed said[RECOVERS_MOST], *said_list[RECOVERS_MOST]; /* the same, for Hello */
	} lanes[LANES];
	unsigned fired;                /* timers, since the start */
	int64_t newest, newest_stored; /* of the times of all steps */
	struct set_aside *aside;       /* not yet told to the broker */
	size_t n_aside;
	uint64_t order_told; /* up to this urgent message the broker was told its place */
	bool order_new;      /* there may be more to tell */
	bool order_waits;    /* messages wait for their place */
	struct epoch epoch;  /* number 0: not known before the first batch */
	bool entered;        /* this process may write in it */
	struct buf recover;  /* the SignedRecover that it began with */
	struct buf said_note;
};

struct step {
	struct engine *engine;
	struct txn *txn;
	bool reads_only;
	int64_t now;
	const char *sender;
	uint8_t cause[MSG_ID_LEN];
	bool first; /* a person's own act: what it sends names no cause */
	uint8_t last_sent[MSG_ID_LEN];
	struct entropy random;
	bool waits;
	uint8_t awaited[AWAITED_LEN];
};

static inline bool is_refusal(enum err e)
{
	return (int)e >= 100;
}

/* --- engine.c --- */
/* Remembers an error after which the process must end. Returns it. */
MUST_USE enum err engine_fail(struct engine *e, enum err err);
/* Commits the batch with all that is kept beside it. engine_again: and opens the next one. */
MUST_USE enum err engine_again(struct engine *e);
/* The open batch, or a snapshot of its own: end it with txn_abort(ret_own). */
MUST_USE enum err engine_reading(struct engine *e, struct txn **ret, struct txn **ret_own);
/* 0 when there is none. */
MUST_USE enum err state_get(struct txn *t, const char *name, enum lane lane, uint64_t *ret);
MUST_USE enum err state_put(struct txn *t, const char *name, enum lane lane, uint64_t value);

/* A step over the batch. step_end merges it when `result` is OK and forgets it otherwise, and
 * returns `result` or the error of the merge. */
MUST_USE enum err step_begin(struct engine *e, int64_t now, struct step *s);
MUST_USE enum err step_end(struct step *s, enum err result);
/* Random bytes that are the same when the step is done again. */
MUST_USE enum err step_seed(
	struct step *s, const char *purpose, const struct slice *pieces, size_t n);
/* An own bug (a query's handler that writes) ends the process here. */
void step_must_write(const struct step *s);

/* --- case_settle.c --- */
/* Around a commit: before it the new bucket keys are on disk, after it they are in their place. */
MUST_USE enum err case_keys_prepare(struct engine *e);
MUST_USE enum err case_keys_committed(struct engine *e);
/* Once after a start, in a batch: every bucket is there, or ERR_CORRUPT, which is logged. */
MUST_USE enum err case_keys_settle(struct engine *e);

/* --- take.c --- */
struct message {
	struct envelope envelope;
	ProtobufCMessage *body;
};
/* Everything that is checked before a handler sees a message, then its body. The error is a
 * refusal unless memory is short. message_close(ret). */
MUST_USE enum err message_open(const struct engine *e, struct slice bytes, enum kind_class cls,
	enum lane lane, int64_t at, struct message *ret);
void message_close(struct message *m);
/* Handles one after the other all that were released, also by one another. */
MUST_USE enum err take_ready(struct engine *e);
/* Counts on disk an attempt at what has this key in T_DEATHS, before it is made: the batch is
 * committed. *ret_died: three attempts before did not come to an end. */
MUST_USE enum err attempt_count(struct engine *e, const struct key *what, bool *ret_died);
/* Forgets the count when the attempt went well, or was stopped by the store. Returns `result` or
 * the error of forgetting. */
MUST_USE enum err attempt_end(struct engine *e, const struct key *what, enum err result);

/* --- newcomer.c --- */
/* Was this sealed to other keys of the principal only, before the registry announced this one? Then
 * it is theirs, and passed over. */
bool newcomer_passes(const struct engine *e, const struct delivery *d);

/* --- order.c --- */
/* An urgent message is handled: where the routine lane is now. */
MUST_USE enum err order_note(struct engine *e, const struct delivery *d);
/* The broker knows this of the messages up to that one. */
MUST_USE enum err order_welcome(struct engine *e, uint64_t placed);
/* The numbers are not those of the log any more. */
MUST_USE enum err order_forget(struct engine *e);
/* While the store does again what it had done: it is parked until the routine lane is where it was
 * then. order_due releases it. */
MUST_USE enum err order_later(struct engine *e, const struct delivery *d, bool *ret_later);
MUST_USE enum err order_due(struct engine *e);
MUST_USE enum err order_load(struct engine *e, struct txn *t);

/* --- parked.c --- */
void parked_awaited(int table, struct slice key, uint8_t ret[AWAITED_LEN]);
MUST_USE enum err parked_put(
	struct engine *e, const struct delivery *d, const uint8_t awaited[AWAITED_LEN]);
/* Its sender is suspended: without a deadline, until parked_let_go. */
MUST_USE enum err parked_hold(struct engine *e, const struct delivery *d);
/* All that is held may be tried again; whose sender is suspended still is held again. */
MUST_USE enum err parked_let_go(struct engine *e);
bool parked_is_held(struct slice key);
/* It waits for its place between the lanes (order.c), without a deadline. The others: all that
 * wait for what is between these, both included, are released. */
MUST_USE enum err parked_until(
	struct engine *e, const struct delivery *d, const uint8_t awaited[AWAITED_LEN]);
MUST_USE enum err parked_let_go_range(
	struct engine *e, const uint8_t from[AWAITED_LEN], const uint8_t last[AWAITED_LEN]);
/* Part of the step that puts the key. */
MUST_USE enum err parked_release(struct step *s, int table, struct slice key);
MUST_USE enum err parked_expire(struct engine *e, struct slice key);
/* *ret has its envelope in *ret_owner: protobuf_c_message_free_unpacked. */
MUST_USE enum err parked_unpack(
	struct slice value, struct delivery *ret, ProtobufCMessage **ret_owner);

/* A key of T_PARKED or T_READY: was its place in the log lost? */
bool parked_is_lost(struct slice key);
/* The log was recovered: the lane's places from `from` on are not known any more, and get the bit
 * no_index until the message comes again. */
MUST_USE enum err parked_forget_places(
	struct engine *e, enum lane lane, uint64_t from, uint64_t no_index);
/* ERR_NOT_FOUND. */
MUST_USE enum err parked_find(struct engine *e, uint64_t index, enum lane lane, uint64_t seq,
	struct key *ret, struct slice *ret_value);
/* Gives it the place of d. */
MUST_USE enum err parked_move(
	struct engine *e, const struct key *from, struct slice value, const struct delivery *d);

/* --- quarantine.c --- */
/* The log was recovered: forgets what was set aside from there on. It had no effect, and comes
 * again. */
MUST_USE enum err quarantine_again(struct engine *e, enum lane lane, uint64_t from);
MUST_USE enum err quarantine_put(struct engine *e, const struct delivery *d, enum err code);
MUST_USE enum err quarantine_load(struct engine *e);
/* The batch was committed: what it set aside may be told. */
void quarantine_committed(struct engine *e);
/* lane, seq */
struct key delivery_key(enum lane lane, uint64_t seq);

/* --- outbox.c --- */
MUST_USE enum err outbox_put(
	struct step *s, enum lane lane, const uint8_t id[MSG_ID_LEN], struct slice envelope);

/* --- timers.c --- */
/* `cause`: of the step that sets it, at most MSG_ID_LEN bytes; it makes what the timer does its
 * own. */
MUST_USE enum err timer_put(
	struct txn *t, const char *name, struct slice key, int64_t at, struct slice cause);
/* OK also when there is none. */
MUST_USE enum err timer_remove(struct txn *t, const char *name, struct slice key);
/* The same time under another key. */
MUST_USE enum err timer_move(struct txn *t, const char *name, struct slice from, struct slice to);
/* This store was put back: before a message that came at `before` was handled, these had fired. */
MUST_USE enum err timers_redo(struct engine *e, int64_t before);

/* --- kept.c --- */
MUST_USE enum err kept_put(struct engine *e, enum lane lane, uint64_t place, const Receipt *receipt,
	struct slice envelope);
/* All of the lane from that log index on go into the outbox again, where they were. */
MUST_USE enum err kept_again(struct engine *e, enum lane lane, uint64_t from, unsigned *ret_n);
/* The message was handled or parked: notes its name. */
MUST_USE enum err seen_note(struct engine *e, const struct delivery *d);
/* The log was recovered: what was handled from that index on may come again. */
MUST_USE enum err seen_again(struct engine *e, enum lane lane, uint64_t from);
/* Is it one of those? Then it has had its effect. */
MUST_USE enum err seen_skip(struct engine *e, const struct delivery *d, bool *ret_skipped);
/* Part of a commit: removes some of what is below the safe mark. */
MUST_USE enum err kept_prune(struct engine *e);

/* --- followed.c --- */
MUST_USE enum err followed_load(struct txn *t, enum lane lane, struct followed *ret);
MUST_USE enum err followed_save(struct txn *t, enum lane lane, const struct followed *f);
bool followed_has(const struct followed *f, uint64_t epoch);
/* A log was recovered as `said`, from the epoch `was` on; a lane followed `own`, up to the epoch
 * `last`: up to which size are the two logs the same? UINT64_MAX: nothing parts them. */
uint64_t followed_until(
	const struct followed *own, uint64_t last, const struct followed *said, uint64_t was);
/* Now the lane follows them too. */
void followed_add(struct followed *own, uint64_t last, const struct followed *said, uint64_t was);

/* --- marks.c --- */
MUST_USE enum err marks_load(struct engine *e, struct txn *t);
MUST_USE enum err marks_save(struct engine *e);
/* The newest head of the log that was seen. ERR_NOT_FOUND. */
MUST_USE enum err head_known(struct txn *t, struct checkpoint *ret);
/* Keeps the head if it is newer; of another epoch only when that one is proved. */
MUST_USE enum err head_keep(
	struct txn *t, const struct checkpoint *c, struct slice note, bool new_epoch);

#endif
