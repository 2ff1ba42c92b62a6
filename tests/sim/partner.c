/* What partners do: refer, report a new risk, withdraw; by local steps, as `havre` does. */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/strict.h"
#include "services/client/client.h"
#include "services/common/engine/engine_internal.h"

#define AGAIN_MS 3000

static enum act_kind pick_kind(struct sim *s, size_t i)
{
	uint64_t n = chance_below(&s->chance, 10);

	if (i == 0 || n < 7)
		return ACT_SUBMIT;
	return n == 7 ? ACT_SUBMIT_AGAIN : n == 8 ? ACT_RISK : ACT_WITHDRAW;
}

/* Some people are referred twice, by one partner or by two. */
void partners_plan(struct sim *s)
{
	unsigned people = 0;

	s->n_acts = s->o.referrals;
	s->acts = calloc(s->n_acts, sizeof(*s->acts));
	if (!s->acts)
		abort();
	for (size_t i = 0; i < s->n_acts; i++) {
		struct act *a = &s->acts[i];

		a->kind = pick_kind(s, i);
		a->partner = (enum who_is)(FIRST_PARTNER + chance_below(&s->chance, PARTNERS));
		a->at = chance_between(&s->chance, 100, s->chaos_ends);
		a->urgent = chance_one_in(&s->chance, 3);
		a->person = chance_one_in(&s->chance, 5) && people
				    ? (unsigned)chance_below(&s->chance, people)
				    : people++;
		a->reference = (unsigned)i;
		if (a->kind == ACT_SUBMIT_AGAIN)
			a->reference = (unsigned)chance_below(&s->chance, i);
	}
}

/* --- one act, in one step --- */

struct doing {
	struct act *act;
	const ProtobufCMessage *body;
	enum kind kind;
};

static enum err do_it(struct step *s, void *arg)
{
	struct doing *d = arg;
	ClientSubmission c = CLIENT_SUBMISSION__INIT;

	TRY(step_send_service(s, d->kind, d->body));
	memcpy(d->act->id, step_last_sent(s), MSG_ID_LEN);
	c.id = (ProtobufCBinaryData){MSG_ID_LEN, d->act->id};
	c.kind = d->kind;
	c.label = "simulated";
	c.queued_at = step_now(s);
	return submission_save(s, &c);
}

struct own_case {
	struct step *s;
	uint64_t skip;
	char number[32];
};

static enum err own_case_row(void *arg, struct slice key, struct slice value)
{
	struct own_case *o = arg;
	ProtobufCMessage *m;
	const ClientSubmission *c;

	(void)value;
	TRY(case_get(
		o->s, CLIENT_SUBMISSIONS, key, CLIENT_CASE, &client_submission__descriptor, &m));
	c = (const ClientSubmission *)m;
	if (c->case_number && *c->case_number && (!*o->number || o->skip-- > 0))
		snprintf(o->number, sizeof(o->number), "%s", c->case_number);
	protobuf_c_message_free_unpacked(m, NULL);
	return OK;
}

static enum err find_own_case(struct step *s, void *arg)
{
	struct own_case *o = arg;

	o->s = s;
	return step_each(s, CLIENT_SUBMISSIONS, (struct slice){0}, own_case_row, o);
}

static enum err send_referral(struct process *p, struct act *a)
{
	Referral *r = sim_referral(p->sim, a, process_clock(p));
	struct doing d = {a, &r->base, a->urgent ? KIND_SUBMIT_URGENT : KIND_SUBMIT_REFERRAL};
	enum err e = process_local(p, do_it, &d);

	referral__free_unpacked(r, NULL);
	return e;
}

static enum err send_about(struct process *p, struct act *a, const char *number)
{
	RiskReport *r = sim_risk(number);
	Withdrawal w = WITHDRAWAL__INIT;
	struct doing d = {a, &r->base, KIND_REPORT_RISK};
	enum err e;

	w.case_number = (char *)number;
	w.consent_revoked = a->urgent;
	w.reason = REASON__AT_APPLICANTS_WISH;
	if (a->kind == ACT_WITHDRAW)
		d = (struct doing){a, &w.base, KIND_WITHDRAW_REFERRAL};
	e = process_local(p, do_it, &d);
	risk_report__free_unpacked(r, NULL);
	return e;
}

/* Did the step reach the disk, though the program died over it? */
static bool is_kept(const struct process *p, const struct act *a)
{
	static const uint8_t none[MSG_ID_LEN];
	struct txn *t = NULL;
	struct slice v;
	enum err e;

	if (memcmp(a->id, none, MSG_ID_LEN) == 0)
		return false;
	sim_must(store_begin(p->store, TXN_READ, &t), "snapshot");
	/* the engine's tables come first */
	e = txn_get(t, T_COUNT + CLIENT_SUBMISSIONS, slice_of(a->id, MSG_ID_LEN), &v);
	txn_abort(&t);
	return e == OK;
}

static void act(struct sim *s, struct act *a)
{
	struct process *p = &s->processes[a->partner];
	struct own_case own = {.skip = chance_below(&s->chance, 4)};
	enum err e = ERR_NOT_FOUND;

	a->at = s->now + AGAIN_MS;
	if (!process_runs(p))
		return;
	if (a->kind > ACT_SUBMIT_AGAIN)
		sim_must(process_read(p, find_own_case, &own), "own case");
	if (a->kind <= ACT_SUBMIT_AGAIN)
		e = send_referral(p, a);
	else if (*own.number)
		e = send_about(p, a, own.number);
	else
		a->dropped = s->quiet;
	a->done = is_kept(p, a);
	trace(s, "%s acts: kind=%d %s done=%d", p->name, (int)a->kind, err_name(e), a->done);
}

void partners_act(struct sim *s)
{
	for (size_t i = 0; i < s->n_acts; i++)
		if (!s->acts[i].done && !s->acts[i].dropped && s->acts[i].at <= s->now)
			act(s, &s->acts[i]);
}

int64_t partners_next(const struct sim *s)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < s->n_acts; i++)
		if (!s->acts[i].done && !s->acts[i].dropped && s->acts[i].at < next)
			next = s->acts[i].at;
	return next;
}

bool partners_rest(const struct sim *s)
{
	return partners_next(s) == INT64_MAX;
}
