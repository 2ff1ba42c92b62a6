/* intake_rig.h - for the tests of intake: samples sent to it by the fixture's partners and
 * officers, through the real engine. */
#ifndef HAVRE_TESTS_INTAKE_RIG_H
#define HAVRE_TESTS_INTAKE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/json.h"
#include "services/intake/intake.h"
#include "tests/unit/drive.h"

/* The samples are made for 2026-01-15; the fixture's people are valid around this day. */
#define NOW FIXTURE_NOW

#define ORDINARY   "partner-a/03-member-told-alone.json"
#define URGENT_ONE "partner-a/09-urgent-threat-killed.json"
#define FIRST      "partner-a/pair-cyrillic-first.json"
#define SECOND     "partner-c/pair-cyrillic-second.json"

static struct fixture *fixture;
static struct drive *d;

static inline int setup(void **state)
{
	(void)state;
	fixture = fixture_make();
	d = drive_make(fixture, &intake_service, "intake");
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	drive_free(&d);
	fixture_free(&fixture);
	return 0;
}

static inline Referral *sample(const char *file)
{
	char path[512];
	struct faults faults = {0};
	ProtobufCMessage *m;
	json_t *json;

	snprintf(path, sizeof(path), SOURCE_DIR "/tests/data/referrals/%s", file);
	json = json_load_file(path, 0, NULL);
	assert_non_null(json);
	assert_int_equal(json_to_message(json, &referral__descriptor, &faults, &m), OK);
	json_decref(json);
	return (Referral *)m;
}

/* Sends the sample; gives the number of its case, or NULL when it was rejected. */
static inline const char *submit(const char *file, const char *partner)
{
	Referral *r = sample(file);
	bool urgent = r->protection != NULL;
	const Outcome *o;
	const Facts *f;

	drive_send(d, urgent ? KIND_SUBMIT_URGENT : KIND_SUBMIT_REFERRAL, partner, &r->base, NOW);
	referral__free_unpacked(r, NULL);
	f = (const Facts *)drive_sent(d, KIND_SEND_FACTS, "screening");
	if (f)
		return f->case_number;
	o = (const Outcome *)drive_sent(d, KIND_REPORT_OUTCOME, "notify");
	return o && o->event == EVENT__REGISTER ? o->case_number : NULL;
}

static inline enum err say(const char *held, const char *other, bool same, Reason reason)
{
	DuplicateDecision q = DUPLICATE_DECISION__INIT;
	const DecisionResult *r;

	q.case_number = (char *)held;
	q.other_case = (char *)other;
	q.same = same;
	q.reason = reason;
	drive_send(d, KIND_DECIDE_DUPLICATE, "officer-1", &q.base, NOW);
	r = (const DecisionResult *)drive_sent(d, KIND_ANSWER_DECISION, "officer-1");
	assert_non_null(r);
	return (enum err)r->result;
}

static inline const Hold *only_hold(void)
{
	HoldsQuery q = HOLDS_QUERY__INIT;
	const HoldsAnswer *a =
		(const HoldsAnswer *)drive_ask(d, KIND_ASK_HOLDS, "officer-1", &q.base);

	assert_true(a->n_holds <= 1);
	return a->n_holds ? a->holds[0] : NULL;
}

static inline void report_risk(const char *number, const char *partner)
{
	ThreatCode code[] = {THREAT_CODE__LIKELY_KILLED};
	ProtectionRequest p = PROTECTION_REQUEST__INIT;
	Narrative words = NARRATIVE__INIT;
	RiskReport r = RISK_REPORT__INIT;

	p.threats = code;
	p.n_threats = 1;
	words.threat_killed = "An invented threat.";
	r.case_number = (char *)number;
	r.protection = &p;
	r.narrative = &words;
	drive_send(d, KIND_REPORT_RISK, partner, &r.base, NOW);
}

static inline void withdraw(const char *number, const char *partner, bool revoked)
{
	Withdrawal w = WITHDRAWAL__INIT;

	w.case_number = (char *)number;
	w.consent_revoked = revoked;
	w.reason = REASON__AT_APPLICANTS_WISH;
	drive_send(d, KIND_WITHDRAW_REFERRAL, partner, &w.base, NOW);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#endif
