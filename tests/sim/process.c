/* One program: its store, its start, its turns, its death. */
#include "tests/sim/sim.h"

#include <stdlib.h>

#include "services/client/client.h"
#include "services/intake/intake.h"
#include "services/notify/notify.h"
#include "services/relay/relay.h"
#include "services/screening/screening.h"
#include "services/urgent/urgent.h"

#define TURN_MS 60000 /* as service_main has it */

static const struct {
	const char *name;
	const struct service *svc;
} programs[PROCESSES] = {
	[INTAKE] = {"intake", &intake_service},
	[SCREENING] = {"screening", &screening_service},
	[URGENT] = {"urgent", &urgent_service},
	[NOTIFY] = {"notify", &notify_service},
	[RELAY] = {"relay-webhook", &relay_service},
	[PARTNER_A] = {"partner-a", &client_service},
	[PARTNER_B] = {"partner-b", &client_service},
	[PARTNER_C] = {"partner-c", &client_service},
	[OFFICER_1] = {"officer-1", &staff_service},
	[OFFICER_2] = {"officer-2", &staff_service},
	[SUPERVISOR] = {"supervisor-1", &staff_service},
	[BROKER] = {"broker", NULL},
};

void process_make(struct sim *s, enum who_is who)
{
	struct process *p = &s->processes[who];

	p->sim = s;
	p->name = programs[who].name;
	p->svc = programs[who].svc;
	p->staff.seen = &p->seen;
	if (p->svc)
		sim_must(engine_layout(p->svc, &p->layout), "layout");
	sim_must(store_open_memory(p->svc ? &p->layout : &broker_layout, &p->store), "store");
}

static void close_program(struct process *p)
{
	seams_enter(p);
	node_free(&p->node);
	front_end(p);
	seams_enter(NULL);
	buf_free(&p->seen.opened);
	p->seen = (struct staff_seen){0};
}

void process_free(struct process *p)
{
	if (!p->store)
		return;
	close_program(p);
	txn_abort(&p->before);
	backup_free(p);
	store_free(&p->store);
	free((void *)p->layout.tables);
}

bool process_runs(const struct process *p)
{
	return p->node || p->core;
}

int64_t process_clock(const struct process *p)
{
	return p->sim->start + p->sim->now + p->ahead;
}

bool process_effect(struct process *p)
{
	if (!p->dead && p->fuse && --p->fuse == 0) {
		p->dead = true;
		trace(p->sim, "%s dies", p->name);
	}
	return !p->dead;
}

struct txn *disk_open(const struct process *p)
{
	struct txn *t = p->before;

	if (!t)
		sim_must(store_begin(p->store, TXN_READ, &t), "snapshot");
	return t;
}

void disk_close(const struct process *p, struct txn **tp)
{
	if (*tp != p->before)
		txn_abort(tp);
	*tp = NULL;
}

/* --- death --- */

struct copying {
	struct txn *to;
	int table;
};

static enum err copy_row(void *arg, struct slice key, struct slice value)
{
	const struct copying *c = arg;

	return txn_put(c->to, c->table, key, value);
}

static void take_table_back(struct txn *from, struct txn *t, int table)
{
	struct copying c = {t, table};
	struct slice key, value;

	while (txn_next(t, table, (struct slice){0}, false, &key, &value) == OK)
		sim_must(txn_delete(t, table, key), "delete");
	sim_must(txn_each(from, table, (struct slice){0}, copy_row, &c), "copy");
}

void process_copy(const struct process *p, struct txn *from, struct store *to)
{
	const char *const *tables = p->svc ? p->layout.tables : broker_layout.tables;
	struct txn *t = NULL;

	sim_must(store_begin(to, TXN_WRITE, &t), "begin");
	for (int i = 0; tables[i]; i++)
		take_table_back(from, t, i);
	sim_must(txn_commit(&t), "commit");
}

/* Whoever is connected notices; what was on the way to it is read by nobody. */
static void end_connections(struct sim *s)
{
	for (struct wire *w = s->wires; w; w = w->next) {
		wire_cut(w, false);
		wire_drop_up(w);
	}
}

