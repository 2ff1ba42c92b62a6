/* Goal: what the broker admits: nothing leaves before its commit is on disk; a message is taken
 * once, for ever; its receipt never changes; every bound holds. */
#include "tests/unit/broker_rig.h"

static void nothing_leaves_before_the_commit(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	struct buf a = rig_routine(r, "partner-a"), b = rig_routine(r, "partner-a");

	rig_join(r, &c, 0);
	rig_post(r, &c, &a);
	rig_nothing(r);
	rig_post(r, &c, &b);
	rig_nothing(r);
	rig_commit(r);
	assert_int_equal(rig_receipt(r, &c, &a, NULL), 0);
	assert_int_equal(rig_receipt(r, &c, &b, NULL), 1);
	rig_nothing(r);
	buf_free(&a);
	buf_free(&b);
}

static void a_failed_commit_answers_nothing_for_ever(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	struct conn reader = rig_conn(r, 2, LANE_ROUTINE, "intake");
	struct buf a = rig_routine(r, "partner-a");

	rig_join(r, &c, 0);
	rig_join(r, &reader, 10);
	rig_post(r, &c, &a);
	store_memory_fail_next_commit(r->store, ERR_IO);
	assert_int_equal(core_commit(r->core), ERR_IO);
	rig_nothing(r);
	assert_int_equal(core_commit(r->core), ERR_IO);
	rig_nothing(r);
	rig_crash(r);
	assert_int_equal(core_size(r->core), 0);
	buf_free(&a);
}

static void a_crash_before_the_commit_forgets_and_after_it_remembers(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	struct buf first = rig_routine(r, "partner-a"), a = rig_routine(r, "partner-a");
	int64_t at, again;
	uint64_t index;

	rig_join(r, &c, 0);
	rig_post(r, &c, &first);
	rig_commit(r);
	rig_receipt(r, &c, &first, NULL);
	rig_post(r, &c, &a); /* not committed */
	rig_crash(r);
	assert_int_equal(core_size(r->core), 1);
	rig_join(r, &c, 0);
	rig_post(r, &c, &a);
	rig_commit(r); /* committed, and the receipt is lost */
	index = rig_receipt(r, &c, &a, &at);
	rig_crash(r);
	rig_join(r, &c, 0);
	r->now += 1000;
	rig_post(r, &c, &a);
	rig_commit(r);
	assert_int_equal(rig_receipt(r, &c, &a, &again), index);
	assert_int_equal(at, again);
	assert_int_equal(core_size(r->core), 2);
	buf_free(&first);
	buf_free(&a);
}

static void a_message_is_taken_once(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	struct buf a = rig_routine(r, "partner-a"), other = rig_routine(r, "partner-a");
	int64_t at, again;

	rig_join(r, &c, 0);
	rig_post(r, &c, &a);
	rig_post(r, &c, &a); /* twice in one batch */
	rig_commit(r);
	assert_int_equal(rig_receipt(r, &c, &a, &at), 0);
	assert_int_equal(rig_receipt(r, &c, &a, &again), 0);
	r->now += 60000;
	rig_post(r, &c, &other);
	rig_post(r, &c, &a); /* and later: the proof is for the larger log */
	rig_commit(r);
	assert_int_equal(rig_receipt(r, &c, &other, NULL), 1);
	assert_int_equal(rig_receipt(r, &c, &a, &again), 0);
	assert_int_equal(at, again);
	assert_int_equal(core_counts(r->core)->duplicates, 2);
	assert_int_equal(core_counts(r->core)->accepted, 2);
	rig_nothing(r);
	buf_free(&a);
	buf_free(&other);
}

