/* The broker's process: the real front, core and verifiers, opened as broker/main.c opens them. */
#include "broker/front.h"

#include <stdlib.h>

#include "broker/tables.h"
#include "tests/sim/sim.h"

struct broker {
	struct who *who;
	struct pool *pool;
	struct front *front;
};

/* SIGHUP does not come. */
static enum err load_registry(void *arg, struct registry **ret)
{
	(void)arg;
	(void)ret;
	return ERR_NOT_FOUND;
}

static enum err recover_store(struct process *p)
{
	const struct recovery r = {
		.home = "/nonexistent",
		.store = p->store,
		.table = TABLE_EPOCH,
		.registry = who_now(p->broker->who),
		.principal = p->name,
		.also = core_recovered,
	};

	return recovery_run(&r);
}

static enum err open_core(struct process *p)
{
	const struct core_options o = {
		.store = p->store,
		.registry = who_now(p->broker->who),
		.principal = p->name,
		.sign_seed = keyring_sign_seed(fixture_keys(p->sim->fixture, p->name)),
		.keys = fixture_keys(p->sim->fixture, p->name),
		.unread_ms = 30000,
	};

	return core_open(&o, &p->core);
}

static enum err open_front(struct process *p)
{
	const struct front_options o = {
		.endpoint = {"routine", "urgent"},
		.batch = p->sim->chances.batch,
		.who = p->broker->who,
		.pool = p->broker->pool,
		.core = p->core,
		.home = "/nonexistent",
		.load_registry = load_registry,
	};

	return front_open(&o, &p->broker->front);
}

enum err front_start(struct process *p)
{
	struct registry *registry = NULL;
	uint64_t seen;

	p->broker = calloc(1, sizeof(*p->broker));
	if (!p->broker)
		return ERR_NOMEM;
	TRY(core_seen_registry(p->store, &seen));
	TRY(trust_file(p, seen, &registry));
	TRY(who_open(&registry, &p->broker->who));
	TRY(recover_store(p));
	TRY(open_core(p));
	TRY(pool_open(p->broker->who, 0, p->sim->chances.jobs_most, &p->broker->pool));
	return open_front(p);
}

void front_end(struct process *p)
{
	if (!p->broker)
		return;
	front_free(&p->broker->front);
	pool_free(&p->broker->pool);
	core_free(&p->core);
	who_free(&p->broker->who);
	free(p->broker);
	p->broker = NULL;
}

/* The verifiers take their time. */
static void judge_some(struct process *p)
{
	struct sim *s = p->sim;

	while (p->jobs_wait && (s->quiet || !chance_one_in(&s->chance, 6)))
		p->jobs_wait = pool_work(p->broker->pool);
}

/* One turn of its loop: the seam of zmq_poll ends it when it begins to wait again. */
enum err front_turn(struct process *p)
{
	enum err e;

	judge_some(p);
	p->polls = 0;
	e = front_run(p->broker->front);
	if (p->busy)
		p->jobs_wait = true;
	if (p->jobs_wait && p->waited_ms > p->sim->chances.verify_most)
		p->waited_ms = p->sim->chances.verify_most;
	return p->polls == 2 ? OK : e;
}
