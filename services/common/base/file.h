/*
 * file.h - small files, read whole and written whole: keys, the registry, requests.
 */
#ifndef HAVRE_FILE_H
#define HAVRE_FILE_H

#include <sys/types.h>

#include "proto/bytes.h"

/* The whole file. ERR_NOT_FOUND; ERR_IO; ERR_CORRUPT: larger than `most` bytes. *ret: buf_free. */
MUST_USE enum err file_read(const char *path, size_t most, struct buf *ret);
/* The same; ERR_PERMISSIONS when somebody else than its owner may read or write it, or when its
 * owner is somebody else and we are not root. */
MUST_USE enum err file_read_secret(const char *path, size_t most, struct buf *ret);

/* The file is there whole or not at all: written beside its place, synced, then given its name.
 * file_create: ERR_EXISTS when there is one. file_replace: takes the place of the old one. */
MUST_USE enum err file_create(const char *path, struct slice bytes, mode_t mode);
MUST_USE enum err file_replace(const char *path, struct slice bytes, mode_t mode);
/* The same, for secrets: what the old file held is then overwritten on the disk, as far as the file
 * system and the device write in place. file_take_place: the file at `from` takes the place. */
MUST_USE enum err file_replace_wiping(const char *path, struct slice bytes, mode_t mode);
MUST_USE enum err file_take_place(const char *from, const char *path);
/* The home of a program that runs: for as long as the descriptor is open. ERR_LOCKED: one runs. */
MUST_USE enum err file_lock_folder(const char *path, int *ret_fd);
/* Within a folder; on disk when it returns OK. */
MUST_USE enum err file_rename(const char *from, const char *path);

#endif
