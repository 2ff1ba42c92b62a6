/*
 * pack.h - a file of envelopes that were made beforehand, so that every carrier gets the same
 * bytes. Message m is of partner number m modulo the number of partners.
 */
#ifndef HAVRE_BENCH_PACK_H
#define HAVRE_BENCH_PACK_H

#include <stdio.h>

#include "proto/bytes.h"

struct pack {
	struct buf bytes;
	struct slice *list; /* into bytes */
	size_t n;
};

MUST_USE enum err pack_add(FILE *out, struct slice envelope);
/* ERR_CORRUPT: not such a file, or an empty one. */
MUST_USE enum err pack_read(const char *path, struct pack *ret);
void pack_free(struct pack *p);

#endif
