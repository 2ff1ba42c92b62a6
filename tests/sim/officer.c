/* What officers do: they ask what there is, and decide on what they are told, as `havre-staff`
 * does. The answer may be old when they decide. */
#include "tests/sim/sim.h"

#include <stdlib.h>

#include "services/common/base/civil.h"
#include "services/screening/states.h"
#include "services/staff/actions.h"

#define ASK_MS    10000
#define LOOK_MS   12000
#define ACTS_MOST 2 /* of an answer */

static struct officer *officer_of(struct process *p)
{
	return &p->sim->officers[p - &p->sim->processes[FIRST_OFFICER]];
}

/* --- asking, as node_ask does, but without waiting --- */

static const struct question {
	enum kind kind;
	unsigned weight;
} questions[] = {
	{KIND_ASK_ALERTS, 4},
	{KIND_ASK_QUEUE, 4},
	{KIND_ASK_HOLDS, 2},
	{KIND_ASK_PLACES, 1},
};

static enum kind pick_question(struct sim *s)
{
	unsigned pick = (unsigned)chance_below(&s->chance, 11);

	if (s->quiet)
		return KIND_ASK_ALERTS;
	for (size_t i = 0;; i++) {
		if (pick < questions[i].weight)
			return questions[i].kind;
		pick -= questions[i].weight;
	}
}

static enum err ask(struct process *p, struct officer *o)
{
	QueueQuery queue = QUEUE_QUERY__INIT;
	AlertsQuery alerts = ALERTS_QUERY__INIT;
	HoldsQuery holds = HOLDS_QUERY__INIT;
	PlacesQuery places = PLACES_QUERY__INIT;
	const ProtobufCMessage *body = &alerts.base;
	struct buf envelope = {0};
	enum err e;

	queue.limit = 50;
	alerts.answered_too = true;
	if (o->kind == KIND_ASK_QUEUE)
		body = &queue.base;
	else if (o->kind == KIND_ASK_HOLDS)
		body = &holds.base;
	else if (o->kind == KIND_ASK_PLACES)
		body = &places.base;
	TRY(engine_ask(p->node->engine, o->kind, body, process_clock(p), o->id, &envelope));
	p->node->asking = o->id;
	p->node->asking_refused = OK;
	e = link_query(p->node->link, slice_buf(&envelope));
	buf_free(&envelope);
	return e;
}

static void stop_asking(struct process *p, struct officer *o)
{
	o->asking = false;
	if (p->node)
		p->node->asking = NULL;
}

void officer_forgets(struct process *p)
{
	if (p->svc == &staff_service)
		stop_asking(p, officer_of(p));
}

static void look(struct process *p, struct officer *o)
{
	struct sim *s = p->sim;

	o->at = s->now + chance_between(&s->chance, LOOK_MS / 6, s->quiet ? LOOK_MS / 3 : LOOK_MS);
	if (!process_runs(p))
		return;
	if (o->asking && s->now < o->until)
		return;
	stop_asking(p, o);
	o->kind = pick_question(s);
	seams_enter(p);
	o->asking = ask(p, o) == OK;
	seams_enter(NULL);
	o->until = s->now + ASK_MS;
	p->wake_at = s->now;
}

/* --- deciding --- */

struct decided {
	enum kind kind;
	Event event;
	const char *case_number;
	const ProtobufCMessage *body;
};

/* As send.c does it. */
static enum err send_one(struct step *s, void *arg)
{
	const struct decided *d = arg;
	StaffRequest r = STAFF_REQUEST__INIT;
	uint8_t id[MSG_ID_LEN];
	struct key k;

	TRY(step_send_service(s, d->kind, d->body));
	memcpy(id, step_last_sent(s), MSG_ID_LEN);
	r.id = (ProtobufCBinaryData){MSG_ID_LEN, id};
	r.kind = d->kind;
	r.case_number = (char *)d->case_number;
	r.event = d->event;
	r.asked_at = step_now(s);
	k = request_key(msg_id_time(id), r.case_number);
	return case_put(s, STAFF_REQUESTS, key_slice(&k), STAFF_CASE, &r.base);
}

