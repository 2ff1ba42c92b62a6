#include "services/intake/intake.h"

#include <stdlib.h>

#include "proto/trust.pb-c.h"
#include "services/common/base/civil.h"

enum err tell_rejected(struct step *s, const struct faults *faults)
{
	Fault rows[FAULTS_MOST], *list[FAULTS_MOST];
	Outcome o = OUTCOME__INIT;

	for (size_t i = 0; i < faults->n; i++) {
		fault__init(&rows[i]);
		rows[i].path = (char *)faults->list[i].path;
		rows[i].code = (char *)fault_name(faults->list[i].code);
		rows[i].en = (char *)fault_text(faults->list[i].code, LANG_EN);
		rows[i].fr = (char *)fault_text(faults->list[i].code, LANG_FR);
		list[i] = &rows[i];
	}
	o.partner = (char *)step_sender(s);
	o.submission = (ProtobufCBinaryData){MSG_ID_LEN, (uint8_t *)step_cause(s)};
	o.event = EVENT__REJECT;
	o.at = step_now(s);
	o.faults = list;
	o.n_faults = faults->n;
	return step_send_service(s, KIND_REPORT_OUTCOME, &o.base);
}

/* Each code once. */
static size_t distinct(const struct faults *faults, char *ret[FAULTS_MOST])
{
	size_t n = 0, k;

	for (size_t i = 0; i < faults->n; i++) {
		char *name = (char *)fault_name(faults->list[i].code);

		for (k = 0; k < n && ret[k] != name; k++)
			;
		if (k == n)
			ret[n++] = name;
	}
	return n;
}

enum err tell_urgent_rejected(struct step *s, enum kind kind, const struct faults *faults)
{
	const struct kind_row *row = catalogue_find(KIND_WARN_OPERATOR);
	char *names[FAULTS_MOST];
	uint8_t delivery[MSG_ID_LEN];
	Warning w = WARNING__INIT;
	const Principal *p;

	w.code = WARNING_CODE__URGENT_REJECTED;
	w.about = w.sender = (char *)step_sender(s);
	w.kind = kind;
	w.since_at = w.raised_at = step_now(s);
	w.count = faults->n + faults->more;
	w.faults = names;
	w.n_faults = distinct(faults, names);
	step_random(s, delivery, sizeof(delivery));
	w.delivery = (ProtobufCBinaryData){sizeof(delivery), delivery};
	for (unsigned i = 0; (p = registry_with_roles(step_registry(s), row->to, step_now(s), i));
		i++)
		TRY(step_send_known(s, KIND_WARN_OPERATOR, p->name, &w.base));
	return OK;
}

/* `reason` must outlive the outcome. */
static Outcome outcome_of(
	const struct step *s, const IntakeEntry *entry, Event event, Reason *reason)
{
	Outcome o = OUTCOME__INIT;

	o.case_number = entry->case_number;
	o.partner = entry->partner;
	o.submission = entry->submission;
	o.event = event;
	o.state = entry->state;
	o.at = step_now(s);
	o.persons = entry->persons;
	o.reasons = reason;
	o.n_reasons = *reason != REASON__NO_REASON;
	o.merged_into = entry->merged_into;
	return o;
}

enum err tell_outcome(struct step *s, const IntakeEntry *entry, Event event, Reason reason)
{
	Outcome o = outcome_of(s, entry, event, &reason);

	return step_send_service(s, KIND_REPORT_OUTCOME, &o.base);
}

enum err tell_part_withdrawn(struct step *s, const IntakeEntry *entry, Reason reason)
{
	Outcome o = outcome_of(s, entry, EVENT__WITHDRAW_CASE, &reason);

	o.state = STATE__WITHDRAWN;
	o.part = true;
	return step_send_service(s, KIND_REPORT_OUTCOME, &o.base);
}

enum err tell_risk_taken(struct step *s, const IntakeEntry *entry)
{
	Reason none = REASON__NO_REASON;
	Outcome o = outcome_of(s, entry, EVENT__REQUEST_ESCALATION, &none);

	o.submission = (ProtobufCBinaryData){MSG_ID_LEN, (uint8_t *)step_cause(s)};
	o.state = STATE__WITHDRAWN;
	o.protection = PROTECTION__ESCALATION_REQUESTED;
	o.merged_into = (char *)protobuf_c_empty_string;
	o.part = true;
	o.answer = true;
	return step_send_service(s, KIND_REPORT_OUTCOME, &o.base);
}