static void a_receipt_outlives_its_sender(void **state)
{
	struct rig *r = *state;
	struct conn a = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	struct conn b = rig_conn(r, 2, LANE_ROUTINE, "partner-b");
	struct buf bytes = rig_routine(r, "partner-a"), more = rig_routine(r, "partner-a");

	rig_join(r, &a, 0);
	rig_join(r, &b, 0);
	rig_post(r, &a, &bytes);
	rig_commit(r);
	assert_int_equal(rig_receipt(r, &a, &bytes, NULL), 0);
	r->now += ID_BEHIND_MS * 2; /* the id is too old by now for a first receipt */
	rig_post(r, &a, &bytes);
	rig_post(r, &a, &more);
	rig_post(r, &b, &bytes); /* and nobody else learns that it was there */
	rig_commit(r);
	rig_refusal(r, &a, ERR_WRONG_ID_TIME);
	rig_refusal(r, &b, ERR_WRONG_CONNECTION);
	assert_int_equal(rig_receipt(r, &a, &bytes, NULL), 0);
	buf_free(&bytes);
	buf_free(&more);
}

static void an_id_is_not_used_again(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	struct conn b = rig_conn(r, 2, LANE_ROUTINE, "partner-b");
	uint8_t id[MSG_ID_LEN] = {0};
	struct envelope_spec spec = {
		.kind = KIND_WITHDRAW_REFERRAL, .id = id, .created_at = FIXTURE_NOW};
	Withdrawal body = WITHDRAWAL__INIT;
	struct buf first, second, theirs;

	be64_put(id, (uint64_t)FIXTURE_NOW << 16);
	first = fixture_envelope_of(r->f, "partner-a", "intake", &spec, &body.base);
	second = fixture_envelope_of(r->f, "partner-a", "intake", &spec, &body.base);
	theirs = fixture_envelope_of(r->f, "partner-b", "intake", &spec, &body.base);
	rig_join(r, &c, 0);
	rig_join(r, &b, 0);
	rig_post(r, &c, &first);
	rig_post(r, &c, &second);
	rig_post(r, &b, &theirs); /* ids are each sender's own */
	rig_commit(r);
	rig_refusal(r, &c, ERR_ID_REUSED);
	assert_int_equal(rig_receipt(r, &c, &first, NULL), 0);
	assert_int_equal(rig_receipt(r, &b, &theirs, NULL), 1);
	buf_free(&first);
	buf_free(&second);
	buf_free(&theirs);
}

static void the_time_of_receipt_never_runs_backwards(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	struct buf a = rig_routine(r, "partner-a"), b = rig_routine(r, "partner-a");
	int64_t first, second;

	rig_join(r, &c, 0);
	rig_post(r, &c, &a);
	rig_commit(r);
	rig_receipt(r, &c, &a, &first);
	assert_int_equal(first, FIXTURE_NOW);
	rig_crash(r);
	rig_join(r, &c, 0);
	r->now -= 60000; /* the clock was set back */
	rig_post(r, &c, &b);
	rig_commit(r);
	rig_receipt(r, &c, &b, &second);
	assert_int_equal(second, FIXTURE_NOW);
	buf_free(&a);
	buf_free(&b);
}

static void a_refusal_is_signed_and_counted(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_URGENT, "partner-a");
	struct buf a = rig_routine(r, "partner-a");

	rig_join(r, &c, 0);
	rig_post(r, &c, &a);
	rig_nothing(r);
	rig_commit(r);
	rig_refusal(r, &c, ERR_WRONG_LANE);
	assert_int_equal(core_counts(r->core)->refused[ERR_WRONG_LANE - 100], 1);
	assert_int_equal(core_size(r->core), 0);
	buf_free(&a);
}

static void nothing_is_heard_before_hello(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	struct buf a = rig_routine(r, "partner-a");
	Ping ping = PING__INIT;
	Frame f = FRAME__INIT;

	f.what_case = FRAME__WHAT_PING;
	f.ping = &ping;
	rig_control(r, &c, &f);
	rig_post(r, &c, &a);
	assert_ok(core_busy(r->core, &c, VIA_POST, slice_buf(&a)));
	rig_commit(r);
	rig_nothing(r);
	assert_int_equal(core_counts(r->core)->unheard, 3);
	assert_int_equal(core_size(r->core), 0);
	rig_join(r, &c, 0);
	rig_control(r, &c, &f);
	rig_commit(r);
	rig_skip(r, &c, FRAME__WHAT_PONG);
	buf_free(&a);
}

