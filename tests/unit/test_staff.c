/* Goal: every answer reaches who asked, an identity reaches nobody else and no disk, and alerts and
 * warnings stay until they are over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/staff/show.h"
#include "services/staff/staff.h"
#include "tests/unit/drive.h"

#define CASE "HV-TEST-0001-A"

/* --- the handlers --- */

static struct fixture *fixture;
static struct drive *d;
static struct staff_seen seen;
static const struct staff_context context = {&seen};

static const void *use_context(const struct config *c)
{
	(void)c;
	return &context;
}

static int setup(void **state)
{
	static struct service svc;

	(void)state;
	svc = staff_service;
	svc.context = use_context;
	seen = (struct staff_seen){0};
	fixture = fixture_make();
	d = drive_make(fixture, &svc, "officer-1");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_free(&seen.opened);
	drive_free(&d);
	fixture_free(&fixture);
	return 0;
}

static void local(enum err (*fn)(struct step *s, void *arg), void *arg)
{
	assert_int_equal(engine_begin(drive_engine(d)), OK);
	assert_int_equal(engine_local(drive_engine(d), FIXTURE_NOW, fn, arg), OK);
	assert_int_equal(engine_commit(drive_engine(d)), OK);
}

static enum err put_request(struct step *s, void *arg)
{
	StaffRequest *r = arg;
	uint8_t id[MSG_ID_LEN];
	struct entropy random;
	struct key k;

	entropy_fresh(&random);
	msg_id_make(id, r->asked_at, &random);
	r->id = (ProtobufCBinaryData){MSG_ID_LEN, id};
	r->case_number = CASE;
	k = request_key(r->asked_at, CASE);
	return case_put(s, STAFF_REQUESTS, key_slice(&k), STAFF_CASE, &r->base);
}

/* Asked at that time: a fixture's messages, the answers, have the time FIXTURE_NOW in their ids. */
static void ask(enum kind kind, int64_t at)
{
	StaffRequest r = STAFF_REQUEST__INIT;

	r.kind = kind;
	r.asked_at = at;
	local(put_request, &r);
}

static enum err get_request(struct step *s, void *arg)
{
	struct key k = request_key(FIXTURE_NOW, CASE);

	return case_get(
		s, STAFF_REQUESTS, key_slice(&k), STAFF_CASE, &staff_request__descriptor, arg);
}

static StaffRequest *asked(void)
{
	ProtobufCMessage *m = NULL;

	local(get_request, &m);
	return (StaffRequest *)m;
}

static void result_is_noted(void **state)
{
	DecisionResult r = DECISION_RESULT__INIT;
	StaffRequest *found;

	(void)state;
	ask(KIND_DECIDE_CASE, FIXTURE_NOW);
	r.case_number = CASE;
	r.result = ERR_STALE;
	r.case_version = 7;
	r.state = STATE__PARKED;
	drive_send(d, KIND_ANSWER_DECISION, "screening", &r.base, FIXTURE_NOW);
	found = asked();
	assert_true(found->answered);
	assert_int_equal(found->result, ERR_STALE);
	assert_int_equal(found->case_version, 7);
	assert_int_equal(found->state, STATE__PARKED);
	staff_request__free_unpacked(found, NULL);
}

/* Of another time or another case: somebody else's device asked. It is no failure. */
static void foreign_results_change_nothing(void **state)
{
	DecisionResult r = DECISION_RESULT__INIT;
	enum err code = OK;
	StaffRequest *found;

	(void)state;
	ask(KIND_DECIDE_CASE, FIXTURE_NOW - 1);
	r.case_number = CASE;
	drive_send(d, KIND_ANSWER_DECISION, "screening", &r.base, FIXTURE_NOW);
	ask(KIND_DECIDE_CASE, FIXTURE_NOW);
	r.case_number = "HV-TEST-0002-A";
	drive_send(d, KIND_ANSWER_DECISION, "screening", &r.base, FIXTURE_NOW);
	found = asked();
	assert_false(found->answered);
	staff_request__free_unpacked(found, NULL);
	assert_int_equal(drive_quarantined(d, &code), 0);
}

static void send_identity(void)
{
	Identity identity = IDENTITY__INIT;
	Person person = PERSON__INIT, *persons[] = {&person};
	IdentityOpened o = IDENTITY_OPENED__INIT;

	identity.family_name = "Inventedname";
	person.identity = &identity;
	o.case_number = CASE;
	o.persons = persons;
	o.n_persons = 1;
	drive_send(d, KIND_IDENTITY_OPENED, "intake", &o.base, FIXTURE_NOW);
}

