#include "services/common/store/epoch.h"

#include <sodium.h>

bool epoch_same(const struct epoch *a, const struct epoch *b)
{
	return a->number == b->number && memcmp(a->store, b->store, EPOCH_LEN) == 0;
}

static enum err number_row(struct txn *t, int table, const char *name, uint64_t *ret)
{
	struct slice v;

	TRY(txn_get(t, table, slice_str(name), &v));
	if (v.len != 8)
		return ERR_CORRUPT;
	*ret = be64_get(v.data);
	return OK;
}

static enum err put_number(struct txn *t, int table, const char *name, uint64_t value)
{
	uint8_t v[8];

	be64_put(v, value);
	return txn_put(t, table, slice_str(name), slice_of(v, sizeof(v)));
}

static enum err put_epoch(struct txn *t, int table, const struct epoch *e)
{
	uint8_t v[EPOCH_LEN + 8];

	memcpy(v, e->store, EPOCH_LEN);
	be64_put(v + EPOCH_LEN, e->number);
	return txn_put(t, table, slice_str("epoch"), slice_of(v, sizeof(v)));
}

enum err epoch_load(struct txn *t, int table, struct epoch *ret)
{
	struct slice v;

	TRY(txn_get(t, table, slice_str("epoch"), &v));
	if (v.len != EPOCH_LEN + 8)
		return ERR_CORRUPT;
	memcpy(ret->store, v.data, EPOCH_LEN);
	ret->number = be64_get(v.data + EPOCH_LEN);
	return ret->number ? OK : ERR_CORRUPT;
}

/* A file of another program, put here by mistake, has a table of this name too. */
static enum err check_owner(struct txn *t, int table, const char *owner)
{
	struct slice v;
	enum err err = txn_get(t, table, slice_str("owner"), &v);

	if (err != OK)
		return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
	return slice_eq(v, slice_str(owner)) ? OK : ERR_CORRUPT;
}

enum err epoch_begin(struct txn *t, int table, const char *owner, struct epoch *ret)
{
	struct epoch e;
	enum err err;

	TRY(epoch_check(t, table));
	err = epoch_load(t, table, &e);
	if (err == ERR_NOT_FOUND) {
		e.number = 1;
		randombytes_buf(e.store, EPOCH_LEN);
		err = txn_put(t, table, slice_str("owner"), slice_str(owner));
		if (err == OK)
			err = put_epoch(t, table, &e);
	} else if (err == OK) {
		err = check_owner(t, table, owner);
	}
	if (err == OK)
		*ret = e;
	return err;
}

static struct key recover_key(uint64_t number)
{
	struct key k = {0};

	key_str(&k, "recover");
	key_u64(&k, number);
	return k;
}

enum err epoch_enter(
	struct txn *t, int table, const struct epoch *next, struct slice signed_recover)
{
	struct key k = recover_key(next->number);
	enum err err;

	TRY(put_epoch(t, table, next));
	TRY(txn_put(t, table, key_slice(&k), signed_recover));
	err = txn_delete(t, table, slice_str("stopped"));
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err epoch_recover(struct txn *t, int table, uint64_t number, struct slice *ret)
{
	struct key k = recover_key(number);

	return txn_get(t, table, key_slice(&k), ret);
}

enum err epoch_recover_after(
	struct txn *t, int table, uint64_t after, uint64_t *ret_number, struct slice *ret)
{
	struct key from = recover_key(after);
	size_t head = from.len - 8;
	struct slice k, v;

	TRY(txn_next(t, table, key_slice(&from), true, &k, &v));
	if (k.len != from.len || memcmp(k.data, from.data, head) != 0)
		return ERR_NOT_FOUND;
	*ret_number = be64_get(k.data + head);
	*ret = v;
	return OK;
}

enum err epoch_stop(struct txn *t, int table, enum err why)
{
	return put_number(t, table, "stopped", why);
}

enum err epoch_check(struct txn *t, int table)
{
	uint64_t why;
	enum err err = number_row(t, table, "stopped", &why);

	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	return why == ERR_RESTORED || why == ERR_ROLLED_BACK ? (enum err)why : ERR_CORRUPT;
}

enum err epoch_safe(struct txn *t, int table, uint64_t *ret)
{
	enum err err = number_row(t, table, "safe", ret);

	if (err == ERR_NOT_FOUND)
		*ret = 0;
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err epoch_set_safe(struct txn *t, int table, uint64_t safe)
{
	return put_number(t, table, "safe", safe);
}
