/*
 * recover.h - the signed word that a store was put back and begins its next epoch, and the two
 * small files of a home folder that go with backups:
 *
 *   HOME/recover   a SignedRecover, made by `havre-admin recover`; used once, then it is
 *                  HOME/recover.used: it would begin the same epoch again on a second copy
 *   HOME/safe      what the last verified backup holds, made by `havre-admin backup`
 */
#ifndef HAVRE_RECOVER_H
#define HAVRE_RECOVER_H

#include "proto/frame.pb-c.h"
#include "services/common/store/epoch.h"
#include "services/common/keys/keyring.h"
#include "services/common/trust/registry.h"

#define RECOVER_FILE "recover"
#define RECOVER_USED "recover.used"
#define SAFE_FILE    "safe"

/* Appends a SignedRecover by the admin's key. */
MUST_USE enum err recover_sign(const Recover *r, const struct keyring *admin, struct buf *ret);
/* Is it one, signed by a key that belonged to an ADMIN at the time that it names? A refusal when
 * not. recover__free_unpacked(*ret, NULL). */
MUST_USE enum err recover_open(struct slice bytes, const struct registry *registry, Recover **ret);
/* The same of a SignedRecover in the own store: nothing is checked but its form. */
MUST_USE enum err recover_read(struct slice bytes, Recover **ret);
/* The epochs that it names. */
void recover_epochs(const Recover *r, struct epoch *ret_was, struct epoch *ret_next);

/* At every start, before the store is used. */
struct recovery {
	const char *home;
	struct store *store;
	int table; /* of the epoch */
	const struct registry *registry;
	const char *principal;
	/* What else the next epoch means, in the same commit. */
	enum err (*also)(struct txn *t, const Recover *r, void *arg);
	void *arg;
};
/*
 * Begins the next epoch when HOME/recover is about the present one of this store, and puts the file
 * away; one that is not is left alone, and logged. ERR_RESTORED, ERR_ROLLED_BACK: the store is
 * stopped, and there is no Recover for it. ERR_PERMISSIONS, ERR_IO: the file cannot be put away.
 */
MUST_USE enum err recovery_run(const struct recovery *r);

/* What HOME/safe says. */
struct safe {
	struct epoch epoch; /* of the store that was copied */
	uint64_t done;      /* a log's size; 0 for others */
	int64_t at;         /* when the copy was verified */
};
/* ERR_NOT_FOUND: no backup yet. ERR_CORRUPT. */
MUST_USE enum err safe_read(const char *home, struct safe *ret);
MUST_USE enum err safe_write(const char *home, const struct safe *s);

#endif
