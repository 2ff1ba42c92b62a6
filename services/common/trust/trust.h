/*
 * trust.h - the suspension list. An act suspends a principal, or one of its keys, or lifts that;
 * two different officers sign the same bytes. The newest act of each target holds: serials rise, so
 * an old act changes nothing, in whatever order they come. The list only subtracts from the
 * registry.
 *
 * A table of the broker's store and one of each program's hold it:
 *
 *   'a', principal, key id                    StoredAct: the newest act in force, lifts too
 *   'p', principal, key id, serial, officer   StoredAct: the newest proposal of each officer for
 *                                             each number: nobody's takes the place of another's
 */
#ifndef HAVRE_TRUST_H
#define HAVRE_TRUST_H

#include "services/common/records.pb-c.h"
#include "services/common/trust/registry.h"
#include "services/common/store/store.h"

/* A proposal can be confirmed for so long; what is made so far ahead is refused. */
#define ACT_LIVES_MS INT64_C(86400000)
#define ACT_AHEAD_MS INT64_C(3600000)
/* The next act may leave numbers out, since officers may know of acts that the broker's store has
 * lost; not so many that two of them could use the numbers up. */
#define ACT_SERIALS_AHEAD 64
#define ACT_ID_LEN        16 /* nobody finds two acts with the same */
#define STAFF_ROLES                                                                                \
	(ROLE_BIT(ROLE__OFFICER) | ROLE_BIT(ROLE__SUPERVISOR) | ROLE_BIT(ROLE__DIRECTOR))

enum act_list { ACTS_IN_FORCE = 'a', ACTS_PROPOSED = 'p' };

/* What officers name a proposal by. */
void act_id(struct slice act, uint8_t ret[ACT_ID_LEN]);
MUST_USE enum err act_sign(
	struct slice act, const uint8_t seed[SIGN_SEED_LEN], uint8_t ret_sig[SIG_LEN]);
/* Decodes and checks the form: a name, a whole key id or none, a serial, a reason. ERR_MALFORMED,
 * ERR_NOT_CANONICAL. suspension_act__free_unpacked(*ret). */
MUST_USE enum err act_open(const SignedAct *s, SuspensionAct **ret);
/* How many different officers signed it, all rightly, with keys that were good at `at`: for the
 * broker, at the time of its commit. ERR_BAD_SIGNATURE; ERR_MALFORMED: nobody did;
 * ERR_NOT_PERMITTED: one is not staff; ERR_OTHER_OFFICER: one signed twice; what registry_key says.
 */
MUST_USE enum err act_signers(
	const SignedAct *s, const struct registry *r, int64_t at, unsigned *ret);
/* The same for everybody else: whether the keys were good then, the broker has judged. Here they
 * may be retired or suspended since, or newer than what this program knew. ERR_UNKNOWN_KEY. */
MUST_USE enum err act_signers_ever(const SignedAct *s, const struct registry *r, unsigned *ret);

/* How a target stands: what was never suspended has serial 0. */
struct act_standing {
	uint64_t serial;
	bool suspended;
};
MUST_USE enum err act_standing(
	struct txn *t, int table, const SuspensionAct *target, struct act_standing *ret);
/* Does this act take the place of the one in force? The one with the higher serial does. Two with
 * the same serial can both be in force somewhere when the broker's store has lost one: of those a
 * suspension stands above a lift, so that everybody comes to the same. */
bool act_is_news(const SuspensionAct *a, const struct act_standing *now);
/* Each proposal of the target: *at is {0} for the first. ERR_NOT_FOUND: no more.
 * stored_act__free_unpacked(*ret). */
MUST_USE enum err act_next_proposal(
	struct txn *t, int table, const SuspensionAct *target, struct key *at, StoredAct **ret);
/* A proposal is the one of its first signer. `at` is the place of the act's message in the log: the
 * order in which acts took effect. */
MUST_USE enum err act_put(struct txn *t, int table, enum act_list list, const SuspensionAct *target,
	const SignedAct *s, uint64_t at);
/* All proposals of the target up to the serial of this act; OK also when there is none. */
MUST_USE enum err act_forget_proposals(struct txn *t, int table, const SuspensionAct *act);
/* Each act of a list. */
typedef enum err act_each_fn(void *arg, const StoredAct *stored, const SuspensionAct *act);
MUST_USE enum err act_each(
	struct txn *t, int table, enum act_list list, act_each_fn *each, void *arg);
/* The base without whom the acts in force suspend. */
MUST_USE enum err act_apply(
	struct txn *t, int table, const struct registry *base, struct registry **ret);

#endif
