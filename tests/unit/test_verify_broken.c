/* Goal: havre-admin verify reports what is wrong in the stores of the services (I3 to I6, I9), in
 * words that say how. */
#include "services/screening/cases.h"
#include "services/screening/ledger.h"
#include "tests/unit/verify_damage.h"

/* --- I3, I4 --- */

static void break_balance(struct story *s)
{
	struct key k = last_key(s, SCREENING, OWN(T_YEARS));

	flip(s, SCREENING, OWN(T_YEARS), key_slice(&k), -1);
}

static void break_household(struct story *s)
{
	struct key k = last_key(s, SCREENING, OWN(T_HOUSEHOLDS));

	flip(s, SCREENING, OWN(T_HOUSEHOLDS), key_slice(&k), -1);
}

/* --- I5, I9: records of intake, screening and urgent --- */

struct change_of {
	struct story *s;
	void (*intake)(IntakeEntry *e);
	void (*screening)(Change *c);
	void (*urgent)(UrgentCase *c);
	const char *number;
};

static enum err change_entry(struct step *s, void *arg)
{
	const struct change_of *c = arg;
	IntakeEntry *e;
	enum err err;

	TRY(entry_load(s, c->number, &e));
	c->intake(e);
	err = entry_save(s, e);
	intake_entry__free_unpacked(e, NULL);
	return err;
}

/* The newest change of the case. */
static enum err change_history(struct step *s, void *arg)
{
	const struct change_of *c = arg;
	ScreeningCase *sc;
	ProtobufCMessage *m;
	struct key k = {0};
	enum err e;

	TRY(cases_load(s, c->number, &sc));
	key_str(&k, c->number);
	key_u64(&k, sc->changes);
	screening_case__free_unpacked(sc, NULL);
	TRY(case_get(s, T_HISTORY, key_slice(&k), c->number, &change__descriptor, &m));
	c->screening((Change *)m);
	e = case_put(s, T_HISTORY, key_slice(&k), c->number, m);
	protobuf_c_message_free_unpacked(m, NULL);
	return e;
}

static enum err change_urgent(struct step *s, void *arg)
{
	const struct change_of *c = arg;
	UrgentCase *u;
	enum err e;

	TRY(urgent_load(s, c->number, &u));
	c->urgent(u);
	e = urgent_save(s, u);
	urgent_case__free_unpacked(u, NULL);
	return e;
}

static void replace(char **text, const char *with)
{
	free(*text);
	*text = strdup(with);
	assert_non_null(*text);
}

static void by_a_partner(IntakeEntry *e)
{
	replace(&e->decided_by, "partner-a");
}

static void by_another_officer(IntakeEntry *e)
{
	replace(&e->decided_by, "officer-2");
}

static void break_merge_by_partner(struct story *s)
{
	rig_step(s->r, INTAKE, change_entry,
		&(struct change_of){.intake = by_a_partner, .number = s->again});
}

static void break_merge_by_nobody(struct story *s)
{
	rig_step(s->r, INTAKE, change_entry,
		&(struct change_of){.intake = by_another_officer, .number = s->again});
}

static void other_cause(Change *c)
{
	c->cause.data[MSG_ID_LEN - 1] ^= 1;
}

static void the_machine(Change *c)
{
	replace(&c->actor, "screening");
}

static void break_cause(struct story *s)
{
	rig_step(s->r, SCREENING, change_history,
		&(struct change_of){.screening = other_cause, .number = s->plain});
}

static void break_actor(struct story *s)
{
	rig_step(s->r, SCREENING, change_history,
		&(struct change_of){.screening = the_machine, .number = s->plain});
}

static void break_history(struct story *s)
{
	struct key k = {0};

	key_str(&k, s->plain);
	key_u64(&k, 2);
	drop(s, SCREENING, OWN(T_HISTORY), key_slice(&k));
}

static UrgentChange *decline_of(UrgentCase *c)
{
	for (size_t i = 0; i < c->n_history; i++)
		if (c->history[i]->event == EVENT__DECLINE_UPP)
			return c->history[i];
	fail_msg("nothing was declined");
	return NULL;
}

