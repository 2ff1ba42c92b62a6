/* What must be true at every moment: of each frame that leaves, and after each commit. */
#include "tests/sim/sim.h"

#include <inttypes.h>
#include <stdlib.h>

#include "broker/log.h"
#include "broker/tables.h"
#include "proto/strict.h"
#include "services/admin/verify.h"
#include "services/common/engine/engine_internal.h"
#include "services/screening/ledger.h"
#include "services/urgent/urgent.h"

/* I8. Sealed bytes hold the canary by chance once in 2^80 places. */
void check_text(struct sim *s, const char *where, struct slice bytes)
{
	if (memmem(bytes.data, bytes.len, CANARY, strlen(CANARY)))
		sim_found(s, "I8", "a text of a person in clear: %s", where);
}

/* --- what leaves a program: only what is on its disk --- */

static void check_cursor(struct process *p, struct txn *disk, enum lane lane, uint64_t said)
{
	uint64_t stored = 0;

	sim_must(state_get(disk, "cursor", lane, &stored), "cursor");
	if (said > stored)
		sim_found(p->sim, p->sim->o.plant == PLANT_DISK_LIES ? "I1" : "I2",
			"%s says that it has read %" PRIu64 ", and has %" PRIu64, p->name, said,
			stored);
}

static void check_post(struct process *p, struct txn *disk, struct slice bytes)
{
	struct envelope env;
	struct slice place;

	if (envelope_parse(bytes, &env) != OK) {
		sim_found(p->sim, "I2", "%s posts what is no envelope", p->name);
		return;
	}
	if (txn_get(disk, T_OUTBOX_IDS, slice_of(env.header->id.data, MSG_ID_LEN), &place) != OK)
		sim_found(p->sim, "I1", "%s posts what is not in its outbox", p->name);
	envelope_free(&env);
}

/* A copy that is older than what the broker has seen of it, and that nobody signed for. */
static void check_may_post(struct process *p, enum lane lane)
{
	if (p->backup.waits && p->backup.older[lane])
		sim_found(p->sim, "I2", "%s was put back, and goes on as if nothing had been",
			p->name);
}

void check_sent(struct process *p, enum lane lane, const Frame *f)
{
	struct txn *disk = disk_open(p);

	switch (f->what_case) {
	case FRAME__WHAT_HELLO:
		if (p->sim->o.plant == PLANT_FENCE_DOWN)
			f->hello->store_epoch = 0; /* as who keeps no store */
		check_cursor(p, disk, lane, f->hello->read_up_to);
		break;
	case FRAME__WHAT_CURSOR:
		if (p->sim->o.plant == PLANT_CURSOR_AHEAD)
			f->cursor->seq++;
		check_cursor(p, disk, lane, f->cursor->seq);
		break;
	case FRAME__WHAT_POST:
		check_may_post(p, lane);
		check_post(p, disk, slice_of(f->post->envelope.data, f->post->envelope.len));
		check_text(p->sim, "post", slice_of(f->post->envelope.data, f->post->envelope.len));
		break;
	default:
		break;
	}
	disk_close(p, &disk);
}

/* --- what leaves the broker: only what is in its log --- */

/* I11. What is not seen yet is looked at after the turn. */
static bool is_first_time(const struct sim *s, uint64_t index, int64_t received_at)
{
	return index >= s->log_size || s->log[index].received_at == received_at;
}

static void check_receipt(struct sim *s, struct txn *disk, const char *sender, const Receipt *r)
{
	struct log_row row;
	uint64_t index;
	struct key k;

	seen_key(&k, sender, r->id.data);
	if (number_get(disk, TABLE_SEEN, key_slice(&k), &index) != OK)
		sim_found(s, "I1", "a receipt for %s, and nothing is on disk", sender);
	else if (index != r->index)
		sim_found(s, "I2", "a receipt for another place of the log");
	else if (log_row_get(disk, index, &row) != OK)
		sim_found(s, "I1", "a receipt for %s, and its row is not on disk", sender);
	else if (!is_first_time(s, index, r->received_at))
		sim_found(s, "I11", "a receipt with another time of receipt");
	else if (memcmp(row.hash, r->envelope_hash.data, HASH_LEN) != 0)
		sim_found(s, "I10", "a receipt for other bytes");
	if (index < s->log_size)
		s->log[index].receipted = true;
	s->counts.receipts++;
}

