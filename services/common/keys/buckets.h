/*
 * buckets.h - the keys that case keys are wrapped under, each in a small file of its own that can
 * be destroyed: a bucket has a number, from 1, and generations, from 1. Erasing a case makes the
 * next generation. For the engine only (case_bucket.c, case_settle.c, case_escrow.c).
 *
 *   in the batch    bucket_make: a new key, in memory
 *   1 before        buckets_prepare: buckets/NNNNNN.next is written, for what the batch kept
 *   2 the commit    from here on the store needs the new generation
 *   3 after it      bucket_place: .next takes the place of the old file, whose bytes are wiped
 *
 * A crash before 2 leaves a .next that nobody needs, one after 2 a .next that bucket_settle puts in
 * its place: so both are there, or the old one is gone. All here is sealed under the store key;
 * plain keys are on the caller's stack only, who wipes them.
 */
#ifndef HAVRE_BUCKETS_H
#define HAVRE_BUCKETS_H

#include "services/common/keys/bucket_file.h"
#include "services/common/keys/bucket_files.h"
#include "services/common/keys/keyring.h"

#define BUCKET_NAME_MOST 32

struct buckets;

/* Borrowed. files may be NULL: then every call that needs one is ERR_CORRUPT. */
MUST_USE enum err buckets_open(
	struct bucket_files *files, const struct keyring *keys, struct buckets **ret);
void buckets_free(struct buckets **bp);
struct bucket_files *buckets_files(const struct buckets *b);

/* ERR_ROLLED_BACK: the file is of a later generation: the store is older (bucket_rest has the keys
 * that stayed). ERR_CORRUPT: missing, damaged, foreign or older, which is logged. */
MUST_USE enum err bucket_key(
	struct buckets *b, uint64_t number, uint64_t generation, uint8_t ret[BUCKET_KEY_LEN]);
/* The generation that lies there. ERR_NOT_FOUND; ERR_CORRUPT, ERR_PERMISSIONS. */
MUST_USE enum err bucket_present(struct buckets *b, uint64_t number, uint64_t *ret_generation);
/* The case keys that stayed when the generation that lies there was made. bucket_rest_free. */
MUST_USE enum err bucket_rest(struct buckets *b, uint64_t number, BucketRest **ret);

/* A new key, instead of one made earlier under this number and generation. */
MUST_USE enum err bucket_make(struct buckets *b, uint64_t number, uint64_t generation,
	const BucketRest *rest, uint8_t ret[BUCKET_KEY_LEN]);
/* Which generation the batch to be committed has; 0: none. */
typedef enum err bucket_generation(void *arg, uint64_t number, uint64_t *ret);
MUST_USE enum err buckets_prepare(struct buckets *b, bucket_generation *of, void *arg);
/* One of those that were prepared, and its bytes (until the next call); then ERR_NOT_FOUND, and
 * all that was made and not prepared is forgotten. */
MUST_USE enum err bucket_place(struct buckets *b, uint64_t *ret_number, struct slice *ret_file);
/* After a start, for each bucket of the store: finishes what a crash cut short. ERR_ROLLED_BACK,
 * ERR_CORRUPT: as bucket_key. *ret_file: the bytes, until the next call. */
MUST_USE enum err bucket_settle(
	struct buckets *b, uint64_t number, uint64_t generation, struct slice *ret_file);

/* "000001" */
void bucket_name(uint64_t number, char ret[BUCKET_NAME_MOST]);

#endif
