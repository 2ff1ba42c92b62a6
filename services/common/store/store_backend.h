/*
 * store_backend.h - what a backend of the store implements. Not for the store's users.
 *
 * store.c checks all arguments, the state of the transaction and the order of appended keys
 * before it calls a backend. Each backend's own structs begin with these.
 */
#ifndef HAVRE_STORE_BACKEND_H
#define HAVRE_STORE_BACKEND_H

#include <stdatomic.h>

#include "services/common/store/store.h"

#define STORE_MAX_KEY   511
#define STORE_MAX_VALUE ((size_t)16 << 20)

struct txn_ops {
	/* Both end the transaction and free it. commit is only called for one that writes. */
	enum err (*commit)(struct txn *t);
	void (*abort)(struct txn *t);
	enum err (*get)(struct txn *t, int table, struct slice key, struct slice *ret);
	/* at_end: every key of the table is smaller. */
	enum err (*put)(
		struct txn *t, int table, struct slice key, struct slice value, bool at_end);
	enum err (*del)(struct txn *t, int table, struct slice key);
	enum err (*next)(struct txn *t, int table, struct slice from, bool after,
		struct slice *ret_key, struct slice *ret_value);
	enum err (*prev)(struct txn *t, int table, struct slice before, struct slice *ret_key,
		struct slice *ret_value);
	enum err (*count)(struct txn *t, int table, uint64_t *ret);
};

struct store_ops {
	void (*free)(struct store *s);
	/* *ret with its ops set; store.c fills in the rest. */
	enum err (*begin)(struct store *s, enum txn_mode mode, struct txn **ret);
	int (*fill_percent)(struct store *s);
	enum err (*reap_readers)(struct store *s);
	enum err (*copy)(struct store *s, const char *to); /* NULL: cannot be copied */
};

struct store {
	const struct store_ops *ops;
	int tables;
	bool readonly;
	atomic_bool writing; /* one transaction at a time */
	atomic_int open;     /* transactions */
	struct bucket_files *buckets;
};

struct txn {
	const struct txn_ops *ops;
	int tables;
	enum txn_mode mode;
	enum err failed;     /* of the first write that failed: all later calls give it again */
	struct store *store; /* NULL for an overlay */
	struct txn *parent;  /* of an overlay */
	struct txn *overlay; /* that lives on this one, or NULL */
};

int store_layout_count(const struct store_layout *layout);
/* Aborts `t` and the overlays on it. */
void txn_drop(struct txn *t);

#endif