static void check_delivery(struct sim *s, struct txn *disk, const struct wire *w, const Delivery *d)
{
	struct log_row row;

	if (log_row_get(disk, d->index, &row) != OK)
		sim_found(s, "I1", "a delivery that is not in the log");
	else if (strcmp(row.recipient, w->process->name) != 0 || row.seq != d->seq)
		sim_found(s, "I2", "a delivery to %s of what is not there", w->process->name);
	else if (!is_first_time(s, d->index, d->received_at))
		sim_found(s, "I11", "a delivery with another time of receipt");
}

void check_answered(struct sim *s, const struct wire *w, const Frame *f)
{
	struct process *broker = &s->processes[BROKER];
	struct txn *disk = disk_open(broker);

	if (f->what_case == FRAME__WHAT_RECEIPT)
		check_receipt(s, disk, w->process->name, f->receipt);
	else if (f->what_case == FRAME__WHAT_DELIVERY)
		check_delivery(s, disk, w, f->delivery);
	disk_close(broker, &disk);
}

/* --- after a commit --- */

/* Of what was taken for the first time before it. */
static int64_t newest_before(const struct sim *s, uint64_t index)
{
	while (index > 0 && s->log[index - 1].resent)
		index--;
	return index ? s->log[index - 1].received_at : 0;
}

/* I11: its times only rise; what comes again keeps its own. */
static void keep_time(struct sim *s, struct txn *disk, uint64_t index)
{
	struct log_row row = {0};

	if (log_row_get(disk, index, &row) != OK)
		sim_found(s, "I10", "a gap in the log");
	else if (!row.resent && row.received_at < newest_before(s, index))
		sim_found(s, "I11", "a time of receipt before the one before it");
	s->log[index] = (struct first_seen){row.received_at, row.resent, false};
}

/* I10: the log only grows. */
static void check_log_grows(struct process *p)
{
	struct sim *s = p->sim;
	struct txn *disk = disk_open(p);
	uint64_t size = 0;

	sim_must(txn_count(disk, TABLE_LOG, &size), "log");
	if (size < s->log_size)
		sim_found(s, "I10", "the log shrank");
	s->log = realloc(s->log, (size + 1) * sizeof(*s->log));
	if (!s->log)
		abort();
	for (; s->log_size < size; s->log_size++)
		keep_time(s, disk, s->log_size);
	disk_close(p, &disk);
}

void check_log_lost(struct process *p, struct store *copy)
{
	struct sim *s = p->sim;
	struct txn *disk = disk_open(p), *old = NULL;
	uint64_t kept = 0;
	struct log_row row;

	sim_must(store_begin(copy, TXN_READ, &old), "snapshot");
	sim_must(txn_count(old, TABLE_LOG, &kept), "log");
	txn_abort(&old);
	s->lost_rows = realloc(s->lost_rows,
		(s->n_lost_rows + s->log_size + 1) * sizeof(*s->lost_rows)); /* the second time */
	if (!s->lost_rows)
		abort();
	for (uint64_t i = kept; i < s->log_size; i++) {
		struct lost_row *lost = &s->lost_rows[s->n_lost_rows];

		sim_must(log_row_get(disk, i, &row), "row");
		memcpy(lost->hash, row.hash, HASH_LEN);
		lost->received_at = row.received_at;
		s->n_lost_rows += s->log[i].receipted;
	}
	s->log_size = kept;
	disk_close(p, &disk);
}

/* I11: and they stay what they were. */
static void check_times(struct sim *s)
{
	struct process *broker = &s->processes[BROKER];
	struct txn *disk = disk_open(broker);
	struct log_row row;

	for (uint64_t i = 0; i < s->log_size; i++)
		if (log_row_get(disk, i, &row) != OK || row.received_at != s->log[i].received_at)
			sim_found(s, "I11", "%" PRIu64 ": its time of receipt changed", i);
	disk_close(broker, &disk);
}

