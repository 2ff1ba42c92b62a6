/* Goal: a referral becomes one case, names stay in the vault, and each way out is told. */
#include "proto/trust.pb-c.h"
#include "services/common/referral/case_number.h"
#include "tests/unit/intake_rig.h"

/* Somebody may be in danger: people hear of it, in codes. */
static void a_rejected_urgent_referral_reaches_people(void **state)
{
	Referral *r = sample("partner-a/09-urgent-threat-killed.json");
	const Warning *w;

	(void)state;
	r->reference[0] = '\0';
	drive_send(d, KIND_SUBMIT_REFERRAL, "partner-a", &r->base, NOW);
	assert_int_equal(drive_count(d, KIND_WARN_OPERATOR, NULL), 0);
	drive_send(d, KIND_SUBMIT_URGENT, "partner-a", &r->base, NOW);
	assert_int_equal(drive_count(d, KIND_WARN_OPERATOR, NULL), 6);
	w = (const Warning *)drive_sent(d, KIND_WARN_OPERATOR, "relay-smtp");
	assert_int_equal(w->code, WARNING_CODE__URGENT_REJECTED);
	assert_string_equal(w->about, "partner-a");
	assert_int_equal(w->count, 1);
	assert_int_equal(w->n_faults, 1);
	assert_string_equal(w->faults[0], "REQUIRED");
	assert_int_equal(drive_count(d, KIND_REPORT_OUTCOME, NULL), 2); /* and the partner */
	assert_int_equal(drive_count(d, KIND_SEND_THREAT, NULL), 0);
	referral__free_unpacked(r, NULL);
}

static void a_rejected_risk_reaches_people(void **state)
{
	const Warning *w;

	(void)state;
	report_risk("AAAA-AAAA", "partner-a");
	assert_int_equal(drive_count(d, KIND_WARN_OPERATOR, NULL), 6);
	w = (const Warning *)drive_sent(d, KIND_WARN_OPERATOR, "officer-1");
	assert_int_equal(w->code, WARNING_CODE__URGENT_REJECTED);
	assert_int_equal(w->kind, KIND_REPORT_RISK);
	assert_string_equal(w->about, "partner-a");
	assert_int_equal(w->n_faults, 1);
	assert_int_equal(drive_count(d, KIND_REPORT_OUTCOME, NULL), 1);
}

static bool holds_text(const ProtobufCMessage *m, const char *text)
{
	json_t *json;
	char *dump;
	bool found;

	assert_int_equal(message_to_json(m, &json), OK);
	dump = json_dumps(json, JSON_COMPACT);
	found = strstr(dump, text) != NULL;
	free(dump);
	json_decref(json);
	return found;
}

/* Facts hold codes, dates and ages; nothing of an identity or a narrative. */
static void facts_have_no_identity(void **state)
{
	Referral *r = sample(ORDINARY);
	const Facts *f;

	(void)state;
	drive_send(d, KIND_SUBMIT_REFERRAL, "partner-a", &r->base, NOW);
	f = (const Facts *)drive_sent(d, KIND_SEND_FACTS, "screening");
	assert_non_null(f);
	assert_true(case_number_valid(f->case_number));
	assert_string_equal(f->partner, "partner-a");
	assert_int_equal(f->received_at, NOW);
	assert_int_equal(f->n_members, r->n_persons);
	for (size_t i = 0; i < r->n_persons; i++) {
		const Identity *id = r->persons[i]->identity;

		assert_false(holds_text(&f->base, id->family_name));
		assert_false(holds_text(&f->base, id->given_names));
		assert_false(holds_text(&f->base, id->born_on));
	}
	assert_false(holds_text(&f->base, r->narrative->persecution));
	referral__free_unpacked(r, NULL);
}

struct search {
	const char *text;
	bool found;
};

static enum err look(void *arg, struct slice key, struct slice value)
{
	struct search *s = arg;

	s->found = s->found || memmem(key.data, key.len, s->text, strlen(s->text)) ||
		   memmem(value.data, value.len, s->text, strlen(s->text));
	return OK;
}

/* In no table of the store does a name stand in clear. */
static void names_are_encrypted_at_rest(void **state)
{
	Referral *r = sample(ORDINARY);
	struct store_layout layout;
	struct txn *t;
	int table;

	(void)state;
	drive_send(d, KIND_SUBMIT_REFERRAL, "partner-a", &r->base, NOW);
	assert_int_equal(engine_layout(&intake_service, &layout), OK);
	assert_int_equal(store_begin(drive_store(d), TXN_READ, &t), OK);
	for (table = 0; layout.tables[table]; table++)
		for (size_t i = 0; i < r->n_persons; i++) {
			struct search name = {r->persons[i]->identity->family_name, false};

			assert_int_equal(txn_each(t, table, (struct slice){0}, look, &name), OK);
			assert_false(name.found);
		}
	assert_true(table > 7);
	txn_abort(&t);
	free((void *)layout.tables);
	referral__free_unpacked(r, NULL);
}

