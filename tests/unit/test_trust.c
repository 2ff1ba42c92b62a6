/* Goal: every program checks the suspension list and the registry that the broker tells it of, goes
 * by them from the next message on, holds the mail of the suspended, and lets it go with the lift.
 */
#include "tests/unit/engine_rig.h"

#include "services/common/engine/trust_step.h"
#include "tests/unit/trust_sample.h"

/* The broker tells the rig. */
static void tell(struct rig *r, enum kind kind, const ProtobufCMessage *body)
{
	struct buf b = fixture_envelope(r->f, kind, "broker", "urgent", body);
	struct delivery d = rig_next(r, LANE_URGENT, &b);

	rig_begin(r);
	assert_int_equal(engine_take(r->engine, &d), OK);
	rig_commit(r);
	buf_free(&b);
}

static void tell_act(struct rig *r, const SuspensionAct *a, const char *first, const char *second)
{
	SignedAct *s = sample_signed(r->f, a, first, second);

	tell(r, KIND_TELL_SUSPENSION, &s->base);
	signed_act__free_unpacked(s, NULL);
}

static void act(struct rig *r, const char *who, bool lift, uint64_t serial)
{
	SuspensionAct a = sample_act(who, lift, serial);

	tell_act(r, &a, "officer-1", "supervisor-1");
}

static enum err refused(struct rig *r)
{
	uint64_t seq;

	return rig_quarantined(r, LANE_URGENT, &seq);
}

static size_t held(struct rig *r)
{
	struct slice from = {0}, key, value;
	struct txn *t = NULL;
	struct key at;
	size_t n = 0;

	assert_int_equal(store_begin(r->store, TXN_READ, &t), OK);
	while (txn_next(t, T_PARKED, from, from.len > 0, &key, &value) == OK) {
		n += parked_is_held(key);
		at = (struct key){0};
		key_bytes(&at, key.data, key.len);
		from = key_slice(&at);
	}
	txn_abort(&t);
	return n;
}

static void mail_of_the_suspended_is_held_and_goes_on_after_the_lift(void **state)
{
	struct rig *r = *state;
	int64_t due = 0;

	act(r, "intake", false, 1);
	rig_do(r, KIND_SEND_THREAT, "intake", "A");
	rig_do(r, KIND_SEND_EXIT, "intake", "A");
	assert_int_equal(rig_number(r, RIG_HANDLED, "A"), 0);
	assert_int_equal(held(r), 2);
	assert_int_equal(refused(r), OK);
	/* no deadline */
	assert_int_equal(engine_next_timer(r->engine, &due), OK);
	assert_true(due == INT64_MAX);
	/* others go on, and a restart changes nothing */
	rig_crash(r);
	rig_begin(r);
	assert_int_equal(engine_resume(r->engine), OK);
	rig_commit(r);
	assert_int_equal(held(r), 2);
	act(r, "intake", true, 2);
	assert_int_equal(held(r), 0);
	assert_int_equal(rig_number(r, RIG_HANDLED, "A"), 1);
	assert_int_equal(rig_number(r, RIG_EXITS, "A"), 1); /* in order: it did not wait */
	rig_do(r, KIND_SEND_THREAT, "intake", "B");
	assert_int_equal(rig_number(r, RIG_HANDLED, "B"), 1);
	assert_int_equal(refused(r), OK);
}

/* What a suspended service is owed waits in its mailbox; what could be sealed to nobody waits here.
 */
static void the_suspended_are_owed_what_others_send(void **state)
{
	struct rig *r = *state;
	SuspensionAct a = sample_act("notify", false, 1);

	act(r, "notify", false, 1);
	rig_do(r, KIND_SEND_THREAT, "intake", "A");
	assert_int_equal(rig_number(r, RIG_HANDLED, "A"), 1);
	a.key_id = (ProtobufCBinaryData){
		KEY_ID_LEN, (uint8_t *)keyring_key_id(fixture_keys(r->f, "notify"))};
	tell_act(r, &a, "officer-1", "officer-2");
	rig_do(r, KIND_SEND_THREAT, "intake", "B");
	assert_int_equal(rig_number(r, RIG_HANDLED, "B"), 0);
	assert_int_equal(held(r), 1);
	a.lift = true;
	a.serial = 2;
	tell_act(r, &a, "officer-1", "officer-2");
	assert_int_equal(rig_number(r, RIG_HANDLED, "B"), 1);
	assert_int_equal(refused(r), OK);
}

static void one_key_of_two_is_suspended_alone(void **state)
{
	struct rig *r = *state;
	SuspensionAct a = sample_act("intake", false, 1);

	a.key_id = (ProtobufCBinaryData){
		KEY_ID_LEN, (uint8_t *)keyring_key_id(fixture_keys(r->f, "intake"))};
	tell_act(r, &a, "officer-1", "officer-2");
	rig_do(r, KIND_SEND_THREAT, "intake", "A");
	assert_int_equal(held(r), 1);
	/* what ends the suspension of the whole does not end that of the key */
	act(r, "intake", false, 1);
	act(r, "intake", true, 2);
	assert_int_equal(held(r), 1);
	a.lift = true;
	a.serial = 2;
	tell_act(r, &a, "officer-1", "officer-2");
	assert_int_equal(held(r), 0);
	assert_int_equal(rig_number(r, RIG_HANDLED, "A"), 1);
}

