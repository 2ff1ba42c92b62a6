/* Goal: what leaves the house by e-mail or webhook says what to do, in both languages, and no more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>
#include <sodium.h>

#include "services/common/trust/warning_words.h"
#include "services/relay/relay.h"
#include "tests/unit/drive.h"
#include "tests/unit/unlockable.h"

static Alert alert(bool stand_down)
{
	static ThreatCode codes[] = {THREAT_CODE__LIKELY_KILLED};
	static uint8_t delivery[16] = {1, 2, 3};
	Alert a = ALERT__INIT;

	a.case_number = "HV-TEST-0001-A";
	a.delivery = (ProtobufCBinaryData){sizeof(delivery), delivery};
	a.rung = 2;
	a.threats = codes;
	a.n_threats = 1;
	a.detained = true;
	a.removal_on = "2026-04-01";
	a.raised_at = FIXTURE_NOW;
	a.due_at = FIXTURE_NOW + 900000;
	a.stand_down = stand_down;
	return a;
}

static char *text_of(enum err (*fn)(const Alert *, struct buf *), const Alert *a)
{
	struct buf b = {0};
	char *text;

	assert_int_equal(fn(a, &b), OK);
	text = strndup((const char *)b.data, b.len);
	buf_free(&b);
	return text;
}

static void words_in_both_languages(void **state)
{
	Alert a = alert(false);
	char *text = text_of(alert_text, &a), *subject = text_of(alert_subject, &a);

	(void)state;
	assert_non_null(strstr(text, "Nobody has answered"));
	assert_non_null(strstr(text, "Personne n’a encore répondu"));
	assert_non_null(strstr(text, "havre-staff ack HV-TEST-0001-A"));
	assert_non_null(strstr(text, "2026-04-01"));
	assert_non_null(strstr(text, "The person is detained"));
	assert_non_null(strstr(text, "La personne est détenue"));
	assert_non_null(strstr(subject, "HV-TEST-0001-A"));
	free(text);
	free(subject);
	a = alert(true);
	text = text_of(alert_text, &a);
	assert_non_null(strstr(text, "An officer has answered"));
	assert_null(strstr(text, "ack"));
	free(text);
}

static void one_alert_for_many_says_so(void **state)
{
	Alert a = alert(false);
	char *text = text_of(alert_text, &a);

	(void)state;
	assert_null(strstr(text, "within an hour"));
	free(text);
	a.crowd = 47;
	text = text_of(alert_text, &a);
	assert_non_null(strstr(text, "within an hour: 47."));
	assert_non_null(strstr(text, "en une heure : 47."));
	free(text);
}

static void the_webhook_body_is_json(void **state)
{
	Alert a = alert(false);
	struct buf b = {0};
	json_t *json;

	(void)state;
	assert_int_equal(alert_json(&a, FIXTURE_NOW, &b), OK);
	json = json_loadb((const char *)b.data, b.len, 0, NULL);
	assert_non_null(json);
	assert_string_equal(json_string_value(json_object_get(json, "type")), "alert.raised");
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(json, "data"), "case_number")),
		"HV-TEST-0001-A");
	json_decref(json);
	buf_free(&b);
}

/* The example of the Standard Webhooks specification. */
static void the_signature_is_the_standards(void **state)
{
	static const char body[] = "{\"test\": 2432232314}";
	uint8_t secret[24];
	struct buf b = {0};

	(void)state;
	assert_int_equal(
		sodium_base642bin(secret, sizeof(secret), "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 32,
			NULL, NULL, NULL, sodium_base64_VARIANT_ORIGINAL),
		0);
	assert_int_equal(webhook_signature(secret, sizeof(secret), "msg_p5jXN8AQM9LWM0D4loKWxJek",
				 1614265330, slice_str(body), &b),
		OK);
	assert_int_equal(buf_append(&b, "", 1), OK);
	assert_string_equal(
		(const char *)b.data, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	buf_free(&b);
}

static Warning warning(WarningCode code, bool over)
{
	static char *faults[] = {"REQUIRED", "NOT_A_DATE"};
	static uint8_t delivery[16] = {4, 5, 6};
	Warning w = WARNING__INIT;

	w.code = code;
	w.about = "intake";
	w.kind = KIND_SUBMIT_URGENT;
	w.sender = "partner-a";
	w.since_at = FIXTURE_NOW;
	w.count = 95;
	w.over = over;
	w.delivery = (ProtobufCBinaryData){sizeof(delivery), delivery};
	w.raised_at = FIXTURE_NOW;
	w.faults = faults;
	w.n_faults = 2;
	return w;
}

static char *says(const Warning *w, enum lang lang)
{
	struct buf b = {0};
	char *text;

	assert_int_equal(warning_says(w, lang, &b), OK);
	assert_int_equal(warning_advice(w, lang, &b), OK);
	text = strndup((const char *)b.data, b.len);
	buf_free(&b);
	assert_null(strpbrk(text, "{}?"));
	return text;
}

/* Of every code, and of its end when it has one. */
static void warnings_have_words_in_both_languages(void **state)
{
	const ProtobufCEnumDescriptor *type = &warning_code__descriptor;

	(void)state;
	for (unsigned i = 0; i < type->n_values; i++)
		for (int over = 0; type->values[i].value && over < 2; over++) {
			Warning w = warning((WarningCode)type->values[i].value, over);
			char *en, *fr;

			if (over && warning_is_event(&w))
				continue;
			en = says(&w, LANG_EN);
			fr = says(&w, LANG_FR);
			assert_true(strlen(en) > 20 && strlen(fr) > 20);
			assert_string_not_equal(en, fr);
			free(en);
			free(fr);
		}
}

static bool has(const struct buf *b, const char *words)
{
	return memmem(b->data, b->len, words, strlen(words)) != NULL;
}

static void a_letter_of_a_warning_says_what_is_not_read(void **state)
{
	Warning w = warning(WARNING_CODE__MAIL_UNREAD, false);
	struct letter l;

	(void)state;
	assert_int_equal(letter_of_warning(&w, FIXTURE_NOW, &l), OK);
	assert_true(has(&l.subject, "MAIL_UNREAD intake"));
	assert_true(has(&l.text, "Nobody reads the urgent mail of intake: 95 waiting"));
	assert_true(has(&l.text, "SUBMIT_URGENT de partner-a depuis 2026-03-01T12:00:00.000Z"));
	assert_true(has(&l.json, "\"type\":\"warning.raised\""));
	assert_string_equal(l.id, "04050600000000000000000000000000");
	letter_free(&l);
	w = warning(WARNING_CODE__URGENT_REJECTED, false);
	assert_int_equal(letter_of_warning(&w, FIXTURE_NOW, &l), OK);
	assert_true(has(&l.text, "REQUIRED, NOT_A_DATE"));
	letter_free(&l);
	w = warning(WARNING_CODE__MAIL_UNREAD, true);
	assert_int_equal(letter_of_warning(&w, FIXTURE_NOW, &l), OK);
	assert_true(has(&l.json, "\"type\":\"warning.over\""));
	letter_free(&l);
	w.delivery.len = 3;
	assert_int_equal(letter_of_warning(&w, FIXTURE_NOW, &l), ERR_INVALID);
	letter_free(&l);
}

/* Alerts and warnings wait in the store until they are delivered. */
static void alerts_are_kept(void **state)
{
	struct fixture *f = fixture_make();
	struct drive *d = drive_make(f, &relay_service, "relay-smtp");
	Warning w = warning(WARNING_CODE__MAIL_UNREAD, false);
	Alert a = alert(false);
	struct store_layout layout;
	struct txn *t;
	uint64_t n;
	int table = 0;

	(void)state;
	drive_send(d, KIND_RAISE_ALERT, "urgent", &a.base, FIXTURE_NOW);
	drive_send(d, KIND_WARN_OPERATOR, "broker", &w.base, FIXTURE_NOW);
	assert_int_equal(engine_layout(&relay_service, &layout), OK);
	while (strcmp(layout.tables[table], "pending") != 0)
		table++;
	assert_int_equal(store_begin(drive_store(d), TXN_READ, &t), OK);
	assert_int_equal(txn_count(t, table, &n), OK);
	assert_int_equal(n, 1);
	assert_int_equal(txn_count(t, table + RELAY_WARNINGS, &n), OK);
	assert_int_equal(n, 1);
	txn_abort(&t);
	free((void *)layout.tables);
	drive_free(&d);
	fixture_free(&f);
}

static void without_locked_memory_no_secret_is_read(void **state)
{
	struct config c = {.relay_secret_file = "/nonexistent", .relay_url = "http://127.0.0.1:9/"};
	struct letter l = {"id", {0}, {0}, {0}};
	struct unlockable u;
	enum err e;

	(void)state;
	assert_int_equal(deliver_webhook(&c, &l, FIXTURE_NOW), ERR_NOT_FOUND);
	unlockable_begin(&u);
	e = deliver_webhook(&c, &l, FIXTURE_NOW);
	unlockable_end(&u);
	assert_int_equal(e, ERR_NOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_in_both_languages),
		cmocka_unit_test(one_alert_for_many_says_so),
		cmocka_unit_test(the_webhook_body_is_json),
		cmocka_unit_test(the_signature_is_the_standards),
		cmocka_unit_test(warnings_have_words_in_both_languages),
		cmocka_unit_test(a_letter_of_a_warning_says_what_is_not_read),
		cmocka_unit_test(alerts_are_kept),
		cmocka_unit_test(without_locked_memory_no_secret_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
