#include "services/common/engine/engine_internal.h"

#include <stdlib.h>

#include "proto/wipe.h"
#include "services/common/base/log.h"
#include "services/common/engine/trust_step.h"

#define DEATHS_MOST 3

static enum err check_who(const struct engine *e, const struct envelope *env, enum kind_class cls,
	enum lane lane, int64_t at)
{
	const Header *h = env->header;
	const Key *key;

	if (env->row->cls != cls)
		return ERR_NOT_PERMITTED;
	if (!registry_allows_suite(e->registry, h->suite))
		return ERR_SUITE_REFUSED;
	TRY(registry_permits(e->registry, env->row, h->sender, h->recipient, at));
	TRY(registry_key(e->registry, h->sender, h->key_id.data, at, &key));
	TRY(envelope_verify(env, key->sign_key.data));
	if (strcmp(h->recipient, e->self) != 0)
		return ERR_NOT_FOR_ME;
	return env->row->lane == lane ? OK : ERR_WRONG_LANE;
}

/* With the key that it was sealed to: during a change of keys there are several. */
static enum err open_seal(
	const struct engine *e, const struct envelope *env, ProtobufCMessage **ret)
{
	enum err err = ERR_NOT_FOR_ME;
	const uint8_t *id, *secret;

	for (size_t i = 0; err == ERR_NOT_FOR_ME && (id = keyring_id_at(e->keys, i)); i++)
		if ((secret = keyring_box_secret_of(e->keys, id, env->header->epoch)))
			err = envelope_open(env, id, secret, ret);
	return err;
}

enum err message_open(const struct engine *e, struct slice bytes, enum kind_class cls,
	enum lane lane, int64_t at, struct message *ret)
{
	struct message m = {0};
	enum err err;

	TRY(envelope_parse(bytes, &m.envelope));
	err = check_who(e, &m.envelope, cls, lane, at);
	if (err == OK)
		err = open_seal(e, &m.envelope, &m.body);
	if (err == OK)
		*ret = m;
	else
		message_close(&m);
	return err;
}

void message_close(struct message *m)
{
	if (m->body)
		message_wipe(m->body);
	envelope_free(&m->envelope);
	*m = (struct message){0};
}

static const struct route *find_route(const struct route *r, enum kind kind)
{
	while (r && r->handle && r->kind != kind)
		r++;
	return r && r->handle ? r : NULL;
}

static enum err call_handler(struct step *s, const struct message *m)
{
	const struct route *r = find_route(trust_routes, m->envelope.row->kind);

	if (!r)
		r = find_route(s->engine->svc->routes, m->envelope.row->kind);
	return r ? r->handle(s, m->body) : ERR_UNKNOWN_KIND;
}

/* By who sent it and its id, not by its place: a log that was put back gives another one. */
static enum err seed(struct step *s)
{
	return step_seed(s, "step-message",
		(struct slice[]){slice_str(s->sender), slice_of(s->cause, MSG_ID_LEN)}, 2);
}

/* The step of a message; nothing stays of it unless it is OK. */
static enum err handle(struct engine *e, const struct delivery *d, struct step *s)
{
	struct message m;
	enum err err;

	*s = (struct step){0};
	TRY(message_open(e, d->envelope, CLASS_DURABLE, d->lane, d->received_at, &m));
	err = step_begin(e, d->received_at, s);
	if (err == OK) {
		s->sender = m.envelope.header->sender;
		memcpy(s->cause, m.envelope.header->id.data, MSG_ID_LEN);
		err = seed(s);
		if (err == OK)
			err = call_handler(s, &m);
		err = step_end(s, err);
		if (err == OK)
			err = trust_after(e, m.envelope.row->kind);
	}
	message_close(&m);
	return err;
}

static enum err handle_or_set_aside(struct engine *e, const struct delivery *d)
{
	struct step s;
	enum err err = handle(e, d, &s);

	if (err == ERR_WAIT && s.waits)
		return parked_put(e, d, s.awaited);
	if (err == ERR_SUSPENDED)
		return parked_hold(e, d);
	if (err == ERR_NOT_FOR_ME && newcomer_passes(e, d))
		return OK;
	if (is_refusal(err))
		return quarantine_put(e, d, err);
	if (err != OK)
		log_error("STEP-FAILED", "lane=%s seq=%llu index=%llu why=%s", lane_name(d->lane),
			(unsigned long long)d->seq, (unsigned long long)d->index, err_name(err));
	return err;
}