static void nothing_but_two_officers_suspends(void **state)
{
	struct rig *r = *state;
	SuspensionAct a = sample_act("intake", false, 1);
	SignedAct *s;

	tell_act(r, &a, "officer-1", NULL); /* a proposal */
	assert_int_equal(refused(r), OK);
	tell_act(r, &a, "officer-1", "officer-1");
	assert_int_equal(refused(r), ERR_OTHER_OFFICER);
	tell_act(r, &a, "officer-1", "partner-a");
	assert_int_equal(refused(r), ERR_NOT_PERMITTED);
	s = sample_signed(r->f, &a, "officer-1", "officer-2");
	s->signatures[1]->signature.data[7] ^= 1;
	tell(r, KIND_TELL_SUSPENSION, &s->base);
	assert_int_equal(refused(r), ERR_BAD_SIGNATURE);
	signed_act__free_unpacked(s, NULL);
	a = sample_act("broker", false, 1);
	tell_act(r, &a, "officer-1", "officer-2");
	assert_int_equal(refused(r), ERR_NOT_SUSPENDABLE);
	rig_do(r, KIND_SEND_THREAT, "intake", "A");
	assert_int_equal(rig_number(r, RIG_HANDLED, "A"), 1);
	assert_int_equal(held(r), 0);
}

/* The broker judged the signers when the act came; who hears of it later knows them as they are
 * now. */
static void who_signed_may_be_gone_since(void **state)
{
	struct rig *r = *state;
	SuspensionAct a = sample_act("intake", false, 1);

	fixture_principal(r->f, "officer-1")->suspended = true;
	fixture_principal(r->f, "officer-2")->keys[0]->retired = true;
	a.made_at = FIXTURE_NOW - INT64_C(40) * 86400000; /* before these keys were good */
	fixture_rebuild(r->f);
	engine_use_registry(r->engine, fixture_registry(r->f));
	tell_act(r, &a, "officer-1", "officer-2");
	assert_int_equal(refused(r), OK);
	assert_int_equal(held(r), 0);
	rig_do(r, KIND_SEND_THREAT, "intake", "A");
	assert_int_equal(held(r), 1);
}

static void nobody_proposes_nothing(void **state)
{
	struct rig *r = *state;
	SuspensionAct a = sample_act("intake", false, 1);

	tell_act(r, &a, NULL, NULL);
	assert_int_equal(refused(r), ERR_MALFORMED);
}

/* What waits for a message that is held does not run out of time before the lift. */
static void what_waits_is_held_at_its_deadline(void **state)
{
	struct rig *r = *state;

	rig_do(r, KIND_SEND_EXIT, "intake", "A");
	assert_int_equal(held(r), 0);
	act(r, "intake", false, 1);
	rig_do(r, KIND_SEND_THREAT, "intake", "A");
	assert_int_equal(held(r), 1);
	rig_begin(r);
	assert_int_equal(engine_timers(r->engine, FIXTURE_NOW + INT64_C(2) * 86400000), OK);
	rig_commit(r);
	assert_int_equal(held(r), 2);
	act(r, "intake", true, 2);
	assert_int_equal(held(r), 0);
	assert_int_equal(rig_number(r, RIG_HANDLED, "A"), 1);
	assert_int_equal(rig_number(r, RIG_EXITS, "A"), 1);
}

static void an_old_act_changes_nothing(void **state)
{
	struct rig *r = *state;

	act(r, "intake", false, 1);
	act(r, "intake", true, 2);
	act(r, "intake", true, 2);  /* told again: no news */
	act(r, "intake", false, 1); /* nor by a broker that has lost what came after it */
	assert_int_equal(refused(r), OK);
	rig_do(r, KIND_SEND_THREAT, "intake", "A");
	assert_int_equal(rig_number(r, RIG_HANDLED, "A"), 1);
}

/* What the broker's store lost this program may have heard, or not: it goes on from both. */
static void numbers_may_be_left_out(void **state)
{
	struct rig *r = *state;

	act(r, "intake", true, 4);
	act(r, "intake", false, 3);
	assert_false(registry_find(engine_registry(r->engine), "intake")->suspended);
	act(r, "intake", false, 7);
	assert_true(registry_find(engine_registry(r->engine), "intake")->suspended);
	assert_int_equal(refused(r), OK);
}

/* As at the broker, in whatever order they are told. */
static void of_two_with_one_serial_a_suspension_holds(void **state)
{
	struct rig *r = *state;

	for (int order = 0; order < 2; order++) {
		const char *who = order ? "intake" : "screening";

		act(r, who, order == 0, 2);
		act(r, who, order != 0, 2);
		assert_true(registry_find(engine_registry(r->engine), who)->suspended);
	}
	assert_int_equal(refused(r), OK);
}

