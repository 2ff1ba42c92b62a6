/*
 * registry.h - who is who: the signed registry, loaded and checked against the root keys.
 * An object of this type never changes: a newer version, or one with another suspension list, is
 * a new object.
 */
#ifndef HAVRE_REGISTRY_H
#define HAVRE_REGISTRY_H

#include "proto/catalogue.h"
#include "proto/crypto.h"
#include "proto/registry.pb-c.h"
#include "proto/trust.pb-c.h"

struct registry;

/* After expiry existing principals go on for this long, under an alarm; nothing is added. */
#define REGISTRY_GRACE_MS (14LL * 24 * 3600 * 1000)

/* Most bytes of a packed SignedRegistry: what the message that spreads it holds. */
size_t registry_most(void);

/*
 * registry_file: a packed SignedRegistry. root_file: {"threshold": k, "keys": ["hex", ...]}.
 * ERR_BAD_SIGNATURE: fewer than k root keys signed. ERR_ROLLED_BACK: version below seen_version.
 * ERR_REGISTRY_EXPIRED: past the grace period. ERR_CORRUPT: not a registry, or not a sound one
 * (a name or a key twice, bad lengths, a key id that is not key_id_of its key). Its own root keys
 * must have signed it, too: root keys are changed by a registry that both sets signed.
 */
MUST_USE enum err registry_load(const char *registry_file, const char *root_file,
	uint64_t seen_version, int64_t now, struct registry **ret);
/* The same from bytes in memory, root keys given: for tests and for the load above. */
MUST_USE enum err registry_from_bytes(struct slice signed_registry, const uint8_t (*roots)[32],
	size_t n_roots, unsigned threshold, uint64_t seen_version, int64_t now,
	struct registry **ret);
/* The one that follows: signed by the roots that `before` names, as well as by its own.
 * ERR_ROLLED_BACK: not newer than `before`. */
MUST_USE enum err registry_next(const struct registry *before, struct slice signed_registry,
	int64_t now, struct registry **ret);
/* The same from a file, which may also be `before` itself. Who knows a registry goes by the roots
 * that it names, not by root.json: roots that were replaced do not count any more. */
MUST_USE enum err registry_load_next(const char *registry_file, const struct registry *before,
	int64_t now, struct registry **ret);
/* One that this program has checked and kept itself: its own roots must have signed it. */
MUST_USE enum err registry_kept(struct slice signed_registry, int64_t now, struct registry **ret);
/* An unsigned registry, for tests of what uses one. Takes a copy. */
MUST_USE enum err registry_from_message(const Registry *r, struct registry **ret);
/* The same with the suspension list: whom the newest act of each target suspends is suspended. A
 * list only subtracts: who is suspended in `base` stays so. */
MUST_USE enum err registry_with_acts(const struct registry *base, const SuspensionAct *const *acts,
	size_t n, struct registry **ret);
/* A further owner of the same object. Threads may share one; each frees its own. */
struct registry *registry_ref(const struct registry *r);
void registry_free(struct registry **rp);

/* The SignedRegistry that it came from; empty: it is not signed. */
struct slice registry_bytes(const struct registry *r);
/* Changes whenever what it says does: with the version, and with each act. */
uint64_t registry_generation(const struct registry *r);

const Registry *registry_message(const struct registry *r);
bool registry_expired(const struct registry *r, int64_t now);

/* NULL when unknown. Valid as long as the registry. */
const Principal *registry_find(const struct registry *r, const char *name);
/*
 * The key, if principal and key are valid at that time. ERR_UNKNOWN_SENDER, ERR_SUSPENDED,
 * ERR_UNKNOWN_KEY. A key that was retired on a date (retired, not_after) is still good for a time
 * before it: what it signed waits in mailboxes. It opens no connection and nothing is sealed to it.
 */
MUST_USE enum err registry_key(const struct registry *r, const char *name,
	const uint8_t key_id[KEY_ID_LEN], int64_t at, const Key **ret);
/* Whose connection is this? The errors of registry_key. */
MUST_USE enum err registry_by_transport(const struct registry *r, const uint8_t transport_pk[32],
	int64_t at, const Principal **ret_principal, const Key **ret_key);
/* The keys that a message to `name` is sealed to: every key valid at `at`, newest epoch that all
 * of them have. ERR_UNKNOWN_RECIPIENT. */
MUST_USE enum err registry_readers(const struct registry *r, const char *name, int64_t at,
	struct reader ret_readers[READERS_MOST], size_t *ret_n, uint32_t *ret_epoch);
/* Is one of its keys suspended alone? Then it may have no reader until the lift. */
bool registry_key_stopped(const struct registry *r, const char *name);
/* The i-th principal (from 0, by name) that has one of these roles, is valid at `at` and is not
 * suspended; NULL: no more. A service that is suspended is among them: what it is owed waits in its
 * mailbox for the lift, and nobody else could do with it. */
const Principal *registry_with_roles(
	const struct registry *r, role_set roles, int64_t at, unsigned i);
/* The whole permission of a row: ERR_UNKNOWN_SENDER, ERR_UNKNOWN_RECIPIENT, ERR_SUSPENDED (sender),
 * ERR_NOT_PERMITTED. */
MUST_USE enum err registry_permits(const struct registry *r, const struct kind_row *row,
	const char *sender, const char *recipient, int64_t at);
bool registry_allows_suite(const struct registry *r, uint32_t suite);

#endif