/* In the turn's own time: the program may die over it, and then the decision was not made. */
static enum err decide(struct process *p, const struct decided *d)
{
	trace(p->sim, "%s decides %s: kind=%d event=%d", p->name, d->case_number, (int)d->kind,
		(int)d->event);
	return node_local(p->node, send_one, (void *)d);
}

enum err officer_sends_act(struct process *p, const SignedAct *act, const char *about)
{
	struct decided d = {KIND_PROPOSE_SUSPENSION, EVENT__NO_EVENT, about, &act->base};

	return process_local(p, send_one, &d);
}

static enum err acknowledge(struct process *p, const AlertEntry *a)
{
	AlertAck ack = ALERT_ACK__INIT;
	struct decided d = {KIND_ACKNOWLEDGE_ALERT, EVENT__ACKNOWLEDGE, a->case_number, &ack.base};

	ack.case_number = a->case_number;
	return decide(p, &d);
}

/* With a reason and in writing, mostly. */
static enum err decide_case(
	struct process *p, const char *number, uint32_t version, Event event, enum kind kind)
{
	struct sim *s = p->sim;
	Reason reason = REASON__DECISION_REVIEW;
	SealedNote note = SEALED_NOTE__INIT;
	Decision body = DECISION__INIT;
	struct decided d = {kind, event, number, &body.base};
	struct reader readers[READERS_MOST];
	struct entropy random;
	struct buf sealed = {0};
	uint32_t epoch;
	size_t n;
	enum err e;

	entropy_fresh(&random);
	TRY(registry_readers(p->node->registry, "intake", process_clock(p), readers, &n, &epoch));
	TRY(note_seal("Written for " CANARY, number, readers, n, &random, &sealed));
	note.sealed = (ProtobufCBinaryData){sealed.len, sealed.data};
	body.case_number = (char *)number;
	body.case_version = version;
	body.event = event;
	body.reasons = &reason;
	body.n_reasons = s->quiet || !chance_one_in(&s->chance, 8);
	body.note = s->quiet || !chance_one_in(&s->chance, 8) ? &note : NULL;
	body.persons =
		event == EVENT__ADJUST_HOUSEHOLD ? (uint32_t)chance_between(&s->chance, 1, 6) : 0;
	e = decide(p, &d);
	buf_free(&sealed);
	return e;
}

static enum err on_alerts(struct process *p, const AlertsAnswer *a)
{
	struct sim *s = p->sim;

	for (size_t i = 0; i < a->n_alerts; i++) {
		const AlertEntry *alert = a->alerts[i];
		const struct action *first = action_on_protection(alert->protection, 0), *any;

		if (!s->quiet && chance_one_in(&s->chance, 2))
			continue;
		if (alert->rung)
			TRY(acknowledge(p, alert));
		any = action_on_protection(
			alert->protection, (unsigned)chance_below(&s->chance, 2));
		any = any ? any : first;
		if (any && (alert->protection == PROTECTION__ESCALATION_REQUESTED ||
				   alert->protection == PROTECTION__EMERGENCY_CONFIRMED))
			TRY(decide_case(p, alert->case_number,
				alert->case_version + (alert->rung ? 1 : 0), any->event,
				any->kind));
	}
	return OK;
}

/* Any event that a person may send in this state. */
static Event pick_event(struct sim *s, State state)
{
	size_t n, found = 0;
	const struct transition *t = states_all(&n);
	Event event = EVENT__NO_EVENT;

	for (size_t i = 0; i < n; i++)
		if (t[i].from == state && (t[i].who & WHO_PERSON) &&
			event_is_decision(t[i].event) && chance_one_in(&s->chance, ++found))
			event = t[i].event;
	/* most are recommended, so that places become scarce */
	return state == STATE__HUMAN_REVIEW && chance_one_in(&s->chance, 2) ? EVENT__RECOMMEND
									    : event;
}

static enum err open_identity(struct process *p, const char *number)
{
	OpenIdentity body = OPEN_IDENTITY__INIT;
	struct decided d = {KIND_OPEN_IDENTITY, EVENT__NO_EVENT, number, &body.base};

