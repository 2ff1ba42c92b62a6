/* What verify says of case keys: it opens each, and looks for the erased ones in every bucket. */
#include <sodium.h>
#include <stdlib.h>

#include "services/common/keys/case_keys.h"

#define NAME_MOST 511

struct counting {
	struct engine *e;
	struct txn *t;
	struct case_key_counts *n;
};

static void name_of(struct slice key, char ret[NAME_MOST + 1])
{
	size_t len = key.len < NAME_MOST ? key.len : NAME_MOST;

	memcpy(ret, key.data, len);
	ret[len] = '\0';
}

static bool rest_names(const BucketRest *rest, const char *name)
{
	for (size_t i = 0; i < rest->n_cases; i++)
		if (strcmp(rest->cases[i]->case_number, name) == 0)
			return true;
	return false;
}

/* Is the key of this erased case in the file of any bucket? */
static enum err look_for(struct counting *c, const char *name, bool *ret)
{
	struct slice key = {0}, value;
	struct key at = {0};
	enum err e;

	*ret = false;
	while (!*ret && (e = txn_next(c->t, T_BUCKETS, key, true, &key, &value)) == OK) {
		BucketRest *rest = NULL;

		if (key.len != 8)
			return ERR_CORRUPT;
		at = (struct key){0};
		key_bytes(&at, key.data, key.len);
		e = bucket_rest(c->e->buckets, be64_get(key.data), &rest);
		if (e == OK)
			*ret = rest_names(rest, name);
		bucket_rest_free(&rest);
		if (e == ERR_NOMEM)
			return e; /* a file that does not open is counted with its cases */
		key = key_slice(&at);
	}
	return *ret || e == ERR_NOT_FOUND ? OK : e;
}

static enum err count_row(void *arg, struct slice key, struct slice value)
{
	uint8_t case_key[CASE_KEY_LEN];
	struct counting *c = arg;
	char name[NAME_MOST + 1];
	bool kept = false;
	enum err e;

	name_of(key, name);
	if (!value.len) {
		c->n->erased++;
		TRY(look_for(c, name, &kept));
		c->n->kept += kept;
		return OK;
	}
	c->n->keys++;
	e = case_key_get(c->e, c->t, name, case_key);
	sodium_memzero(case_key, sizeof(case_key));
	c->n->lost += e != OK && e != ERR_NOMEM;
	return e == ERR_NOMEM ? e : OK;
}

enum err case_keys_count(struct engine *e, struct txn *t, struct case_key_counts *ret)
{
	struct counting c = {e, t, ret};

	return txn_each(t, T_CASE_KEYS, (struct slice){0}, count_row, &c);
}
