#include "services/common/engine/engine_internal.h"

#include <stdlib.h>

#include "proto/strict.h"
#include "services/common/base/log.h"

int64_t step_now(const struct step *s)
{
	return s->now;
}

const char *step_sender(const struct step *s)
{
	return s->sender;
}

const uint8_t *step_cause(const struct step *s)
{
	return s->cause;
}

const char *step_self(const struct step *s)
{
	return s->engine->self;
}

const struct registry *step_registry(const struct step *s)
{
	return s->engine->registry;
}

const void *step_context(const struct step *s)
{
	return s->engine->context;
}

const uint8_t *step_last_sent(const struct step *s)
{
	return s->last_sent;
}

void step_random(struct step *s, void *out, size_t len)
{
	entropy_bytes(&s->random, out, len);
}

enum err step_seed(struct step *s, const char *purpose, const struct slice *pieces, size_t n)
{
	struct buf context = {0};
	enum err err = pae(&context, purpose, pieces, n);

	if (err == OK)
		entropy_from(&s->random, keyring_step_key(s->engine->keys), slice_buf(&context));
	buf_free(&context);
	return err;
}

void step_must_write(const struct step *s)
{
	if (!s->reads_only)
		return;
	log_error("OWN-BUG", "why=a handler that only reads has written");
	abort();
}

/* The service's table in the store; a negative one stays wrong. */
static int own(int table)
{
	return table < 0 ? table : T_COUNT + table;
}

/* May something be kept under this key? */
static bool can_be(struct slice key)
{
	return key.len > 0 && key.len <= sizeof(((struct key *)0)->data);
}

enum err step_get(struct step *s, int table, struct slice key, struct slice *ret)
{
	/* A key out of a message may be any text: what cannot be kept is not there. */
	return can_be(key) ? txn_get(s->txn, own(table), key, ret) : ERR_NOT_FOUND;
}

enum err step_put(struct step *s, int table, struct slice key, struct slice value)
{
	struct key copy = {0};

	step_must_write(s);
	key_bytes(&copy, key.data, key.len); /* the write may end the slice's life */
	TRY(txn_put(s->txn, own(table), key_slice(&copy), value));
	return parked_release(s, table, key_slice(&copy));
}

enum err step_delete(struct step *s, int table, struct slice key)
{
	step_must_write(s);
	return txn_delete(s->txn, own(table), key);
}

enum err step_next(struct step *s, int table, struct slice from, bool after, struct slice *ret_key,
	struct slice *ret_value)
{
	return txn_next(s->txn, own(table), from, after, ret_key, ret_value);
}

enum err step_prev(struct step *s, int table, struct slice before, struct slice *ret_key,
	struct slice *ret_value)
{
	return txn_prev(s->txn, own(table), before, ret_key, ret_value);
}

enum err step_each(struct step *s, int table, struct slice prefix, txn_each_fn *each, void *arg)
{
	return txn_each(s->txn, own(table), prefix, each, arg);
}

enum err step_count(struct step *s, int table, uint64_t *ret)
{
	return txn_count(s->txn, own(table), ret);
}

enum err record_get(struct step *s, int table, struct slice key,
	const ProtobufCMessageDescriptor *type, ProtobufCMessage **ret)
{
	struct slice v;
	enum err err;

	TRY(step_get(s, table, key, &v));
	err = strict_unpack(type, v, ret);
	return is_refusal(err) ? ERR_CORRUPT : err;
}

enum err record_put(struct step *s, int table, struct slice key, const ProtobufCMessage *m)
{
	struct buf packed = {0};
	enum err err = strict_pack(m, &packed);

	if (err == OK)
		err = step_put(s, table, key, slice_buf(&packed));
	buf_free(&packed);
	return err;
}

static enum err make_envelope(struct step *s, const struct kind_row *row, const char *recipient,
	const ProtobufCMessage *body, uint8_t id[MSG_ID_LEN], struct buf *ret)
{
	const struct engine *e = s->engine;
	struct reader readers[READERS_MOST];
	struct envelope_spec spec = {
		.kind = row->kind,
		.id = id,
		.sender = e->self,
		.recipient = recipient,
		.key_id = keyring_key_id(e->keys),
		.sign_seed = keyring_sign_seed(e->keys),
		.created_at = s->now,
		.cause = s->first ? NULL : s->cause,
		.readers = readers,
	};

	enum err err;

	TRY(registry_permits(e->registry, row, e->self, recipient, s->now));
	err = registry_readers(
		e->registry, recipient, s->now, readers, &spec.n_readers, &spec.epoch);
	if (err == ERR_UNKNOWN_RECIPIENT && registry_key_stopped(e->registry, recipient))
		return ERR_SUSPENDED; /* its keys: the message that causes this is held */
	TRY(err);
	msg_id_make(id, msg_id_time(s->cause), &s->random);
	return envelope_make(&spec, body, &s->random, ret);
}

enum err step_send(
	struct step *s, enum kind kind, const char *recipient, const ProtobufCMessage *body)
{
	const struct kind_row *row = catalogue_find(kind);
	uint8_t id[MSG_ID_LEN];
	struct buf envelope = {0};
	enum err err;

	step_must_write(s);
	if (!row || row->cls != CLASS_DURABLE || body->descriptor != row->body)
		return ERR_INVALID;
	err = make_envelope(s, row, recipient, body, id, &envelope);
	if (err == OK)
		err = outbox_put(s, row->lane, id, slice_buf(&envelope));
	if (err == OK)
		memcpy(s->last_sent, id, MSG_ID_LEN);
	buf_free(&envelope);
	return err;
}

enum err step_send_known(
	struct step *s, enum kind kind, const char *recipient, const ProtobufCMessage *body)
{
	enum err err = step_send(s, kind, recipient, body);

	if (err != ERR_UNKNOWN_RECIPIENT && err != ERR_SUSPENDED)
		return err;
	log_warn("ANSWER-NO-KEY", "kind=%s to=%s", catalogue_find(kind)->name, recipient);
	return OK;
}

enum err step_send_service(struct step *s, enum kind kind, const ProtobufCMessage *body)
{
	const struct kind_row *row = catalogue_find(kind);
	const Principal *p;

	if (!row)
		return ERR_INVALID;
	p = registry_with_roles(s->engine->registry, row->to, s->now, 0);
	return p ? step_send(s, kind, p->name, body) : ERR_UNKNOWN_RECIPIENT;
}

enum err step_wait(struct step *s, int table, struct slice key)
{
	struct slice ignored;
	enum err err = step_get(s, table, key, &ignored);

	step_must_write(s);
	if (!can_be(key))
		return ERR_MALFORMED;
	if (err != ERR_NOT_FOUND)
		return err == OK ? ERR_EXISTS : err; /* it would wait for ever */
	parked_awaited(table, key, s->awaited);
	s->waits = true;
	return ERR_WAIT;
}
