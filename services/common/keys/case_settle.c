/* Bucket keys and commits: what is on disk before one, what follows it, and what a start finishes.
 */
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>

#include "services/common/keys/case_rows.h"
#include "services/common/base/log.h"

/* --- the commit --- */

static enum err generation_of(void *txn, uint64_t number, uint64_t *ret)
{
	struct bucket_row row = {0};
	enum err e = bucket_row_get(txn, number, &row);

	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	*ret = row.generation;
	return OK;
}

enum err case_keys_prepare(struct engine *e)
{
	return buckets_prepare(e->buckets, generation_of, e->batch);
}

enum err case_keys_committed(struct engine *e)
{
	struct slice file;
	uint64_t number;
	enum err err;

	while ((err = bucket_place(e->buckets, &number, &file)) == OK)
		TRY(escrow_bucket(e, number, file));
	return err == ERR_NOT_FOUND ? OK : err;
}

/* --- after a start --- */

struct names {
	struct key *list;
	size_t n;
	uint64_t bucket;
};

static enum err add_name(void *arg, struct slice name, struct slice row)
{
	struct names *names = arg;
	struct key *longer;

	if (row.len != CASE_ROW_LEN || be64_get(row.data) != names->bucket)
		return OK;
	longer = realloc(names->list, (names->n + 1) * sizeof(*longer));
	if (!longer)
		return ERR_NOMEM;
	names->list = longer;
	longer[names->n] = (struct key){0};
	key_bytes(&longer[names->n++], name.data, name.len);
	return OK;
}

/* Each case key of an older store is wrapped anew, or is gone with what was erased since. */
static enum err adopt(struct engine *e, const struct names *names, const BucketRest *rest,
	const uint8_t bucket_key[BUCKET_KEY_LEN], unsigned *ret_erased)
{
	uint8_t case_key[CASE_KEY_LEN];
	char name[sizeof(names->list->data) + 1];
	enum err err = OK;

	for (size_t i = 0; err == OK && i < names->n; i++) {
		memcpy(name, names->list[i].data, names->list[i].len);
		name[names->list[i].len] = '\0';
		err = bucket_rest_find(rest, name, case_key);
		if (err == OK) {
			err = case_row_put(e->batch, name, names->bucket, bucket_key, case_key);
		} else {
			++*ret_erased;
			err = txn_put(e->batch, T_CASE_KEYS, slice_str(name), (struct slice){0});
		}
	}
	sodium_memzero(case_key, sizeof(case_key));
	return err;
}

/* The store was put back from before an erasure: it stays erased. */
static enum err catch_up(struct engine *e, struct bucket_row *bucket)
{
	struct names names = {.bucket = bucket->number};
	uint8_t key[BUCKET_KEY_LEN];
	BucketRest *rest = NULL;
	unsigned erased = 0;
	enum err err;

	TRY(bucket_present(e->buckets, bucket->number, &bucket->generation));
	TRY(bucket_key(e->buckets, bucket->number, bucket->generation, key));
	err = bucket_rest(e->buckets, bucket->number, &rest);
	if (err == OK)
		err = txn_each(e->batch, T_CASE_KEYS, (struct slice){0}, add_name, &names);
	if (err == OK)
		err = adopt(e, &names, rest, key, &erased);
	if (err == OK)
		err = bucket_row_put(e->batch, bucket);
	if (err == OK)
		log_warn("BUCKET-AHEAD", "number=%" PRIu64 " kept=%zu erased=%u", bucket->number,
			names.n - erased, erased);
	sodium_memzero(key, sizeof(key));
	bucket_rest_free(&rest);
	free(names.list);
	return err;
}

static enum err settle_one(struct engine *e, struct bucket_row *row)
{
	struct slice file;
	enum err err = bucket_settle(e->buckets, row->number, row->generation, &file);

	if (err == ERR_ROLLED_BACK) {
		TRY(catch_up(e, row));
		err = bucket_settle(e->buckets, row->number, row->generation, &file);
	}
	return err == OK ? escrow_bucket(e, row->number, file) : err;
}

enum err case_keys_settle(struct engine *e)
{
	struct slice key = {0}, value;
	struct bucket_row row = {0};
	uint8_t at[8];
	enum err err;

	while ((err = txn_next(e->batch, T_BUCKETS, key, true, &key, &value)) == OK) {
		TRY(bucket_row_unpack(key, value, &row));
		TRY(settle_one(e, &row));
		be64_put(at, row.number);
		key = slice_of(at, sizeof(at));
	}
	return err == ERR_NOT_FOUND ? escrow_keys(e) : err;
}
