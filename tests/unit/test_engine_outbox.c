/* Goal: what was sent waits in the outbox, in order, until the broker has it or refused it. */
#include "services/common/engine/engine_internal.h"
#include "tests/unit/engine_rig.h"

#define THREAT KIND_SEND_THREAT

static void the_outbox_keeps_the_order_of_sending(void **state)
{
	struct rig *r = *state;
	uint64_t place = 0, n = 0;
	uint8_t id[MSG_ID_LEN];
	struct buf b = {0};

	for (int i = 0; i < 3; i++)
		rig_do(r, THREAT, "intake", "C-1");
	rig_do(r, KIND_SEND_EXIT, "intake", "C-1"); /* sends in the urgent lane */
	rig_begin(r);
	assert_int_equal(
		engine_outbox_next(r->engine, LANE_ROUTINE, 0, &place, id, &b), ERR_INVALID);
	rig_commit(r);
	for (int64_t at = 0;
		engine_outbox_next(r->engine, LANE_ROUTINE, place, &place, id, &b) == OK; n++) {
		struct fixture_header h;

		protobuf_c_message_free_unpacked(
			fixture_open(r->f, "notify", slice_buf(&b), &h), NULL);
		assert_true(h.created_at > at);
		at = h.created_at;
		assert_memory_equal(h.id, id, MSG_ID_LEN);
		buf_free(&b);
	}
	assert_int_equal(n, 3);
	assert_int_equal(engine_outbox_next(r->engine, LANE_URGENT, 0, &place, id, &b), OK);
	buf_free(&b);
	assert_int_equal(
		engine_outbox_next(r->engine, LANE_URGENT, place, &place, id, &b), ERR_NOT_FOUND);
}

static void a_receipt_empties_the_outbox(void **state)
{
	struct rig *r = *state;
	struct buf first, second, again;
	Receipt *good, *other;

	rig_do(r, THREAT, "intake", "C-1");
	rig_do(r, THREAT, "intake", "C-2");
	first = rig_sent(r, LANE_ROUTINE, 0);
	second = rig_sent(r, LANE_ROUTINE, 1);
	good = fixture_receipt(r->f, slice_buf(&first), FIXTURE_NOW + 5);
	other = fixture_receipt(r->f, slice_buf(&second), FIXTURE_NOW + 5);
	memcpy(other->id.data, good->id.data, MSG_ID_LEN);
	rig_begin(r);
	assert_int_equal(engine_receipt(r->engine, other, FIXTURE_NOW), ERR_BAD_SIGNATURE);
	good->received_at++;
	assert_int_equal(engine_receipt(r->engine, good, FIXTURE_NOW), ERR_BAD_SIGNATURE);
	good->received_at--;
	assert_int_equal(engine_receipt(r->engine, good, FIXTURE_NOW), OK);
	assert_int_equal(engine_receipt(r->engine, good, FIXTURE_NOW), ERR_NOT_FOUND);
	rig_commit(r);
	assert_int_equal(rig_outbox(r), 1);
	again = rig_sent(r, LANE_ROUTINE, 0);
	assert_true(rig_same(&again, &second));
	assert_int_equal(rig_posted(r, &first), 1000);
	assert_int_equal(rig_posted(r, &second), 0);
	receipt__free_unpacked(good, NULL);
	receipt__free_unpacked(other, NULL);
	buf_free(&first);
	buf_free(&second);
	buf_free(&again);
}

/* The size of the log's newest head that the store has kept; 0: none. */
static uint64_t kept_head(struct rig *r)
{
	struct txn *t = NULL;
	struct checkpoint head = {.size = 0};

	assert_int_equal(store_begin(r->store, TXN_READ, &t), OK);
	(void)!head_known(t, &head);
	txn_abort(&t);
	return head.size;
}

static void the_newest_head_of_the_log_is_kept(void **state)
{
	static const uint64_t expected[] = {1, 2, 2};
	struct rig *r = *state;

	assert_int_equal(kept_head(r), 0);
	for (int i = 0; i < 3; i++) {
		struct buf sent;
		Receipt *receipt;

		rig_do(r, THREAT, "intake", "C-1");
		sent = rig_sent(r, LANE_ROUTINE, 0);
		receipt = i == 1 ? fixture_receipt_second(r->f, slice_buf(&sent), FIXTURE_NOW)
				 : fixture_receipt(r->f, slice_buf(&sent), FIXTURE_NOW);
		rig_begin(r);
		assert_int_equal(engine_receipt(r->engine, receipt, FIXTURE_NOW), OK);
		rig_commit(r);
		assert_int_equal(kept_head(r), expected[i]);
		receipt__free_unpacked(receipt, NULL);
		buf_free(&sent);
	}
}

static void a_refusal_empties_the_outbox(void **state)
{
	struct rig *r = *state;
	struct buf sent;
	Refusal *good;

	rig_do(r, THREAT, "intake", "C-1");
	sent = rig_sent(r, LANE_ROUTINE, 0);
	good = fixture_refusal(r->f, slice_buf(&sent), ERR_SUSPENDED, FIXTURE_NOW);
	rig_begin(r);
	good->code = ERR_NOT_PERMITTED; /* not what was signed */
	assert_int_equal(engine_refusal(r->engine, good, FIXTURE_NOW), ERR_BAD_SIGNATURE);
	good->code = ERR_SUSPENDED;
	assert_int_equal(engine_refusal(r->engine, good, FIXTURE_NOW), OK);
	rig_commit(r);
	assert_int_equal(rig_outbox(r), 0);
	assert_int_equal(rig_posted(r, &sent), 1000 + ERR_SUSPENDED);
	refusal__free_unpacked(good, NULL);
	buf_free(&sent);
}

