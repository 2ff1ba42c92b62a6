/*
 * screening_rig.h - for the tests of screening: invented cases, decisions and questions, through
 * the real engine.
 */
#ifndef HAVRE_TESTS_SCREENING_RIG_H
#define HAVRE_TESTS_SCREENING_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "services/common/referral/case_number.h"
#include "services/screening/screening.h"
#include "services/screening/verify.h"
#include "tests/unit/drive.h"

#define MEMBERS_MOST 12
#define HOUR         INT64_C(3600000)

static struct fixture *fixture;
static struct drive *d;
static int64_t now;

static enum err start(struct step *s, void *arg)
{
	(void)arg;
	return screening_service.on_start(s);
}

/* One committed step. */
static inline void run(enum err (*fn)(struct step *s, void *arg), void *arg)
{
	assert_int_equal(engine_begin(drive_engine(d)), OK);
	assert_int_equal(engine_local(drive_engine(d), now, fn, arg), OK);
	assert_int_equal(engine_commit(drive_engine(d)), OK);
}

static inline int rig_setup(void **state)
{
	(void)state;
	fixture = fixture_make();
	d = drive_make(fixture, &screening_service, "screening");
	now = FIXTURE_NOW;
	run(start, NULL);
	return 0;
}

static inline int rig_teardown(void **state)
{
	(void)state;
	drive_free(&d);
	fixture_free(&fixture);
	return 0;
}

/* The partner's share of a year, in the registry. */
static inline void give_allotment(const char *partner, uint32_t year, uint32_t persons)
{
	Agreement *a = fixture_principal(fixture, partner)->agreement;
	YearShare *share = malloc(sizeof(*share));

	assert_non_null(share);
	year_share__init(share);
	share->year = year;
	share->persons = persons;
	a->shares = realloc(a->shares, (a->n_shares + 1) * sizeof(*a->shares));
	assert_non_null(a->shares);
	a->shares[a->n_shares++] = share;
	fixture_rebuild(fixture);
	engine_use_registry(drive_engine(d), fixture_registry(fixture));
}

/* The number of the i-th invented case. */
struct number {
	char text[CASE_NUMBER_SIZE];
};
static inline struct number number(unsigned i)
{
	uint8_t random[8] = {0};
	struct number n;

	be64_put(random, (uint64_t)i * UINT64_C(0x9e3779b97f4a7c15));
	case_number_make(random, n.text);
	return n;
}

/* Facts to change before they are sent: an adult who travels alone, with nothing remarkable. */
struct facts {
	Facts facts;
	Claim claim;
	ProtectionRequest protection;
	Member members[MEMBERS_MOST], *list[MEMBERS_MOST];
	Ground grounds[1];
	Defence defences[1];
	RiskMarker markers[3];
	struct number number;
};

static inline void make_facts(struct facts *f, unsigned i, unsigned persons)
{
	f->number = number(i);
	facts__init(&f->facts);
	claim__init(&f->claim);
	protection_request__init(&f->protection);
	for (unsigned m = 0; m < persons; m++) {
		member__init(&f->members[m]);
		f->members[m].number = m + 1;
		f->members[m].relationship =
			m ? RELATIONSHIP__CHILD : RELATIONSHIP__PRINCIPAL_APPLICANT;
		f->members[m].accompanying = true;
		f->members[m].age_at_lock = f->members[m].age_when_made = m ? 5 : 40;
		f->list[m] = &f->members[m];
	}
	f->grounds[0] = GROUND__POLITICAL_OPINION;
	f->defences[0] = DEFENCE__JOURNALIST;
	f->claim.grounds = f->grounds;
	f->claim.n_grounds = 1;
	f->claim.defender_of = f->defences;
	f->claim.n_defender_of = 1;
	f->claim.risk_markers = f->markers;
	f->claim.return_home = f->claim.stay_in_country_of_asylum = f->claim.resettle_elsewhere =
		PROSPECT__NONE_REASONABLE;
	f->facts.case_number = f->number.text;
	f->facts.case_version = 1;
	f->facts.partner = "partner-a";
	f->facts.made_at = f->facts.received_at = now;
	f->facts.lock_on = "2026-03-01";
	f->facts.language = LANGUAGE__EN;
	f->facts.route = ROUTE__HRD_STREAM;
	f->facts.refugee_class = REFUGEE_CLASS__CONVENTION_REFUGEE_ABROAD;
	f->facts.home_country = "ZZ";
	f->facts.location_country = "QQ";
	f->facts.priority = PRIORITY__NORMAL;
	f->facts.primary_category = CATEGORY__LEGAL_AND_PHYSICAL_PROTECTION;
	f->facts.members = f->list;
	f->facts.n_members = persons;
	f->facts.claim = &f->claim;
	f->facts.protection = &f->protection;
	f->facts.submission = (ProtobufCBinaryData){16, (uint8_t *)"submission id.."};
}

static inline void send_facts(struct facts *f)
{
	now += HOUR;
	drive_send(d, KIND_SEND_FACTS, "intake", &f->facts.base, now);
}

