/*
 * store.h - the one seam to durable storage: tables of ordered byte keys, one writing
 * transaction at a time, snapshots for readers.
 *
 * Backends (all pass tests/unit/test_store.c):
 *   LMDB     the embedded default: a commit is on disk when it returns OK
 *   memory   for tests and simulation, with faults that can be injected
 *   overlay  a transaction's pending writes over another transaction: how a step is undone
 *
 * Keys: 1 to 511 bytes, ordered bytewise. Values: 0 bytes to 16 MiB.
 * Slices handed out by get and scan are valid until the next write in the same transaction, and
 * never after it ended.
 * A writing transaction stays on its thread. A memory store stays on one thread altogether.
 */
#ifndef HAVRE_STORE_H
#define HAVRE_STORE_H

#include "proto/bytes.h"

struct store;
struct txn;

/* The names of the tables, NULL-terminated; a table is called by its index in this list. */
struct store_layout {
	const char *const *tables;
};

/*
 * Open or create the store in the folder `path`. Creation is atomic: a crash leaves a whole new
 * store or none. Takes a lock on the folder: a second process gets ERR_LOCKED.
 * map_bytes: upper limit of the store's size (an LMDB map; sparse).
 * ERR_CORRUPT: damaged or foreign file, or one that lost its end. ERR_IO, ERR_FULL, ERR_NOMEM.
 */
MUST_USE enum err store_open_lmdb(
	const char *path, const struct store_layout *layout, size_t map_bytes, struct store **ret);
/* The same, for reading only, beside a process that has it open: for verify and backups. */
MUST_USE enum err store_open_lmdb_readonly(
	const char *path, const struct store_layout *layout, struct store **ret);
MUST_USE enum err store_open_memory(const struct store_layout *layout, struct store **ret);
void store_free(struct store **sp);

enum txn_mode { TXN_READ, TXN_WRITE };

/*
 * ERR_BUSY: another writing transaction is open. ERR_INVALID: writing, opened for reading only.
 * LMDB refuses to write (ERR_IO) after a commit failed.
 */
MUST_USE enum err store_begin(struct store *s, enum txn_mode mode, struct txn **ret);
/* An overlay: commit merges its writes into `parent`, abort forgets them. The parent must not be
 * used while the overlay lives. */
MUST_USE enum err txn_begin_overlay(struct txn *parent, struct txn **ret);
/*
 * Ends the transaction and clears *tp, whatever it returns. For a writing transaction of a store,
 * OK means that it is on disk. Any error: nothing is known to be on disk, and the process must
 * end without acknowledging anything (a later commit may succeed over lost pages).
 */
MUST_USE enum err txn_commit(struct txn **tp);
/* Forgets every write. Accepts NULL. */
void txn_abort(struct txn **tp);

/*
 * ERR_INVALID: a key or value of a wrong size, no such table, or writing in a TXN_READ. A write
 * that fails for lack of room or memory, or in the file, spoils its transaction: all later calls,
 * commit too, give the same error.
 */

/* ERR_NOT_FOUND when there is no such key. */
MUST_USE enum err txn_get(struct txn *t, int table, struct slice key, struct slice *ret);
/* Insert or replace. */
MUST_USE enum err txn_put(struct txn *t, int table, struct slice key, struct slice value);
/* Insert at the end: the key must be greater than every key of the table, else ERR_EXISTS. */
MUST_USE enum err txn_append(struct txn *t, int table, struct slice key, struct slice value);
/* ERR_NOT_FOUND when there is no such key. */
MUST_USE enum err txn_delete(struct txn *t, int table, struct slice key);

/*
 * Find the first key >= `from` (after == false) or > `from` (after == true). An empty `from` is
 * before every key. ERR_NOT_FOUND at the end of the table. Writing between two calls is allowed,
 * since each call names where it goes on from:
 *
 *   struct slice k = {0}, v;
 *   struct key at = {0};
 *   while ((e = txn_next(t, T, key_slice(&at), true, &k, &v)) == OK) {
 *           at = (struct key){0}; key_bytes(&at, k.data, k.len); ...
 *   }
 */
MUST_USE enum err txn_next(struct txn *t, int table, struct slice from, bool after,
	struct slice *ret_key, struct slice *ret_value);
/* The last key < `before`; an empty `before` is after every key, so that it finds the last. */
MUST_USE enum err txn_prev(struct txn *t, int table, struct slice before, struct slice *ret_key,
	struct slice *ret_value);
/*
 * Walk all keys that start with `prefix`, in order. `each` returns OK to go on, anything else to
 * stop with that result; it may read, and may write only keys that were already visited.
 */
typedef enum err txn_each_fn(void *arg, struct slice key, struct slice value);
MUST_USE enum err txn_each(
	struct txn *t, int table, struct slice prefix, txn_each_fn *each, void *arg);
/* Number of entries in the table. */
MUST_USE enum err txn_count(struct txn *t, int table, uint64_t *ret);

/* The files of secrets beside the store (bucket_files.h): given to it once, freed with it. A memory
 * store has some from the start. NULL: none were given, and nothing about a case can be kept. */
struct bucket_files;
void store_use_buckets(struct store *s, struct bucket_files **files);
struct bucket_files *store_buckets(const struct store *s);

/*
 * A compacted copy of what is committed now, in the folder `to`, which is made for it and synced;
 * whoever writes goes on meanwhile. ERR_EXISTS: there is a folder. ERR_INVALID: a memory store.
 */
MUST_USE enum err store_copy(struct store *s, const char *to);

/* Bytes in use as a share of the store's limit, 0..100, for BUSY before full. */
int store_fill_percent(struct store *s);
/* Frees pages pinned by readers that died. Called at open and from a timer. */
MUST_USE enum err store_reap_readers(struct store *s);

/* Memory backend only: the next commit fails with `e`; the state stays the last committed one. */
void store_memory_fail_next_commit(struct store *s, enum err e);
/* Memory backend only: forget what is not committed, as a crash would. Ends all transactions:
 * their pointers must not be used again. */
void store_memory_crash(struct store *s);

#endif
