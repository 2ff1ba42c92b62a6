/*
 * A step of a timer is made at the time that the timer was due, unless it fires more than a minute
 * late (after downtime); its random bytes come from that time, the timer's name and the step that
 * set it. So a store that was put back from a backup makes the same messages, with the same ids and
 * delivery ids, when it does again what it had done: before each message that comes again, the
 * timers fire that were due before it (timers_redo). Until it has caught up nothing else makes them
 * fire: an alert that somebody has answered since is not raised a second time. What still differs
 * (it had fired late) has the id of the first one: the broker refuses it as ID_REUSED, the first
 * one stands as it was received, and the difference is kept for a person. What had not fired yet
 * fires once all is caught up: nothing is lost.
 */
#include "services/common/engine/engine_internal.h"

#include <sodium.h>

#include "services/common/base/log.h"

/* A timer that was refused, one that ended the process three times, one that nobody knows: when it
 * fires again. */
#define REFUSED_MS (INT64_C(60) * 1000)
#define DIED_MS    (INT64_C(60) * 60 * 1000)
#define LATE_MS    (INT64_C(60) * 1000)
/* In T_DEATHS, where a lane would be. */
#define TIMER_DEATHS 0xff

/* A key of T_TIMERS in its pieces. */
struct timer {
	struct key whole;
	int64_t at;
	const char *name;
	struct slice key;
	uint8_t cause[MSG_ID_LEN]; /* of the step that set it */
	size_t cause_len;
};

static struct key index_key(const char *name, struct slice key)
{
	struct key k = {0};

	key_str(&k, name);
	key_bytes(&k, key.data, key.len);
	return k;
}

static struct key timer_key(uint64_t at, const char *name, struct slice key)
{
	struct key k = {0};

	key_u64(&k, at);
	key_str(&k, name);
	key_bytes(&k, key.data, key.len);
	return k;
}

enum err timer_remove(struct txn *t, const char *name, struct slice key)
{
	struct key index = index_key(name, key), k;
	struct slice v;
	enum err err = txn_get(t, T_TIMER_INDEX, key_slice(&index), &v);

	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	if (v.len != 8)
		return ERR_CORRUPT;
	k = timer_key(be64_get(v.data), name, key);
	TRY(txn_delete(t, T_TIMERS, key_slice(&k)));
	return txn_delete(t, T_TIMER_INDEX, key_slice(&index));
}

enum err timer_put(
	struct txn *t, const char *name, struct slice key, int64_t at, struct slice cause)
{
	struct key index = index_key(name, key), k;
	uint8_t v[8];

	be64_put(v, at < 0 ? 0 : (uint64_t)at);
	k = timer_key(be64_get(v), name, key);
	TRY(timer_remove(t, name, key));
	TRY(txn_put(t, T_TIMERS, key_slice(&k), cause));
	return txn_put(t, T_TIMER_INDEX, key_slice(&index), slice_of(v, sizeof(v)));
}

static const struct timer_route *find(const struct engine *e, const char *name)
{
	const struct timer_route *r = e->svc->timers;

	while (r && r->name && strcmp(r->name, name) != 0)
		r++;
	return r && r->name ? r : NULL;
}

enum err step_timer_set(struct step *s, const char *name, struct slice key, int64_t at)
{
	step_must_write(s);
	return find(s->engine, name)
		       ? timer_put(s->txn, name, key, at, slice_of(s->cause, MSG_ID_LEN))
		       : ERR_INVALID;
}

enum err step_timer_cancel(struct step *s, const char *name, struct slice key)
{
	step_must_write(s);
	return find(s->engine, name) ? timer_remove(s->txn, name, key) : ERR_INVALID;
}

static enum err first(struct txn *t, struct timer *ret)
{
	struct slice k, v;
	size_t name_len;

	TRY(txn_next(t, T_TIMERS, (struct slice){0}, false, &k, &v));
	ret->whole = (struct key){0};
	key_bytes(&ret->whole, k.data, k.len);
	name_len = k.len > 8 ? strnlen((const char *)k.data + 8, k.len - 8) : 0;
	if (k.len < 9 || name_len == k.len - 8)
		return ERR_CORRUPT;
	ret->at = (int64_t)be64_get(k.data);
	ret->name = (const char *)ret->whole.data + 8;
	ret->key = slice_of(ret->whole.data + 9 + name_len, k.len - 9 - name_len);
	ret->cause_len = v.len < sizeof(ret->cause) ? v.len : sizeof(ret->cause);
	if (ret->cause_len)
		memcpy(ret->cause, v.data, ret->cause_len);
	return OK;
}

/* Two timers of one name and time differ by the step that set them: the clock may stand still. */
static enum err seed(struct step *s, const struct timer *t)
{
	uint8_t due[8];

