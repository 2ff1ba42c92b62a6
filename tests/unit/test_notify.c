/* Goal: the partner hears of every change once, in both languages, whatever becomes of another
 * partner of the same person, and of nothing after closure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/case.pb-c.h"
#include "services/notify/notify.h"
#include "tests/unit/drive.h"
#include "tests/unit/trust_sample.h"

static struct fixture *fixture;
static struct drive *d;

static int setup(void **state)
{
	(void)state;
	fixture = fixture_make();
	d = drive_make(fixture, &notify_service, "notify");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	drive_free(&d);
	fixture_free(&fixture);
	return 0;
}

static const Notice *outcome(const char *number, Event event)
{
	Outcome o = OUTCOME__INIT;

	o.case_number = (char *)number;
	o.partner = "partner-b";
	o.event = event;
	o.state = STATE__HUMAN_REVIEW;
	o.at = FIXTURE_NOW;
	drive_send(d, KIND_REPORT_OUTCOME, "screening", &o.base, FIXTURE_NOW);
	return (const Notice *)drive_sent(d, KIND_SEND_NOTICE, "partner-b");
}

static void words_are_in_both_languages(void **state)
{
	(void)state;
	for (unsigned i = 0; i < event__descriptor.n_values; i++) {
		const Notice *n = outcome("", (Event)event__descriptor.values[i].value);

		if (!n)
			continue;
		assert_true(*n->happened->en && *n->happened->fr);
		assert_true(*n->next->en && *n->next->fr);
		assert_true(*n->who->en && *n->who->fr);
		assert_string_not_equal(n->happened->en, n->happened->fr);
		/* fr-CA: a no-break space before a colon */
		assert_null(strstr(n->happened->fr, " :"));
		assert_null(strstr(n->next->fr, " :"));
	}
}

/* Every event that changes a partner's case has a notice; what is told to nobody is listed here. */
static void no_event_is_forgotten(void **state)
{
	static const Event silent[] = {
		EVENT__SCREEN, EVENT__HOLD_AS_DUPLICATE, EVENT__NOT_A_DUPLICATE};
	const ProtobufCEnumDescriptor *type = &event__descriptor;

	(void)state;
	for (unsigned i = 0; i < type->n_values; i++) {
		int event = type->values[i].value;
		bool told = event && outcome("", (Event)event) != NULL;
		bool expected = event != EVENT__NO_EVENT;

		for (unsigned k = 0; k < sizeof(silent) / sizeof(silent[0]); k++)
			expected = expected && event != (int)silent[k];
		if (told != expected)
			fail_msg("%s", type->values[i].name);
	}
}

static void nothing_after_closure(void **state)
{
	(void)state;
	assert_non_null(outcome("HV-TEST-0001-A", EVENT__REGISTER));
	assert_non_null(outcome("HV-TEST-0001-A", EVENT__CLOSE_CASE));
	assert_null(outcome("HV-TEST-0001-A", EVENT__ACKNOWLEDGE));
	assert_non_null(outcome("HV-TEST-0002-A", EVENT__REGISTER));
	assert_non_null(outcome("HV-TEST-0002-A", EVENT__REVOKE_CONSENT));
	assert_null(outcome("HV-TEST-0002-A", EVENT__RECOMMEND));
	/* but a revocation, which reaches everybody who was told */
	assert_non_null(outcome("HV-TEST-0001-A", EVENT__REVOKE_CONSENT));
}

/* Told by intake while it was compared with others, and again by screening: heard once. */
static void a_registration_is_told_once(void **state)
{
	(void)state;
	assert_non_null(outcome("HV-TEST-0003-A", EVENT__REGISTER));
	assert_null(outcome("HV-TEST-0003-A", EVENT__REGISTER));
	/* what urgent told before does not stand for it */
	assert_non_null(outcome("HV-TEST-0004-A", EVENT__REQUEST_ESCALATION));
	assert_non_null(outcome("HV-TEST-0004-A", EVENT__REGISTER));
}