static void an_identity_reaches_who_asks_now(void **state)
{
	StaffRequest *found;

	(void)state;
	ask(KIND_OPEN_IDENTITY, FIXTURE_NOW);
	seen.asked = FIXTURE_NOW;
	send_identity();
	assert_true(seen.opened.len > 0);
	assert_non_null(memmem(seen.opened.data, seen.opened.len, "Inventedname", 12));
	found = asked();
	assert_true(found->answered);
	staff_request__free_unpacked(found, NULL);
}

static void an_identity_that_comes_late_is_dropped(void **state)
{
	StaffRequest *found;

	(void)state;
	send_identity(); /* nobody asked */
	assert_int_equal(seen.opened.len, 0);
	ask(KIND_OPEN_IDENTITY, FIXTURE_NOW);
	seen.asked = FIXTURE_NOW + 5; /* the call that asked is over */
	send_identity();
	assert_int_equal(seen.opened.len, 0);
	found = asked();
	assert_int_equal(outcome_of(found, false), OUTCOME_OPENED_LATE);
	staff_request__free_unpacked(found, NULL);
}

static enum err count_warnings(struct step *s, void *arg)
{
	return step_count(s, STAFF_WARNINGS, arg);
}

static uint64_t warn(WarningCode code, const char *about, bool over)
{
	Warning w = WARNING__INIT;
	uint64_t n = 99;

	w.code = code;
	w.about = (char *)about;
	w.over = over;
	drive_send(d, KIND_WARN_OPERATOR, "broker", &w.base, FIXTURE_NOW);
	local(count_warnings, &n);
	return n;
}

static void warnings_stay_until_they_are_over(void **state)
{
	(void)state;
	assert_int_equal(warn(WARNING_CODE__MAIL_UNREAD, "intake", true), 0);
	assert_int_equal(warn(WARNING_CODE__MAIL_UNREAD, "intake", false), 1);
	assert_int_equal(warn(WARNING_CODE__MAIL_UNREAD, "intake", false), 1); /* once more */
	assert_int_equal(warn(WARNING_CODE__MAIL_UNREAD, "urgent", false), 2);
	assert_int_equal(warn(WARNING_CODE__DISK_FILLS, "", false), 3);
	assert_int_equal(seen.fresh, 4);
	assert_int_equal(warn(WARNING_CODE__MAIL_UNREAD, "intake", true), 2);
	assert_int_equal(seen.fresh, 4);
	assert_true(seen.moved);
}

static enum err count_alerts(struct step *s, void *arg)
{
	return step_count(s, STAFF_ALERTS, arg);
}

static uint64_t alert(bool stand_down)
{
	Alert a = ALERT__INIT;
	uint64_t n = 99;

	a.case_number = CASE;
	a.stand_down = stand_down;
	drive_send(d, KIND_RAISE_ALERT, "urgent", &a.base, FIXTURE_NOW);
	local(count_alerts, &n);
	return n;
}

static void alerts_stay_until_they_are_stood_down(void **state)
{
	(void)state;
	assert_int_equal(alert(true), 0); /* it began before this device */
	assert_int_equal(seen.fresh, 0);
	assert_int_equal(alert(false), 1);
	assert_int_equal(alert(false), 1); /* a higher rung */
	assert_int_equal(seen.fresh, 2);
	seen.moved = false;
	assert_int_equal(alert(true), 0);
	assert_true(seen.moved);
	assert_int_equal(seen.fresh, 2);
}

/* --- the command line --- */

static enum err take_version(struct cli *c)
{
	const char *value;

	TRY(cli_required(c, "version", &value));
	return strcmp(value, "7") == 0 ? OK : ERR_INVALID;
}

static enum err take_nothing(struct cli *c)
{
	(void)c;
	return ERR_INVALID;
}

static int call(char *command, char *option, char *value)
{
	static const struct cli_option options[] = {
		CLI_OPTION("version", "N", "which", "laquelle"), CLI_END};
	static const struct cli_command commands[] = {
		CLI_COMMAND("decide", "", 0, 0, options, take_version, "x", "x"),
		CLI_COMMAND("plain", "", 0, 0, NULL, take_nothing, "x", "x"),
		CLI_END,
	};
	static const struct cli_program program = {"sample", {"x", "x"}, commands};
	char *argv[] = {"sample", command, option, value, NULL};

	return cli_main(&program, value ? 4 : 3, argv);
}

static void a_commands_own_version_is_a_number(void **state)
{
	(void)state;
	assert_int_equal(call("decide", "--version", "7"), EXIT_DONE);
	assert_int_equal(call("decide", "--version", "8"), EXIT_BAD_DATA);
	assert_int_equal(call("plain", "--version", NULL), EXIT_DONE);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(result_is_noted),
		T(foreign_results_change_nothing),
		T(an_identity_reaches_who_asks_now),
		T(an_identity_that_comes_late_is_dropped),
		T(warnings_stay_until_they_are_over),
		T(alerts_stay_until_they_are_stood_down),
		cmocka_unit_test(a_commands_own_version_is_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
