/* Case keys: each wrapped under the key of its bucket. */
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>

#include "services/common/keys/case_rows.h"
#include "services/common/base/log.h"

static enum err get_from_rest(
	struct buckets *b, uint64_t number, const char *case_number, uint8_t ret[CASE_KEY_LEN])
{
	BucketRest *rest = NULL;
	enum err e;

	TRY(bucket_rest(b, number, &rest));
	e = bucket_rest_find(rest, case_number, ret);
	bucket_rest_free(&rest);
	return e;
}

enum err case_key_get(
	struct engine *e, struct txn *t, const char *case_number, uint8_t ret[CASE_KEY_LEN])
{
	uint8_t key[BUCKET_KEY_LEN];
	struct bucket_row bucket;
	struct slice row;
	enum err err;

	TRY(txn_get(t, T_CASE_KEYS, slice_str(case_number), &row));
	if (!row.len)
		return ERR_NOT_FOUND;
	if (row.len != CASE_ROW_LEN || bucket_row_get(t, be64_get(row.data), &bucket) != OK)
		return ERR_CORRUPT;
	err = bucket_key(e->buckets, bucket.number, bucket.generation, key);
	if (err == ERR_ROLLED_BACK) /* looked at from outside, while a case is erased */
		return get_from_rest(e->buckets, bucket.number, case_number, ret);
	if (err == OK)
		err = case_row_open(case_number, row, key, ret);
	sodium_memzero(key, sizeof(key));
	return err;
}

/* --- a new case --- */

/* A store that was put back may meet a bucket that it knew later: its file stays in use. */
static enum err open_bucket(
	struct engine *e, struct txn *t, uint64_t number, struct bucket_row *ret, uint8_t key[])
{
	struct bucket_row new = {.number = number, .generation = 1};
	enum err err = bucket_present(e->buckets, number, &new.generation);

	if (err == OK)
		err = bucket_key(e->buckets, number, new.generation, key);
	else if (err == ERR_NOT_FOUND)
		err = bucket_make(e->buckets, number, 1, NULL, key);
	else
		log_error("BUCKET-MISSING", "number=%" PRIu64 " generation=0 why=%s", number,
			err_name(err));
	if (err == OK)
		err = bucket_row_put(t, &new);
	if (err == OK)
		*ret = new;
	return err;
}

static enum err bucket_with_room(
	struct engine *e, struct txn *t, struct bucket_row *ret, uint8_t key[BUCKET_KEY_LEN])
{
	struct bucket_row newest = {0};
	enum err err = bucket_row_newest(t, &newest);

	if (err == OK && newest.cases < BUCKET_CASES_MOST) {
		*ret = newest;
		return bucket_key(e->buckets, newest.number, newest.generation, key);
	}
	return err == OK || err == ERR_NOT_FOUND ? open_bucket(e, t, newest.number + 1, ret, key)
						 : err;
}

/*
 * From the step's random bytes, so that the step gives the same when it is done again, and from the
 * bucket key: the step's bytes can be made again for ever, the bucket key ends with an erasure.
 */
enum err case_key_make(struct step *s, const char *case_number, uint8_t ret[CASE_KEY_LEN])
{
	uint8_t key[BUCKET_KEY_LEN], drawn[CASE_KEY_LEN];
	struct bucket_row bucket;
	enum err err;

	TRY(bucket_with_room(s->engine, s->txn, &bucket, key));
	step_random(s, drawn, sizeof(drawn));
	case_hash(key, "case key", case_number, drawn, ret, CASE_KEY_LEN);
	err = case_row_put(s->txn, case_number, bucket.number, key, ret);
	sodium_memzero(key, sizeof(key));
	sodium_memzero(drawn, sizeof(drawn));
	if (err != OK)
		return err;
	bucket.cases++;
	return bucket_row_put(s->txn, &bucket);
}

/* --- a bucket's next generation --- */

/* The cases of a bucket that stay, with their keys. */
struct staying {
	uint64_t bucket;
	const char *erased; /* NULL: none */
	uint8_t key[BUCKET_KEY_LEN];
	BucketRest rest;
};