#define CASE_A "HV-TEST-000A-A"
#define CASE_B "HV-TEST-000B-B"

/* What notify sends itself comes to it. */
static void carry_own(void)
{
	const ProtobufCMessage *m;

	while ((m = drive_sent(d, KIND_REPORT_OUTCOME, "notify")))
		drive_send(d, KIND_REPORT_OUTCOME, "notify", m, FIXTURE_NOW);
}

static uint8_t referral_of_a[MSG_ID_LEN] = {0xaa}, referral_of_b[MSG_ID_LEN] = {0xbb};

/* Said about partner-a's case, the one that goes on, or about partner-c's. */
static void say(const char *number, Event event, Outcome o)
{
	bool of_a = strcmp(number, CASE_A) == 0;

	o.case_number = (char *)number;
	o.partner = of_a ? "partner-a" : "partner-c";
	o.submission = (ProtobufCBinaryData){MSG_ID_LEN, of_a ? referral_of_a : referral_of_b};
	o.event = event;
	o.at = FIXTURE_NOW;
	drive_send(d, KIND_REPORT_OUTCOME, "screening", &o.base, FIXTURE_NOW);
	carry_own();
}

static void say_merged(void)
{
	Outcome o = OUTCOME__INIT;

	o.merged_into = CASE_A;
	o.state = STATE__DUPLICATE_MERGED;
	say(CASE_B, EVENT__MERGE_DUPLICATE, o);
}

static const Notice *hears(const char *partner)
{
	return (const Notice *)drive_sent(d, KIND_SEND_NOTICE, partner);
}

static void must_hear(const char *partner, Event event)
{
	bool a = strcmp(partner, "partner-a") == 0;
	const Notice *n = hears(partner);

	assert_non_null(n);
	assert_int_equal(n->event, event);
	assert_string_equal(n->case_number, a ? CASE_A : CASE_B);
	assert_memory_equal(n->submission.data, a ? referral_of_a : referral_of_b, MSG_ID_LEN);
}

/* Each under its own number and reference; of the note, which names its reader, only the first has
 * the bytes, and the other learns where the words are. */
static void both_partners_of_a_merged_case_hear(void **state)
{
	Outcome plain = OUTCOME__INIT, refused = OUTCOME__INIT;
	SealedNote note = SEALED_NOTE__INIT;
	Reason why = REASON__OTHER_REASON;
	const Notice *n;

	(void)state;
	say(CASE_A, EVENT__REGISTER, plain);
	say(CASE_B, EVENT__REGISTER, plain);
	say_merged();
	drive_forget(d);
	refused.reasons = &why;
	refused.n_reasons = 1;
	note.sealed = (ProtobufCBinaryData){4, (uint8_t *)"seal"};
	refused.note = &note;
	say(CASE_A, EVENT__RECOMMEND, plain);
	must_hear("partner-a", EVENT__RECOMMEND);
	must_hear("partner-c", EVENT__RECOMMEND);
	say(CASE_A, EVENT__REFUSE, refused);
	n = hears("partner-a");
	assert_non_null(n->note);
	assert_null(strstr(n->next->en, "written reasons"));
	n = hears("partner-c");
	assert_string_equal(n->case_number, CASE_B);
	assert_null(n->note);
	assert_int_equal(n->reasons[0], REASON__OTHER_REASON);
	assert_non_null(strstr(n->next->en, "written reasons"));
	assert_non_null(strstr(n->next->fr, "motifs écrits"));
	/* and what is told of one referral alone */
	plain.part = true;
	say(CASE_A, EVENT__WITHDRAW_CASE, plain);
	must_hear("partner-a", EVENT__WITHDRAW_CASE);
	assert_null(hears("partner-c"));
	plain.part = false;
	say(CASE_A, EVENT__RESUME, plain);
	assert_null(hears("partner-a"));
	must_hear("partner-c", EVENT__RESUME);
	say(CASE_A, EVENT__REVOKE_CONSENT, plain);
	must_hear("partner-a", EVENT__REVOKE_CONSENT);
	must_hear("partner-c", EVENT__REVOKE_CONSENT);
}

