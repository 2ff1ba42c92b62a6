/* When there is nothing left to do, and what must be true then. */
#include "tests/sim/sim.h"

#include "broker/tables.h"
#include "proto/strict.h"
#include "services/client/client.h"
#include "services/common/engine/engine_internal.h"
#include "services/intake/intake.h"
#include "services/urgent/urgent.h"

/* --- is it at rest? --- */

static uint64_t last_of(struct txn *t, const char *name, enum lane lane)
{
	struct slice key, value;
	struct key after;

	mailbox_key(&after, name, lane, UINT64_MAX);
	if (txn_prev(t, TABLE_MAILBOX, key_slice(&after), &key, &value) != OK ||
		key.len != after.len || memcmp(key.data, after.data, key.len - 8) != 0)
		return 0;
	return be64_get(key.data + key.len - 8);
}

/* Its mailboxes are read, and the broker knows. */
static bool has_read_all(const struct process *p, struct txn *broker)
{
	struct sim *s = p->sim;

	for (int lane = 0; lane < LANES; lane++) {
		uint64_t cursor = 0;
		struct key k;

		cursor_key(&k, p->name, (enum lane)lane,
			keyring_key_id(fixture_keys(s->fixture, p->name)));
		if (number_get(broker, TABLE_CURSOR, key_slice(&k), &cursor) != OK)
			cursor = 0;
		if (cursor < last_of(broker, p->name, (enum lane)lane))
			return false;
	}
	return true;
}

static bool has_none(const struct process *p, int table)
{
	struct txn *t = disk_open(p);
	uint64_t n = 1;

	sim_must(txn_count(t, table, &n), "count");
	disk_close(p, &t);
	return n == 0;
}

struct owed {
	struct step *s;
	bool any;
};

static enum err owed_row(void *arg, struct slice key, struct slice value)
{
	struct owed *o = arg;
	char number[64] = "";
	UrgentCase *c;

	(void)value;
	memcpy(number, key.data, key.len < 63 ? key.len : 63);
	TRY(urgent_load(o->s, number, &c));
	o->any = o->any || c->rung ||
		 (!c->ended && (c->protection == PROTECTION__ESCALATION_REQUESTED ||
				       c->protection == PROTECTION__EMERGENCY_CONFIRMED));
	urgent_case__free_unpacked(c, NULL);
	return OK;
}

static enum err anything_owed(struct step *s, void *arg)
{
	struct owed *o = arg;

	o->s = s;
	return step_each(s, URGENT_CASES, (struct slice){0}, owed_row, o);
}

static const char *what_moves(const struct process *p, struct txn *broker)
{
	if (!process_runs(p))
		return "a program does not run";
	if (!p->svc)
		return NULL;
	if (!has_none(p, T_OUTBOX))
		return "a message waits in an outbox";
	if (!has_none(p, T_READY) || !has_none(p, T_PARKED))
		return "a message waits for another";
	if (!has_read_all(p, broker))
		return "a message waits in a mailbox";
	return NULL;
}

bool rest_reached(struct sim *s, const char **ret_why)
{
	struct txn *broker = disk_open(&s->processes[BROKER]);
	struct owed owed = {.any = false};
	const char *why = partners_rest(s) ? NULL : "a partner has something to send";

	for (int i = 0; i < PROCESSES && !why; i++)
		why = what_moves(&s->processes[i], broker);
	disk_close(&s->processes[BROKER], &broker);
	if (!why) {
		sim_must(process_read(&s->processes[URGENT], anything_owed, &owed), "owed");
		why = owed.any ? "nobody answers an urgent request" : NULL;
	}
	if (why)
		*ret_why = why;
	return !why;
}

/* --- what must be true then --- */

struct looking {
	const struct act *act;
	bool found;
};

static enum err entry_row(void *arg, struct slice key, struct slice value)
{
	struct looking *l = arg;
	ProtobufCMessage *m;
	const IntakeEntry *e;

	(void)key;
	TRY(strict_unpack(&intake_entry__descriptor, value, &m));
	e = (const IntakeEntry *)m;
	l->found = l->found || (e->submission.len == MSG_ID_LEN &&
				       memcmp(e->submission.data, l->act->id, MSG_ID_LEN) == 0);
	protobuf_c_message_free_unpacked(m, NULL);
	return OK;
}

/* A case, or a rejection. */
static enum err find_at_intake(struct step *s, void *arg)
{
	struct looking *l = arg;
	struct slice v;

	if (step_get(s, INTAKE_REJECTED, slice_of(l->act->id, MSG_ID_LEN), &v) == OK)
		l->found = true;
	return step_each(s, INTAKE_ENTRIES, (struct slice){0}, entry_row, l);
}

/* Receipted, and answered by a notice. */
static enum err find_at_partner(struct step *s, void *arg)
{
	struct looking *l = arg;
	ClientSubmission *c;

	TRY(submission_load(s, l->act->id, &c));
	l->found =
		c->received_at && !c->refused && (c->last_event || l->act->kind > ACT_SUBMIT_AGAIN);
	client_submission__free_unpacked(c, NULL);
	return OK;
}

static bool in_log(struct sim *s, const struct act *a)
{
	struct process *broker = &s->processes[BROKER];
	struct txn *t = disk_open(broker);
	uint64_t index;
	struct key k;
	enum err e;

	seen_key(&k, s->processes[a->partner].name, a->id);
	e = number_get(t, TABLE_SEEN, key_slice(&k), &index);
	disk_close(broker, &t);
	return e == OK;
}

static void check_act(struct sim *s, const struct act *a)
{
	struct looking intake = {.act = a}, partner = {.act = a};
	const char *name = s->processes[a->partner].name;

	if (!in_log(s, a))
		sim_found(s, "I2", "%s: what it sent is not in the log", name);
	sim_must(process_read(&s->processes[a->partner], find_at_partner, &partner), "partner");
	if (!partner.found)
		sim_found(s, "I7", "%s: no receipt, or no notice, of what it sent", name);
	if (a->kind > ACT_SUBMIT_AGAIN)
		return;
	sim_must(process_read(&s->processes[INTAKE], find_at_intake, &intake), "intake");
	if (!intake.found)
		sim_found(s, "I2", "%s: a referral became neither a case nor a rejection", name);
}

/* I8: what is on the disks. */
struct searching {
	struct sim *s;
	const char *name;
};

static enum err search_row(void *arg, struct slice key, struct slice value)
{
	const struct searching *w = arg;

	check_text(w->s, w->name, key);
	check_text(w->s, w->name, value);
	return OK;
}

static void search_store(const struct process *p)
{
	const char *const *tables = p->svc ? p->layout.tables : broker_layout.tables;
	struct searching w = {p->sim, p->name};
	struct txn *t = disk_open(p);

	for (int i = 0; tables[i]; i++)
		sim_must(txn_each(t, i, (struct slice){0}, search_row, &w), "search");
	disk_close(p, &t);
}

void rest_check(struct sim *s)
{
	for (size_t i = 0; i < s->n_acts; i++)
		if (s->acts[i].done)
			check_act(s, &s->acts[i]);
	for (int i = 0; i < PROCESSES; i++)
		search_store(&s->processes[i]);
}
