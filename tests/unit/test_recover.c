/* Goal: a store that was put back is used only after a Recover that an ADMIN signed for this very
 * store and epoch; the word of anybody else, for anybody else or from before, changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <unistd.h>

#include "services/common/base/file.h"
#include "services/common/store/recover.h"
#include "tests/unit/fixture.h"

#define assert_ok(call) assert_int_equal(call, OK)

static const char *const tables[] = {EPOCH_TABLE, NULL};
static const struct store_layout layout = {tables};

struct env {
	struct fixture *f;
	struct store *store;
	char home[32];
	unsigned also; /* how often the next epoch was told of */
};

static enum err note(struct txn *t, const Recover *r, void *arg)
{
	(void)t, (void)r;
	++*(unsigned *)arg;
	return OK;
}

static enum err start(struct env *e)
{
	const struct recovery r = {
		e->home, e->store, 0, fixture_registry(e->f), "intake", note, &e->also};

	return recovery_run(&r);
}

static struct epoch now(struct env *e)
{
	struct epoch epoch = {.number = 0};
	struct txn *t;

	assert_ok(store_begin(e->store, TXN_READ, &t));
	assert_ok(epoch_load(t, 0, &epoch));
	txn_abort(&t);
	return epoch;
}

/* The store is a copy that was put back. */
static void put_back(struct env *e)
{
	struct txn *t;

	assert_ok(store_begin(e->store, TXN_WRITE, &t));
	assert_ok(epoch_stop(t, 0, ERR_RESTORED));
	assert_ok(txn_commit(&t));
	assert_int_equal(start(e), ERR_RESTORED);
}

static int open_env(void **state)
{
	struct env *e = calloc(1, sizeof(*e));
	Principal *admin;

	assert_non_null(e);
	e->f = fixture_make();
	admin = fixture_principal(e->f, "director-1");
	admin->roles[0] = ROLE__ADMIN;
	fixture_rebuild(e->f);
	snprintf(e->home, sizeof(e->home), "/tmp/havre-recover-XXXXXX");
	assert_non_null(mkdtemp(e->home));
	assert_ok(store_open_memory(&layout, &e->store));
	assert_ok(start(e));
	*state = e;
	return 0;
}

static bool remove_word(const struct env *e, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", e->home, name);
	return unlink(path) == 0;
}

static int close_env(void **state)
{
	struct env *e = *state;

	(void)remove_word(e, RECOVER_FILE);
	(void)remove_word(e, RECOVER_USED);
	rmdir(e->home);
	store_free(&e->store);
	fixture_free(&e->f);
	free(e);
	return 0;
}

/* Of `was` to the epoch after it, which is all of `fill`. */
static struct buf word(
	const struct env *e, const char *signer, const char *principal, struct epoch was, int fill)
{
	static uint8_t next[EPOCH_LEN];
	Recover r = RECOVER__INIT;
	struct buf out = {0};

	memset(next, fill, sizeof(next));
	r.principal = (char *)principal;
	r.was = (ProtobufCBinaryData){EPOCH_LEN, was.store};
	r.was_epoch = was.number;
	r.store = (ProtobufCBinaryData){EPOCH_LEN, next};
	r.epoch = was.number + 1;
	r.at = FIXTURE_NOW;
	assert_ok(recover_sign(&r, fixture_keys(e->f, signer), &out));
	return out;
}

static void put_word(const struct env *e, struct buf *bytes)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/" RECOVER_FILE, e->home);
	assert_ok(file_replace(path, slice_buf(bytes), 0600));
	buf_free(bytes);
}

static void an_administrator_begins_the_next_epoch(void **state)
{
	struct env *e = *state;
	struct buf b = word(e, "director-1", "intake", now(e), 7);

	assert_int_equal(now(e).number, 1);
	put_back(e);
	put_word(e, &b);
	assert_ok(start(e));
	assert_int_equal(now(e).number, 2);
	assert_int_equal(now(e).store[0], 7);
	assert_int_equal(e->also, 1);
	/* it did its work, and is put away */
	assert_false(remove_word(e, RECOVER_FILE));
	assert_true(remove_word(e, RECOVER_USED));
	assert_ok(start(e));
	assert_int_equal(now(e).number, 2);
	assert_int_equal(e->also, 1);
}

static void nobody_else_does(void **state)
{
	struct env *e = *state;
	struct epoch other = now(e), later = now(e);
	struct buf b;

	other.store[0] ^= 1;
	later.number++;
	put_back(e);
	const struct {
		const char *signer, *principal;
		struct epoch was;
	} words[] = {
		{"officer-1", "intake", now(e)},     /* not an ADMIN */
		{"intake", "intake", now(e)},        /* of itself */
		{"director-1", "screening", now(e)}, /* another principal's store */
		{"director-1", "intake", other},     /* another store of it */
		{"director-1", "intake", later},     /* another epoch */
	};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		b = word(e, words[i].signer, words[i].principal, words[i].was, 7);
		put_word(e, &b);
		assert_int_equal(start(e), ERR_RESTORED);
		assert_int_equal(now(e).number, 1);
	}
	assert_int_equal(e->also, 0);
}