/* The word of the merge was faster. */
static void a_late_registration_is_told_to_its_partner_alone(void **state)
{
	Outcome plain = OUTCOME__INIT;

	(void)state;
	say(CASE_B, EVENT__REGISTER, plain);
	say_merged();
	drive_forget(d);
	say(CASE_A, EVENT__REGISTER, plain);
	must_hear("partner-a", EVENT__REGISTER);
	assert_null(hears(NULL));
	say(CASE_A, EVENT__REGISTER, plain); /* once */
	assert_null(hears(NULL));
}

/* The merge came after a decision: the second partner hears how the case stands by then. */
static void a_merge_tells_where_the_case_stands(void **state)
{
	Outcome o = OUTCOME__INIT;
	const Notice *n;

	(void)state;
	o.state = STATE__REFUSED;
	say(CASE_A, EVENT__REFUSE, o);
	o.state = STATE__CLOSED;
	say(CASE_A, EVENT__CLOSE_CASE, o);
	drive_forget(d);
	say_merged();
	must_hear("partner-c", EVENT__MERGE_DUPLICATE);
	n = hears("partner-c");
	assert_non_null(n);
	assert_int_equal(n->event, EVENT__CLOSE_CASE);
	assert_int_equal(n->state, STATE__CLOSED);
	assert_string_equal(n->case_number, CASE_B);
	assert_null(hears(NULL));
}

static void act(const SuspensionAct *a)
{
	SignedAct *s = sample_signed(fixture, a, "officer-1", "officer-2");

	drive_send(d, KIND_TELL_SUSPENSION, "broker", &s->base, FIXTURE_NOW);
	signed_act__free_unpacked(s, NULL);
}

/* Of its only key: nothing can be sealed to it then. */
static void suspend(const char *partner, bool lift, uint64_t serial)
{
	SuspensionAct a = sample_act(partner, lift, serial);

	a.key_id = (ProtobufCBinaryData){
		KEY_ID_LEN, (uint8_t *)keyring_key_id(fixture_keys(fixture, partner))};
	act(&a);
}

static void merge_two(void)
{
	Outcome plain = OUTCOME__INIT;

	say(CASE_A, EVENT__REGISTER, plain);
	say(CASE_B, EVENT__REGISTER, plain);
	say_merged();
	drive_forget(d);
}

/* Whichever of the two it is. What it is owed comes in its order, with the lift. */
static void a_suspended_partner_keeps_nobody_waiting(void **state)
{
	static const char *const partners[] = {"partner-a", "partner-c"};
	Outcome plain = OUTCOME__INIT;
	enum err code = OK;

	(void)state;
	merge_two();
	for (int i = 0; i < 2; i++) {
		const char *suspended = partners[i], *other = partners[!i];

		suspend(suspended, false, 1);
		say(CASE_A, EVENT__RECOMMEND, plain);
		must_hear(other, EVENT__RECOMMEND);
		say(CASE_A, EVENT__RESERVE_PLACES, plain);
		must_hear(other, EVENT__RESERVE_PLACES);
		assert_null(hears(suspended));
		suspend(suspended, true, 2);
		must_hear(suspended, EVENT__RECOMMEND);
		must_hear(suspended, EVENT__RESERVE_PLACES);
		assert_null(hears(NULL));
	}
	assert_int_equal(drive_quarantined(d, &code), 0);
}

/* The whole partner is suspended, and its keys are not: its notices wait in its mailbox. */
static void a_partner_with_good_keys_is_sent_to(void **state)
{
	SuspensionAct a = sample_act("partner-a", false, 1);
	Outcome plain = OUTCOME__INIT;

	(void)state;
	merge_two();
	act(&a);
	say(CASE_A, EVENT__RECOMMEND, plain);
	must_hear("partner-a", EVENT__RECOMMEND);
	must_hear("partner-c", EVENT__RECOMMEND);
}