enum err attempt_count(struct engine *e, const struct key *what, bool *ret_died)
{
	struct slice v;
	enum err err = txn_get(e->batch, T_DEATHS, key_slice(what), &v);
	uint8_t n = 0;

	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	if (err == OK && v.len == 1)
		n = v.data[0];
	*ret_died = n >= DEATHS_MOST;
	if (*ret_died)
		return OK;
	n++;
	TRY(txn_put(e->batch, T_DEATHS, key_slice(what), slice_of(&n, 1)));
	return engine_again(e);
}

static enum err forget(struct engine *e, const struct key *what)
{
	enum err err = txn_delete(e->batch, T_DEATHS, key_slice(what));

	return err == ERR_NOT_FOUND ? OK : err;
}

/* A full disk is not the message's fault: its attempt does not count, if that can be written. */
static void forgive(struct engine *e, const struct key *what)
{
	txn_abort(&e->batch);
	if (store_begin(e->store, TXN_WRITE, &e->batch) != OK)
		return;
	if (forget(e, what) != OK || txn_commit(&e->batch) != OK)
		txn_abort(&e->batch);
}

enum err attempt_end(struct engine *e, const struct key *what, enum err result)
{
	if (result == OK)
		return forget(e, what);
	if (result == ERR_FULL || result == ERR_IO || result == ERR_NOMEM)
		forgive(e, what);
	return result;
}

/* `ready` (when not empty) is its key in the table of released messages, which it leaves. */
static enum err settle(struct engine *e, const struct delivery *d, struct slice ready, bool careful)
{
	struct key what = delivery_key(d->lane, d->seq);
	bool died = false;
	enum err err;

	if (careful)
		TRY(attempt_count(e, &what, &died));
	if (ready.len)
		TRY(txn_delete(e->batch, T_READY, ready));
	err = died ? quarantine_put(e, d, ERR_HANDLER_DIED) : handle_or_set_aside(e, d);
	return careful ? attempt_end(e, &what, err) : err;
}

static enum err take_released(struct engine *e, struct slice at, struct slice value)
{
	bool careful =
		e->lanes[LANE_ROUTINE].taken < CAREFUL || e->lanes[LANE_URGENT].taken < CAREFUL;
	struct key key = {0};
	ProtobufCMessage *owner;
	struct delivery d;
	enum err err;

	key_bytes(&key, at.data, at.len);
	TRY(parked_unpack(value, &d, &owner));
	err = settle(e, &d, key_slice(&key), careful);
	protobuf_c_message_free_unpacked(owner, NULL);
	return err;
}

enum err take_ready(struct engine *e)
{
	struct slice key, value;
	enum err err;

	while ((err = txn_next(e->batch, T_READY, (struct slice){0}, false, &key, &value)) == OK)
		TRY(take_released(e, key, value));
	return err == ERR_NOT_FOUND ? OK : err;
}

/* What the log lost and has again was handled before. */
static enum err take_new(struct engine *e, const struct delivery *d, bool careful)
{
	bool skipped;

	TRY(seen_skip(e, d, &skipped));
	if (skipped)
		return OK;
	TRY(order_later(e, d, &skipped));
	if (skipped)
		return seen_note(e, d);
	if (d->seq <= e->lanes[d->lane].redo)
		TRY(timers_redo(e, d->received_at));
	TRY(settle(e, d, (struct slice){0}, careful));
	TRY(order_note(e, d));
	return seen_note(e, d);
}

enum err engine_take(struct engine *e, const struct delivery *d)
{
	bool careful = e->lanes[d->lane].taken < CAREFUL;

	if (e->broken != OK)
		return e->broken;
	if (d->seq <= e->lanes[d->lane].cursor)
		return OK;
	if (!e->batch || d->seq != e->lanes[d->lane].cursor + 1)
		return ERR_INVALID;
	TRY(engine_fail(e, take_ready(e))); /* released before a crash */
	TRY(engine_fail(e, take_new(e, d, careful)));
	e->lanes[d->lane].cursor = d->seq;
	if (careful)
		e->lanes[d->lane].taken++;
	TRY(engine_fail(e, order_due(e)));
	return engine_fail(e, take_ready(e));
}
