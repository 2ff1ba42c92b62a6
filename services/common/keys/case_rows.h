/*
 * case_rows.h - the rows of T_CASE_KEYS and T_BUCKETS. For case_bucket.c and case_settle.c only.
 */
#ifndef HAVRE_CASE_ROWS_H
#define HAVRE_CASE_ROWS_H

#include "services/common/keys/case_keys.h"

/* A row of T_CASE_KEYS: the bucket's number, nonce, wrapped key; empty when it was erased. */
#define CASE_ROW_LEN (8 + 24 + CASE_KEY_LEN + 16)

/* A row of T_BUCKETS. */
struct bucket_row {
	uint64_t number, generation;
	uint64_t cases; /* that were ever put into it */
};

MUST_USE enum err bucket_row_unpack(struct slice key, struct slice value, struct bucket_row *ret);
/* ERR_NOT_FOUND */
MUST_USE enum err bucket_row_get(struct txn *t, uint64_t number, struct bucket_row *ret);
MUST_USE enum err bucket_row_newest(struct txn *t, struct bucket_row *ret);
MUST_USE enum err bucket_row_put(struct txn *t, const struct bucket_row *row);

/* Keyed, of one use. */
void case_hash(const uint8_t key[BUCKET_KEY_LEN], const char *use, const char *case_number,
	const uint8_t input[CASE_KEY_LEN], uint8_t *ret, size_t len);
MUST_USE enum err case_row_put(struct txn *t, const char *case_number, uint64_t bucket,
	const uint8_t bucket_key[BUCKET_KEY_LEN], const uint8_t case_key[CASE_KEY_LEN]);
/* The row has CASE_ROW_LEN bytes. */
MUST_USE enum err case_row_open(const char *case_number, struct slice row,
	const uint8_t bucket_key[BUCKET_KEY_LEN], uint8_t ret[CASE_KEY_LEN]);
/* The key of this case among those that stayed. ERR_NOT_FOUND: it was erased. */
MUST_USE enum err bucket_rest_find(
	const BucketRest *rest, const char *case_number, uint8_t ret[CASE_KEY_LEN]);

#endif
