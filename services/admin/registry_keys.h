/*
 * registry_keys.h - keys of a draft: their epochs and dates; how a draft is edited.
 */
#ifndef HAVRE_ADMIN_REGISTRY_KEYS_H
#define HAVRE_ADMIN_REGISTRY_KEYS_H

#include "services/admin/draft.h"

/* Load, change, check, save: nothing unsound is ever written. The error is told. (registry.c) */
MUST_USE enum err draft_edit(struct cli *c, enum err (*change)(struct cli *c, Registry *r));

/*
 * A key of the registry takes the box epochs of a new request of its own: those that are known keep
 * their dates, and those that the request has no more go. ERR_EXISTS: nothing would change.
 * ERR_INVALID: it is another principal's or another key, or an epoch would change its key.
 * ERR_NO_COMMON_EPOCH. `asked` stays its owner's, without what was taken.
 */
MUST_USE enum err key_renew(const Principal *p, Key *known, Key *asked);
/* Has every key in use of the principal one epoch that all have? Then it can be written to. */
bool key_common_epoch(const Principal *p);
/* --key-from and --key-until. */
MUST_USE enum err key_dates(struct cli *c, Key *k);
/* What has no date yet is announced from this time on. */
void keys_announced(Registry *r, int64_t at);

#endif
