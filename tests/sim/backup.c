/* Copies of stores, and what an operator does when a store is lost: puts the last copy back, and
 * signs for it; or forgets to sign, and does so when the programs say what is wrong. */
#include "tests/sim/sim.h"

#include <stdlib.h>

#include "broker/log.h"
#include "broker/tables.h"
#include "services/common/engine/engine_internal.h"
#include "services/common/store/recover.h"

#define STORES (RELAY + 2) /* the services, and the broker */

static struct process *some_store(struct sim *s)
{
	/* the broker as often as two of them */
	uint64_t i = chance_below(&s->chance, STORES + 1);

	return &s->processes[i <= RELAY ? i : BROKER];
}

static int epoch_table(const struct process *p)
{
	return p->svc ? engine_epoch_table() : TABLE_EPOCH;
}

/* As `havre-admin backup` makes it: it does not start by itself, and senders may forget what is in
 * it. */
static void stop_copy(struct process *p, struct safe *safe)
{
	struct backup *b = &p->backup;
	struct txn *t = NULL;

	sim_must(store_begin(b->copy, TXN_WRITE, &t), "begin");
	b->safe = *safe;
	if (!p->svc) {
		sim_must(txn_count(t, TABLE_LOG, &b->safe.done), "log");
		sim_must(epoch_set_safe(t, TABLE_EPOCH, b->safe.done), "safe");
	}
	sim_must(epoch_stop(t, epoch_table(p), ERR_RESTORED), "stop");
	sim_must(txn_commit(&t), "commit");
}

/* A copy by hand is of use only when no backup is newer than it: PROTOCOL.md, section 19. */
static bool may_copy_by_hand(const struct process *p, struct txn *t)
{
	uint64_t safe;

	if (p->svc)
		return true;
	sim_must(epoch_safe(t, TABLE_EPOCH, &safe), "safe");
	return safe == p->backup.safe.done;
}

static void copy_store(struct process *p, struct txn *t)
{
	struct safe safe = {.done = 0};
	bool by_hand = (p->sim->o.plant == PLANT_FENCE_DOWN || chance_one_in(&p->sim->chance, 2)) &&
		       may_copy_by_hand(p, t);

	if (epoch_load(t, epoch_table(p), &safe.epoch) != OK)
		return; /* it never ran */
	store_free(&p->backup.copy);
	sim_must(store_open_memory(p->svc ? &p->layout : &broker_layout, &p->backup.copy), "copy");
	process_copy(p, t, p->backup.copy);
	if (!by_hand)
		stop_copy(p, &safe);
	trace(p->sim, "%s: a %s", p->name, by_hand ? "copy" : "backup");
}

/* None is needed after the loss: a store is lost once. */
void backup_make(struct sim *s)
{
	struct process *p = some_store(s);
	struct txn *t = NULL;

	if (s->lost)
		return;
	sim_must(store_begin(p->store, TXN_READ, &t), "snapshot");
	copy_store(p, t);
	txn_abort(&t);
}

enum err backup_safe(const struct process *p, struct safe *ret)
{
	struct txn *t;

	if (p->backup.safe.epoch.number == 0)
		return ERR_NOT_FOUND;
	*ret = p->backup.safe;
	if (p->sim->o.plant == PLANT_SAFE_TOO_SOON) {
		t = disk_open(p);
		sim_must(txn_count(t, TABLE_LOG, &ret->done), "log");
		disk_close(p, &t);
	}
	return OK;
}

/* --- the word of an administrator, as `havre-admin recover` makes it --- */

static uint64_t next_number(struct process *p, uint64_t was)
{
	uint64_t last = p->backup.last_epoch;

	p->backup.last_epoch = (last > was ? last : was) + 1;
	return p->backup.last_epoch;
}

