/* Goal: the partner hears of every change once, in both languages, and of nothing after closure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

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

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(words_are_in_both_languages),
		T(no_event_is_forgotten),
		T(a_registration_is_told_once),
		T(nothing_after_closure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
