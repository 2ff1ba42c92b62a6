/* Goal: havre-admin verify finds each notice that a partner of a case, the second one of a merged
 * case as well, was owed and did not get (I7), and takes none for lost that is held, or not owed.
 */
#include "tests/unit/verify_damage.h"

#include "services/notify/records.pb-c.h"
#include "tests/unit/trust_sample.h" /* after cmocka.h */

/* Two more cases, told of by outcomes alone. OTHER is merged into FIRST; partner-b has no store. */
#define FIRST "HV-TEST-000A-A"
#define OTHER "HV-TEST-000B-B"

static void outcome(struct story *s, const char *number, Event event, const char *merged_into)
{
	Outcome o = OUTCOME__INIT;

	o.case_number = (char *)number;
	o.partner = strcmp(number, OTHER) == 0 ? "partner-b" : "partner-a";
	o.event = event;
	o.state = STATE__HUMAN_REVIEW;
	o.at = s->r->now;
	o.merged_into = (char *)merged_into;
	rig_send(s->r, KIND_REPORT_OUTCOME, "screening", "notify", &o.base);
}

/* Notify handles one, and what it is to say leaves. */
static void tell(struct story *s, const char *number, Event event)
{
	outcome(s, number, event, "");
	rig_rest(s->r);
}

static void register_two(struct story *s)
{
	tell(s, FIRST, EVENT__REGISTER);
	tell(s, OTHER, EVENT__REGISTER);
}

static void merge(struct story *s)
{
	outcome(s, OTHER, EVENT__MERGE_DUPLICATE, FIRST);
	rig_rest(s->r);
}

/* A message that notify wants to send, the i-th from the oldest, is lost before it leaves. */
static void lose(struct story *s, unsigned i)
{
	struct txn *t = open_store(s, NOTIFY);
	struct slice key, value;
	struct key at = {0};

	do {
		assert_ok(txn_next(t, T_OUTBOX, key_slice(&at), true, &key, &value));
		at = (struct key){0};
		key_bytes(&at, key.data, key.len);
	} while (i-- > 0);
	txn_abort(&t);
	drop(s, NOTIFY, T_OUTBOX, key_slice(&at));
}

/* Changes what notify knows of a case. */
struct change {
	const char *number;
	void (*change)(NotifyCase *c);
};

static enum err change_case(struct step *s, void *arg)
{
	const struct change *c = arg;
	ProtobufCMessage *m;
	enum err e;

	TRY(record_get(s, NOTIFY_CASES, slice_str(c->number), &notify_case__descriptor, &m));
	c->change((NotifyCase *)m);
	e = record_put(s, NOTIFY_CASES, slice_str(c->number), m);
	protobuf_c_message_free_unpacked(m, NULL);
	return e;
}

static void change(struct story *s, const char *number, void (*fn)(NotifyCase *c))
{
	rig_step(s->r, NOTIFY, change_case, &(struct change){number, fn});
}

static void forget_merged(NotifyCase *c)
{
	while (c->n_merged)
		merged_case__free_unpacked(c->merged[--c->n_merged], NULL);
}

/* As if it had been there all the time. */
static void merged_again(NotifyCase *c)
{
	MergedCase *m = malloc(sizeof(*m));

	assert_non_null(m);
	merged_case__init(m);
	m->case_number = strdup(OTHER);
	m->since = c->newest - 1500; /* between the merge and what came a second later */
	c->merged = calloc(1, sizeof(MergedCase *));
	assert_non_null(c->merged);
	c->merged[c->n_merged++] = m;
}

/* --- what must be found --- */

static void processed_and_forgotten(struct story *s)
{
	outcome(s, s->danger, EVENT__TRANSMIT, "");
	skip_one(s, NOTIFY, LANE_ROUTINE);
}

static void refused(struct story *s)
{
	outcome(s, s->danger, EVENT__TRANSMIT, "");
	assert_true(rig_carry_in(s->r, NOTIFY, LANE_ROUTINE));
	refuse_next(s, NOTIFY, LANE_ROUTINE);
}

/* The last word was said since. */
static void lost_before_the_closure(struct story *s)
{
	outcome(s, s->danger, EVENT__TRANSMIT, "");
	assert_true(rig_carry_in(s->r, NOTIFY, LANE_ROUTINE));
	lose(s, 0);
	tell(s, s->danger, EVENT__CLOSE_CASE);
}

static void last_word_lost(struct story *s)
{
	outcome(s, s->danger, EVENT__CLOSE_CASE, "");
	assert_true(rig_carry_in(s->r, NOTIFY, LANE_ROUTINE));
	lose(s, 0);
}

static void second_not_passed_on(struct story *s)
{
	register_two(s);
	merge(s);
	change(s, FIRST, forget_merged);
	tell(s, FIRST, EVENT__RECOMMEND);
	change(s, FIRST, merged_again);
}

static void part_lost(struct story *s, unsigned i)
{
	register_two(s);
	merge(s);
	outcome(s, FIRST, EVENT__RECOMMEND, "");
	assert_true(rig_carry_in(s->r, NOTIFY, LANE_ROUTINE));
	lose(s, i);
}

static void first_part_lost(struct story *s)
{
	part_lost(s, 0);
}

static void second_part_lost(struct story *s)
{
	part_lost(s, 1);
}

static void second_notice_lost(struct story *s)
{
	register_two(s);
	merge(s);
	outcome(s, FIRST, EVENT__RECOMMEND, "");
	assert_true(rig_carry_in(s->r, NOTIFY, LANE_ROUTINE));
	for (int i = 0; i < 2; i++)
		assert_true(rig_carry_out(s->r, NOTIFY, LANE_ROUTINE));
	for (int i = 0; i < 2; i++)
		assert_true(rig_carry_in(s->r, NOTIFY, LANE_ROUTINE));
	lose(s, 1);
}