void process_end(struct process *p)
{
	struct sim *s = p->sim;

	p->dead = true;
	close_program(p);
	store_memory_fail_next_commit(p->store, OK);
	if (p->before) /* PLANT_DISK_LIES: the last commit was never on the disk */
		process_copy(p, p->before, p->store);
	store_memory_crash(p->store);
	p->before = NULL;
	if (!p->svc)
		end_connections(s);
	officer_forgets(p);
	p->fuse = 0;
	p->dead = false;
	p->failing = false;
	p->on_turn_ms = 0;
	p->jobs_wait = false;
	p->wake_at = s->now + (s->quiet ? 50 : chance_between(&s->chance, 20, 8000));
	s->counts.crashes++;
	trace(s, "%s ended", p->name);
}

/* --- life --- */

static enum err start_node(struct process *p)
{
	struct node_options o = {.home = "/nonexistent", .errors = p->sim->nowhere};

	if (p->svc == &staff_service)
		o.context = &p->staff;
	return node_open(p->svc, &o, &p->node);
}

/* As service_main has it. */
static enum err node_once(struct process *p)
{
	int64_t again_at = INT64_MAX, left;

	TRY(node_turn(p->node, p->on_turn_ms));
	p->on_turn_ms = TURN_MS;
	if (!p->svc->on_turn)
		return OK;
	TRY(p->svc->on_turn(p->node, &again_at));
	left = again_at == INT64_MAX ? TURN_MS : again_at - node_now();
	p->on_turn_ms = left < 0 ? 0 : left < TURN_MS ? (int)left : TURN_MS;
	return OK;
}

static int64_t next_turn(struct process *p)
{
	struct sim *s = p->sim;
	int64_t at, wire = wire_next(p);

	if (p->svc && p->busy)
		at = s->now;
	else if (p->svc)
		at = s->now + (p->waited_ms < 0 ? TURN_MS : p->waited_ms);
	else
		at = s->now + p->waited_ms;
	if (p->svc && s->now + p->on_turn_ms < at)
		at = s->now + p->on_turn_ms;
	if (wire < at)
		at = wire;
	return (at > s->now ? at : s->now) + chance_between(&s->chance, 1, 3);
}

/* A copy that was put back, and nobody has signed for it. */
static bool is_stopped(const struct process *p, enum err e)
{
	return p->backup.waits && (e == ERR_RESTORED || e == ERR_ROLLED_BACK);
}

/* What became of a turn. */
static void settle(struct process *p, enum err e)
{
	p->sim->counts.stopped += is_stopped(p, e);
	if (e != OK && !p->dead && !p->failing && !is_stopped(p, e))
		sim_found(p->sim, "END", "%s: %s", p->name, err_name(e));
	if (p->committed)
		check_turn(p);
	p->committed = false;
	if (e != OK || p->dead)
		process_end(p);
	else
		p->wake_at = next_turn(p);
}

static enum err run(struct process *p)
{
	if (!process_runs(p))
		return p->svc ? start_node(p) : front_start(p);
	TRY(p->svc ? node_once(p) : front_turn(p));
	return p->svc == &staff_service ? officer_hears(p) : OK;
}

void process_turn(struct process *p)
{
	enum err e;

	p->busy = false;
	p->waited_ms = 0;
	seams_enter(p);
	e = run(p);
	seams_enter(NULL);
	if (p->committed)
		p->busy = true;
	settle(p, e);
}

enum err process_local(struct process *p, enum err (*fn)(struct step *s, void *arg), void *arg)
{
	enum err e;
	bool died;

	seams_enter(p);
	e = node_local(p->node, fn, arg);
	seams_enter(NULL);
	died = p->dead;
	p->busy = true;
	settle(p, (int)e >= 100 ? OK : e);
	return died ? ERR_IO : e;
}

enum err process_read(struct process *p, enum err (*fn)(struct step *s, void *arg), void *arg)
{
	enum err e;

	seams_enter(p);
	e = node_read(p->node, fn, arg);
	seams_enter(NULL);
	return e;
}
