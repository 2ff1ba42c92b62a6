#include "services/common/keys/buckets.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/common/base/log.h"

/* "buckets/000001.next" */
#define PATH_LEN (BUCKET_NAME_MOST + 16)

enum where { ON_DISK, MADE, PREPARED };

/* A file's bytes. */
struct bucket {
	uint64_t number, generation;
	enum where where;
	struct buf file;
};

struct buckets {
	struct bucket_files *files;
	const struct keyring *keys;
	struct bucket *list;
	size_t n;
};

enum err buckets_open(struct bucket_files *files, const struct keyring *keys, struct buckets **ret)
{
	struct buckets *b = calloc(1, sizeof(*b));

	if (!b)
		return ERR_NOMEM;
	b->files = files;
	b->keys = keys;
	*ret = b;
	return OK;
}

void buckets_free(struct buckets **bp)
{
	struct buckets *b = *bp;

	for (size_t i = 0; b && i < b->n; i++)
		buf_free(&b->list[i].file);
	if (b)
		free(b->list);
	free(b);
	*bp = NULL;
}

struct bucket_files *buckets_files(const struct buckets *b)
{
	return b->files;
}

void bucket_name(uint64_t number, char ret[BUCKET_NAME_MOST])
{
	snprintf(ret, BUCKET_NAME_MOST, "%06" PRIu64, number);
}

static void path_of(uint64_t number, const char *more, char ret[PATH_LEN])
{
	char name[BUCKET_NAME_MOST];

	bucket_name(number, name);
	snprintf(ret, PATH_LEN, "buckets/%s%s", name, more);
}

/* --- the list --- */

static struct bucket *listed(struct buckets *b, uint64_t number, uint64_t generation)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->list[i].number == number && b->list[i].generation == generation)
			return &b->list[i];
	return NULL;
}

/* Takes the bytes over, also when it fails. */
static enum err list_add(struct buckets *b, struct bucket *new, struct bucket **ret)
{
	struct bucket *at = listed(b, new->number, new->generation), *longer;

	if (!at) {
		longer = realloc(b->list, (b->n + 1) * sizeof(*longer));
		if (!longer) {
			buf_free(&new->file);
			return ERR_NOMEM;
		}
		b->list = longer;
		at = &longer[b->n++];
	} else {
		buf_free(&at->file);
	}
	*at = *new;
	*ret = at;
	return OK;
}

static void list_drop(struct buckets *b, size_t i)
{
	buf_free(&b->list[i].file);
	b->list[i] = b->list[--b->n];
}

/* Reads one file, checks that it is of this store, and lists it. */
static enum err read_one(struct buckets *b, uint64_t number, const char *more, struct bucket **ret)
{
	char path[PATH_LEN];
	struct bucket new = {.number = number};
	uint8_t key[BUCKET_KEY_LEN];
	enum err e;

	if (!b->files)
		return ERR_CORRUPT;
	path_of(number, more, path);
	TRY(b->files->ops->read(b->files, path, &new.file));
	e = bucket_file_open(
		slice_buf(&new.file), keyring_store_key(b->keys), number, &new.generation, key);
	sodium_memzero(key, sizeof(key));
	if (e == OK)
		return list_add(b, &new, ret);
	buf_free(&new.file);
	return e;
}

static enum err missing(uint64_t number, uint64_t generation, enum err why)
{
	log_error("BUCKET-MISSING", "number=%" PRIu64 " generation=%" PRIu64 " why=%s", number,
		generation, err_name(why));
	return why == ERR_NOMEM || why == ERR_IO || why == ERR_PERMISSIONS ? why : ERR_CORRUPT;
}

/* *ret_next: it lies beside its place. */
static enum err find(struct buckets *b, uint64_t number, uint64_t generation, struct bucket **ret,
	bool *ret_next)
{
	struct bucket *main = NULL, *next = NULL;
	enum err e;

	*ret_next = false;
	*ret = listed(b, number, generation);
	if (*ret)
		return OK;
	e = read_one(b, number, "", &main);
	if (e == OK && main->generation == generation) {
		*ret = main;
		return OK;
	}
	if (e == OK && main->generation > generation)
		return ERR_ROLLED_BACK;
	if (read_one(b, number, ".next", &next) == OK && next->generation == generation) {
		*ret = next;
		*ret_next = true;
		return OK;
	}
	return missing(number, generation, e == OK ? ERR_NOT_FOUND : e);
}