static inline void new_case_of(const char *partner, unsigned i, unsigned persons)
{
	struct facts f;

	make_facts(&f, i, persons);
	f.facts.partner = (char *)partner;
	send_facts(&f);
}

static inline void new_case(unsigned i, unsigned persons)
{
	new_case_of("partner-a", i, persons);
}

static inline const CaseAnswer *ask(unsigned i)
{
	struct number n = number(i);
	CaseQuery q = CASE_QUERY__INIT;

	q.case_number = n.text;
	return (const CaseAnswer *)drive_ask(d, KIND_ASK_CASE, "officer-1", &q.base);
}

static inline State state_of(unsigned i)
{
	return ask(i)->state;
}

static inline const PlacesAnswer *ask_places(uint32_t year)
{
	PlacesQuery q = PLACES_QUERY__INIT;

	q.year = year;
	return (const PlacesAnswer *)drive_ask(d, KIND_ASK_PLACES, "officer-1", &q.base);
}

/* What an officer decides, to be changed before it is sent. */
static inline Decision decision(struct number *n, uint32_t version, Event event)
{
	static Reason reasons[] = {REASON__DECISION_REVIEW};
	static SealedNote note = SEALED_NOTE__INIT;
	Decision dec = DECISION__INIT;

	dec.case_number = n->text;
	dec.case_version = version;
	dec.event = event;
	dec.reasons = reasons;
	dec.n_reasons = 1;
	note.sealed = (ProtobufCBinaryData){6, (uint8_t *)"sealed"};
	dec.note = &note;
	return dec;
}

static inline const DecisionResult *send_decision(const Decision *dec)
{
	const DecisionResult *r;

	now += HOUR;
	drive_send(d, KIND_DECIDE_CASE, "officer-1", &dec->base, now);
	r = (const DecisionResult *)drive_sent(d, KIND_ANSWER_DECISION, "officer-1");
	assert_non_null(r);
	return r;
}

/* On the present version, with a reason. `value`: the arrival year, or the new size. */
static inline enum err decide_value(unsigned i, Event event, uint32_t value)
{
	struct number n = number(i);
	Decision dec = decision(&n, ask(i)->case_version, event);

	if (event == EVENT__ADJUST_HOUSEHOLD)
		dec.persons = value;
	else
		dec.arrival_year = value;
	return (enum err)send_decision(&dec)->result;
}

static inline enum err decide(unsigned i, Event event)
{
	return decide_value(i, event, 0);
}

/* A case that an officer has recommended. */
static inline State recommended(unsigned i, unsigned persons)
{
	new_case(i, persons);
	assert_int_equal(decide(i, EVENT__RECOMMEND), OK);
	return state_of(i);
}

/* On to ACCEPTED. */
static inline void accept_case(unsigned i)
{
	assert_int_equal(decide(i, EVENT__TRANSMIT), OK);
	assert_int_equal(decide(i, EVENT__START_PROCESSING), OK);
	assert_int_equal(decide(i, EVENT__ACCEPT), OK);
}

static inline void leave(unsigned i, Event event)
{
	struct number n = number(i);
	CaseExit x = CASE_EXIT__INIT;

	x.case_number = n.text;
	x.event = event;
	x.reason = REASON__AT_APPLICANTS_WISH;
	x.partner = "partner-b";
	now += HOUR;
	drive_send(d, KIND_SEND_EXIT, "intake", &x.base, now);
}

/* version: urgent's, of the protection axis. */
static inline void protect_as(unsigned i, Protection to, uint32_t version)
{
	struct number n = number(i);
	ProtectionChange p = PROTECTION_CHANGE__INIT;

	p.case_number = n.text;
	p.protection = to;
	p.case_version = version;
	now += HOUR;
	drive_send(d, KIND_PROTECTION_CHANGED, "urgent", &p.base, now);
}

static inline void protect(unsigned i, Protection to)
{
	protect_as(i, to, 0);
}

static inline void close_year(uint32_t year)
{
	YearClose y = YEAR_CLOSE__INIT;

	y.year = year;
	now += HOUR;
	drive_send(d, KIND_CLOSE_YEAR, "supervisor-1", &y.base, now);
}

/* Both checks of the store. */
struct findings {
	unsigned n;
	char last[120];
};
static inline void note_finding(void *arg, const struct verify_finding *v)
{
	struct findings *f = arg;

	f->n++;
	snprintf(f->last, sizeof(f->last), "%s %s: %s", v->invariant, v->where, v->why);
}

static inline enum err verify_all(struct step *s, void *arg)
{
	TRY(ledger_verify(s, note_finding, arg));
	return cases_verify(s, note_finding, arg);
}

static inline struct findings verify(void)
{
	struct findings f = {0};

	run(verify_all, &f);
	return f;
}

static inline void must_verify(void)
{
	struct findings f = verify();

	if (f.n)
		print_error("%s\n", f.last);
	assert_int_equal(f.n, 0);
}

#endif
