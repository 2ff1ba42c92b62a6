/*
 * store_folder.h - the folder of an LMDB store: its lock, and its creation as a whole or not at
 * all. In it: data.mdb, LMDB's lock.mdb, and `lock`, on which the process that writes holds a
 * flock for as long as it keeps the descriptor.
 */
#ifndef HAVRE_STORE_FOLDER_H
#define HAVRE_STORE_FOLDER_H

#include "proto/err.h"

/* Makes data.mdb, synced, in `folder`. */
typedef enum err store_folder_fill(const char *folder, void *arg);

/*
 * Lock the folder `path`, or make and lock it when it is missing or empty: `fill` works in the
 * folder `path`.new, which is then renamed; what an earlier, interrupted creation left there is
 * removed. ERR_LOCKED: another process has it. ERR_CORRUPT: other things are in the folder.
 */
MUST_USE enum err store_folder_open(
	const char *path, store_folder_fill *fill, void *arg, int *ret_lock);

/* The error for an errno. */
enum err store_errno(int number);

#endif