enum err bucket_key(
	struct buckets *b, uint64_t number, uint64_t generation, uint8_t ret[BUCKET_KEY_LEN])
{
	struct bucket *found = NULL;
	bool next;

	TRY(find(b, number, generation, &found, &next));
	return bucket_file_open(
		slice_buf(&found->file), keyring_store_key(b->keys), number, &generation, ret);
}

enum err bucket_present(struct buckets *b, uint64_t number, uint64_t *ret_generation)
{
	struct bucket *found = NULL;

	TRY(read_one(b, number, "", &found));
	*ret_generation = found->generation;
	return OK;
}

enum err bucket_rest(struct buckets *b, uint64_t number, BucketRest **ret)
{
	struct bucket *found = NULL;

	TRY(read_one(b, number, "", &found));
	return bucket_file_rest(slice_buf(&found->file), keyring_store_key(b->keys), number, ret);
}

/* --- making --- */

enum err bucket_make(struct buckets *b, uint64_t number, uint64_t generation,
	const BucketRest *rest, uint8_t ret[BUCKET_KEY_LEN])
{
	struct bucket new = {.number = number, .generation = generation, .where = MADE}, *at;
	char path[PATH_LEN];
	uint8_t key[BUCKET_KEY_LEN];
	enum err e;

	if (!b->files)
		return missing(number, generation, ERR_NOT_FOUND);
	path_of(number, "", path);
	b->files->ops->fresh(b->files, path, generation, key);
	e = bucket_file_make(keyring_store_key(b->keys), number, generation, key, rest, &new.file);
	if (e == OK)
		e = list_add(b, &new, &at);
	else
		buf_free(&new.file);
	if (e == OK)
		memcpy(ret, key, sizeof(key));
	sodium_memzero(key, sizeof(key));
	return e;
}

/* --- on disk --- */

enum err buckets_prepare(struct buckets *b, bucket_generation *of, void *arg)
{
	for (size_t i = 0; i < b->n; i++) {
		struct bucket *x = &b->list[i];
		char path[PATH_LEN];
		uint64_t kept = 0;

		if (x->where != MADE)
			continue;
		TRY(of(arg, x->number, &kept));
		if (kept != x->generation)
			continue;
		path_of(x->number, ".next", path);
		TRY(b->files->ops->write(b->files, path, slice_buf(&x->file)));
		x->where = PREPARED;
	}
	return OK;
}

static enum err place(struct buckets *b, uint64_t number)
{
	char from[PATH_LEN], to[PATH_LEN];

	path_of(number, ".next", from);
	path_of(number, "", to);
	return b->files->ops->move(b->files, from, to);
}

/* What is not needed any more of this bucket. */
static void drop_others(struct buckets *b, uint64_t number, uint64_t generation)
{
	for (size_t i = b->n; i-- > 0;)
		if (b->list[i].number == number && b->list[i].generation != generation)
			list_drop(b, i);
}

enum err bucket_place(struct buckets *b, uint64_t *ret_number, struct slice *ret_file)
{
	uint64_t number, generation;

	for (size_t i = 0; i < b->n; i++)
		if (b->list[i].where == PREPARED) {
			number = b->list[i].number;
			generation = b->list[i].generation;
			TRY(place(b, number));
			b->list[i].where = ON_DISK;
			drop_others(b, number, generation);
			*ret_number = number;
			*ret_file = slice_buf(&listed(b, number, generation)->file);
			return OK;
		}
	for (size_t i = b->n; i-- > 0;)
		if (b->list[i].where == MADE)
			list_drop(b, i);
	return ERR_NOT_FOUND;
}

enum err bucket_settle(
	struct buckets *b, uint64_t number, uint64_t generation, struct slice *ret_file)
{
	struct bucket *found = NULL;
	bool next = false;

	for (size_t i = b->n; i-- > 0;) /* the files count, not what is known of them */
		if (b->list[i].number == number && b->list[i].where == ON_DISK)
			list_drop(b, i);
	TRY(find(b, number, generation, &found, &next));
	if (next) {
		TRY(place(b, number));
		log_info("BUCKET-SETTLED", "number=%" PRIu64 " generation=%" PRIu64, number,
			generation);
	}
	*ret_file = slice_buf(&found->file);
	return OK;
}
