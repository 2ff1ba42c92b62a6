#include "services/common/engine/engine_internal.h"

#include <sodium.h>
#include <stdlib.h>

#include "services/common/keys/buckets.h"
#include "services/common/base/log.h"
#include "services/common/engine/trust_step.h"

static const char *const own_tables[T_COUNT] = {
	[T_STATE] = "kit-state",
	[T_OUTBOX] = "kit-outbox",
	[T_OUTBOX_IDS] = "kit-outbox-ids",
	[T_TIMERS] = "kit-timers",
	[T_TIMER_INDEX] = "kit-timer-index",
	[T_PARKED] = "kit-parked",
	[T_READY] = "kit-ready",
	[T_CASE_KEYS] = "kit-case-keys",
	[T_QUARANTINE] = "kit-quarantine",
	[T_DEATHS] = "kit-deaths",
	[T_REFUSED] = "kit-refused",
	[T_ORDER] = "kit-order",
	[T_BUCKETS] = "kit-buckets",
	[T_EPOCH] = EPOCH_TABLE,
	[T_KEPT] = "kit-kept",
	[T_FIRST] = "kit-first",
	[T_SEEN] = "kit-seen",
	[T_AGAIN] = "kit-again",
	[T_TRUST] = "kit-trust",
};

enum err engine_layout(const struct service *svc, struct store_layout *ret)
{
	const char **tables;
	size_t n = 0;

	while (svc->tables && svc->tables[n])
		n++;
	tables = calloc(T_COUNT + n + 1, sizeof(*tables));
	if (!tables)
		return ERR_NOMEM;
	memcpy(tables, own_tables, sizeof(own_tables));
	for (size_t i = 0; i < n; i++)
		tables[T_COUNT + i] = svc->tables[i];
	ret->tables = tables;
	return OK;
}

static struct key state_key(const char *name, enum lane lane)
{
	struct key k = {0};

	key_str(&k, name);
	key_u8(&k, (uint8_t)lane);
	return k;
}

enum err state_get(struct txn *t, const char *name, enum lane lane, uint64_t *ret)
{
	struct key k = state_key(name, lane);
	struct slice v;
	enum err err = txn_get(t, T_STATE, key_slice(&k), &v);

	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	if (err == OK && v.len != 8)
		return ERR_CORRUPT;
	*ret = err == OK ? be64_get(v.data) : 0;
	return OK;
}

enum err state_put(struct txn *t, const char *name, enum lane lane, uint64_t value)
{
	struct key k = state_key(name, lane);
	uint8_t v[8];

	be64_put(v, value);
	return txn_put(t, T_STATE, key_slice(&k), slice_of(v, sizeof(v)));
}

static enum err load_state(struct engine *e)
{
	struct txn *t = NULL;
	uint64_t newest = 0;
	enum err err;

	TRY(store_begin(e->store, TXN_READ, &t));
	err = state_get(t, "newest", LANE_ROUTINE, &newest);
	e->newest = e->newest_stored = (int64_t)newest;
	for (int i = 0; i < LANES && err == OK; i++) {
		err = state_get(t, "cursor", (enum lane)i, &e->lanes[i].cursor);
		e->lanes[i].committed = e->lanes[i].stored = e->lanes[i].cursor;
	}
	if (err == OK)
		err = marks_load(e, t);
	if (err == OK)
		err = order_load(e, t);
	txn_abort(&t);
	return err;
}

enum err engine_open(const struct service *svc, const void *context, struct store *store,
	const struct keyring *keys, const struct registry *registry, struct engine **ret)
{
	struct engine *e = calloc(1, sizeof(*e));
	enum err err;

	if (!e)
		return ERR_NOMEM;
	*e = (struct engine){
		.svc = svc,
		.context = context,
		.store = store,
		.keys = keys,
		.self = keyring_principal(keys),
	};
	err = trust_use(e, registry);
	if (err == OK)
		err = buckets_open(store_buckets(store), keys, &e->buckets);
	if (err == OK)
		err = load_state(e);
	if (err == OK)
		err = quarantine_load(e);
	if (err != OK)
		engine_free(&e);
	else
		*ret = e;
	return err;
}

void engine_free(struct engine **ep)
{
	if (!*ep)
		return;
	txn_abort(&(*ep)->batch);
	free((*ep)->aside);
	buckets_free(&(*ep)->buckets);
	buf_free(&(*ep)->recover);
	buf_free(&(*ep)->said_note);
	registry_free(&(*ep)->base);
	registry_free(&(*ep)->registry);
	free(*ep);
	*ep = NULL;
}

void engine_use_registry(struct engine *e, const struct registry *registry)
{
	enum err err = engine_fail(e, trust_use(e, registry));

	if (err != OK) /* the next batch ends the process */
		log_error("ENGINE-REGISTRY", "why=%s", err_name(err));
}

const struct registry *engine_registry(const struct engine *e)
{
	return e->registry;
}

enum err engine_seen_registry(struct engine *e, uint64_t *ret)
{
	struct txn *t, *own;
	enum err err;

