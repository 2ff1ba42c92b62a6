/* Goal: the partner hears of every change once, in both languages, and of nothing after closure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/case.pb-c.h"
#include "services/notify/notify.h"
#include "tests/unit/drive.h"

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

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(words_are_in_both_languages),
		T(no_event_is_forgotten),
		T(a_registration_is_told_once),
		T(nothing_after_closure),
		T(both_partners_of_a_merged_case_hear),
		T(a_merge_tells_where_the_case_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
