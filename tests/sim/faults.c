/* What goes wrong, and when. */
#include "tests/sim/sim.h"

#define HOUR INT64_C(3600000)

static void cut(struct sim *s, struct process *p)
{
	bool silent = chance_one_in(&s->chance, 3);

	/* one lane, or both */
	for (struct wire *w = s->wires; w; w = w->next)
		if (w->process == p && !w->closed && chance_below(&s->chance, 3) > 0)
			wire_cut(w, silent);
}

static void cut_somebody(struct sim *s)
{
	cut(s, &s->processes[chance_below(&s->chance, BROKER)]);
}

/* The broker's machine loses its network. */
static void cut_all(struct sim *s)
{
	for (int i = 0; i < BROKER; i++)
		cut(s, &s->processes[i]);
}

static struct process *somebody(struct sim *s)
{
	/* the broker as often as all partners together */
	uint64_t i = chance_below(&s->chance, PROCESSES + 2);

	return &s->processes[i < PROCESSES ? i : BROKER];
}

/* Somewhere between two of its next effects. */
static void kill_somebody(struct sim *s)
{
	struct process *p = somebody(s);

	if (s->crashes_left == 0 || p->fuse || !process_runs(p))
		return;
	s->crashes_left--;
	p->fuse = (unsigned)chance_between(&s->chance, 1, 12);
	trace(s, "%s will die in %u", p->name, p->fuse);
}

static void fail_commit(struct sim *s)
{
	struct process *p = somebody(s);

	if (!process_runs(p) || p->failing)
		return;
	p->failing = true;
	store_memory_fail_next_commit(p->store, chance_one_in(&s->chance, 2) ? ERR_IO : ERR_FULL);
	trace(s, "%s: its next commit fails", p->name);
}

static void jump_clock(struct sim *s)
{
	struct process *p = somebody(s);
	int64_t most = chance_one_in(&s->chance, 4) ? 6 * HOUR : 90000;

	p->ahead = chance_between(&s->chance, -most, most);
	s->counts.jumps++;
	trace(s, "%s: its clock jumps", p->name);
}

/* SIGSTOP for a while. */
static void stall(struct sim *s)
{
	struct process *p = somebody(s);

	p->wake_at = s->now + chance_between(&s->chance, 1000, 40000);
	trace(s, "%s stalls", p->name);
}

static const struct {
	void (*happens)(struct sim *s);
	unsigned weight;
} faults[] = {
	{cut_somebody, 8},
	{cut_all, 1},
	{kill_somebody, 6},
	{fail_commit, 2},
	{jump_clock, 3},
	{stall, 2},
	{trust_new_registry, 1},
	{trust_suspend, 1},
	{backup_make, 4},
	{backup_lose, 3},
};

void faults_plan(struct sim *s)
{
	struct chance *c = &s->chance;

	s->chaos_ends = chance_between(c, 40, 160) * 1000;
	s->fault_at = chance_between(c, 500, 8000);
	s->crashes_left = s->o.crashes;
	s->chances = (struct chances){
		.delay_most = chance_one_in(c, 3) ? 2000 : 80,
		.delay_tail = 40000,
		.verify_most = chance_between(c, 1, 60),
		.jobs_most = chance_one_in(c, 3) ? 3 : 64,
		.batch = chance_one_in(c, 3) ? 2 : 256,
		.queue = chance_one_in(c, 3) ? 6 : 4096,
		.in_flight = chance_one_in(c, 2) ? 3 : 64,
		.credit = chance_one_in(c, 2) ? 4 : 128,
		.cap = chance_between(c, 3, 20),
	};
}

void faults_act(struct sim *s)
{
	unsigned all = 0, pick;

	if (s->quiet || s->now < s->fault_at)
		return;
	s->fault_at = s->now + chance_between(&s->chance, 200, s->chaos_ends / 12);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		all += faults[i].weight;
	pick = (unsigned)chance_below(&s->chance, all);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		if (pick < faults[i].weight) {
			faults[i].happens(s);
			return;
		}
		pick -= faults[i].weight;
	}
}
