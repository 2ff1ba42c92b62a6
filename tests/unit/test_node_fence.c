/* Goal: a process whose store was put back by hand does nothing in either lane, and fires no timer,
 * until an administrator's word comes; then it goes on by itself, and does again what was lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "broker/tables.h"
#include "services/common/node/node_inside.h"
#include "services/common/store/recover.h"
#include "tests/unit/node_env.h"

static uint64_t cursor(struct env *e)
{
	struct txn *t = NULL;
	uint64_t seq = 0;
	struct key k;
	enum err err;

	cursor_key(&k, "intake", LANE_ROUTINE, keyring_key_id(fixture_keys(e->fixture, "intake")));
	assert_int_equal(store_begin(e->broker.store, TXN_READ, &t), OK);
	err = number_get(t, TABLE_CURSOR, key_slice(&k), &seq);
	txn_abort(&t);
	assert_true(err == OK || err == ERR_NOT_FOUND);
	return seq;
}

/* The reader has taken so many, and the broker knows it. */
static void take(struct env *e, const char *what, uint64_t n)
{
	send_some(e->sender, 1, what);
	UNTIL(counted(e->reader, SEEN) == n && cursor(e) == n);
}

static struct buf store_bytes(const struct env *e)
{
	struct buf b = {0};
	char path[160];

	path_of(e, "intake", "store/data.mdb", path);
	assert_int_equal(file_read(path, 64u << 20, &b), OK);
	return b;
}

static struct epoch epoch_of(const struct env *e)
{
	static const char *const tables[] = {EPOCH_TABLE, NULL};
	const struct store_layout layout = {tables};
	struct store *s = NULL;
	struct txn *t = NULL;
	struct epoch found;
	char path[160];

	path_of(e, "intake", "store", path);
	assert_int_equal(store_open_lmdb_readonly(path, &layout, &s), OK);
	assert_int_equal(store_begin(s, TXN_READ, &t), OK);
	assert_int_equal(epoch_load(t, 0, &found), OK);
	txn_abort(&t);
	store_free(&s);
	return found;
}

static void give_word(const struct env *e, struct epoch was)
{
	uint8_t next[EPOCH_LEN] = {5};
	Recover word = RECOVER__INIT;
	struct buf bytes = {0};
	char path[160];

	word.principal = "intake";
	word.was = (ProtobufCBinaryData){EPOCH_LEN, was.store};
	word.was_epoch = was.number;
	word.store = (ProtobufCBinaryData){EPOCH_LEN, next};
	word.epoch = was.number + 1;
	word.at = broker_now();
	assert_int_equal(recover_sign(&word, fixture_keys(e->fixture, "director-1"), &bytes), OK);
	path_of(e, "intake", RECOVER_FILE, path);
	assert_int_equal(file_replace(path, slice_buf(&bytes), 0600), OK);
	buf_free(&bytes);
}

static void make_admin(struct env *e)
{
	fixture_principal(e->fixture, "director-1")->roles[0] = ROLE__ADMIN;
	fixture_rebuild(e->fixture);
	write_registry(e, "intake");
	assert_int_equal(
		core_use_registry(e->broker.core, fixture_registry(e->fixture), broker_now()), OK);
}

static void a_store_that_was_put_back_goes_on_by_itself(void **state)
{
	struct env *e = *state;
	struct epoch was;
	struct buf old;
	char path[160];

	make_admin(e);
	open_both(e);
	take(e, "tock", 1);
	node_free(&e->reader); /* before its timer fired */
	was = epoch_of(e);
	old = store_bytes(e);
	e->reader = open_node(e, &reader, "intake");
	take(e, "second", 2);
	node_free(&e->reader);
	path_of(e, "intake", "store/data.mdb", path);
	assert_int_equal(file_replace(path, slice_buf(&old), 0600), OK);
	buf_free(&old);

	e->reader = open_node(e, &reader, "intake");
	UNTIL(node_fenced(e->reader) == ERR_FENCED);
	/* the broker has seen nothing newer in the other lane, which ends all the same */
	UNTIL(!link_ready(e->reader->link, LANE_URGENT));
	UNTIL(e->reader->lanes[LANE_ROUTINE].fenced);
	assert_int_equal(counted(e->reader, SEEN), 1);
	give_word(e, was);
	UNTIL(counted(e->reader, SEEN) == 2 && node_connected(e->reader));
	assert_int_equal(node_fenced(e->reader), OK);
	UNTIL(counted(e->reader, TICKS) == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_store_that_was_put_back_goes_on_by_itself, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
