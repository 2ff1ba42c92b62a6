/*
 * store_lmdb_file.h - what LMDB does not look after in its file: its length, and copies. Not for
 * the store's users.
 */
#ifndef HAVRE_STORE_LMDB_FILE_H
#define HAVRE_STORE_LMDB_FILE_H

#include <lmdb.h>
#include <stdbool.h>

#include "proto/err.h"

/* The error for what an LMDB call returned. */
enum err store_lmdb_err(int rc);

/*
 * Does the file have every page that the last commit knows? Else reading one would be SIGBUS.
 * LMDB does not write free pages at the end: `writes` (nobody else does) looks whether the missing
 * ones are free, and then makes the file as long as it should be. ERR_CORRUPT.
 */
MUST_USE enum err store_lmdb_check(MDB_env *env, bool writes);
/* After a commit: keeps the file so long, so that readers need not look. *last_page is the
 * caller's, 0 at first. */
void store_lmdb_extend(MDB_env *env, size_t *last_page);

MUST_USE enum err store_lmdb_copy(MDB_env *env, const char *to);

#endif