	TRY(engine_reading(e, &t, &own));
	err = state_get(t, "registry", LANE_ROUTINE, ret);
	txn_abort(&own);
	return err;
}

enum err engine_note_registry(struct engine *e, uint64_t version)
{
	uint64_t seen;

	if (!e->batch)
		return ERR_INVALID;
	TRY(state_get(e->batch, "registry", LANE_ROUTINE, &seen));
	if (version < seen)
		return ERR_ROLLED_BACK;
	return version == seen ? OK : state_put(e->batch, "registry", LANE_ROUTINE, version);
}

uint64_t engine_cursor(const struct engine *e, enum lane lane)
{
	return e->lanes[lane].committed;
}

enum err engine_fail(struct engine *e, enum err err)
{
	if (e->broken == OK)
		e->broken = err;
	return err;
}

enum err engine_begin(struct engine *e)
{
	if (e->broken != OK)
		return e->broken;
	if (e->batch)
		return ERR_INVALID;
	TRY(engine_fail(e, store_begin(e->store, TXN_WRITE, &e->batch)));
	if (e->entered)
		return OK;
	e->entered = true;
	return engine_fail(e, epoch_begin(e->batch, T_EPOCH, e->self, &e->epoch));
}

/* Once a commit, not once a message. */
static enum err save_state(struct engine *e)
{
	for (int i = 0; i < LANES; i++)
		if (e->lanes[i].cursor != e->lanes[i].stored) {
			TRY(state_put(e->batch, "cursor", (enum lane)i, e->lanes[i].cursor));
			e->lanes[i].stored = e->lanes[i].cursor;
		}
	if (e->newest != e->newest_stored) {
		TRY(state_put(e->batch, "newest", LANE_ROUTINE, (uint64_t)e->newest));
		e->newest_stored = e->newest;
	}
	return marks_save(e);
}

enum err engine_commit(struct engine *e)
{
	enum err err;

	if (!e->batch)
		return e->broken != OK ? e->broken : ERR_INVALID;
	err = e->broken != OK ? e->broken : save_state(e);
	if (err == OK)
		err = case_keys_prepare(e);
	if (err == OK)
		err = txn_commit(&e->batch);
	else
		txn_abort(&e->batch);
	if (err == OK)
		err = case_keys_committed(e);
	if (err != OK)
		return engine_fail(e, err);
	for (int i = 0; i < LANES; i++)
		e->lanes[i].committed = e->lanes[i].cursor;
	quarantine_committed(e);
	return OK;
}

enum err engine_again(struct engine *e)
{
	TRY(engine_commit(e));
	return engine_begin(e);
}

enum err engine_reading(struct engine *e, struct txn **ret, struct txn **ret_own)
{
	*ret_own = NULL;
	if (!e->batch)
		TRY(store_begin(e->store, TXN_READ, ret_own));
	*ret = e->batch ? e->batch : *ret_own;
	return OK;
}

enum err step_begin(struct engine *e, int64_t now, struct step *s)
{
	*s = (struct step){.engine = e, .now = now, .sender = e->self};
	if (!e->batch)
		return ERR_INVALID;
	return txn_begin_overlay(e->batch, &s->txn);
}

enum err step_end(struct step *s, enum err result)
{
	if (result == OK)
		result = txn_commit(&s->txn);
	else
		txn_abort(&s->txn);
	if (result == OK && s->now > s->engine->newest)
		s->engine->newest = s->now;
	sodium_memzero(&s->random, sizeof(s->random));
	return result;
}

enum err engine_resume(struct engine *e)
{
	if (e->broken != OK || !e->batch)
		return e->broken != OK ? e->broken : ERR_INVALID;
	TRY(engine_fail(e, parked_let_go(e)));
	TRY(engine_fail(e, case_keys_settle(e)));
	return engine_fail(e, take_ready(e));
}

int64_t engine_newest(const struct engine *e)
{
	return e->newest;
}

enum err engine_local(
	struct engine *e, int64_t now, enum err (*fn)(struct step *s, void *arg), void *arg)
{
	struct step s;
	enum err result;

	TRY(step_begin(e, now, &s));
	s.first = true;
	entropy_fresh(&s.random);
	msg_id_make(s.cause, now, &s.random);
	result = fn(&s, arg);
	if (result != OK)
		return step_end(&s, result);
	TRY(engine_fail(e, step_end(&s, OK)));
	return engine_fail(e, take_ready(e));
}

enum err engine_read(
	struct engine *e, int64_t now, enum err (*fn)(struct step *s, void *arg), void *arg)
{
	struct step s = {.engine = e, .now = now, .sender = e->self, .reads_only = true};
	struct txn *own;
	enum err result;

	TRY(engine_reading(e, &s.txn, &own));
	entropy_fresh(&s.random);
	msg_id_make(s.cause, now, &s.random);
	result = fn(&s, arg);
	txn_abort(&own);
	sodium_memzero(&s.random, sizeof(s.random));
	return result;
}
