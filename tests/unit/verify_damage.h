/*
 * verify_damage.h - for the tests of `havre-admin verify`: damage that goes straight into a store,
 * past the service or the broker that it belongs to.
 */
#ifndef HAVRE_TESTS_VERIFY_DAMAGE_H
#define HAVRE_TESTS_VERIFY_DAMAGE_H

#include "services/common/engine/engine_internal.h"
#include "tests/unit/verify_story.h"

static inline struct txn *open_store(struct story *s, enum member m)
{
	struct txn *t = NULL;

	assert_ok(store_begin(s->r->of[m].store, TXN_WRITE, &t));
	return t;
}

/* The value of that key with the bits of one byte changed. at < 0: from the end. */
static inline void flip(struct story *s, enum member m, int table, struct slice key, int at)
{
	struct txn *t = open_store(s, m);
	struct buf copy = {0};
	struct slice v;

	assert_ok(txn_get(t, table, key, &v));
	assert_ok(buf_append(&copy, v.data, v.len));
	copy.data[at < 0 ? copy.len - (size_t)-at : (size_t)at] ^= 1;
	assert_ok(txn_put(t, table, key, slice_buf(&copy)));
	assert_ok(txn_commit(&t));
	buf_free(&copy);
}

static inline void drop(struct story *s, enum member m, int table, struct slice key)
{
	struct txn *t = open_store(s, m);

	assert_ok(txn_delete(t, table, key));
	assert_ok(txn_commit(&t));
}

static inline struct key last_key(struct story *s, enum member m, int table)
{
	struct txn *t = open_store(s, m);
	struct key k = {0};
	struct slice key, v;

	assert_ok(txn_prev(t, table, (struct slice){0}, &key, &v));
	key_bytes(&k, key.data, key.len);
	txn_abort(&t);
	return k;
}

static inline struct key index_of(uint64_t index)
{
	struct key k;

	index_key(&k, index);
	return k;
}

/* The index of the newest message of this kind. */
static inline uint64_t newest_of(struct story *s, enum kind kind)
{
	struct txn *t = open_store(s, BROKER);
	uint64_t index, found = UINT64_MAX;
	struct log_row row;

	for (index = 0; log_row_get(t, index, &row) == OK; index++)
		if (row.kind == (uint32_t)kind)
			found = index;
	txn_abort(&t);
	assert_true(found != UINT64_MAX);
	return found;
}

/* The reader takes one more message for processed than it has handled. */
static inline void skip_one(struct story *s, enum member m, enum lane lane)
{
	struct txn *t = open_store(s, m);
	uint64_t seq;

	assert_ok(state_get(t, "cursor", lane, &seq));
	assert_ok(state_put(t, "cursor", lane, seq + 1));
	assert_ok(txn_commit(&t));
}

/* The broker refuses for good what a service has in its outbox. */
static inline void refuse_next(struct story *s, enum member m, enum lane lane)
{
	struct engine *e = s->r->of[m].engine;
	uint8_t id[MSG_ID_LEN];
	struct buf b = {0};
	uint64_t place;
	Refusal *r;

	assert_ok(engine_outbox_next(e, lane, 0, &place, id, &b));
	r = fixture_refusal(s->r->f, slice_buf(&b), ERR_UNKNOWN_RECIPIENT, s->r->now);
	assert_ok(engine_begin(e));
	assert_ok(engine_refusal(e, r, s->r->now));
	assert_ok(engine_commit(e));
	refusal__free_unpacked(r, NULL);
	buf_free(&b);
}

/* A service's own table. */
#define OWN(table) (T_COUNT + (table))

#define DAMAGES_MOST 32

struct damage {
	const char *name;
	void (*damage)(struct story *s);
	enum check check;
	const char *words;
};

static inline void damage_is_found(void **state)
{
	const struct damage *d = *state;
	void *story;

	assert_int_equal(story_setup(&story), 0);
	rig_must_be_sound(((struct story *)story)->r);
	d->damage(story);
	rig_must_find(((struct story *)story)->r, d->check, d->words);
	assert_int_equal(story_teardown(&story), 0);
}

/* A test of each row. */
static inline int run_damages(const struct damage *list, size_t n)
{
	struct CMUnitTest tests[DAMAGES_MOST];

	assert_true(n <= DAMAGES_MOST);
	for (size_t i = 0; i < n; i++)
		tests[i] = (struct CMUnitTest){
			list[i].name, damage_is_found, NULL, NULL, (void *)&list[i]};
	return _cmocka_run_group_tests("damage", tests, n, NULL, NULL);
}

#endif