/* A broker cannot refuse one message with the signed refusal of another. */
static void a_refusal_is_for_its_bytes_only(void **state)
{
	struct rig *r = *state;
	struct buf first, second;
	Refusal *other;

	rig_do(r, THREAT, "intake", "C-1");
	rig_do(r, THREAT, "intake", "C-2");
	first = rig_sent(r, LANE_ROUTINE, 0);
	second = rig_sent(r, LANE_ROUTINE, 1);
	other = fixture_refusal_for(r->f, slice_buf(&first), slice_buf(&second), ERR_SUSPENDED);
	rig_begin(r);
	assert_int_equal(engine_refusal(r->engine, other, FIXTURE_NOW), ERR_BAD_SIGNATURE);
	rig_commit(r);
	assert_int_equal(rig_outbox(r), 2);
	refusal__free_unpacked(other, NULL);
	buf_free(&first);
	buf_free(&second);
}

static void a_hook_that_fails_keeps_nothing_and_loses_nothing(void **state)
{
	struct rig *r = *state;
	struct buf sent;
	Receipt *receipt;

	rig_do(r, THREAT, "intake", "C-1");
	sent = rig_sent(r, LANE_ROUTINE, 0);
	receipt = fixture_receipt(r->f, slice_buf(&sent), FIXTURE_NOW);
	r->plan = (struct rig_plan){.fail_case = "posted", .fail = ERR_INVALID};
	rig_begin(r);
	assert_int_equal(engine_receipt(r->engine, receipt, FIXTURE_NOW), ERR_INVALID);
	assert_int_equal(engine_commit(r->engine), ERR_INVALID);
	rig_crash(r);
	assert_int_equal(rig_outbox(r), 1);
	r->plan.fail = ERR_STALE;
	rig_begin(r);
	assert_int_equal(engine_receipt(r->engine, receipt, FIXTURE_NOW), OK);
	rig_commit(r);
	assert_int_equal(rig_outbox(r), 0);
	assert_int_equal(rig_posted(r, &sent), 0);
	receipt__free_unpacked(receipt, NULL);
	buf_free(&sent);
}

/* What the broker refused, kept for a person: the code, then the envelope. */
static void expect_refused(struct rig *r, enum err code, struct buf *envelope)
{
	struct slice key, value;
	struct txn *t = NULL;

	assert_int_equal(store_begin(r->store, TXN_READ, &t), OK);
	assert_int_equal(txn_next(t, T_REFUSED, (struct slice){0}, false, &key, &value), OK);
	assert_int_equal(be64_get(value.data), code);
	assert_int_equal(be64_get(value.data + 8), FIXTURE_NOW);
	assert_true(slice_eq(slice_of(value.data + 16, value.len - 16), slice_buf(envelope)));
	txn_abort(&t);
}

static void without_a_hook_it_is_kept_aside(void **state)
{
	struct rig *r = *state;
	struct buf sent;
	Refusal *refusal;

	rig_do(r, THREAT, "intake", "C-1");
	sent = rig_sent(r, LANE_ROUTINE, 0);
	refusal = fixture_refusal(r->f, slice_buf(&sent), ERR_SUSPENDED, FIXTURE_NOW);
	engine_free(&r->engine);
	assert_int_equal(engine_open(&rig_service_silent, NULL, r->store,
				 fixture_keys(r->f, "urgent"), fixture_registry(r->f), &r->engine),
		OK);
	rig_begin(r);
	assert_int_equal(engine_refusal(r->engine, refusal, FIXTURE_NOW), OK);
	rig_commit(r);
	assert_int_equal(rig_outbox(r), 0);
	assert_int_equal(rig_posted(r, &sent), 0);
	expect_refused(r, ERR_SUSPENDED, &sent);
	refusal__free_unpacked(refusal, NULL);
	buf_free(&sent);
}

/* A place is never used twice: who posts remembers the last one. */
static void places_only_rise(void **state)
{
	struct rig *r = *state;
	uint64_t before = 0, after = 0;
	uint8_t id[MSG_ID_LEN];
	struct buf b = {0};
	Receipt *receipt;

	rig_do(r, THREAT, "intake", "C-1");
	assert_int_equal(engine_outbox_next(r->engine, LANE_ROUTINE, 0, &before, id, &b), OK);
	receipt = fixture_receipt(r->f, slice_buf(&b), FIXTURE_NOW);
	buf_free(&b);
	rig_begin(r);
	assert_int_equal(engine_receipt(r->engine, receipt, FIXTURE_NOW), OK);
	rig_commit(r);
	rig_crash(r);
	rig_do(r, THREAT, "intake", "C-1");
	assert_int_equal(engine_outbox_next(r->engine, LANE_ROUTINE, before, &after, id, &b), OK);
	assert_true(after > before);
	buf_free(&b);
	receipt__free_unpacked(receipt, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(the_outbox_keeps_the_order_of_sending),
		RIG_TEST(a_receipt_empties_the_outbox),
		RIG_TEST(the_newest_head_of_the_log_is_kept),
		RIG_TEST(a_refusal_empties_the_outbox),
		RIG_TEST(a_refusal_is_for_its_bytes_only),
		RIG_TEST(a_hook_that_fails_keeps_nothing_and_loses_nothing),
		RIG_TEST(without_a_hook_it_is_kept_aside),
		RIG_TEST(places_only_rise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
