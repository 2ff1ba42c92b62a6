/*
 * bucket_file.h - the bytes of a bucket's file: its key under the store key, and, once a case of it
 * was erased, the case keys that stayed then. Pure; plain keys are on the caller's stack, who wipes
 * them. For buckets.c and for what recovers one.
 */
#ifndef HAVRE_BUCKET_FILE_H
#define HAVRE_BUCKET_FILE_H

#include "proto/bytes.h"
#include "proto/keyfile.pb-c.h"

#define BUCKET_KEY_LEN    32
#define BUCKET_CASES_MOST 1024

/* rest may be NULL. */
MUST_USE enum err bucket_file_make(const uint8_t store_key[32], uint64_t number,
	uint64_t generation, const uint8_t key[BUCKET_KEY_LEN], const BucketRest *rest,
	struct buf *ret);
/* ERR_CORRUPT: damaged, of another number, or of another store. */
MUST_USE enum err bucket_file_open(struct slice file, const uint8_t store_key[32], uint64_t number,
	uint64_t *ret_generation, uint8_t ret[BUCKET_KEY_LEN]);
/* bucket_rest_free */
MUST_USE enum err bucket_file_rest(
	struct slice file, const uint8_t store_key[32], uint64_t number, BucketRest **ret);
/* Wipes the keys. Takes NULL content. */
void bucket_rest_free(BucketRest **rp);

#endif
