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

static uint64_t number_of(struct txn *t, const char *name, int lane)
{
	uint64_t n = 0;

	sim_must(state_get(t, name, (enum lane)lane, &n), name);
	return n;
}

/* Its mailboxes are read, in this epoch of the log, and the broker knows. */
static bool has_read_all(const struct process *p, struct txn *broker, struct txn *own)
{
	struct sim *s = p->sim;
	struct epoch epoch = {.number = 0};

	sim_must(epoch_load(broker, TABLE_EPOCH, &epoch), "epoch");
	for (int lane = 0; lane < LANES; lane++) {
		uint64_t cursor = 0, last = last_of(broker, p->name, (enum lane)lane);
		struct key k;

		cursor_key(&k, p->name, (enum lane)lane,
			keyring_key_id(fixture_keys(s->fixture, p->name)));
		if (number_get(broker, TABLE_CURSOR, key_slice(&k), &cursor) != OK)
			cursor = 0;
		if (cursor < last || number_of(own, "cursor", lane) != last ||
			number_of(own, "log-epoch", lane) != epoch.number)
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

static bool is_spread(const struct sim *s, struct txn *broker)
{
	uint64_t told = 0;

	return number_get(broker, TABLE_META, slice_str(META_SPREAD), &told) == OK &&
	       told == registry_message(fixture_registry(s->fixture))->version;
}

static const char *what_moves(const struct process *p, struct txn *broker)
{
	struct txn *own;
	bool read_all;

	if (p->backup.waits)
		return "nobody signs for a store";
	if (!process_runs(p))
		return "a program does not run";
	if (!p->svc)
		return NULL;
	if (!has_none(p, T_OUTBOX))
		return "a message waits in an outbox";
	if (!has_none(p, T_READY) || !has_none(p, T_PARKED))
		return "a message waits for another";
	own = disk_open(p);
	read_all = has_read_all(p, broker, own);
	disk_close(p, &own);
	return read_all ? NULL : "a message waits in a mailbox";
}

bool rest_reached(struct sim *s, const char **ret_why)
{
	struct txn *broker = disk_open(&s->processes[BROKER]);
	struct owed owed = {.any = false};
	const char *why = partners_rest(s) ? NULL : "a partner has something to send";

	for (int i = 0; i < PROCESSES && !why; i++)
		why = what_moves(&s->processes[i], broker);
	if (!why && !is_spread(s, broker))
		why = "a registry is to be spread";
	disk_close(&s->processes[BROKER], &broker);
	if (!why && !trust_rests(s))
		why = "a partner is suspended";
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
	bool found, refused;
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
	l->refused = c->refused == ERR_SUSPENDED;
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

	sim_must(process_read(&s->processes[a->partner], find_at_partner, &partner), "partner");

	if (partner.refused) /* it was told */
		return;
	if (!in_log(s, a))
		sim_found(s, "I2", "%s: what it sent is not in the log", name);
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

/* What was receipted before the broker's store was lost came again, once. */
static void check_lost(struct sim *s, struct txn *broker, const struct lost_row *lost)
{
	unsigned found = 0;

	for (uint64_t i = 0; i < s->log_size; i++) {
		struct log_row row;

		sim_must(log_row_get(broker, i, &row), "row");
		if (memcmp(row.hash, lost->hash, HASH_LEN) != 0)
			continue;
		found++;
		if (row.resent && row.received_at != lost->received_at)
			sim_found(s, "I11", "%llu: it came again at another time",
				(unsigned long long)i);
	}
	if (found != 1)
		sim_found(s, "I2", "what was receipted is in the recovered log %u times", found);
}

static void check_all_lost(struct sim *s)
{
	struct txn *broker = disk_open(&s->processes[BROKER]);

	for (size_t i = 0; i < s->n_lost_rows; i++)
		check_lost(s, broker, &s->lost_rows[i]);
	disk_close(&s->processes[BROKER], &broker);
}

/* Everybody goes by the newest registry. */
static void check_registries(struct sim *s)
{
	uint64_t newest = registry_message(fixture_registry(s->fixture))->version;

	for (int i = 0; i < BROKER; i++)
		if (registry_message(s->processes[i].node->registry)->version != newest)
			sim_found(s, "I2", "%s has an old registry", s->processes[i].name);
}

void rest_check(struct sim *s)
{
	check_all_lost(s);
	check_registries(s);
	trust_check(s);
	for (size_t i = 0; i < s->n_acts; i++)
		if (s->acts[i].done)
			check_act(s, &s->acts[i]);
	for (int i = 0; i < PROCESSES; i++)
		search_store(&s->processes[i]);
}
