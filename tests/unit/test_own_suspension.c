/* Goal: two officers suspend and lift, within the commit; one is not two, nobody displaces what
 * another proposed, and an old act is refused. */
#include "tests/unit/own_rig.h"

static void a_suspension_takes_effect_in_its_commit(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, CONN_A, LANE_URGENT, "partner-a");
	struct conn officer = rig_conn(r, CONN_OFFICER_2, LANE_URGENT, "officer-2");
	struct buf before = rig_urgent(r, "partner-a"), queued = rig_urgent(r, "partner-a");
	SuspensionAct a = sample_act("partner-a", false, 1);
	SignedAct *s = sample_signed(r->f, &a, "officer-2", NULL);
	struct buf second =
		fixture_envelope(r->f, KIND_PROPOSE_SUSPENSION, "officer-2", "broker", &s->base);
	uint64_t index;

	rig_join(r, &c, 0);
	rig_post(r, &c, &before);
	rig_commit(r);
	index = rig_receipt(r, &c, &before, NULL);
	assert_ok(own_sign_by(r, "officer-1", "officer-1", &a));
	assert_int_equal(own_logged(r, KIND_TELL_SUSPENSION, NULL, 0), STAFF);
	assert_false(own_suspended(r, "partner-a"));
	/* the second signature; behind it, in the same batch, what was judged before it */
	rig_join(r, &officer, 0);
	rig_post(r, &officer, &second);
	rig_post(r, &c, &queued);
	rig_commit(r);
	rig_refusal(r, &c, ERR_SUSPENDED);
	rig_receipt(r, &officer, &second, NULL);
	own_skip_all(r);
	assert_true(own_suspended(r, "partner-a"));
	assert_false(core_knows(r->core, &c));
	/* what was receipted stays receipted, though the session is over */
	assert_true(core_hears(r->core, &c, r->now));
	rig_post(r, &c, &before);
	rig_post(r, &c, &queued);
	rig_commit(r);
	rig_refusal(r, &c, ERR_SUSPENDED);
	assert_int_equal(rig_receipt(r, &c, &before, NULL), index);
	rig_hello(r, &c, 0, 0);
	rig_commit(r);
	rig_nothing(r);
	/* everybody was told, but who is suspended */
	assert_int_equal(own_logged(r, KIND_TELL_SUSPENSION, NULL, 0), STAFF + PEOPLE - 1);
	assert_int_equal(own_logged(r, KIND_TELL_SUSPENSION, "partner-a", 0), 0);
	rig_crash(r);
	assert_true(own_suspended(r, "partner-a"));
	own_suspend(r, "partner-a", true, 2);
	assert_false(own_suspended(r, "partner-a"));
	rig_join(r, &c, 0);
	buf_free(&before);
	buf_free(&queued);
	buf_free(&second);
	signed_act__free_unpacked(s, NULL);
}

static void one_officer_is_not_two(void **state)
{
	struct rig *r = *state;
	SuspensionAct a = sample_act("partner-a", false, 1), other = a;

	assert_ok(own_sign_by(r, "officer-1", "officer-1", &a));
	assert_int_equal(own_sign_by(r, "officer-1", "officer-1", &a), ERR_OTHER_OFFICER);
	/* nor with somebody else's signature that was seen */
	assert_int_equal(own_sign_by(r, "officer-2", "officer-1", &a), ERR_NOT_PERMITTED);
	assert_int_equal(own_sign_by(r, "partner-b", "partner-b", &a), ERR_NOT_PERMITTED);
	/* two officers, but not the same act */
	other.made_at++;
	assert_ok(own_sign_by(r, "officer-2", "officer-2", &other));
	assert_false(own_suspended(r, "partner-a"));
	assert_ok(own_sign_by(r, "director-1", "director-1", &other));
	assert_true(own_suspended(r, "partner-a"));
}

/* Whoever has one officer's keys cannot take away what others propose. */
static void nobody_displaces_a_proposal_of_another(void **state)
{
	struct rig *r = *state;
	SuspensionAct a = sample_act("officer-1", false, 1), other = a;
	struct txn *t = NULL;
	StoredAct *left;
	struct key at = {0};

	assert_ok(own_sign_by(r, "officer-2", "officer-2", &a));
	other.made_at++;
	assert_ok(own_sign_by(r, "officer-1", "officer-1", &other));
	other.made_at++;
	assert_ok(own_sign_by(r, "officer-1", "officer-1", &other));
	assert_false(own_suspended(r, "officer-1"));
	assert_ok(own_sign_by(r, "supervisor-1", "supervisor-1", &a));
	assert_true(own_suspended(r, "officer-1"));
	/* and nothing of it stays */
	assert_ok(store_begin(r->store, TXN_READ, &t));
	assert_int_equal(act_next_proposal(t, TABLE_TRUST, &a, &at, &left), ERR_NOT_FOUND);
	txn_abort(&t);
}

/* What was proposed by an officer who is suspended since is nothing to confirm. */
static void a_proposal_of_a_suspended_officer_is_none(void **state)
{
	struct rig *r = *state;
	SuspensionAct a = sample_act("partner-a", false, 1);

	assert_ok(own_sign_by(r, "officer-2", "officer-2", &a));
	own_suspend(r, "officer-2", false, 1);
	assert_ok(own_sign_by(r, "director-1", "director-1", &a));
	assert_false(own_suspended(r, "partner-a"));
	assert_ok(own_sign_by(r, "officer-1", "officer-1", &a));
	assert_true(own_suspended(r, "partner-a"));
}