/* Who was born after the day has no age on it: a child that came since the first referral. */
static uint32_t age_on(const Person *p, const char *day)
{
	unsigned age;

	return civil_age(p->identity->born_on, day, &age) == OK ? age : 0;
}

/* One member without the identity: ages instead of birth dates. */
static void member_of(const Person *p, const char *lock_on, const char *made_on, Member *ret)
{
	member__init(ret);
	ret->number = p->number;
	ret->relationship = p->relationship;
	ret->accompanying = p->accompanying;
	ret->gender = p->gender;
	ret->has_partner = p->has_partner;
	ret->dependent_by_condition = p->dependent_by_condition;
	ret->separation = p->separation;
	ret->age_at_lock = age_on(p, lock_on);
	ret->age_when_made = age_on(p, made_on);
}

static enum err send_facts(
	struct step *s, const IntakeEntry *entry, const Referral *r, Member *members, Member **list)
{
	char lock_on[11], made_on[11];
	Facts f = FACTS__INIT;

	civil_date(entry->lock_at, lock_on);
	civil_date(entry->made_at, made_on);
	for (size_t i = 0; i < r->n_persons; i++) {
		member_of(r->persons[i], lock_on, made_on, &members[i]);
		list[i] = &members[i];
	}
	f.case_number = entry->case_number;
	f.case_version = 1;
	f.partner = entry->partner;
	f.made_at = entry->made_at;
	f.received_at = entry->received_at;
	f.lock_on = lock_on;
	f.language = r->language;
	f.route = r->route;
	f.refugee_class = r->refugee_class;
	f.home_country = r->home_country;
	f.location_country = r->location_country;
	f.priority = r->priority;
	f.primary_category = r->primary_category;
	f.secondary_category = r->secondary_category;
	f.members = list;
	f.n_members = r->n_persons;
	f.claim = r->claim;
	f.protection = r->protection;
	f.flags = r->flags;
	f.n_flags = r->n_flags;
	f.submission = entry->submission;
	return step_send_service(s, KIND_SEND_FACTS, &f.base);
}

enum err tell_facts(struct step *s, IntakeEntry *entry, const Referral *r)
{
	Member *members = calloc(r->n_persons, sizeof(*members));
	Member **list = calloc(r->n_persons, sizeof(Member *));
	enum err e = members && list ? send_facts(s, entry, r, members, list) : ERR_NOMEM;

	free(members);
	free(list);
	if (e == OK)
		entry->facts_sent = true;
	return e;
}

enum err tell_threat(
	struct step *s, const IntakeEntry *entry, const Referral *r, ProtectionRequest *request)
{
	Threat t = THREAT__INIT;

	t.case_number = entry->case_number;
	t.partner = entry->partner;
	t.submission = entry->submission;
	t.received_at = step_now(s);
	t.protection = request;
	t.priority = r->priority;
	t.location_country = r->location_country;
	return step_send_service(s, KIND_SEND_THREAT, &t.base);
}

enum err tell_exit(struct step *s, const IntakeEntry *entry, Event event, Reason reason)
{
	CaseExit x = CASE_EXIT__INIT;
	const Principal *p;
	role_set to = entry->facts_sent ? ROLE_BIT(ROLE__SCREENING) : 0;

	x.case_number = entry->case_number;
	x.event = event;
	x.reason = reason;
	x.merged_into = entry->merged_into;
	if (event == EVENT__MERGE_DUPLICATE) {
		x.officer = entry->decided_by;
	} else {
		x.partner = (char *)step_sender(s);
		x.submission = (ProtobufCBinaryData){MSG_ID_LEN, (uint8_t *)step_cause(s)};
	}
	to |= ROLE_BIT(ROLE__URGENT_SERVICE);
	for (unsigned i = 0; (p = registry_with_roles(step_registry(s), to, step_now(s), i)); i++)
		TRY(step_send(s, KIND_SEND_EXIT, p->name, &x.base));
	/* screening tells the partner of the cases that it knows */
	return entry->facts_sent ? OK : tell_outcome(s, entry, event, reason);
}

enum err tell_officer(
	struct step *s, const char *case_number, Event event, enum err result, State state)
{
	DecisionResult r = DECISION_RESULT__INIT;

	r.case_number = (char *)case_number;
	r.event = event;
	r.result = result;
	r.state = state;
	return step_send_known(s, KIND_ANSWER_DECISION, step_sender(s), &r.base);
}