static void sign_word(struct process *p, struct txn *t)
{
	struct sim *s = p->sim;
	uint8_t root[HASH_LEN], next[EPOCH_LEN] = {0};
	Recover word = RECOVER__INIT;
	struct epoch was;

	be64_put(next, chance_next(&s->chance));
	sim_must(epoch_load(t, epoch_table(p), &was), "epoch");
	word.principal = (char *)p->name;
	word.was = (ProtobufCBinaryData){EPOCH_LEN, was.store};
	word.was_epoch = was.number;
	word.store = (ProtobufCBinaryData){EPOCH_LEN, next};
	word.epoch = next_number(p, was.number);
	word.at = s->start + s->now;
	if (!p->svc) {
		sim_must(epoch_safe(t, TABLE_EPOCH, &word.from_size), "safe");
		sim_must(tree_root(t, word.from_size, root), "root");
		word.root = (ProtobufCBinaryData){HASH_LEN, root};
	}
	sim_must(recover_sign(&word, fixture_keys(s->fixture, ADMIN_NAME), &p->backup.word),
		"recover");
}

/* Its next start reads it. */
static void give_word(struct process *p)
{
	struct txn *t = NULL;

	process_end(p);
	sim_must(store_begin(p->store, TXN_READ, &t), "snapshot");
	sign_word(p, t);
	txn_abort(&t);
	p->backup.waits = false;
	trace(p->sim, "%s: may start", p->name);
}

void backup_word_used(struct process *p)
{
	buf_free(&p->backup.word);
}

enum err backup_word(const struct process *p, struct buf *ret)
{
	const struct buf *word = &p->backup.word;

	return word->len ? buf_append(ret, word->data, word->len) : ERR_NOT_FOUND;
}

/* --- the loss --- */

/* Will the broker see that the copy is old? */
static void compare(struct process *p, struct txn *copy)
{
	struct sim *s = p->sim;
	struct txn *t = disk_open(&s->processes[BROKER]);

	for (int lane = 0; p->svc && lane < LANES; lane++) {
		uint64_t cursor = 0, own = 0;
		struct key k;

		cursor_key(&k, p->name, (enum lane)lane,
			keyring_key_id(fixture_keys(s->fixture, p->name)));
		if (number_get(t, TABLE_CURSOR, key_slice(&k), &cursor) != OK)
			cursor = 0;
		sim_must(state_get(copy, "cursor", (enum lane)lane, &own), "cursor");
		p->backup.older[lane] = own < cursor;
	}
	disk_close(&s->processes[BROKER], &t);
}

/* The first time any store that has a copy; the second time the same one, when it goes on. */
static struct process *next_loss(struct sim *s)
{
	struct process *p = some_store(s);

	if (!s->lost)
		return p->backup.copy ? p : NULL;
	for (int i = 0; i < PROCESSES && s->counts.losses == 1; i++)
		if (s->processes[i].backup.lost && !s->processes[i].backup.waits)
			return &s->processes[i];
	return NULL;
}

void backup_lose(struct sim *s)
{
	struct process *p = next_loss(s);
	struct txn *t = NULL;
	struct backup *b;

	if (!p)
		return;
	b = &p->backup;
	s->lost = b->lost = true;
	buf_free(&b->word);
	process_end(p);
	sim_must(store_begin(b->copy, TXN_READ, &t), "copy");
	compare(p, t);
	if (!p->svc)
		check_log_lost(p, b->copy);
	process_copy(p, t, p->store);
	txn_abort(&t);
	b->waits = true;
	b->word_at = s->now + chance_between(&s->chance, 10, 40000);
	s->counts.losses++;
	trace(s, "%s: lost, and put back", p->name);
}

/* --- what the operator does later --- */

void backup_act(struct sim *s)
{
	for (int i = 0; i < PROCESSES; i++)
		if (s->processes[i].backup.waits && s->processes[i].backup.word_at <= s->now)
			give_word(&s->processes[i]);
}

int64_t backup_next(const struct sim *s)
{
	int64_t next = INT64_MAX;

	for (int i = 0; i < PROCESSES; i++)
		if (s->processes[i].backup.waits && s->processes[i].backup.word_at < next)
			next = s->processes[i].backup.word_at;
	return next;
}

void backup_free(struct process *p)
{
	store_free(&p->backup.copy);
	buf_free(&p->backup.word);
}
