/*
 * bucket_files.h - the seam to the small files of secrets that stand beside a store and are never
 * part of it or of its backups: HOME/buckets/NNNNNN, and HOME/escrow for what leaves the machine.
 * For buckets.c and escrow.c; everybody else only opens one and gives it to store_use_buckets.
 *
 * A name is "buckets/000001" or "escrow/keys". A write is whole and on disk when it returns OK.
 */
#ifndef HAVRE_BUCKET_FILES_H
#define HAVRE_BUCKET_FILES_H

#include "proto/bytes.h"

/* More than 1,024 case keys. */
#define BUCKET_FILE_MOST (256u * 1024)

struct bucket_files {
	const struct bucket_files_ops *ops;
};

struct bucket_files_ops {
	/* ERR_NOT_FOUND, ERR_PERMISSIONS (others can read it), ERR_CORRUPT (too large). */
	enum err (*read)(struct bucket_files *f, const char *name, struct buf *ret);
	/* Takes the place of what is there, whose bytes are overwritten. */
	enum err (*write)(struct bucket_files *f, const char *name, struct slice bytes);
	enum err (*move)(struct bucket_files *f, const char *from, const char *to);
	/* A new secret of 32 bytes. In a simulation it is the same in every run. */
	void (*fresh)(
		struct bucket_files *f, const char *name, uint64_t generation, uint8_t ret[32]);
	void (*free)(struct bucket_files *f);
};

/* Folders in `home`, which are made when they are not there, unless only to be read. */
MUST_USE enum err bucket_files_open(const char *home, bool readonly, struct bucket_files **ret);
/* In memory, for tests and the simulation: its secrets are none. It outlives a crash. */
MUST_USE enum err bucket_files_memory(struct bucket_files **ret);
void bucket_files_free(struct bucket_files **fp);

#endif