	be64_put(due, (uint64_t)t->at);
	TRY(step_seed(s, "step-timer",
		(struct slice[]){slice_str(t->name), t->key, slice_of(due, 8),
			slice_of(t->cause, t->cause_len)},
		4));
	msg_id_make(s->cause, t->at, &s->random);
	return OK;
}

static int64_t step_time(const struct engine *e, const struct timer *t, int64_t now)
{
	if (now - t->at <= LATE_MS)
		now = t->at;
	return now > e->newest ? now : e->newest;
}

/* It stays, and fires later: nothing that was to happen is dropped. */
static enum err put_off(
	struct engine *e, const struct timer *t, int64_t at, const char *id, enum err why)
{
	log_error(id, "name=%s why=%s", t->name, err_name(why));
	return timer_put(e->batch, t->name, t->key, at, slice_of(t->cause, t->cause_len));
}

static enum err fire(struct engine *e, const struct timer *t, int64_t now)
{
	const struct timer_route *route = find(e, t->name);
	struct step s;
	enum err err;

	TRY(timer_remove(e->batch, t->name, t->key));
	if (strcmp(t->name, TIMER_WAITED) == 0)
		return parked_expire(e, t->key);
	if (!route)
		return put_off(e, t, now + DIED_MS, "TIMER-UNKNOWN", ERR_NOT_FOUND);
	TRY(step_begin(e, step_time(e, t, now), &s));
	err = seed(&s, t);
	if (err == OK)
		err = route->handle(&s, t->key);
	err = step_end(&s, err);
	return is_refusal(err) ? put_off(e, t, now + REFUSED_MS, "TIMER-REFUSED", err) : err;
}

static struct key death_key(const struct timer *t)
{
	struct key index = index_key(t->name, t->key), k = {0};
	uint8_t hash[HASH_LEN];

	crypto_generichash(hash, HASH_LEN, index.data, index.len, NULL, 0);
	key_u8(&k, TIMER_DEATHS);
	key_bytes(&k, hash, HASH_LEN);
	return k;
}

static enum err fire_carefully(struct engine *e, const struct timer *t, int64_t now)
{
	struct key what = death_key(t);
	bool died = false;

	TRY(attempt_count(e, &what, &died));
	TRY(attempt_end(e, &what,
		died ? put_off(e, t, now + DIED_MS, "TIMER-DIED", ERR_HANDLER_DIED)
		     : fire(e, t, now)));
	e->fired++;
	return engine_again(e);
}

static enum err fire_due(struct engine *e, int64_t now)
{
	struct timer t;
	enum err err;

	while ((err = first(e->batch, &t)) == OK && t.at <= now) {
		TRY(e->fired < CAREFUL ? fire_carefully(e, &t, now) : fire(e, &t, now));
		TRY(take_ready(e));
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err engine_timers(struct engine *e, int64_t now)
{
	if (e->broken != OK || !e->batch)
		return e->broken != OK ? e->broken : ERR_INVALID;
	return engine_catching_up(e) ? OK : engine_fail(e, fire_due(e, now));
}

/* Each in its own time, so that what it sets is due in its turn. */
enum err timers_redo(struct engine *e, int64_t before)
{
	struct timer t;
	enum err err;

	while ((err = first(e->batch, &t)) == OK && t.at < before) {
		TRY(fire(e, &t, t.at));
		TRY(take_ready(e));
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err timer_move(struct txn *t, const char *name, struct slice from, struct slice to)
{
	struct key index = index_key(name, from), k;
	uint8_t cause[MSG_ID_LEN];
	struct slice v;
	int64_t at;
	enum err err = txn_get(t, T_TIMER_INDEX, key_slice(&index), &v);

	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	if (v.len != 8)
		return ERR_CORRUPT;
	at = (int64_t)be64_get(v.data);
	k = timer_key((uint64_t)at, name, from);
	TRY(txn_get(t, T_TIMERS, key_slice(&k), &v));
	if (v.len > sizeof(cause))
		return ERR_CORRUPT;
	if (v.len)
		memcpy(cause, v.data, v.len);
	v.data = cause;
	TRY(timer_remove(t, name, from));
	return timer_put(t, name, to, at, v);
}

enum err engine_next_timer(struct engine *e, int64_t *ret_at)
{
	struct txn *t, *own;
	struct timer next;
	enum err err;

	if (engine_catching_up(e)) {
		*ret_at = INT64_MAX;
		return OK;
	}
	TRY(engine_reading(e, &t, &own));
	err = first(t, &next);
	txn_abort(&own);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	*ret_at = err == OK ? next.at : INT64_MAX;
	return OK;
}
