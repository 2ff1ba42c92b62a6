/* Goal: the broker's judgement: every refusal by its name, and what is right passes. */
#include "tests/unit/broker_rig.h"

static enum err judge(
	const struct rig *r, const struct conn *c, enum via via, int64_t now, struct buf envelope)
{
	struct verdict v;

	verify(fixture_registry(r->f), c, via, now, slice_buf(&envelope), &v);
	buf_free(&envelope);
	return v.err;
}

static struct buf special(struct rig *r, const char *from, const struct envelope_spec *spec)
{
	Withdrawal body = WITHDRAWAL__INIT;
	struct envelope_spec s = *spec;

	s.kind = KIND_WITHDRAW_REFERRAL;
	s.created_at = s.created_at ? s.created_at : FIXTURE_NOW;
	return fixture_envelope_of(r->f, from, "intake", &s, &body.base);
}

static void what_is_right_passes(void **state)
{
	struct rig *r = *state;
	struct conn routine = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	struct conn urgent = rig_conn(r, 2, LANE_URGENT, "partner-a");
	struct buf b = rig_routine(r, "partner-a");
	uint8_t hash[HASH_LEN];
	struct verdict v;

	verify(fixture_registry(r->f), &routine, VIA_POST, r->now, slice_buf(&b), &v);
	envelope_hash(slice_buf(&b), hash);
	assert_ok(v.err);
	assert_memory_equal(v.hash, hash, HASH_LEN);
	assert_int_equal(v.row->kind, KIND_WITHDRAW_REFERRAL);
	assert_string_equal(v.sender, "partner-a");
	assert_string_equal(v.recipient, "intake");
	assert_true(v.has_id);
	assert_false(v.has_cause);
	buf_free(&b);
	assert_ok(judge(r, &urgent, VIA_POST, r->now, rig_urgent(r, "partner-a")));
}

static void bytes_that_are_no_envelope(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	struct buf b = {0};
	struct verdict v;

	assert_ok(buf_append(&b, "\xff\xff\xff", 3));
	assert_int_equal(judge(r, &c, VIA_POST, r->now, b), ERR_MALFORMED);
	assert_true(judge(r, &c, VIA_POST, r->now, (struct buf){0}) >= ERR_MALFORMED);
	b = rig_routine(r, "partner-a");
	assert_ok(buf_append(&b, "\x78\x01", 2)); /* a field that is not known */
	verify(fixture_registry(r->f), &c, VIA_POST, r->now, slice_buf(&b), &v);
	assert_int_equal(v.err, ERR_NOT_CANONICAL);
	assert_false(v.has_id);
	buf_free(&b);
}

static void an_unknown_kind_is_refused_with_its_id(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	struct buf b = rig_routine(r, "partner-a"), header = {0}, changed = {0};
	ProtobufCMessage *outer, *inner;
	struct verdict v;
	Envelope *e;

	assert_ok(strict_unpack(&envelope__descriptor, slice_buf(&b), &outer));
	e = (Envelope *)outer;
	assert_ok(strict_unpack(
		&header__descriptor, slice_of(e->header.data, e->header.len), &inner));
	((Header *)inner)->kind = 99;
	assert_ok(strict_pack(inner, &header));
	free(e->header.data);
	e->header = (ProtobufCBinaryData){header.len, header.data};
	assert_ok(strict_pack(outer, &changed));
	verify(fixture_registry(r->f), &c, VIA_POST, r->now, slice_buf(&changed), &v);
	assert_int_equal(v.err, ERR_UNKNOWN_KIND);
	assert_true(v.has_id);
	assert_memory_equal(v.id, ((Header *)inner)->id.data, MSG_ID_LEN);
	e->header = (ProtobufCBinaryData){0};
	protobuf_c_message_free_unpacked(outer, NULL);
	protobuf_c_message_free_unpacked(inner, NULL);
	buf_free(&header);
	buf_free(&changed);
	buf_free(&b);
}

static void a_connection_carries_its_own(void **state)
{
	struct rig *r = *state;
	struct conn other = rig_conn(r, 1, LANE_ROUTINE, "partner-b");
	struct conn carrier = rig_conn(r, 2, LANE_ROUTINE, "officer-2");

	assert_int_equal(judge(r, &other, VIA_POST, r->now, rig_routine(r, "partner-a")),
		ERR_WRONG_CONNECTION);
	fixture_principal(r->f, "officer-2")->roles[0] = ROLE__CARRIER;
	fixture_rebuild(r->f);
	assert_ok(judge(r, &carrier, VIA_POST, r->now, rig_routine(r, "partner-a")));
}

