/* What a service's store says in numbers. */
#include "services/common/engine/engine_internal.h"
#include "services/common/base/metrics.h"

#define TIMERS_COUNTED 1000

static const struct {
	enum engine_table table;
	enum metric metric;
} counted[] = {
	{T_OUTBOX, METRIC_OUTBOX},
	{T_PARKED, METRIC_PARKED},
	{T_QUARANTINE, METRIC_QUARANTINED},
	{T_REFUSED, METRIC_REFUSED_OWN},
};

/* By lane: what the state of that name says. */
static enum err add_state(struct txn *t, const char *name, enum metric metric, struct metrics *m)
{
	for (int i = 0; i < LANES; i++) {
		uint64_t value;

		TRY(state_get(t, name, (enum lane)i, &value));
		metrics_add(m, metric, lane_name((enum lane)i), (int64_t)value);
	}
	return OK;
}

/* The time that is inside the first message's id. */
static enum err add_oldest(struct txn *t, struct metrics *m)
{
	for (int i = 0; i < LANES; i++) {
		struct key from = delivery_key((enum lane)i, 0);
		struct envelope env;
		struct slice k, v;
		enum err e = txn_next(t, T_OUTBOX, key_slice(&from), true, &k, &v);

		if (e == ERR_NOT_FOUND || (e == OK && k.data[0] != i))
			continue;
		TRY(e);
		if (envelope_parse(v, &env) != OK)
			return ERR_CORRUPT;
		metrics_add(m, METRIC_OUTBOX_SINCE, lane_name((enum lane)i),
			env.header->created_at / 1000);
		envelope_free(&env);
	}
	return OK;
}

static enum err count_one(void *arg, struct slice key, struct slice value)
{
	int *n = arg;

	(void)key;
	(void)value;
	return ++*n < TIMERS_COUNTED ? OK : ERR_FULL;
}

static enum err add_timers(const struct service *svc, struct txn *t, struct metrics *m)
{
	for (const struct timer_route *r = svc->timers; r && r->name; r++) {
		struct key prefix = {0};
		int n = 0;
		enum err e;

		key_str(&prefix, r->name);
		e = txn_each(t, T_TIMER_INDEX, key_slice(&prefix), count_one, &n);
		if (e != OK && e != ERR_FULL)
			return e;
		metrics_add(m, METRIC_TIMERS, r->name, n);
	}
	return OK;
}

static enum err add_all(struct engine *e, struct txn *t, struct metrics *m)
{
	TRY(add_state(t, "cursor", METRIC_TAKEN, m));
	TRY(add_state(t, "place", METRIC_SENT, m));
	for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++) {
		uint64_t n;

		TRY(txn_count(t, counted[i].table, &n));
		metrics_add(m, counted[i].metric, NULL, (int64_t)n);
	}
	TRY(add_oldest(t, m));
	return add_timers(e->svc, t, m);
}

enum err engine_metrics(struct engine *e, struct metrics *m)
{
	struct txn *t = NULL;
	enum err err;

	TRY(store_begin(e->store, TXN_READ, &t));
	err = add_all(e, t, m);
	txn_abort(&t);
	return err;
}
