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

static void remove_word(const struct env *e)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/" RECOVER_FILE, e->home);
	(void)unlink(path);
}

static int close_env(void **state)
{
	struct env *e = *state;

	remove_word(e);
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
	/* the file stays there, and does nothing more */
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

/* A second copy of the same backup is not let in by the word for the first one's next epoch. */
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
			an_old_word_is_of_no_use_in_a_later_epoch, open_env, close_env),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
