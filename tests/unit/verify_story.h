/*
 * verify_story.h - for the tests of `havre-admin verify`: what happened in the rig. The people of
 * it are those of the sample referrals, who are invented.
 *
 * An officer does not recommend "plain"; "again" is the same person and is merged into it; "alike"
 * is held, too, and found to be somebody else; "plain" is submitted a second time and rejected;
 * "danger" asks for protection, which is declined, and has places; "waits" asks for protection, and
 * nobody has answered yet.
 */
#ifndef HAVRE_TESTS_VERIFY_STORY_H
#define HAVRE_TESTS_VERIFY_STORY_H

#include "tests/unit/verify_rig.h"

#define PLAIN_FILE        "13-journalist-household-of-2.json"
#define URGENT_FILE       "09-urgent-threat-killed.json"
#define OTHER_URGENT_FILE "11-urgent-threat-violence-lone-parent.json"

struct referral {
	const char *file, *reference;
};

static inline void submit(struct rig *r, const struct referral *ref)
{
	struct faults faults = {0};
	ProtobufCMessage *m = NULL;
	char path[512];
	json_t *json;

	snprintf(path, sizeof(path), SOURCE_DIR "/tests/data/referrals/partner-a/%s", ref->file);
	json = json_load_file(path, 0, NULL);
	assert_non_null(json);
	json_object_set_new(json, "reference", json_string(ref->reference));
	assert_ok(json_to_message(json, &referral__descriptor, &faults, &m));
	json_decref(json);
	rig_send(r, ((Referral *)m)->protection ? KIND_SUBMIT_URGENT : KIND_SUBMIT_REFERRAL,
		"partner-a", "intake", m);
	protobuf_c_message_free_unpacked(m, NULL);
}

/* The number of the case that was registered last. */
struct newest {
	int64_t received_at;
	char number[32];
};

static inline enum err newer(void *arg, struct slice key, struct slice value)
{
	struct newest *n = arg;
	ProtobufCMessage *m;
	IntakeEntry *e;

	(void)key;
	TRY(strict_unpack(&intake_entry__descriptor, value, &m));
	e = (IntakeEntry *)m;
	if (e->received_at > n->received_at) {
		n->received_at = e->received_at;
		snprintf(n->number, sizeof(n->number), "%s", e->case_number);
	}
	protobuf_c_message_free_unpacked(m, NULL);
	return OK;
}

static inline enum err find_newest(struct step *s, void *arg)
{
	return step_each(s, INTAKE_ENTRIES, (struct slice){0}, newer, arg);
}

static inline void decide(
	struct rig *r, enum kind kind, const char *number, uint32_t version, Event event)
{
	Reason reasons[] = {REASON__DECISION_REVIEW};
	SealedNote note = SEALED_NOTE__INIT;
	Decision d = DECISION__INIT;

	note.sealed = (ProtobufCBinaryData){6, (uint8_t *)"sealed"};
	d.note = &note;
	d.case_number = (char *)number;
	d.case_version = version;
	d.event = event;
	d.reasons = reasons;
	d.n_reasons = 1;
	rig_send(r, kind, "officer-1", kind == KIND_DECIDE_CASE ? "screening" : "urgent", &d.base);
}

static inline void acknowledge(struct rig *r, const char *number)
{
	AlertAck a = ALERT_ACK__INIT;

	a.case_number = (char *)number;
	rig_send(r, KIND_ACKNOWLEDGE_ALERT, "officer-1", "urgent", &a.base);
}

static inline void compare(struct rig *r, const char *number, const char *other, bool same)
{
	DuplicateDecision d = DUPLICATE_DECISION__INIT;

	d.case_number = (char *)number;
	d.other_case = (char *)other;
	d.same = same;
	d.reason = REASON__SAME_PERSON;
	rig_send(r, KIND_DECIDE_DUPLICATE, "officer-1", "intake", &d.base);
}

/* What is registered, and how it is moved to its rest: one step at a time, or all at once. */
struct story {
	struct rig *r;
	char plain[32], danger[32], again[32], waits[32], alike[32];
};
typedef void rest_fn(struct rig *r);

static inline void register_case(
	struct story *s, rest_fn *rest, const struct referral *referral, char number[32])
{
	struct newest n = {0};

	submit(s->r, referral);
	rest(s->r);
	assert_ok(engine_read(s->r->of[INTAKE].engine, s->r->now, find_newest, &n));
	memcpy(number, n.number, sizeof(n.number));
}

static inline void tell_story(struct story *s, rest_fn *rest)
{
	char rejected[32];
	struct rig *r = s->r;

	register_case(s, rest, &(struct referral){PLAIN_FILE, "T-1"}, s->plain);
	register_case(s, rest, &(struct referral){URGENT_FILE, "T-2"}, s->danger);
	register_case(s, rest, &(struct referral){PLAIN_FILE, "T-3"}, s->again);
	register_case(s, rest, &(struct referral){PLAIN_FILE, "T-1"}, rejected);
	register_case(s, rest, &(struct referral){OTHER_URGENT_FILE, "T-4"}, s->waits);
	acknowledge(r, s->danger);
	rest(r);
	decide(r, KIND_DECIDE_PROTECTION, s->danger, 2, EVENT__DECLINE_UPP);
	compare(r, s->again, s->plain, true);
	decide(r, KIND_DECIDE_CASE, s->plain, 1, EVENT__NOT_RECOMMEND);
	rest(r);
	decide(r, KIND_DECIDE_CASE, s->danger, 3, EVENT__RECOMMEND);
	rest(r);
	register_case(s, rest, &(struct referral){PLAIN_FILE, "T-5"}, s->alike);
	compare(r, s->alike, s->again, false);
	compare(r, s->alike, s->plain, false);
	rest(r);
}

static inline int story_setup(void **state)
{
	struct story *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->r = rig_open();
	tell_story(s, rig_rest);
	*state = s;
	return 0;
}

static inline int story_teardown(void **state)
{
	struct story *s = *state;

	rig_close(s->r);
	free(s);
	return 0;
}

#endif
