/* Goal: what a connection posts is logged in its order, once, though some of it is answered BUSY on
 * the way: by the verifiers' queue, by a full store, by an expired registry. */
#include "tests/unit/broker_rig.h"

#define BURST 6

struct burst {
	struct rig *r;
	struct conn c;
	struct buf list[BURST];
};

static int setup(void **state)
{
	struct burst *b = calloc(1, sizeof *b);
	void *rig;

	assert_non_null(b);
	assert_int_equal(rig_setup(&rig), 0);
	b->r = rig;
	b->c = rig_conn(b->r, 1, LANE_ROUTINE, "partner-a");
	for (int i = 0; i < BURST; i++)
		b->list[i] = rig_routine(b->r, "partner-a");
	rig_join(b->r, &b->c, 0);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct burst *b = *state;
	void *rig = b->r;

	for (int i = 0; i < BURST; i++)
		buf_free(&b->list[i]);
	free(b);
	return rig_teardown(&rig);
}

/* What the front does with a Post; full: its verifiers' queue is. false: it was answered BUSY. */
static bool come(struct burst *b, int i, bool full)
{
	struct slice envelope = slice_buf(&b->list[i]);

	if (core_lets(b->r->core, &b->c, envelope) && !full) {
		core_given(b->r->core, &b->c);
		return true;
	}
	assert_ok(core_busy(b->r->core, &b->c, VIA_POST, envelope));
	return false;
}

static void judged(struct burst *b, int i)
{
	rig_post(b->r, &b->c, &b->list[i]);
}

static void post(struct burst *b, int i)
{
	if (come(b, i, false))
		judged(b, i);
}

static void busy(struct burst *b, int times)
{
	while (times-- > 0)
		rig_skip(b->r, &b->c, FRAME__WHAT_BUSY);
}

/* The log holds the burst, in its order, and nothing else. */
static void must_be_in_order(struct burst *b)
{
	struct txn *t;
	uint8_t hash[HASH_LEN];
	struct log_row row;

	rig_commit(b->r);
	assert_int_equal(core_size(b->r->core), BURST);
	assert_ok(store_begin(b->r->store, TXN_READ, &t));
	for (uint64_t i = 0; i < BURST; i++) {
		assert_ok(log_row_get(t, i, &row));
		envelope_hash(slice_buf(&b->list[i]), hash);
		assert_memory_equal(row.hash, hash, HASH_LEN);
	}
	txn_abort(&t);
}

static void behind_a_full_queue_all_wait(void **state)
{
	struct burst *b = *state;

	assert_true(come(b, 0, false));
	assert_true(come(b, 1, false));
	assert_false(come(b, 2, true));
	assert_false(come(b, 3, true));
	judged(b, 0); /* what was before it is not held up */
	judged(b, 1);
	for (int i = 4; i < BURST; i++)
		assert_false(come(b, i, false)); /* there is room by now, and yet */
	rig_commit(b->r);
	busy(b, 4);
	assert_int_equal(core_size(b->r->core), 2);
	assert_false(come(b, 2, true)); /* again, and again there is no room */
	assert_false(come(b, 3, false));
	for (int i = 2; i < BURST; i++)
		post(b, i);
	must_be_in_order(b);
}

static void behind_what_is_judged_busy_all_wait(void **state)
{
	struct burst *b = *state;
	int64_t now = b->r->now;

	for (int i = 0; i < BURST; i++)
		assert_true(come(b, i, false));
	judged(b, 0);
	b->r->now = fixture_message(b->r->f)->expires_at + REGISTRY_GRACE_MS;
	judged(b, 1);
	b->r->now = now; /* it was renewed */
	for (int i = 2; i < BURST; i++)
		judged(b, i);
	rig_commit(b->r);
	busy(b, BURST - 1);
	assert_int_equal(core_size(b->r->core), 1);
	for (int i = 1; i < BURST; i++)
		post(b, i);
	must_be_in_order(b);
}

/* A small one would fit where a large one did not. */
static void behind_a_full_store_all_wait(void **state)
{
	struct burst *b = *state;
	Decision body = DECISION__INIT;
	SealedNote sealed = SEALED_NOTE__INIT;
	struct conn officer = rig_conn(b->r, 2, LANE_ROUTINE, "officer-1");
	uint8_t bytes[9000] = {0};
	struct buf large, small;

	sealed.sealed = (ProtobufCBinaryData){sizeof bytes, bytes};
	body.note = &sealed;
	large = fixture_envelope(b->r->f, KIND_DECIDE_CASE, "officer-1", "screening", &body.base);
	body.note = NULL;
	small = fixture_envelope(b->r->f, KIND_DECIDE_CASE, "officer-1", "screening", &body.base);
	core_free(&b->r->core);
	b->r->store_bytes = large.len;
	rig_open_core(b->r);
	rig_join(b->r, &officer, 0);
	rig_post(b->r, &officer, &large);
	rig_post(b->r, &officer, &small);
	rig_commit(b->r);
	rig_skip(b->r, &officer, FRAME__WHAT_BUSY);
	rig_skip(b->r, &officer, FRAME__WHAT_BUSY);
	rig_nothing(b->r);
	buf_free(&large);
	buf_free(&small);
}

static void a_new_hello_starts_over(void **state)
{
	struct burst *b = *state;

	assert_true(come(b, 0, false));
	assert_true(come(b, 1, false));
	assert_false(come(b, 2, true));
	rig_hello(b->r, &b->c, 0, 0);
	judged(b, 0); /* from before: not heard any more, or 2 could come before them */
	judged(b, 1);
	rig_commit(b->r);
	assert_int_equal(core_size(b->r->core), 0);
	assert_int_equal(core_counts(b->r->core)->unheard, 2);
	for (int i = 0; i < BURST; i++)
		post(b, i);
	must_be_in_order(b);
}

static void others_are_not_held_up(void **state)
{
	struct burst *b = *state;
	struct conn urgent = rig_conn(b->r, 2, LANE_URGENT, "partner-a");
	struct conn other = rig_conn(b->r, 3, LANE_ROUTINE, "partner-b");
	struct buf u = rig_urgent(b->r, "partner-a"), o = rig_routine(b->r, "partner-b");

	rig_join(b->r, &urgent, 0);
	rig_join(b->r, &other, 0);
	assert_false(come(b, 0, true));
	assert_true(core_lets(b->r->core, &urgent, slice_buf(&u)));
	assert_true(core_lets(b->r->core, &other, slice_buf(&o)));
	rig_post(b->r, &urgent, &u);
	rig_post(b->r, &other, &o);
	rig_commit(b->r);
	assert_int_equal(core_size(b->r->core), 2);
	buf_free(&u);
	buf_free(&o);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(behind_a_full_queue_all_wait),
		T(behind_what_is_judged_busy_all_wait),
		T(behind_a_full_store_all_wait),
		T(a_new_hello_starts_over),
		T(others_are_not_held_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
