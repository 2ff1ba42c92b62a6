/* Urgent: who has not answered is climbed to (I6), a refusal has an officer's word (I5), the
 * history has no gap and names its causes (I9). */
#include <inttypes.h>

#include "services/admin/verify.h"
#include "services/urgent/urgent.h"

static enum err check_change(
	struct verify *v, struct home *h, const UrgentCase *c, const UrgentChange *change)
{
	bool declined = change->to == PROTECTION__UPP_DECLINED && change->from != change->to;
	bool own = strcmp(change->actor, h->name) == 0; /* a timer's cause is in no log */
	struct logged *m;

	TRY(verify_find(v, change->actor, slice_of(change->cause.data, change->cause.len), &m));
	if (m && strcmp(m->row.recipient, h->name) != 0)
		m = NULL;
	if (m)
		m->followed = true;
	if ((!m && !own) || change->cause.len != MSG_ID_LEN)
		found(v, FOUND_CAUSE_UNKNOWN, "%s", c->case_number);
	if (declined && !is_staff(v, change->actor))
		found(v, FOUND_NOT_STAFF, "%s", c->case_number);
	else if (declined && (!m || m->row.kind != KIND_DECIDE_PROTECTION))
		found(v, FOUND_NO_WORD, "%s", c->case_number);
	return OK;
}

static enum err check_history(struct verify *v, struct home *h, const UrgentCase *c)
{
	Protection at = PROTECTION__PROTECTION_NONE;

	if (c->n_history != c->case_version)
		found(v, FOUND_VERSION_MISSING, "%s", c->case_number);
	for (size_t i = 0; i < c->n_history; i++) {
		if (c->history[i]->from != at)
			found(v, FOUND_CHAIN_BROKEN, "%s", c->case_number);
		at = c->history[i]->to;
		TRY(check_change(v, h, c, c->history[i]));
	}
	if (at != c->protection)
		found(v, FOUND_CHAIN_BROKEN, "%s", c->case_number);
	return OK;
}

static enum err check_ladder(struct verify *v, struct home *h, const UrgentCase *c)
{
	struct slice key = slice_str(c->case_number);
	bool owed = c->protection == PROTECTION__ESCALATION_REQUESTED, climbs, expects;

	if (c->ended)
		return OK;
	TRY(home_has_timer(h, "climb", key, &climbs));
	TRY(home_has_timer(h, "decision", key, &expects));
	if (c->rung ? !climbs : !*c->acknowledged_by)
		found(v, FOUND_NOBODY_CALLED, "%s", c->case_number);
	else if (!c->rung && owed && !expects)
		found(v, FOUND_NO_DECISION_CLOCK, "%s", c->case_number);
	if (*c->acknowledged_by && !is_staff(v, c->acknowledged_by))
		found(v, FOUND_NOBODY_CALLED, "%s", c->case_number);
	return OK;
}

struct case_walk {
	struct verify *v;
	struct home *home;
};

static enum err case_row(void *arg, struct slice key, struct slice value)
{
	struct case_walk *w = arg;
	char number[64] = "";
	UrgentCase *c;
	enum err e;

	(void)value;
	if (key.len >= sizeof(number))
		return ERR_CORRUPT;
	memcpy(number, key.data, key.len);
	TRY(urgent_load(w->home->step, number, &c));
	w->v->counts.urgent_raised++;
	w->v->counts.urgent_acknowledged += *c->acknowledged_by != 0;
	e = check_history(w->v, w->home, c);
	if (e == OK)
		e = check_ladder(w->v, w->home, c);
	urgent_case__free_unpacked(c, NULL);
	return e;
}

enum err check_urgent(struct verify *v)
{
	struct case_walk w = {v, verify_home(v, R(URGENT_SERVICE))};

	TRY(step_each(w.home->step, URGENT_CASES, (struct slice){0}, case_row, &w));
	checked(v, CHECK_6, "%" PRIu64 " requests, %" PRIu64 " acknowledged",
		"%" PRIu64 " demandes, %" PRIu64 " prises en charge", v->counts.urgent_raised,
		v->counts.urgent_acknowledged);
	return OK;
}