static void the_threat_goes_out_with_its_codes(void **state)
{
	const Threat *t;
	const char *number;

	(void)state;
	number = submit(URGENT_ONE, "partner-a");
	t = (const Threat *)drive_sent(d, KIND_SEND_THREAT, "urgent");
	assert_non_null(t);
	assert_string_equal(t->case_number, number);
	assert_int_equal(t->protection->threats[0], THREAT_CODE__LIKELY_KILLED);
}

/* Detained abroad, or with a removal date, is urgent without a code of R138 as well. */
static void detention_alone_is_urgent(void **state)
{
	const Threat *t;

	(void)state;
	submit("partner-c/10-urgent-detained-abroad.json", "partner-c");
	t = (const Threat *)drive_sent(d, KIND_SEND_THREAT, "urgent");
	assert_non_null(t);
	assert_true(t->protection->detained);
}

static void a_reference_is_used_once(void **state)
{
	const Outcome *o;
	Referral *r = sample(ORDINARY);

	(void)state;
	assert_non_null(submit(ORDINARY, "partner-a"));
	drive_send(d, KIND_SUBMIT_REFERRAL, "partner-a", &r->base, NOW);
	o = (const Outcome *)drive_sent(d, KIND_REPORT_OUTCOME, "notify");
	assert_int_equal(o->event, EVENT__REJECT);
	assert_int_equal(o->n_faults, 1);
	assert_string_equal(o->faults[0]->code, "REFERENCE_USED");
	assert_true(*o->faults[0]->en && *o->faults[0]->fr);
	assert_int_equal(drive_count(d, KIND_SEND_FACTS, NULL), 0);
	/* the same reference of another partner is another one */
	drive_send(d, KIND_SUBMIT_REFERRAL, "partner-b", &r->base, NOW);
	o = (const Outcome *)drive_sent(d, KIND_REPORT_OUTCOME, "notify");
	assert_true(!o || o->event != EVENT__REJECT);
	referral__free_unpacked(r, NULL);
}

static void the_urgent_lane_needs_a_threat(void **state)
{
	Referral *r = sample(ORDINARY);
	const Outcome *o;

	(void)state;
	drive_send(d, KIND_SUBMIT_URGENT, "partner-a", &r->base, NOW);
	o = (const Outcome *)drive_sent(d, KIND_REPORT_OUTCOME, "notify");
	assert_string_equal(o->faults[0]->code, "LANE_NEEDS_THREAT");
	referral__free_unpacked(r, NULL);
}

/* Of an urgent one a person judges. */
static void a_partner_refers_from_where_it_agreed_to(void **state)
{
	Principal *p = fixture_principal(fixture, "partner-a");
	Referral *r = sample(ORDINARY);
	const Outcome *o;

	(void)state;
	p->agreement->areas = malloc(sizeof(char *));
	p->agreement->areas[0] = strdup("CO");
	p->agreement->n_areas = 1;
	fixture_rebuild(fixture);
	engine_use_registry(drive_engine(d), fixture_registry(fixture));
	assert_non_null(submit(URGENT_ONE, "partner-a"));
	drive_forget(d);
	drive_send(d, KIND_SUBMIT_REFERRAL, "partner-a", &r->base, NOW);
	referral__free_unpacked(r, NULL);
	o = (const Outcome *)drive_sent(d, KIND_REPORT_OUTCOME, "notify");
	assert_int_equal(o->n_faults, 1);
	assert_string_equal(o->faults[0]->code, "AREA_NOT_AGREED");
	assert_string_equal(o->faults[0]->path, "location_country");
	memcpy(p->agreement->areas[0], "CR", 2);
	fixture_rebuild(fixture);
	engine_use_registry(drive_engine(d), fixture_registry(fixture));
	assert_non_null(submit(ORDINARY, "partner-a"));
}

static void every_fault_is_told_and_nothing_is_kept(void **state)
{
	Referral *r = sample(ORDINARY);
	const Outcome *o;

	(void)state;
	r->case_size = 9;
	r->declaration->interviewed = false;
	drive_send(d, KIND_SUBMIT_REFERRAL, "partner-a", &r->base, NOW);
	o = (const Outcome *)drive_sent(d, KIND_REPORT_OUTCOME, "notify");
	assert_int_equal(o->event, EVENT__REJECT);
	assert_int_equal(o->n_faults, 2);
	assert_memory_equal(o->submission.data, drive_last_id(d), MSG_ID_LEN);
	referral__free_unpacked(r, NULL);
}