static void who_may_send_what_to_whom(void **state)
{
	struct rig *r = *state;
	struct conn partner = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	struct conn officer = rig_conn(r, 2, LANE_ROUTINE, "officer-1");
	struct envelope_spec nobody = {.recipient = "nobody"}, to_notify = {.recipient = "notify"};

	assert_int_equal(judge(r, &officer, VIA_POST, r->now, rig_routine(r, "officer-1")),
		ERR_NOT_PERMITTED);
	assert_int_equal(judge(r, &partner, VIA_POST, r->now, special(r, "partner-a", &to_notify)),
		ERR_NOT_PERMITTED);
	assert_int_equal(judge(r, &partner, VIA_POST, r->now, special(r, "partner-a", &nobody)),
		ERR_UNKNOWN_RECIPIENT);
}

static void a_carrier_carries_known_senders_only(void **state)
{
	struct rig *r = *state;
	struct conn carrier = rig_conn(r, 2, LANE_ROUTINE, "officer-2");
	struct envelope_spec nobody = {.sender = "nobody"};

	fixture_principal(r->f, "officer-2")->roles[0] = ROLE__CARRIER;
	fixture_rebuild(r->f);
	assert_int_equal(judge(r, &carrier, VIA_POST, r->now, special(r, "partner-a", &nobody)),
		ERR_UNKNOWN_SENDER);
}

static void durable_and_query_are_two_ways(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "officer-1");
	struct conn partner = rig_conn(r, 2, LANE_ROUTINE, "partner-a");
	QueueQuery body = QUEUE_QUERY__INIT;
	struct buf ask =
		fixture_envelope(r->f, KIND_ASK_QUEUE, "officer-1", "screening", &body.base);
	struct buf same = {0};

	assert_ok(buf_append(&same, ask.data, ask.len));
	assert_ok(judge(r, &c, VIA_QUERY, r->now, ask));
	assert_int_equal(judge(r, &c, VIA_POST, r->now, same), ERR_NOT_PERMITTED);
	assert_int_equal(judge(r, &partner, VIA_QUERY, r->now, rig_routine(r, "partner-a")),
		ERR_NOT_PERMITTED);
}

static void a_kind_has_one_lane(void **state)
{
	struct rig *r = *state;
	struct conn routine = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	struct conn urgent = rig_conn(r, 2, LANE_URGENT, "partner-a");

	assert_int_equal(
		judge(r, &urgent, VIA_POST, r->now, rig_routine(r, "partner-a")), ERR_WRONG_LANE);
	assert_int_equal(
		judge(r, &routine, VIA_POST, r->now, rig_urgent(r, "partner-a")), ERR_WRONG_LANE);
}

static void the_registry_allows_suites(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");

	fixture_message(r->f)->suites[0] = 7;
	fixture_rebuild(r->f);
	assert_int_equal(
		judge(r, &c, VIA_POST, r->now, rig_routine(r, "partner-a")), ERR_SUITE_REFUSED);
}

static void keys_and_principals_have_their_time(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	const uint8_t *other = keyring_key_id(fixture_keys(r->f, "partner-b"));
	struct envelope_spec foreign = {.key_id = other};
	Principal *p = fixture_principal(r->f, "partner-a");

	assert_int_equal(
		judge(r, &c, VIA_POST, r->now, special(r, "partner-a", &foreign)), ERR_UNKNOWN_KEY);
	p->keys[0]->not_after = FIXTURE_NOW + 1000;
	fixture_rebuild(r->f);
	assert_ok(judge(r, &c, VIA_POST, FIXTURE_NOW, rig_routine(r, "partner-a")));
	assert_int_equal(judge(r, &c, VIA_POST, FIXTURE_NOW + 2000, rig_routine(r, "partner-a")),
		ERR_UNKNOWN_KEY);
	p->suspended = true;
	fixture_rebuild(r->f);
	assert_int_equal(
		judge(r, &c, VIA_POST, r->now, rig_routine(r, "partner-a")), ERR_SUSPENDED);
}