static void merge_not_known(struct story *s)
{
	register_two(s);
	merge(s);
	change(s, FIRST, forget_merged);
}

static void standing_lost(struct story *s)
{
	register_two(s);
	tell(s, FIRST, EVENT__RECOMMEND);
	outcome(s, OTHER, EVENT__MERGE_DUPLICATE, FIRST);
	assert_true(rig_carry_in(s->r, NOTIFY, LANE_ROUTINE));
	lose(s, 1);
}

static void answer_lost(struct story *s)
{
	Outcome o = OUTCOME__INIT;

	register_two(s);
	tell(s, FIRST, EVENT__WITHDRAW_CASE);
	o.case_number = FIRST;
	o.partner = "partner-a";
	o.event = EVENT__REQUEST_ESCALATION;
	o.part = o.answer = true;
	rig_send(s->r, KIND_REPORT_OUTCOME, "intake", "notify", &o.base);
	assert_true(rig_carry_in(s->r, NOTIFY, LANE_ROUTINE));
	lose(s, 0);
}

static const struct damage damages[] = {
	{"forgotten", processed_and_forgotten, CHECK_7, "not told"},
	{"refused", refused, CHECK_7,
		"notify SEND_NOTICE UNKNOWN_RECIPIENT: the broker finally refused"},
	{"lost before the closure", lost_before_the_closure, CHECK_7, "not told"},
	{"last word lost", last_word_lost, CHECK_7, "not told"},
	{"second not passed on", second_not_passed_on, CHECK_7, OTHER ": an outcome"},
	{"first part lost", first_part_lost, CHECK_7, FIRST ": an outcome"},
	{"second part lost", second_part_lost, CHECK_7, OTHER ": an outcome"},
	{"second notice lost", second_notice_lost, CHECK_7, OTHER ": an outcome"},
	{"merge not known", merge_not_known, CHECK_7, OTHER ": an outcome"},
	{"standing lost", standing_lost, CHECK_7, OTHER ": an outcome"},
	{"answer lost", answer_lost, CHECK_7, "not told"},
};

/* --- what must not --- */

static void suspend(struct story *s, const char *who, bool key_alone, bool lift, uint64_t serial)
{
	SuspensionAct a = sample_act(who, lift, serial);
	SignedAct *act;

	if (key_alone)
		a.key_id = (ProtobufCBinaryData){
			KEY_ID_LEN, (uint8_t *)keyring_key_id(fixture_keys(s->r->f, who))};
	act = sample_signed(s->r->f, &a, "officer-1", "officer-2");
	rig_send(s->r, KIND_TELL_SUSPENSION, "broker", "notify", &act->base);
	signed_act__free_unpacked(act, NULL);
}

static void at_rest(struct story *s)
{
	do
		rig_must_be_sound(s->r);
	while (rig_move(s->r));
}

static void what_is_held_is_not_lost(void **state)
{
	struct story *s = *state;

	register_two(s);
	tell(s, FIRST, EVENT__RECOMMEND);
	suspend(s, "partner-b", true, false, 1);
	outcome(s, OTHER, EVENT__MERGE_DUPLICATE, FIRST);
	outcome(s, FIRST, EVENT__RESERVE_PLACES, "");
	at_rest(s);
	suspend(s, "partner-a", true, false, 1);
	outcome(s, FIRST, EVENT__TRANSMIT, "");
	at_rest(s);
	suspend(s, "partner-b", true, true, 2);
	at_rest(s);
	outcome(s, FIRST, EVENT__CLOSE_CASE, "");
	suspend(s, "partner-a", true, true, 2);
	at_rest(s);
	outcome(s, FIRST, EVENT__ACKNOWLEDGE, ""); /* after the last word */
	outcome(s, FIRST, EVENT__REVOKE_CONSENT, "");
	at_rest(s);
}

/* Its sender was suspended meanwhile: it is handled after the last word, or after a merge. */
static void must_take_what_comes_late(struct story *s, bool merged)
{
	Outcome o = OUTCOME__INIT;

	register_two(s);
	suspend(s, "urgent", false, false, 1);
	rig_rest(s->r);
	o.case_number = FIRST;
	o.partner = "partner-a";
	o.event = EVENT__ACKNOWLEDGE;
	rig_send(s->r, KIND_REPORT_OUTCOME, "urgent", "notify", &o.base);
	if (merged)
		merge(s);
	else
		tell(s, FIRST, EVENT__CLOSE_CASE);
	rig_must_be_sound(s->r);
	suspend(s, "urgent", false, true, 2);
	at_rest(s);
}

static void what_comes_late_is_not_lost(void **state)
{
	must_take_what_comes_late(*state, false);
}

static void what_comes_late_of_a_merged_case_is_not_lost(void **state)
{
	must_take_what_comes_late(*state, true);
}

static void what_comes_with_the_last_word_is_not_owed(void **state)
{
	struct story *s = *state;

	tell(s, FIRST, EVENT__REGISTER);
	outcome(s, FIRST, EVENT__CLOSE_CASE, "");
	s->r->now -= 1000; /* of the same time of receipt */
	outcome(s, FIRST, EVENT__ACKNOWLEDGE, "");
	at_rest(s);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, story_setup, story_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_held_is_not_lost),
		TEST(what_comes_late_is_not_lost),
		TEST(what_comes_late_of_a_merged_case_is_not_lost),
		TEST(what_comes_with_the_last_word_is_not_owed),
	};

	return run_damages(damages, sizeof(damages) / sizeof(damages[0])) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