static void opening_is_answered_and_logged(void **state)
{
	OpenIdentity q = OPEN_IDENTITY__INIT;
	const IdentityOpened *o;
	struct slice key, value;
	struct txn *t;
	uint64_t n;

	(void)state;
	q.case_number = (char *)submit(ORDINARY, "partner-a");
	drive_send(d, KIND_OPEN_IDENTITY, "officer-2", &q.base, NOW);
	o = (const IdentityOpened *)drive_sent(d, KIND_IDENTITY_OPENED, "officer-2");
	assert_int_equal(o->result, ERR_REASON_MISSING);
	assert_int_equal(o->n_persons, 0);
	q.reason = REASON__DECISION_REVIEW;
	drive_send(d, KIND_OPEN_IDENTITY, "officer-2", &q.base, NOW + 1);
	o = (const IdentityOpened *)drive_sent(d, KIND_IDENTITY_OPENED, "officer-2");
	assert_int_equal(o->result, OK);
	assert_true(o->n_persons > 1);
	assert_true(*o->narrative->persecution);
	/* both tries stand in the log of openings */
	assert_int_equal(store_begin(drive_store(d), TXN_READ, &t), OK);
	{
		struct store_layout layout;
		int table = 0;

		assert_int_equal(engine_layout(&intake_service, &layout), OK);
		while (strcmp(layout.tables[table], "opened") != 0)
			table++;
		assert_int_equal(txn_count(t, table, &n), OK);
		assert_int_equal(txn_next(t, table, (struct slice){0}, true, &key, &value), OK);
		free((void *)layout.tables);
	}
	txn_abort(&t);
	assert_int_equal(n, 2);
}

/* A child that was born since the first referral has no age on the day of the lock; the day and the
 * time of making stay those of the first. */
static void a_birth_since_the_first_referral_is_no_fault(void **state)
{
	Referral *r = sample(ORDINARY);
	int64_t made_at = r->made_at, later = NOW + INT64_C(30) * 86400000;
	char *linked[] = {(char *)submit(ORDINARY, "partner-a")};
	char *reference = r->reference, *born_on = r->persons[1]->identity->born_on;
	const Facts *f;
	enum err code;

	(void)state;
	r->reference = "A-COMPLETED";
	r->linked_cases = linked;
	r->n_linked_cases = 1;
	r->made_at = later;
	r->persons[1]->relationship = RELATIONSHIP__CHILD;
	r->persons[1]->separation = SEPARATION__NO_SEPARATION;
	r->persons[1]->has_partner = false;
	r->persons[1]->identity->born_on = "2026-03-20";
	drive_send(d, KIND_SUBMIT_REFERRAL, "partner-a", &r->base, later);
	assert_int_equal(drive_quarantined(d, &code), 0);
	f = (const Facts *)drive_sent(d, KIND_SEND_FACTS, "screening");
	assert_non_null(f);
	assert_string_equal(f->lock_on, "2026-03-01");
	assert_int_equal(f->made_at, made_at);
	assert_int_equal(f->received_at, later);
	assert_int_equal(f->members[1]->age_at_lock, 0);
	r->reference = reference;
	r->persons[1]->identity->born_on = born_on;
	r->linked_cases = NULL;
	r->n_linked_cases = 0;
	referral__free_unpacked(r, NULL);
}

/* Who decides on a danger can read what was told about it, and what was agreed to. */
static void an_opening_shows_the_reports_and_the_consent(void **state)
{
	OpenIdentity q = OPEN_IDENTITY__INIT;
	const IdentityOpened *o;

	(void)state;
	q.case_number = (char *)submit(ORDINARY, "partner-a");
	q.reason = REASON__DECISION_REVIEW;
	report_risk(q.case_number, "partner-a");
	drive_send(d, KIND_OPEN_IDENTITY, "officer-2", &q.base, NOW);
	o = (const IdentityOpened *)drive_sent(d, KIND_IDENTITY_OPENED, "officer-2");
	assert_int_equal(o->n_reports, 1);
	assert_string_equal(o->reports[0]->narrative->threat_killed, "An invented threat.");
	assert_true(o->consent->n_scopes > 0);
}

static void a_revoked_consent_opens_nothing(void **state)
{
	OpenIdentity q = OPEN_IDENTITY__INIT;
	const IdentityOpened *o;

	(void)state;
	q.case_number = (char *)submit(ORDINARY, "partner-a");
	q.reason = REASON__DECISION_REVIEW;
	withdraw(q.case_number, "partner-a", true);
	drive_send(d, KIND_OPEN_IDENTITY, "officer-2", &q.base, NOW);
	o = (const IdentityOpened *)drive_sent(d, KIND_IDENTITY_OPENED, "officer-2");
	assert_int_equal(o->result, ERR_CONSENT_WITHDRAWN);
	assert_int_equal(o->n_persons, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(facts_have_no_identity),
		T(a_rejected_urgent_referral_reaches_people),
		T(a_rejected_risk_reaches_people),
		T(names_are_encrypted_at_rest),
		T(the_threat_goes_out_with_its_codes),
		T(detention_alone_is_urgent),
		T(a_reference_is_used_once),
		T(the_urgent_lane_needs_a_threat),
		T(a_partner_refers_from_where_it_agreed_to),
		T(every_fault_is_told_and_nothing_is_kept),
		T(opening_is_answered_and_logged),
		T(a_revoked_consent_opens_nothing),
		T(a_birth_since_the_first_referral_is_no_fault),
		T(an_opening_shows_the_reports_and_the_consent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
