/*
 * engine.h - runs a service's steps over a store. It knows no socket and no clock, so that the
 * simulator runs the same code. node.h joins it to the network.
 *
 * One commit at a time:  engine_begin; any number of engine_take / engine_timers / engine_local /
 * engine_receipt / engine_refusal, each an overlay that is merged only when it succeeds;
 * engine_commit. Any error of these other than those named means: end the process.
 */
#ifndef HAVRE_ENGINE_H
#define HAVRE_ENGINE_H

#include "proto/checkpoint.h"
#include "services/common/keys/keyring.h"
#include "services/common/engine/service.h"

struct engine;

/* Borrowed: svc, store, keys and context must outlive the engine; of the registry it becomes a
 * further owner, and it goes by the one in its store when that is newer. */
MUST_USE enum err engine_open(const struct service *svc, const void *context, struct store *store,
	const struct keyring *keys, const struct registry *registry, struct engine **ret);
void engine_free(struct engine **ep);
/* The layout that the store of this service must be opened with. *ret: free() its tables. */
MUST_USE enum err engine_layout(const struct service *svc, struct store_layout *ret);
void engine_use_registry(struct engine *e, const struct registry *registry);
/* Copies for the recovery key of what its copy is older of, or missing: after the registry or the
 * keys changed. In a batch. Nothing for a person's device, or without a recovery key. */
MUST_USE enum err engine_escrow(struct engine *e);
/* What it goes by, with the suspension list: it changes with messages of the broker. Valid until
 * the next batch: registry_ref. */
const struct registry *engine_registry(const struct engine *e);
/* The highest registry version noted in this store (0: none): an older one must not be used.
 * Noting is done between begin and commit; a version below the noted one is ERR_ROLLED_BACK. */
MUST_USE enum err engine_seen_registry(struct engine *e, uint64_t *ret);
MUST_USE enum err engine_note_registry(struct engine *e, uint64_t version);

MUST_USE enum err engine_begin(struct engine *e);
MUST_USE enum err engine_commit(struct engine *e);

/* Handles what was released, and not yet handled, before a crash, and what was held for a
 * suspension that is over: after engine_open and engine_use_registry. */
MUST_USE enum err engine_resume(struct engine *e);
/* The latest of the times of all steps, also of those before the start: the clock is not behind. */
int64_t engine_newest(const struct engine *e);

struct delivery {
	enum lane lane;
	uint64_t seq, index;
	int64_t received_at;
	struct slice envelope;
	bool placed;      /* an urgent one that was handled before this store was put back, */
	uint64_t routine; /* when the routine lane was here */
};
/*
 * One delivered message: checked, verified, opened, handled; then the messages that waited for
 * what it put. seq at or below the cursor: OK, nothing happens. A gap: ERR_INVALID, nothing
 * happens. Each refusal is quarantined and OK.
 */
MUST_USE enum err engine_take(struct engine *e, const struct delivery *d);
/* Fires every timer that is due, also what these set in the past. A timer whose handler refuses
 * (100 and more) is logged and fires again a minute later; one that ended the process three times,
 * an hour later: the others must go on. */
MUST_USE enum err engine_timers(struct engine *e, int64_t now);
/* When the next timer is due; INT64_MAX: none. */
MUST_USE enum err engine_next_timer(struct engine *e, int64_t *ret_at);
/* A step of a local command, with fresh random bytes. The result of `fn` is returned; anything but
 * OK has had no effect. */
MUST_USE enum err engine_local(
	struct engine *e, int64_t now, enum err (*fn)(struct step *s, void *arg), void *arg);
/* The same without writing (a write ends the process); needs no batch. */
MUST_USE enum err engine_read(
	struct engine *e, int64_t now, enum err (*fn)(struct step *s, void *arg), void *arg);
/* The broker has it (the receipt is checked against the envelope and the broker's key), or refused
 * it (the signature is checked): it leaves the outbox. What was refused, and no on_posted hears of,
 * is kept aside for a person. ERR_NOT_FOUND: not in the outbox; ERR_BAD_SIGNATURE: nothing
 * happened. */
MUST_USE enum err engine_receipt(struct engine *e, const Receipt *r, int64_t now);
MUST_USE enum err engine_refusal(struct engine *e, const Refusal *r, int64_t now);