static unsigned proposed(struct rig *r, const SuspensionAct *a)
{
	struct key at = {0};
	struct txn *t = NULL;
	StoredAct *one;
	unsigned n = 0;

	assert_int_equal(store_begin(r->store, TXN_READ, &t), OK);
	for (; act_next_proposal(t, T_TRUST, a, &at, &one) == OK; n++)
		stored_act__free_unpacked(one, NULL);
	txn_abort(&t);
	return n;
}

static void a_proposal_stays_until_its_number_is_in_force(void **state)
{
	struct rig *r = *state;
	SuspensionAct a = sample_act("intake", false, 1), next = sample_act("intake", true, 2);

	tell_act(r, &next, "officer-1", NULL);
	tell_act(r, &a, "officer-1", NULL);
	tell_act(r, &a, "officer-1", NULL); /* again */
	tell_act(r, &a, "officer-2", NULL);
	assert_int_equal(proposed(r, &a), 3);
	tell_act(r, &a, "officer-1", "officer-2");
	assert_int_equal(proposed(r, &a), 1);
	tell_act(r, &a, "supervisor-1", NULL); /* of what is in force */
	assert_int_equal(proposed(r, &a), 1);
	tell_act(r, &next, "officer-1", "officer-2");
	assert_int_equal(proposed(r, &a), 0);
	assert_int_equal(refused(r), OK);
}

/* Signed by these roots; the fixture's registry was changed for it. */
static void tell_registry(struct rig *r, uint8_t root, uint8_t second)
{
	SignedRegistry *s = sample_registry(r->f, root, second);

	tell(r, KIND_SPREAD_REGISTRY, &s->base);
	signed_registry__free_unpacked(s, NULL);
}

static uint64_t version(const struct rig *r)
{
	return registry_message(engine_registry(r->engine))->version;
}

static void a_registry_that_is_told_is_used_at_once_and_kept(void **state)
{
	struct rig *r = *state;
	struct registry *old;

	sample_root(r->f, 1);
	engine_use_registry(r->engine, fixture_registry(r->f));
	assert_int_equal(registry_from_message(fixture_message(r->f), &old), OK);
	act(r, "screening", false, 1);
	fixture_principal(r->f, "intake")->suspended = true;
	fixture_rebuild(r->f);
	tell_registry(r, 1, 0);
	assert_int_equal(refused(r), OK);
	assert_int_equal(version(r), 3);
	rig_do(r, KIND_SEND_THREAT, "intake", "A");
	assert_int_equal(held(r), 1);
	/* the list holds over the new registry too */
	assert_true(registry_find(engine_registry(r->engine), "screening")->suspended);
	rig_crash(r);
	engine_use_registry(r->engine, old); /* an older file */
	assert_int_equal(version(r), 3);
	assert_true(registry_find(engine_registry(r->engine), "screening")->suspended);
	/* a newer one without the suspension lets go */
	fixture_principal(r->f, "intake")->suspended = false;
	fixture_rebuild(r->f);
	tell_registry(r, 1, 0);
	assert_int_equal(held(r), 0);
	assert_int_equal(rig_number(r, RIG_HANDLED, "A"), 1);
	registry_free(&old);
}

static void a_registry_is_taken_from_its_roots_only_and_never_back(void **state)
{
	struct rig *r = *state;
	SignedRegistry *older;

	sample_root(r->f, 1);
	engine_use_registry(r->engine, fixture_registry(r->f));
	older = sample_registry(r->f, 1, 0);
	fixture_rebuild(r->f);
	tell_registry(r, 2, 0);
	assert_int_equal(refused(r), ERR_NOT_ENOUGH_SIGNATURES);
	tell_registry(r, 1, 0);
	assert_int_equal(version(r), 3);
	tell(r, KIND_SPREAD_REGISTRY, &older->base); /* no news: it came by another way before */
	assert_int_equal(refused(r), OK);
	assert_int_equal(version(r), 3);
	/* other roots: only with the old ones' signature as well */
	sample_root(r->f, 2);
	tell_registry(r, 2, 0);
	assert_int_equal(refused(r), ERR_NOT_ENOUGH_SIGNATURES);
	tell_registry(r, 2, 1);
	assert_int_equal(refused(r), OK);
	assert_int_equal(version(r), 4);
	fixture_rebuild(r->f);
	tell_registry(r, 2, 0);
	assert_int_equal(version(r), 5);
	signed_registry__free_unpacked(older, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(mail_of_the_suspended_is_held_and_goes_on_after_the_lift),
		RIG_TEST(the_suspended_are_owed_what_others_send),
		RIG_TEST(one_key_of_two_is_suspended_alone),
		RIG_TEST(nothing_but_two_officers_suspends),
		RIG_TEST(who_signed_may_be_gone_since),
		RIG_TEST(nobody_proposes_nothing),
		RIG_TEST(what_waits_is_held_at_its_deadline),
		RIG_TEST(an_old_act_changes_nothing),
		RIG_TEST(numbers_may_be_left_out),
		RIG_TEST(of_two_with_one_serial_a_suspension_holds),
		RIG_TEST(a_proposal_stays_until_its_number_is_in_force),
		RIG_TEST(a_registry_that_is_told_is_used_at_once_and_kept),
		RIG_TEST(a_registry_is_taken_from_its_roots_only_and_never_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
