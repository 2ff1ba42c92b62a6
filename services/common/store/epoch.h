/*
 * epoch.h - which life of a store this is. A store is made with an epoch: 16 random bytes and the
 * number 1. One that was put back from a backup is of a time before what others have seen of it:
 * it must not be used until a signed Recover (recover.h) has begun its next epoch, under a number
 * that nobody has seen: two epochs of one principal never have the same one.
 *
 * Every store, the broker's too, has a table for it, named EPOCH_TABLE:
 *   "epoch"            the 16 bytes, the number (8)
 *   "owner"            the principal whose store it is
 *   "stopped"          why the store must not be used (8): the code of an error
 *   "safe"             of a log: what is below this index is in a verified backup (8)
 *   "recover", number  the SignedRecover that this epoch began with
 *
 * All works in the caller's transaction; `table` is the table's place in the store's layout.
 */
#ifndef HAVRE_EPOCH_H
#define HAVRE_EPOCH_H

#include "services/common/store/store.h"

#define EPOCH_TABLE "epoch"
#define EPOCH_LEN   16
/* Of one store, in its life: what is told of them has room for so many. */
#define RECOVERS_MOST 256

struct epoch {
	uint8_t store[EPOCH_LEN];
	uint64_t number; /* from 1; 0: none yet */
};

bool epoch_same(const struct epoch *a, const struct epoch *b);

/* ERR_NOT_FOUND: none yet, the store is new. ERR_CORRUPT. */
MUST_USE enum err epoch_load(struct txn *t, int table, struct epoch *ret);
/* The same; a new store gets its first epoch, and its owner: a principal. ERR_RESTORED,
 * ERR_ROLLED_BACK: it is stopped. ERR_CORRUPT: it is somebody else's. */
MUST_USE enum err epoch_begin(struct txn *t, int table, const char *owner, struct epoch *ret);
/* Enters the next epoch; what stopped the store is over. */
MUST_USE enum err epoch_enter(
	struct txn *t, int table, const struct epoch *next, struct slice signed_recover);
/* The SignedRecover that epoch `number` began with. ERR_NOT_FOUND: the first began with none. */
MUST_USE enum err epoch_recover(struct txn *t, int table, uint64_t number, struct slice *ret);
/* The same of the first epoch after this number: they rise, with gaps. ERR_NOT_FOUND. */
MUST_USE enum err epoch_recover_after(
	struct txn *t, int table, uint64_t after, uint64_t *ret_number, struct slice *ret);

/* ERR_RESTORED: it is a copy. ERR_ROLLED_BACK: others have seen more of it. */
MUST_USE enum err epoch_stop(struct txn *t, int table, enum err why);
/* OK, or why it is stopped. */
MUST_USE enum err epoch_check(struct txn *t, int table);

/* 0: there is no backup yet. */
MUST_USE enum err epoch_safe(struct txn *t, int table, uint64_t *ret);
MUST_USE enum err epoch_set_safe(struct txn *t, int table, uint64_t safe);

#endif