/* Its referral is merged in meanwhile: the case does not wait for it. */
static void a_merge_does_not_wait_for_a_suspended_partner(void **state)
{
	Outcome plain = OUTCOME__INIT;

	(void)state;
	say(CASE_A, EVENT__REGISTER, plain);
	say(CASE_B, EVENT__REGISTER, plain);
	say(CASE_A, EVENT__RECOMMEND, plain);
	drive_forget(d);
	suspend("partner-c", false, 1);
	say_merged();
	say(CASE_A, EVENT__RESERVE_PLACES, plain);
	must_hear("partner-a", EVENT__RESERVE_PLACES);
	assert_null(hears(NULL));
	suspend("partner-c", true, 2);
	must_hear("partner-c", EVENT__MERGE_DUPLICATE);
	must_hear("partner-c", EVENT__RECOMMEND); /* where it stood at the merge */
	must_hear("partner-c", EVENT__RESERVE_PLACES);
}

/* Nothing can be sealed to it ever again: its notice is set aside for a person, and only this one.
 */
static void a_partner_who_left_keeps_nobody_from_hearing(void **state)
{
	Outcome plain = OUTCOME__INIT;
	enum err code = OK;

	(void)state;
	merge_two();
	fixture_principal(fixture, "partner-a")->keys[0]->retired = true;
	fixture_rebuild(fixture);
	engine_use_registry(drive_engine(d), fixture_registry(fixture));
	say(CASE_A, EVENT__REFUSE, plain);
	must_hear("partner-c", EVENT__REFUSE);
	assert_int_equal(drive_quarantined(d, &code), 1);
	assert_int_equal(code, ERR_UNKNOWN_RECIPIENT);
}

/* Who withdrew hears nothing more of the case, but what became of its own report of a danger. */
static void a_report_after_the_withdrawal_is_answered(void **state)
{
	Outcome part = OUTCOME__INIT, answer = OUTCOME__INIT, plain = OUTCOME__INIT;
	static uint8_t report[MSG_ID_LEN] = {0xcc};
	const Notice *n;

	(void)state;
	merge_two();
	part.part = true;
	say(CASE_A, EVENT__WITHDRAW_CASE, part);
	must_hear("partner-a", EVENT__WITHDRAW_CASE);
	answer.case_number = CASE_A;
	answer.partner = "partner-a";
	answer.submission = (ProtobufCBinaryData){MSG_ID_LEN, report};
	answer.event = EVENT__REQUEST_ESCALATION;
	answer.part = answer.answer = true;
	drive_send(d, KIND_REPORT_OUTCOME, "intake", &answer.base, FIXTURE_NOW);
	n = hears("partner-a");
	assert_non_null(n);
	assert_memory_equal(n->submission.data, report, MSG_ID_LEN);
	assert_non_null(strstr(n->next->en, "stays withdrawn"));
	assert_non_null(strstr(n->next->fr, "demeure retirée"));
	say(CASE_A, EVENT__REQUEST_ESCALATION, plain);
	must_hear("partner-c", EVENT__REQUEST_ESCALATION);
	assert_null(hears(NULL));
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(words_are_in_both_languages),
		T(no_event_is_forgotten),
		T(a_registration_is_told_once),
		T(nothing_after_closure),
		T(both_partners_of_a_merged_case_hear),
		T(a_late_registration_is_told_to_its_partner_alone),
		T(a_merge_tells_where_the_case_stands),
		T(a_suspended_partner_keeps_nobody_waiting),
		T(a_partner_with_good_keys_is_sent_to),
		T(a_merge_does_not_wait_for_a_suspended_partner),
		T(a_partner_who_left_keeps_nobody_from_hearing),
		T(a_report_after_the_withdrawal_is_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