static void an_old_verdict_is_given_again(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	struct buf a = rig_routine(r, "partner-a");
	struct verdict v;

	rig_join(r, &c, 0);
	verify(fixture_registry(r->f), &c, VIA_POST, r->now, slice_buf(&a), &v);
	assert_ok(v.err);
	fixture_message(r->f)->n_suites = 0;
	fixture_rebuild(r->f);
	assert_ok(core_use_registry(r->core, fixture_registry(r->f), r->now));
	assert_ok(core_judged(r->core, &c, VIA_POST, &v, slice_buf(&a), r->now));
	rig_commit(r);
	rig_refusal(r, &c, ERR_SUITE_REFUSED);
	fixture_message(r->f)->n_suites = 1;
	buf_free(&a);
}

static void a_suspended_key_is_not_heard_any_more(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");

	rig_join(r, &c, 0);
	fixture_principal(r->f, "partner-a")->suspended = true;
	fixture_rebuild(r->f);
	assert_ok(core_use_registry(r->core, fixture_registry(r->f), r->now));
	assert_false(core_knows(r->core, &c));
	rig_hello(r, &c, 0, 1);
	rig_commit(r);
	rig_nothing(r);
}

static void a_key_whose_time_is_over_is_not_heard_any_more(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");

	fixture_principal(r->f, "partner-a")->keys[0]->not_after = FIXTURE_NOW + 1000;
	fixture_rebuild(r->f);
	assert_ok(core_use_registry(r->core, fixture_registry(r->f), r->now));
	rig_join(r, &c, 0);
	assert_ok(core_tidy(r->core, r->now));
	assert_true(core_knows(r->core, &c));
	assert_ok(core_tidy(r->core, r->now + 2000));
	assert_false(core_knows(r->core, &c));
}

static void the_registry_never_goes_back(void **state)
{
	struct rig *r = *state;
	const struct registry *old = fixture_registry(r->f);
	struct core_options o = {.store = r->store, .registry = old, .principal = "broker"};
	uint64_t seen;

	fixture_rebuild(r->f);
	assert_ok(core_use_registry(r->core, fixture_registry(r->f), r->now));
	assert_int_equal(core_use_registry(r->core, old, r->now), ERR_ROLLED_BACK);
	rig_commit(r);
	core_free(&r->core);
	assert_ok(core_seen_registry(r->store, &seen));
	assert_int_equal(seen, 2);
	o.sign_seed = keyring_sign_seed(fixture_keys(r->f, "broker"));
	assert_int_equal(core_open(&o, &r->core), ERR_ROLLED_BACK);
	assert_null(r->core);
}

/* The same registry, judged after its grace. */
static void an_expired_registry_lets_messages_wait(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	struct buf a = rig_routine(r, "partner-a");

	rig_join(r, &c, 0);
	r->now = fixture_message(r->f)->expires_at + REGISTRY_GRACE_MS;
	rig_post(r, &c, &a);
	rig_commit(r);
	rig_skip(r, &c, FRAME__WHAT_BUSY);
	buf_free(&a);
}

/* 50 envelopes of 2 % each: the routine lane stops at 90 %, the urgent one goes on to 98 %. */
static void a_full_store_is_busy_and_urgent_goes_on(void **state)
{
	struct rig *r = *state;
	struct conn routine = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	struct conn urgent = rig_conn(r, 2, LANE_URGENT, "partner-a");
	struct buf b = rig_routine(r, "partner-a");
	uint64_t accepted;

	core_free(&r->core);
	r->store_bytes = b.len * 50;
	buf_free(&b);
	rig_open_core(r);
	rig_join(r, &routine, 0);
	rig_join(r, &urgent, 0);
	for (int i = 0; i < 60; i++) {
		b = rig_routine(r, "partner-a");
		rig_post(r, &routine, &b);
		buf_free(&b);
	}
	accepted = core_counts(r->core)->accepted;
	assert_int_equal(accepted, 44);
	for (int i = 0; i < 10; i++) {
		b = rig_urgent(r, "partner-a");
		rig_post(r, &urgent, &b);
		buf_free(&b);
	}
	assert_int_equal(core_counts(r->core)->accepted, 48);
	assert_int_equal(core_counts(r->core)->busy, 16 + 6);
	rig_commit(r);
	rig_skip(r, &routine, FRAME__WHAT_BUSY);
}