static void the_signature_is_of_the_key_named(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	const uint8_t *seed = keyring_sign_seed(fixture_keys(r->f, "partner-b"));
	struct envelope_spec forged = {.sign_seed = seed};
	struct buf altered = rig_routine(r, "partner-a");

	assert_int_equal(judge(r, &c, VIA_POST, r->now, special(r, "partner-a", &forged)),
		ERR_BAD_SIGNATURE);
	altered.data[altered.len - 1] ^= 1;
	assert_int_equal(judge(r, &c, VIA_POST, r->now, altered), ERR_BAD_SIGNATURE);
}

static void the_time_in_the_id(void **state)
{
	static const uint8_t cause[MSG_ID_LEN] = {1};
	static const struct {
		int64_t offset;
		const uint8_t *cause;
		enum err expected;
	} cases[] = {
		{ID_AHEAD_MS, NULL, OK}, {ID_AHEAD_MS + 1, NULL, ERR_WRONG_ID_TIME},
		{ID_AHEAD_MS + 1, cause, ERR_WRONG_ID_TIME}, {-ID_BEHIND_MS, NULL, OK},
		{-ID_BEHIND_MS - 1, NULL, ERR_WRONG_ID_TIME},
		{-ID_BEHIND_MS - 1, cause, OK}, /* of a chain that began in an old outbox */
	};
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct envelope_spec s = {
			.created_at = r->now + cases[i].offset, .cause = cases[i].cause};

		assert_int_equal(judge(r, &c, VIA_POST, r->now, special(r, "partner-a", &s)),
			cases[i].expected);
	}
}

static void an_expired_registry_judges_nothing(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	int64_t end = fixture_message(r->f)->expires_at + REGISTRY_GRACE_MS;
	struct envelope_spec s = {.created_at = end - 1};

	assert_ok(judge(r, &c, VIA_POST, end - 1, special(r, "partner-a", &s)));
	assert_int_equal(
		judge(r, &c, VIA_POST, end, special(r, "partner-a", &s)), ERR_REGISTRY_EXPIRED);
}

static bool is_good(
	const struct rig *r, const char *broker, const Receipt *receipt, const struct buf *bytes)
{
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	struct verdict v;

	verify(fixture_registry(r->f), &c, VIA_POST, r->now, slice_buf(bytes), &v);
	assert_null(v.receipt);
	verify_receipt(fixture_registry(r->f), broker, receipt, slice_buf(bytes), &v);
	assert_ptr_equal(v.receipt, receipt);
	assert_true(!v.receipt_good || (v.receipt_head.epoch == 1 && v.receipt_head.size == 1));
	return v.receipt_good;
}

static void a_receipt_is_this_brokers_and_for_these_bytes(void **state)
{
	struct rig *r = *state;
	struct buf b = rig_routine(r, "partner-a"), other = rig_routine(r, "partner-a");
	Receipt *receipt = fixture_receipt(r->f, slice_buf(&b), r->now);

	assert_true(is_good(r, "broker", receipt, &b));
	assert_false(is_good(r, "broker", receipt, &other));
	assert_false(is_good(r, "intake", receipt, &b));
	assert_false(is_good(r, "nobody", receipt, &b));
	fixture_principal(r->f, "broker")->keys[0]->retired = true;
	fixture_rebuild(r->f);
	assert_true(is_good(r, "broker", receipt, &b));
	receipt->received_at++;
	assert_false(is_good(r, "broker", receipt, &b));
	receipt->received_at--;
	receipt->checkpoint.data[receipt->checkpoint.len - 10] ^= 1;
	assert_false(is_good(r, "broker", receipt, &b));
	receipt__free_unpacked(receipt, NULL);
	buf_free(&other);
	buf_free(&b);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		T(what_is_right_passes),
		T(bytes_that_are_no_envelope),
		T(an_unknown_kind_is_refused_with_its_id),
		T(a_connection_carries_its_own),
		T(who_may_send_what_to_whom),
		T(a_carrier_carries_known_senders_only),
		T(durable_and_query_are_two_ways),
		T(a_kind_has_one_lane),
		T(the_registry_allows_suites),
		T(keys_and_principals_have_their_time),
		T(the_signature_is_of_the_key_named),
		T(the_time_in_the_id),
		T(an_expired_registry_judges_nothing),
		T(a_receipt_is_this_brokers_and_for_these_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