/* I3. What the year's balances say; the entries behind them are checked in the whole. */
static enum err year_row(void *arg, struct slice key, struct slice value)
{
	struct process *p = arg;
	ProtobufCMessage *m;
	const ScreeningYear *y;

	(void)key;
	TRY(strict_unpack(&screening_year__descriptor, value, &m));
	y = (const ScreeningYear *)m;
	if ((long)y->reserved + y->consumed > p->sim->chances.cap)
		sim_found(p->sim, "I3", "%u reserved and %u consumed of %ld", y->reserved,
			y->consumed, p->sim->chances.cap);
	protobuf_c_message_free_unpacked(m, NULL);
	return OK;
}

static enum err check_years(struct step *s, void *arg)
{
	return step_each(s, T_YEARS, (struct slice){0}, year_row, arg);
}

/* I6. Whoever has not been answered is climbed to. */
struct climbing {
	struct process *p;
	struct step *s;
	struct txn *disk;
};

static enum err climbing_row(void *arg, struct slice key, struct slice value)
{
	const struct climbing *c = arg;
	struct key timer = {0};
	char number[64] = "";
	UrgentCase *u;
	struct slice at;

	(void)value;
	memcpy(number, key.data, key.len < 63 ? key.len : 63);
	TRY(urgent_load(c->s, number, &u));
	key_str(&timer, "climb");
	key_bytes(&timer, key.data, key.len);
	if (u->rung ? txn_get(c->disk, T_TIMER_INDEX, key_slice(&timer), &at) != OK
		    : !*u->acknowledged_by && !u->ended)
		sim_found(c->p->sim, "I6", "%s: nobody has answered, and no alert climbs", number);
	urgent_case__free_unpacked(u, NULL);
	return OK;
}

static enum err check_climbing(struct step *s, void *arg)
{
	struct climbing *c = arg;

	c->s = s;
	return step_each(s, URGENT_CASES, (struct slice){0}, climbing_row, c);
}

void check_turn(struct process *p)
{
	struct climbing c = {.p = p};

	if (!p->svc)
		check_log_grows(p);
	if (!p->node)
		return;
	if (p == &p->sim->processes[SCREENING])
		sim_must(process_read(p, check_years, p), "years");
	if (p != &p->sim->processes[URGENT])
		return;
	c.disk = disk_open(p);
	sim_must(process_read(p, check_climbing, &c), "climbing");
	disk_close(p, &c.disk);
}

/* --- the whole, as an operator checks it --- */

static void tell_findings(struct sim *s, const struct verify *v)
{
	for (int i = 0; i < CHECKS; i++)
		if (verify_result(v, (enum check)i) == RESULT_BROKEN)
			sim_found(s, check_id((enum check)i), "%s", v->tallies[i].first[0]);
}

void check_whole(struct sim *s)
{
	struct parts list[PROCESSES] = {0};
	struct verify *v = NULL;
	struct config config;

	check_times(s);
	sim_must(
		config_load("/nonexistent", PROGRAM_ADMIN, s->nowhere, LANG_EN, &config), "config");
	config.cap = s->chances.cap;
	for (int i = 0; i < PROCESSES; i++) {
		const struct process *p = &s->processes[i];

		list[i].config = config;
		list[i].keys = (struct keyring *)fixture_keys(s->fixture, p->name);
		list[i].registry = (struct registry *)fixture_registry(s->fixture);
		list[i].roles = roles_of(registry_find(list[i].registry, p->name));
		list[i].store = p->store;
	}
	sim_must(verify_new(list, PROCESSES, s->start + s->now, LANG_EN, &v), "verify");
	sim_must(verify_run(v), "verify");
	tell_findings(s, v);
	s->counts.cases = (unsigned)v->counts.entries;
	verify_free(&v);
	config_free(&config);
}