static void a_batch_is_bounded(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	struct buf a = rig_routine(r, "partner-a");
	struct verdict v;

	rig_join(r, &c, 0);
	verify(fixture_registry(r->f), &c, VIA_POST, r->now, slice_buf(&a), &v);
	for (int i = 0; i < CORE_BATCH_MOST; i++) {
		assert_false(core_full(r->core));
		assert_ok(core_judged(r->core, &c, VIA_POST, &v, slice_buf(&a), r->now));
	}
	assert_true(core_full(r->core));
	assert_ok(core_judged(r->core, &c, VIA_POST, &v, slice_buf(&a), r->now));
	rig_commit(r);
	assert_false(core_full(r->core));
	rig_skip(r, &c, FRAME__WHAT_BUSY);
	buf_free(&a);
}

static void a_front_that_is_full_answers_busy_with_the_id(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	struct buf a = rig_routine(r, "partner-a");
	struct envelope e;
	Frame *f;

	rig_join(r, &c, 0);
	assert_ok(core_busy(r->core, &c, VIA_POST, slice_buf(&a)));
	rig_commit(r);
	f = rig_next(r, &c, FRAME__WHAT_BUSY);
	assert_ok(envelope_parse(slice_buf(&a), &e));
	assert_int_equal(f->busy->id.len, MSG_ID_LEN);
	assert_memory_equal(f->busy->id.data, e.header->id.data, MSG_ID_LEN);
	assert_true(f->busy->retry_ms > 0);
	envelope_free(&e);
	frame__free_unpacked(f, NULL);
	buf_free(&a);
}

/* A bit that changed on the disk is found at the start, before a new head is signed over it. */
static void a_log_that_is_not_what_was_signed_is_refused(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	struct core_options o = {.store = r->store,
		.registry = fixture_registry(r->f),
		.principal = "broker",
		.sign_seed = keyring_sign_seed(fixture_keys(r->f, "broker"))};
	struct buf a = rig_routine(r, "partner-a");
	uint8_t leaf[HASH_LEN] = {1};
	struct txn *t;
	struct key k = {0};

	rig_join(r, &c, 0);
	rig_post(r, &c, &a);
	rig_commit(r);
	core_free(&r->core);
	key_u8(&k, 0);
	key_u64(&k, 0);
	assert_ok(store_begin(r->store, TXN_WRITE, &t));
	assert_ok(txn_put(t, TABLE_TREE, key_slice(&k), slice_of(leaf, sizeof leaf)));
	assert_ok(txn_commit(&t));
	assert_int_equal(core_open(&o, &r->core), ERR_CORRUPT);
	assert_null(r->core);
	buf_free(&a);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		T(nothing_leaves_before_the_commit),
		T(a_failed_commit_answers_nothing_for_ever),
		T(a_crash_before_the_commit_forgets_and_after_it_remembers),
		T(a_message_is_taken_once),
		T(a_receipt_outlives_its_sender),
		T(an_id_is_not_used_again),
		T(the_time_of_receipt_never_runs_backwards),
		T(a_refusal_is_signed_and_counted),
		T(nothing_is_heard_before_hello),
		T(an_old_verdict_is_given_again),
		T(a_suspended_key_is_not_heard_any_more),
		T(a_key_whose_time_is_over_is_not_heard_any_more),
		T(the_registry_never_goes_back),
		T(an_expired_registry_lets_messages_wait),
		T(a_full_store_is_busy_and_urgent_goes_on),
		T(a_batch_is_bounded),
		T(a_front_that_is_full_answers_busy_with_the_id),
		T(a_log_that_is_not_what_was_signed_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
