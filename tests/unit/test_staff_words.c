/* Goal: every event that is a person's word can be decided, and what staff read is complete, in
 * words of both languages, and steers no terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <unistd.h>

#include "services/staff/actions.h"
#include "services/staff/show.h"
#include "services/staff/view.h"
#include "tests/unit/fixture.h"

#define CASE "HV-TEST-0001-A"

/* --- words --- */

/* What no officer sends in a decision: machines do it, partners ask for it, or it has a command of
 * its own (ack). */
static const Event not_decided[] = {
	EVENT__NO_EVENT,
	EVENT__REGISTER,
	EVENT__REJECT,
	EVENT__HOLD_AS_DUPLICATE,
	EVENT__WITHDRAW_CASE,
	EVENT__REVOKE_CONSENT,
	EVENT__SCREEN,
	EVENT__WAITLIST,
	EVENT__REQUEST_ESCALATION,
	EVENT__ACKNOWLEDGE,
};

static enum kind kind_of(int event)
{
	if (event < EVENT__SCREEN)
		return KIND_DECIDE_DUPLICATE;
	return event < EVENT__REQUEST_ESCALATION ? KIND_DECIDE_CASE : KIND_DECIDE_PROTECTION;
}

static void every_event_has_its_action(void **state)
{
	const ProtobufCEnumDescriptor *type = &event__descriptor;

	(void)state;
	for (unsigned i = 0; i < type->n_values; i++) {
		int event = type->values[i].value;
		bool wanted = true;
		unsigned found = 0;

		for (size_t k = 0; k < sizeof(not_decided) / sizeof(not_decided[0]); k++)
			wanted = wanted && event != (int)not_decided[k];
		for (const struct action *a = staff_actions; a->word; a++)
			found += (int)a->event == event;
		if (found != wanted)
			fail_msg("%s: %u actions", type->values[i].name, found);
	}
}

/* The words are those of the events, but for three that say it shorter. */
static void actions_are_sound(void **state)
{
	(void)state;
	for (const struct action *a = staff_actions; a->word; a++) {
		const ProtobufCEnumValue *v =
			protobuf_c_enum_descriptor_get_value(&event__descriptor, (int)a->event);
		bool shorter =
			a->event == EVENT__SPLIT_DECISION || a->kind == KIND_DECIDE_DUPLICATE;
		char expected[64];

		coded_word(v->name, expected);
		if (!shorter)
			assert_string_equal(a->word, expected);
		assert_int_equal(a->kind, kind_of((int)a->event));
		assert_ptr_equal(action_find(a->word), a);
		/* a decision names a version; the word on a duplicate names the other case */
		assert_true(!(a->options & ACTION_VERSION) == !!(a->options & ACTION_WITH));
	}
	assert_null(action_find("approve"));
	assert_null(action_find(""));
}

static void protection_has_its_next_actions(void **state)
{
	(void)state;
	assert_string_equal(action_on_protection(PROTECTION__ESCALATION_REQUESTED, 0)->word,
		"confirm-emergency");
	assert_string_equal(
		action_on_protection(PROTECTION__ESCALATION_REQUESTED, 1)->word, "decline-upp");
	assert_null(action_on_protection(PROTECTION__ESCALATION_REQUESTED, 2));
	assert_null(action_on_protection(PROTECTION__UPP_ACCEPTED, 0));
}

static void coded_values_are_found(void **state)
{
	static const char *const wrong[] = {"", "no-state", "parke", "parked-", "4",
		"a-word-that-is-longer-than-any-coded-value-of-any-type-that-there-is"};
	int value = 0;

	(void)state;
	assert_int_equal(coded_find(&state__descriptor, "human-review", &value), OK);
	assert_int_equal(value, STATE__HUMAN_REVIEW);
	assert_int_equal(coded_find(&state__descriptor, "HUMAN_REVIEW", &value), OK);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(coded_find(&state__descriptor, wrong[i], &value), ERR_INVALID);
	for (unsigned i = 0; i < reason__descriptor.n_values; i++) {
		char word[64];

		coded_word(reason__descriptor.values[i].name, word);
		assert_int_equal(
			coded_find(&reason__descriptor, word, &value), i ? OK : ERR_INVALID);
	}
}