static enum err add_staying(BucketRest *rest, struct slice name, const uint8_t key[CASE_KEY_LEN])
{
	void *grown = realloc(rest->cases, (rest->n_cases + 1) * sizeof(void *));
	CaseKey **longer = grown, *new;

	if (!longer)
		return ERR_NOMEM;
	rest->cases = longer;
	new = malloc(sizeof(*new));
	if (!new)
		return ERR_NOMEM;
	case_key__init(new);
	rest->cases[rest->n_cases++] = new;
	new->case_number = strndup((const char *)name.data, name.len);
	new->key = (ProtobufCBinaryData){CASE_KEY_LEN, malloc(CASE_KEY_LEN)};
	if (!new->case_number || !new->key.data)
		return ERR_NOMEM;
	memcpy(new->key.data, key, CASE_KEY_LEN);
	return OK;
}

static enum err collect(void *arg, struct slice name, struct slice row)
{
	uint8_t case_key[CASE_KEY_LEN];
	struct staying *s = arg;
	char case_number[512];
	enum err e;

	if (!row.len)
		return OK;
	if (row.len != CASE_ROW_LEN || name.len >= sizeof(case_number))
		return ERR_CORRUPT;
	memcpy(case_number, name.data, name.len);
	case_number[name.len] = '\0';
	if (be64_get(row.data) != s->bucket || (s->erased && !strcmp(case_number, s->erased)))
		return OK;
	e = case_row_open(case_number, row, s->key, case_key);
	if (e == OK)
		e = add_staying(&s->rest, name, case_key);
	sodium_memzero(case_key, sizeof(case_key));
	return e;
}

static void staying_free(struct staying *s)
{
	for (size_t i = 0; i < s->rest.n_cases; i++) {
		CaseKey *c = s->rest.cases[i];

		if (c->key.data)
			sodium_memzero(c->key.data, c->key.len);
		free(c->key.data);
		free(c->case_number);
		free(c);
	}
	free(s->rest.cases);
	sodium_memzero(s, sizeof(*s));
}

static enum err wrap_again(
	struct txn *t, const struct staying *s, const uint8_t key[BUCKET_KEY_LEN])
{
	for (size_t i = 0; i < s->rest.n_cases; i++) {
		const CaseKey *c = s->rest.cases[i];

		TRY(case_row_put(t, c->case_number, s->bucket, key, c->key.data));
	}
	return OK;
}

static enum err next_generation(
	struct step *s, struct bucket_row *bucket, const struct staying *staying)
{
	uint8_t key[BUCKET_KEY_LEN];
	enum err e;

	bucket->generation++;
	TRY(bucket_make(
		s->engine->buckets, bucket->number, bucket->generation, &staying->rest, key));
	e = wrap_again(s->txn, staying, key);
	sodium_memzero(key, sizeof(key));
	return e == OK ? bucket_row_put(s->txn, bucket) : e;
}

enum err case_erase(struct step *s, const char *case_number)
{
	struct staying staying = {.erased = case_number, .rest = BUCKET_REST__INIT};
	struct bucket_row bucket;
	struct slice row;
	enum err e;

	step_must_write(s);
	e = txn_get(s->txn, T_CASE_KEYS, slice_str(case_number), &row);
	if (e == ERR_NOT_FOUND || (e == OK && !row.len))
		return OK; /* erased before */
	TRY(e);
	if (row.len != CASE_ROW_LEN)
		return ERR_CORRUPT;
	staying.bucket = be64_get(row.data);
	e = bucket_row_get(s->txn, staying.bucket, &bucket);
	if (e == OK)
		e = bucket_key(s->engine->buckets, bucket.number, bucket.generation, staying.key);
	if (e == OK)
		e = txn_each(s->txn, T_CASE_KEYS, (struct slice){0}, collect, &staying);
	if (e == OK)
		e = next_generation(s, &bucket, &staying);
	staying_free(&staying);
	return e == OK ? txn_put(s->txn, T_CASE_KEYS, slice_str(case_number), (struct slice){0})
		       : e;
}
