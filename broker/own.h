/*
 * own.h - what the broker itself hears and says. It is a principal with a mailbox like the others:
 * what is sent to it is judged before it is taken, appended, and done in the same transaction. What
 * it says is sealed, signed and appended by it in the batch that causes it. So each happens once,
 * and nothing of it without its commit.
 *
 *   own.c        sending, and the mailbox of the broker
 *   own_trust.c  the suspension list
 *   own_spread.c what everybody is told of it, and of the registry
 *   own_watch.c  alarms for people: unread urgent mail, the registry's end, the disk, an id reused
 *
 * A core that was opened without keys is silent and hears nothing. Errors below 100 end the
 * process.
 */
#ifndef HAVRE_BROKER_OWN_H
#define HAVRE_BROKER_OWN_H

#include "broker/core_state.h"
#include "services/common/trust/trust.h"

/* The registry whose suspension list is applied to the base. */
MUST_USE enum err own_registry(struct core *c, struct txn *t, const struct registry *base);

/* A message to the broker, opened and judged. `{0}` is none, or one without an effect. */
struct heard {
	bool again; /* it was receipted before the log was recovered: it was judged then */
	SignedAct *said;
	SuspensionAct *act;
	StoredAct *proposal; /* by another officer: this one confirms it. NULL: a new one */
};

/* May it be taken? A refusal when not. OK with an empty *ret: it is to somebody else; or it comes
 * again after a recovery, and changes nothing. What comes again is never refused: of the acts that
 * two officers signed the one with the highest serial comes to be in force, in whatever order they
 * come. */
MUST_USE enum err own_hear(struct core *c, struct txn *t, const struct verdict *v,
	struct slice envelope, int64_t now, struct heard *ret);
/* It was appended at that place of the broker's mailbox. */
MUST_USE enum err own_do(struct core *c, struct txn *t, const struct heard *h,
	const struct log_row *row, int64_t now);
void heard_free(struct heard *h);

/* The next place in the log, in its epoch: a recovered log has the same places again, and what is
 * drawn from them must not be the same. */
#define OWN_PLACE_LEN (EPOCH_LEN + 8)
void own_place(const struct core *c, uint8_t ret[OWN_PLACE_LEN]);
/* Seals it to one principal and appends it. ERR_UNKNOWN_RECIPIENT: it has no key to seal it to, and
 * nothing was done. */
MUST_USE enum err own_send(struct core *c, struct txn *t, enum kind kind, const char *to,
	const ProtobufCMessage *body, int64_t now);
/* To everybody of these roles who is not suspended and has a key, but `except` (may be NULL).
 * ERR_UNKNOWN_RECIPIENT: there is nobody. */
MUST_USE enum err own_send_all(struct core *c, struct txn *t, enum kind kind, role_set roles,
	const char *except, const ProtobufCMessage *body, int64_t now);

/* Everybody who runs a program. */
role_set own_everyone(void);
/* An act, or a proposal; OK also when nobody has a key to seal it to. */
MUST_USE enum err own_tell_act(
	struct core *c, struct txn *t, role_set roles, const SignedAct *act, int64_t now);
/* The registry and the acts in force, to one who was not told them or could not open them. */
MUST_USE enum err own_tell_all_to(struct core *c, struct txn *t, const char *name, int64_t now);
/* The same to everybody, once for each version of the registry and each epoch of the log. */
MUST_USE enum err own_spread(struct core *c, struct txn *t, int64_t now);

/* Alarms that are due, or over. */
MUST_USE enum err own_watch(struct core *c, struct txn *t, int64_t now);
/* A sender's id came with other bytes: told at most every 15 minutes for each sender. */
MUST_USE enum err own_id_reused(
	struct core *c, struct txn *t, const struct verdict *v, int64_t now);

#endif
