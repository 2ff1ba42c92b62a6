/* Bugs on purpose. What is not here is where it happens: seams.c, process.c. */
#include "tests/sim/sim.h"

#include <stdlib.h>

#include "broker/tables.h"
#include "services/common/engine/engine_internal.h"
#include "services/screening/cases.h"
#include "services/screening/screening.h"

#define AGAIN_MS 1000

const struct plant_row plant_rows[PLANTS] = {
#define PLANT(name, invariant, words) {#name, invariant, words},
#include "tests/sim/plants.def"
#undef PLANT
};

/* Opens the store of a program behind its back. NULL: not now. */
static struct txn *reach_into(struct sim *s, enum who_is who)
{
	struct txn *t = NULL;

	if (store_begin(s->processes[who].store, TXN_WRITE, &t) != OK)
		return NULL;
	return t;
}

static bool lose_first(struct sim *s, enum who_is who, int table)
{
	struct txn *t = reach_into(s, who);
	struct slice key, value;
	bool done;

	if (!t)
		return false;
	done = txn_next(t, table, (struct slice){0}, false, &key, &value) == OK;
	if (done)
		sim_must(txn_delete(t, table, key), "delete");
	sim_must(txn_commit(&t), "commit");
	return done;
}

static bool stop_ladder(struct sim *s)
{
	struct txn *t = reach_into(s, URGENT);
	struct slice key, value;
	struct key climb = {0}, number = {0};
	bool done;

	if (!t)
		return false;
	key_str(&climb, "climb");
	done = txn_next(t, T_TIMER_INDEX, key_slice(&climb), true, &key, &value) == OK &&
	       key.len > climb.len && memcmp(key.data, climb.data, climb.len) == 0;
	if (done) {
		key_bytes(&number, key.data + climb.len, key.len - climb.len);
		sim_must(timer_remove(t, "climb", key_slice(&number)), "timer");
	}
	sim_must(txn_commit(&t), "commit");
	s->processes[URGENT].committed = done;
	return done;
}

/* Only what never left: what the broker has already is not lost. */
static bool lose_message(struct sim *s, enum who_is who)
{
	for (const struct wire *w = s->wires; w; w = w->next)
		if (w->process == &s->processes[who] && !w->cut)
			return false;
	return !process_runs(&s->processes[who]) && lose_first(s, who, T_OUTBOX);
}

static bool forget_all(struct sim *s)
{
	struct txn *t = reach_into(s, BROKER);
	struct slice key, value;
	bool done = false;

	if (!t)
		return false;
	while (txn_next(t, TABLE_SEEN, (struct slice){0}, false, &key, &value) == OK) {
		sim_must(txn_delete(t, TABLE_SEEN, key), "delete");
		done = true;
	}
	sim_must(txn_commit(&t), "commit");
	return done;
}

static bool change_row(struct sim *s, bool time)
{
	struct txn *t = reach_into(s, BROKER);
	struct slice key, value;
	struct key at = {0};
	uint8_t row[512];
	bool done;

	if (!t)
		return false;
	done = txn_next(t, TABLE_LOG, (struct slice){0}, false, &key, &value) == OK &&
	       value.len <= sizeof(row);
	if (done) {
		key_bytes(&at, key.data, key.len);
		memcpy(row, value.data, value.len);
		row[time ? 7 : 8] ^= 1; /* received_at (8), hash */
		sim_must(txn_put(t, TABLE_LOG, key_slice(&at), slice_of(row, value.len)), "put");
	}
	sim_must(txn_commit(&t), "commit");
	return done;
}

/* A change that nobody asked for: by screening itself, or under an officer's name. */
struct deed {
	const char *actor;
	Event event;
	bool done;
};

static enum err change_case(struct step *s, struct deed *d, const char *case_number)
{
	Reason reason = REASON__NOT_CREDIBLE;
	struct change change = {.event = d->event,
		.who = WHO_PERSON,
		.actor = d->actor,
		.reasons = &reason,
		.n_reasons = 1};
	ScreeningCase *c;
	enum err e = OK;

	TRY(cases_load(s, case_number, &c));
	if (d->event == EVENT__ADJUST_HOUSEHOLD && state_holds(c->state) == HOLDS_RESERVED) {
		c->persons++; /* and no place for the new one */
		e = cases_save(s, c);
		d->done = e == OK;
	} else if (d->event != EVENT__ADJUST_HOUSEHOLD && c->state == STATE__HUMAN_REVIEW) {
		e = cases_apply(s, c, &change);
		d->done = e == OK;
	}
	screening_case__free_unpacked(c, NULL);
	return e;
}

static enum err change_one(struct step *s, void *arg)
{
	struct deed *d = arg;
	struct slice key, value;
	struct key at = {0};

	while (!d->done && step_next(s, T_CASES, key_slice(&at), true, &key, &value) == OK) {
		char number[64] = "";

		memcpy(number, key.data, key.len < 63 ? key.len : 63);
		at = (struct key){0};
		key_bytes(&at, key.data, key.len);
		TRY(change_case(s, d, number));
	}
	return OK;
}

static bool nobody_asked(struct sim *s, const char *actor, Event event)
{
	struct process *p = &s->processes[SCREENING];
	struct deed d = {.actor = actor, .event = event};

	return process_runs(p) && process_local(p, change_one, &d) == OK && d.done;
}

void plant_act(struct sim *s)
{
	if (s->planted || *s->failure || s->now < s->plant_at)
		return;
	s->plant_at = s->now + AGAIN_MS;
	switch (s->o.plant) {
	case PLANT_OUTBOX_LOSES:
		s->planted = lose_message(s, PARTNER_A) || lose_message(s, PARTNER_B) ||
			     lose_message(s, INTAKE);
		break;
	case PLANT_NOTICE_LOST:
		s->planted = lose_message(s, NOTIFY);
		break;
	case PLANT_BROKER_FORGETS:
		s->planted = forget_all(s);
		break;
	case PLANT_MACHINE_REFUSES:
		s->planted = nobody_asked(s, "screening", EVENT__NOT_RECOMMEND);
		break;
	case PLANT_HOUSE_SPLIT:
		s->planted = nobody_asked(s, "officer-1", EVENT__ADJUST_HOUSEHOLD);
		break;
	case PLANT_CAUSE_LOST:
		s->planted = nobody_asked(s, "officer-1", EVENT__PARK);
		break;
	case PLANT_LADDER_STOPS:
		s->planted = stop_ladder(s);
		break;
	case PLANT_LOG_CHANGED:
	case PLANT_TIME_CHANGED:
		s->planted = change_row(s, s->o.plant == PLANT_TIME_CHANGED);
		break;
	default:
		break;
	}
}