static void who_is_suspended_is_given_no_answer(void **state)
{
	struct rig *r = *state;
	struct conn asker = rig_conn(r, CONN_A, LANE_ROUTINE, "officer-2");
	struct conn asked = rig_conn(r, CONN_A + 1, LANE_ROUTINE, "screening");
	uint8_t id[MSG_ID_LEN] = {0}, cause[MSG_ID_LEN] = {0};
	struct envelope_spec ask = {.kind = KIND_ASK_QUEUE, .id = cause, .created_at = FIXTURE_NOW};
	struct envelope_spec say = {
		.kind = KIND_TELL_QUEUE, .id = id, .cause = cause, .created_at = FIXTURE_NOW};
	QueueQuery q = QUEUE_QUERY__INIT;
	QueueAnswer a = QUEUE_ANSWER__INIT;
	struct buf question, answer;
	struct output *o;

	be64_put(id, (uint64_t)FIXTURE_NOW << 16 | 1);
	be64_put(cause, (uint64_t)FIXTURE_NOW << 16);
	question = fixture_envelope_of(r->f, "officer-2", "screening", &ask, &q.base);
	answer = fixture_envelope_of(r->f, "screening", "officer-2", &say, &a.base);
	rig_join(r, &asker, 0);
	rig_join(r, &asked, 0);
	rig_judged(r, &asker, VIA_QUERY, &question);
	rig_commit(r);
	rig_skip(r, &asked, FRAME__WHAT_QUERY);
	own_suspend(r, "officer-2", false, 1);
	rig_judged(r, &asked, VIA_ANSWER, &answer);
	rig_commit(r);
	while ((o = core_output(r->core))) {
		assert_int_not_equal(o->conn, asker.id);
		free(o);
	}
	buf_free(&question);
	buf_free(&answer);
}

static void an_old_act_is_refused(void **state)
{
	struct rig *r = *state;
	SuspensionAct a = sample_act("partner-a", false, 1), late = sample_act("intake", false, 1);

	own_suspend(r, "partner-a", false, 1);
	own_suspend(r, "partner-a", true, 2);
	assert_int_equal(own_sign_by(r, "officer-1", "officer-1", &a), ERR_OLD_ACT);
	a.serial = 2;
	assert_int_equal(own_sign_by(r, "officer-1", "officer-1", &a), ERR_OLD_ACT);
	a.serial = 3;
	a.lift = true; /* nothing is to be lifted */
	assert_int_equal(own_sign_by(r, "officer-1", "officer-1", &a), ERR_OLD_ACT);
	/* a proposal that nobody confirmed in time */
	assert_ok(own_sign_by(r, "officer-1", "officer-1", &late));
	r->now += ACT_LIVES_MS + 1;
	assert_int_equal(own_sign_by(r, "officer-2", "officer-2", &late), ERR_OLD_ACT);
	late.made_at = r->now + 2 * ACT_AHEAD_MS;
	assert_int_equal(own_sign_by(r, "officer-2", "officer-2", &late), ERR_OLD_ACT);
	assert_false(own_suspended(r, "intake"));
	assert_false(own_suspended(r, "partner-a"));
}

static void two_who_can_act_always_remain(void **state)
{
	struct rig *r = *state;
	SuspensionAct a = sample_act("broker", false, 1);

	assert_int_equal(own_sign_by(r, "officer-1", "officer-1", &a), ERR_NOT_SUSPENDABLE);
	a = sample_act("nobody", false, 1);
	assert_int_equal(own_sign_by(r, "officer-1", "officer-1", &a), ERR_UNKNOWN_PRINCIPAL);
	a = sample_act("intake", false, 1);
	a.key_id = (ProtobufCBinaryData){
		KEY_ID_LEN, (uint8_t *)keyring_key_id(fixture_keys(r->f, "notify"))};
	assert_int_equal(own_sign_by(r, "officer-1", "officer-1", &a), ERR_UNKNOWN_PRINCIPAL);
	own_suspend(r, "officer-2", false, 1);
	/* the only key of the director is as good as the director */
	a = sample_act("director-1", false, 1);
	a.key_id = (ProtobufCBinaryData){
		KEY_ID_LEN, (uint8_t *)keyring_key_id(fixture_keys(r->f, "director-1"))};
	assert_ok(own_sign_by(r, "officer-1", "officer-1", &a));
	assert_ok(own_sign_by(r, "supervisor-1", "supervisor-1", &a));
	a = sample_act("supervisor-1", false, 1);
	assert_int_equal(own_sign_by(r, "officer-1", "officer-1", &a), ERR_NOT_SUSPENDABLE);
	a = sample_act("officer-2", true, 2);
	assert_int_equal(own_sign_by(r, "director-1", "director-1", &a), ERR_SUSPENDED);
	own_suspend(r, "officer-2", true, 2);
	a = sample_act("supervisor-1", false, 1);
	assert_ok(own_sign_by(r, "officer-1", "officer-1", &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OWN_TEST(a_suspension_takes_effect_in_its_commit),
		OWN_TEST(one_officer_is_not_two),
		OWN_TEST(nobody_displaces_a_proposal_of_another),
		OWN_TEST(a_proposal_of_a_suspended_officer_is_none),
		OWN_TEST(who_is_suspended_is_given_no_answer),
		OWN_TEST(an_old_act_is_refused),
		OWN_TEST(two_who_can_act_always_remain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