static StaffRequest request(enum kind kind, bool receipted, bool answered, enum err result)
{
	StaffRequest r = STAFF_REQUEST__INIT;

	r.kind = kind;
	r.received_at = receipted;
	r.answered = answered;
	r.result = result;
	return r;
}

static void outcomes_are_told_apart(void **state)
{
	StaffRequest waits = request(KIND_DECIDE_CASE, false, false, OK);
	StaffRequest received = request(KIND_DECIDE_CASE, true, false, OK);
	StaffRequest applied = request(KIND_DECIDE_CASE, true, true, OK);
	StaffRequest stale = request(KIND_DECIDE_CASE, true, true, ERR_STALE);
	StaffRequest opened = request(KIND_OPEN_IDENTITY, true, true, OK);
	StaffRequest refused = waits;

	(void)state;
	refused.refused = ERR_NOT_PERMITTED;
	assert_int_equal(outcome_of(&waits, true), OUTCOME_WAITS);
	assert_int_equal(outcome_of(&received, true), OUTCOME_RECEIVED);
	assert_int_equal(outcome_of(&applied, true), OUTCOME_APPLIED);
	assert_int_equal(outcome_of(&applied, false), OUTCOME_APPLIED);
	assert_int_equal(outcome_of(&stale, true), OUTCOME_NOT_APPLIED);
	assert_int_equal(outcome_of(&refused, true), OUTCOME_BROKER_REFUSED);
	assert_int_equal(outcome_of(&opened, true), OUTCOME_OPENED);
	assert_int_equal(outcome_of(&opened, false), OUTCOME_OPENED_LATE);
	for (enum outcome a = 0; a < OUTCOMES; a++) {
		assert_true(*outcome_name(a) && *outcome_text(a, LANG_EN));
		assert_string_not_equal(outcome_text(a, LANG_EN), outcome_text(a, LANG_FR));
		for (enum outcome b = 0; b < a; b++) {
			assert_string_not_equal(outcome_name(a), outcome_name(b));
			assert_string_not_equal(outcome_text(a, LANG_EN), outcome_text(b, LANG_EN));
		}
	}
}

static void spans_and_rungs_have_words(void **state)
{
	static const struct {
		int64_t ms;
		const char *en, *fr;
	} spans[] = {
		{-5000, "0 min", "0 min"},
		{59999, "0 min", "0 min"},
		{59 * 60000, "59 min", "59 min"},
		{63 * 60000, "1 h 03 min", "1 h 03 min"},
		{(int64_t)48 * 3600000, "2 d", "2 j"},
	};
	char text[32], who[128];

	(void)state;
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		span_text(spans[i].ms, LANG_EN, text);
		assert_string_equal(text, spans[i].en);
		span_text(spans[i].ms, LANG_FR, text);
		assert_string_equal(text, spans[i].fr);
	}
	rung_text(1, LANG_EN, who);
	assert_string_equal(who, "officer");
	rung_text(3, LANG_FR, who);
	assert_string_equal(who, "agent, superviseur, directeur");
	rung_text(99, LANG_EN, who);
	assert_string_equal(who, "");
}

/* --- messages as text --- */

static void every_field_is_shown(void **state)
{
	static const struct {
		const ProtobufCMessageDescriptor *type;
		const struct shown *rows;
	} all[] = {
		{&facts__descriptor, shown_facts},
		{&member__descriptor, shown_member},
		{&claim__descriptor, shown_claim},
		{&protection_request__descriptor, shown_protection},
		{&person__descriptor, shown_person},
		{&identity__descriptor, shown_identity},
		{&narrative__descriptor, shown_narrative},
		{&places_answer__descriptor, shown_places},
		{&alert_entry__descriptor, shown_alert},
	};

	(void)state;
	for (size_t t = 0; t < sizeof(all) / sizeof(all[0]); t++) {
		unsigned wanted = 0, found = 0;

		for (unsigned i = 0; i < all[t].type->n_fields; i++) {
			const ProtobufCFieldDescriptor *f = &all[t].type->fields[i];

			wanted += f->type != PROTOBUF_C_TYPE_MESSAGE &&
				  f->type != PROTOBUF_C_TYPE_BYTES &&
				  strcmp(f->name, "case_number") != 0;
		}
		for (const struct shown *r = all[t].rows; r->field; r++, found++)
			if (!protobuf_c_message_descriptor_get_field_by_name(all[t].type, r->field))
				fail_msg("%s.%s", all[t].type->name, r->field);
		if (found != wanted)
			fail_msg("%s: %u of %u", all[t].type->name, found, wanted);
	}
}