static void every_byte_counts(void **state)
{
	struct env *e = *state;
	struct buf good = word(e, "director-1", "intake", now(e), 7);
	Recover *r;

	for (size_t i = 0; i < good.len; i++) {
		good.data[i] ^= 0x20;
		assert_int_not_equal(
			recover_open(slice_buf(&good), fixture_registry(e->f), &r), OK);
		good.data[i] ^= 0x20;
	}
	assert_ok(recover_open(slice_buf(&good), fixture_registry(e->f), &r));
	recover__free_unpacked(r, NULL);
	buf_free(&good);
}

/* The process died between its commit and putting the word away. */
static void a_word_that_was_used_is_put_away_at_the_next_start(void **state)
{
	struct env *e = *state;
	struct epoch was = now(e);
	struct buf first = word(e, "director-1", "intake", was, 7),
		   again = word(e, "director-1", "intake", was, 7);

	put_word(e, &first);
	assert_ok(start(e));
	put_word(e, &again);
	assert_ok(start(e));
	assert_int_equal(e->also, 1);
	assert_false(remove_word(e, RECOVER_FILE));
}

/* The same copy is put back a second time: the word for the first one does not let it in again,
 * into an epoch that others have seen more of. */
static void a_second_copy_needs_a_word_of_its_own(void **state)
{
	struct env *e = *state;
	struct epoch was = now(e);
	struct buf first = word(e, "director-1", "intake", was, 7), second;
	struct store *copy = NULL;
	struct txn *t;

	put_word(e, &first);
	assert_ok(start(e));
	assert_ok(store_open_memory(&layout, &copy));
	assert_ok(store_begin(copy, TXN_WRITE, &t));
	assert_ok(txn_put(t, 0, slice_str("owner"), slice_str("intake")));
	assert_ok(epoch_enter(t, 0, &was, slice_str("-")));
	assert_ok(txn_commit(&t));
	store_free(&e->store);
	e->store = copy;
	put_back(e);
	second = word(e, "director-1", "intake", was, 8);
	put_word(e, &second);
	assert_ok(start(e));
	assert_int_equal(now(e).store[0], 8);
}

/* Numbers rise, with gaps: the clock makes them, when the home knows of none. */
static void a_later_number_is_taken_and_an_earlier_one_is_not(void **state)
{
	struct env *e = *state;
	struct epoch was = now(e);
	uint8_t next[EPOCH_LEN] = {7};
	Recover r = RECOVER__INIT, *opened;
	const struct {
		uint64_t number;
		enum err err;
	} rows[] = {{0, ERR_MALFORMED}, {1, ERR_MALFORMED}, {2, OK}, {1795000000, OK}};

	r.principal = "intake";
	r.was = (ProtobufCBinaryData){EPOCH_LEN, was.store};
	r.was_epoch = was.number;
	r.store = (ProtobufCBinaryData){EPOCH_LEN, next};
	r.at = FIXTURE_NOW;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf b = {0};
		enum err got;

		r.epoch = rows[i].number;
		assert_ok(recover_sign(&r, fixture_keys(e->f, "director-1"), &b));
		got = recover_open(slice_buf(&b), fixture_registry(e->f), &opened);
		assert_int_equal(got, rows[i].err);
		if (got == OK)
			recover__free_unpacked(opened, NULL);
		buf_free(&b);
	}
}

/* A copy of a later epoch is not let in by the word for an earlier one. */
static void an_old_word_is_of_no_use_in_a_later_epoch(void **state)
{
	struct env *e = *state;
	struct buf first = word(e, "director-1", "intake", now(e), 7);

	put_word(e, &first);
	assert_ok(start(e));
	put_back(e); /* a copy of epoch 2 */
	assert_int_equal(start(e), ERR_RESTORED);
	assert_int_equal(now(e).number, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			an_administrator_begins_the_next_epoch, open_env, close_env),
		cmocka_unit_test_setup_teardown(nobody_else_does, open_env, close_env),
		cmocka_unit_test_setup_teardown(every_byte_counts, open_env, close_env),
		cmocka_unit_test_setup_teardown(
			a_word_that_was_used_is_put_away_at_the_next_start, open_env, close_env),
		cmocka_unit_test_setup_teardown(
			a_second_copy_needs_a_word_of_its_own, open_env, close_env),
		cmocka_unit_test_setup_teardown(
			a_later_number_is_taken_and_an_earlier_one_is_not, open_env, close_env),
		cmocka_unit_test_setup_teardown(
			an_old_word_is_of_no_use_in_a_later_epoch, open_env, close_env),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