	body.case_number = (char *)number;
	body.reason = REASON__DECISION_REVIEW;
	return decide(p, &d);
}

static enum err on_queue(struct process *p, const QueueAnswer *q)
{
	struct sim *s = p->sim;

	for (unsigned i = 0; q->n_entries && i < ACTS_MOST; i++) {
		const QueueEntry *entry = q->entries[chance_below(&s->chance, q->n_entries)];
		Event event = pick_event(s, entry->state);

		if (chance_one_in(&s->chance, 10))
			TRY(open_identity(p, entry->case_number));
		if (event)
			TRY(decide_case(p, entry->case_number, entry->case_version, event,
				KIND_DECIDE_CASE));
	}
	return OK;
}

static enum err on_holds(struct process *p, const HoldsAnswer *h)
{
	struct sim *s = p->sim;

	for (size_t i = 0; i < h->n_holds && i < ACTS_MOST; i++) {
		const Hold *hold = h->holds[i];
		DuplicateDecision body = DUPLICATE_DECISION__INIT;
		struct decided d = {
			KIND_DECIDE_DUPLICATE, EVENT__NO_EVENT, hold->case_number, &body.base};

		if (hold->n_likely == 0)
			continue;
		body.case_number = hold->case_number;
		body.other_case = hold->likely[chance_below(&s->chance, hold->n_likely)];
		body.same = chance_one_in(&s->chance, 2);
		body.reason = REASON__SAME_PERSON;
		d.event = body.same ? EVENT__MERGE_DUPLICATE : EVENT__NOT_A_DUPLICATE;
		TRY(decide(p, &d));
	}
	return OK;
}

/* A leader closes the year that is over; an officer may not, and is not tempted. */
static enum err on_places(struct process *p, const PlacesAnswer *a)
{
	YearClose body = YEAR_CLOSE__INIT;
	struct decided d = {KIND_CLOSE_YEAR, EVENT__NO_EVENT, "", &body.base};

	if (p != &p->sim->processes[SUPERVISOR] ||
		(int)a->year >= civil_year(p->sim->start + p->sim->now))
		return OK;
	body.year = a->year;
	return decide(p, &d);
}

static enum err act_on(struct process *p, enum kind told, const ProtobufCMessage *m)
{
	switch (told) {
	case KIND_TELL_ALERTS:
		return on_alerts(p, (const AlertsAnswer *)m);
	case KIND_TELL_QUEUE:
		return on_queue(p, (const QueueAnswer *)m);
	case KIND_TELL_HOLDS:
		return on_holds(p, (const HoldsAnswer *)m);
	case KIND_TELL_PLACES:
		return on_places(p, (const PlacesAnswer *)m);
	default:
		return OK;
	}
}

enum err officer_hears(struct process *p)
{
	struct officer *o = officer_of(p);
	ProtobufCMessage *m = NULL;
	enum kind told;
	enum err e = ERR_NOT_FOUND;

	if (!o->asking)
		return OK;
	for (size_t i = 0; i < p->node->answers.n && e != OK; i++)
		e = engine_open_answer(p->node->engine, o->id, slice_buf(&p->node->answers.list[i]),
			process_clock(p), &told, &m);
	letters_clear(&p->node->answers);
	if (e != OK)
		return OK;
	stop_asking(p, o);
	e = act_on(p, told, m);
	trace(p->sim, "%s heard kind=%d: %s", p->name, (int)told, err_name(e));
	protobuf_c_message_free_unpacked(m, NULL);
	return (int)e >= 100 ? OK : e;
}

void officers_act(struct sim *s)
{
	for (int i = 0; i < OFFICERS; i++)
		if (s->officers[i].at <= s->now)
			look(&s->processes[FIRST_OFFICER + i], &s->officers[i]);
}

int64_t officers_next(const struct sim *s)
{
	int64_t next = INT64_MAX;

	for (int i = 0; i < OFFICERS; i++)
		if (s->officers[i].at < next)
			next = s->officers[i].at;
	return next;
}