/*
 * Epochs, marks, recovery (PROTOCOL.md, section 19). Whoever drives an engine without a node does
 * what node.c and node_turn.c do: engine_hello for each Hello of a lane, engine_welcome with its
 * Welcome before anything else of that connection is taken, engine_safe with each Pong, and
 * engine_first_receipt for each message that it posts. A driver that leaves all four out has an
 * engine that takes the log's word; nothing is pruned then.
 *
 * The first engine_begin gives a new store its epoch. ERR_RESTORED, ERR_ROLLED_BACK: the store was
 * put back, and recovery_run (recover.h) has not begun its next epoch.
 */
/* What a Hello said, for its Welcome. */
struct greeting {
	uint64_t read_up_to, log_epoch;
	struct checkpoint head; /* epoch 0: none was said */
};
/* Fills what the engine knows of a Hello; its bytes are the engine's, until the next call. */
MUST_USE enum err engine_hello(
	struct engine *e, enum lane lane, Hello *ret, struct greeting *ret_said);
/*
 * Between begin and commit. Checks that the log continues what was seen of it. If the log was
 * recovered, by a signed word, the engine does its part: the cursor goes back to where the mailbox
 * is as it was, what was sent since is in the outbox again, what was handled since is not handled
 * again. ERR_FENCED, ERR_ROLLED_BACK, ERR_BAD_SIGNATURE: nothing happened; nothing may be posted or
 * taken on this connection.
 */
MUST_USE enum err engine_welcome(struct engine *e, enum lane lane, const struct greeting *said,
	const Welcome *w, int64_t now);
/* The broker's safe mark: what was receipted or handled below it is kept no longer. */
void engine_safe(struct engine *e, enum lane lane, uint64_t safe);
/* The first receipt (packed) of a message in the outbox that was receipted before: it is posted
 * with it. ERR_NOT_FOUND: it was not. buf_free(ret). */
MUST_USE enum err engine_first_receipt(
	struct engine *e, const uint8_t id[MSG_ID_LEN], struct buf *ret);
/* This store was put back, and has not done again all that it had done: no timer fires by itself
 * until then; see timers.c. */
bool engine_catching_up(const struct engine *e);
/* For recovery_run of an engine's store (T_EPOCH is engine_epoch_table). */
MUST_USE enum err engine_recovered(struct txn *t, const Recover *r, void *arg);
/* After recovery_run of the store of an engine that is open; no batch may be. *ret_other: it is in
 * another epoch now, and both lanes must say Hello again. */
MUST_USE enum err engine_look_again(struct engine *e, bool *ret_other);
int engine_epoch_table(void);

/* Everything up to this is processed, parked or quarantined, and committed. */
uint64_t engine_cursor(const struct engine *e, enum lane lane);
/* What was quarantined in the commits since the last call, at most 1024 at once; after
 * engine_open first all that ever was, since the broker may not have heard of it. One free() of
 * *ret gives it all back; it is NULL when there is none. */
MUST_USE enum err engine_quarantined(
	struct engine *e, enum lane lane, Quarantined ***ret, size_t *ret_n);

/* How far the routine lane was at each urgent message, for the broker to keep: of the committed
 * ones above what it was told, at most 1024 at once. free() as above. */
MUST_USE enum err engine_placed(struct engine *e, Placed ***ret, size_t *ret_n);
void engine_placed_told(struct engine *e, uint64_t seq);

/* The first message of the lane's outbox after place `after` (0: from the start).
 * ERR_NOT_FOUND: no more. *ret_envelope: buf_free it. */
MUST_USE enum err engine_outbox_next(struct engine *e, enum lane lane, uint64_t after,
	uint64_t *ret_place, uint8_t ret_id[MSG_ID_LEN], struct buf *ret_envelope);
MUST_USE enum err engine_outbox_count(struct engine *e, uint64_t *ret);
/* The numbers of this store, as of the last commit. */
struct metrics;
MUST_USE enum err engine_metrics(struct engine *e, struct metrics *m);

/* Answers a question: a packed envelope for the asker. Refusals when it may not be answered;
 * ERR_TIMEOUT: made more than two minutes before or after now. Neither ends the process. */
MUST_USE enum err engine_answer(struct engine *e, struct slice query_envelope, int64_t now,
	struct buf *ret_answer_envelope);
/* Makes a question (not stored); open its answer with engine_open_answer, which checks the sender,
 * the recipient and the cause. */
MUST_USE enum err engine_ask(struct engine *e, enum kind kind, const ProtobufCMessage *body,
	int64_t now, uint8_t ret_id[MSG_ID_LEN], struct buf *ret_envelope);
MUST_USE enum err engine_open_answer(struct engine *e, const uint8_t id[MSG_ID_LEN],
	struct slice answer_envelope, int64_t now, enum kind *ret_kind, ProtobufCMessage **ret);

#endif