/* What fn prints on standard output. free() it. */
static char *printed(void (*fn)(const struct cli *c), const struct cli *c)
{
	FILE *file = tmpfile();
	char *text = calloc(1, 65536);
	int before;

	assert_true(file && text);
	fflush(stdout);
	before = dup(STDOUT_FILENO);
	dup2(fileno(file), STDOUT_FILENO);
	fn(c);
	fflush(stdout);
	dup2(before, STDOUT_FILENO);
	close(before);
	rewind(file);
	if (fread(text, 1, 65535, file) == 0)
		assert_int_equal(ferror(file), 0);
	fclose(file);
	return text;
}

static void show_person(const struct cli *c)
{
	uint32_t hidden[] = {2, 3};
	Identity identity = IDENTITY__INIT;
	Person p = PERSON__INIT;

	p.number = 1;
	p.relationship = RELATIONSHIP__CHILD;
	p.hidden_from = hidden;
	p.n_hidden_from = 2;
	identity.given_names = "Sam\033[2Jple\302\233x"; /* invented */
	show_fields(c, &p.base, shown_person, 2);
	show_fields(c, &identity.base, shown_identity, 4);
}

static void hidden_members_are_marked(void **state)
{
	struct cli c = {.lang = LANG_EN};
	char *text = printed(show_person, &c);

	(void)state;
	assert_non_null(strstr(text, "NOT TO BE SHOWN TO PERSON: 2; 3\n"));
	assert_non_null(strstr(text, "dependent child\n"));
	assert_null(strstr(text, "Gender")); /* not stated */
	/* nothing that a partner wrote steers the terminal */
	assert_non_null(strstr(text, "Sam?[2Jple?x\n"));
	assert_null(strchr(text, '\033'));
	free(text);
	c.json = true;
	text = printed(show_person, &c);
	assert_string_equal(text, "");
	free(text);
}

static void view_of(struct view *v, AlertsAnswer *alerts, AlertEntry *a, AlertEntry **list)
{
	alert_entry__init(a);
	a->case_number = CASE;
	a->rung = 2;
	a->next_rung_at = FIXTURE_NOW - 3 * 60000;
	list[0] = a;
	alerts_answer__init(alerts);
	alerts->alerts = list;
	alerts->n_alerts = 1;
	*v = (struct view){.alerts = alerts, .why = {OK, ERR_TIMEOUT, ERR_UNREACHABLE}};
}

static void a_view_names_what_is_missing(void **state)
{
	AlertEntry a, *list[1];
	AlertsAnswer alerts;
	struct view v;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	json_t *json;

	(void)state;
	view_of(&v, &alerts, &a, list);
	assert_int_equal(view_result(&v), ERR_TIMEOUT);
	view_print(&v, FIXTURE_NOW, LANG_EN, false, out);
	fclose(out);
	assert_non_null(strstr(text, CASE));
	assert_non_null(strstr(text, "officer, supervisor; OVERDUE by 3 min"));
	assert_non_null(strstr(text, err_text(ERR_TIMEOUT, LANG_EN)));
	assert_non_null(strstr(text, err_text(ERR_UNREACHABLE, LANG_EN)));
	free(text);
	assert_int_equal(view_json(&v, &json), OK);
	assert_int_equal(json_array_size(json_object_get(json, "alerts")), 1);
	assert_true(json_is_null(json_object_get(json, "holds")));
	assert_true(json_is_null(json_object_get(json, "queue")));
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(json, "missing"), "queue")),
		"UNREACHABLE");
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_has_its_action),
		cmocka_unit_test(actions_are_sound),
		cmocka_unit_test(protection_has_its_next_actions),
		cmocka_unit_test(coded_values_are_found),
		cmocka_unit_test(outcomes_are_told_apart),
		cmocka_unit_test(spans_and_rungs_have_words),
		cmocka_unit_test(every_field_is_shown),
		cmocka_unit_test(hidden_members_are_marked),
		cmocka_unit_test(a_view_names_what_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
