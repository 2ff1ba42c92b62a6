/*
 * I12 as far as the homes show it: an erased case has no key left in any bucket's file, and every
 * other case's key opens. Backups, copies of the escrow elsewhere, and blocks that a disk has moved
 * away are not looked at: who has the bucket's old key in one of these opens them.
 */
#include <inttypes.h>

#include "services/admin/verify.h"
#include "services/common/keys/case_keys.h"

enum err check_erased(struct verify *v)
{
	struct case_key_counts sum = {0};

	for (size_t i = 0; i < v->n_homes; i++) {
		struct case_key_counts n = {0};
		struct home *h = &v->homes[i];

		if (!h->engine)
			continue;
		TRY(case_keys_count(h->engine, h->txn, &n));
		if (n.kept)
			found(v, FOUND_ERASED_KEPT, "%s: %" PRIu64, h->name, n.kept);
		if (n.lost)
			found(v, FOUND_KEY_LOST, "%s: %" PRIu64, h->name, n.lost);
		sum.keys += n.keys;
		sum.erased += n.erased;
	}
	checked(v, CHECK_12, "%" PRIu64 " case keys, %" PRIu64 " erased; not the backups",
		"%" PRIu64 " clés de dossier, %" PRIu64 " effacées; pas les sauvegardes", sum.keys,
		sum.erased);
	return OK;
}