static void declined_by_machine(UrgentCase *c)
{
	replace(&decline_of(c)->actor, "intake");
}

static void declined_by_nobody(UrgentCase *c)
{
	replace(&decline_of(c)->actor, "officer-2");
}

static void from_elsewhere(UrgentCase *c)
{
	decline_of(c)->from = PROTECTION__EMERGENCY_CONFIRMED;
}

static void another_version(UrgentCase *c)
{
	c->case_version++;
}

static void nobody_answered(UrgentCase *c)
{
	replace(&c->acknowledged_by, "");
}

static void break_urgent(struct story *s, void (*change)(UrgentCase *c))
{
	rig_step(s->r, URGENT, change_urgent,
		&(struct change_of){.urgent = change, .number = s->danger});
}

static void break_decline_by_machine(struct story *s)
{
	break_urgent(s, declined_by_machine);
}

static void break_decline_by_nobody(struct story *s)
{
	break_urgent(s, declined_by_nobody);
}

static void break_axis(struct story *s)
{
	break_urgent(s, from_elsewhere);
}

static void break_version(struct story *s)
{
	break_urgent(s, another_version);
}

static void break_answer(struct story *s)
{
	break_urgent(s, nobody_answered);
}

/* --- I6 --- */

static enum err cancel_timer(struct step *s, void *arg)
{
	const struct story *story = arg;

	TRY(step_timer_cancel(s, "climb", slice_str(story->waits)));
	return step_timer_cancel(s, "decision", slice_str(story->waits));
}

static void break_ladder(struct story *s)
{
	rig_step(s->r, URGENT, cancel_timer, s);
}

static void break_decision_clock(struct story *s)
{
	acknowledge(s->r, s->waits);
	rig_rest(s->r);
	rig_step(s->r, URGENT, cancel_timer, s);
}

static void break_threat(struct story *s)
{
	drop(s, URGENT, OWN(URGENT_CASES), slice_str(s->waits));
}

static void break_request(struct story *s)
{
	submit(s->r, &(struct referral){OTHER_URGENT_FILE, "T-8"});
	skip_one(s, INTAKE, LANE_URGENT);
}

static void refuse_urgent(struct story *s)
{
	submit(s->r, &(struct referral){OTHER_URGENT_FILE, "T-8"});
	assert_true(rig_carry_in(s->r, INTAKE, LANE_URGENT));
	refuse_next(s, INTAKE, LANE_URGENT);
}

static const struct damage damages[] = {
	{"balance", break_balance, CHECK_3, "the balance does not follow"},
	{"household", break_household, CHECK_4, "household"},
	{"merged by a partner", break_merge_by_partner, CHECK_5, "not staff"},
	{"merged by nobody", break_merge_by_nobody, CHECK_5, "without this officer"},
	{"refused without a message", break_cause, CHECK_5, "without this officer"},
	{"refused by a machine", break_actor, CHECK_5, "no officer made"},
	{"declined by a machine", break_decline_by_machine, CHECK_5, "not staff"},
	{"declined by nobody", break_decline_by_nobody, CHECK_5, "without this officer"},
	{"ladder", break_ladder, CHECK_6, "no alert climbs"},
	{"answer", break_answer, CHECK_6, "no alert climbs"},
	{"decision clock", break_decision_clock, CHECK_6, "no clock runs"},
	{"threat lost", break_threat, CHECK_6, "raised nothing"},
	{"request lost", break_request, CHECK_6, "raised nothing"},
	{"request refused", refuse_urgent, CHECK_6,
		"intake SEND_THREAT UNKNOWN_RECIPIENT: the broker finally refused"},
	{"cause", break_cause, CHECK_9, "cause is not in the log"},
	{"history", break_history, CHECK_9, "a change is missing"},
	{"axis", break_axis, CHECK_9, "from the one before"},
	{"version", break_version, CHECK_9, "one change for each version"},
};

int main(void)
{
	return run_damages(damages, sizeof(damages) / sizeof(damages[0]));
}
