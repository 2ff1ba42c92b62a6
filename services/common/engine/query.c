#include "services/common/engine/engine_internal.h"

#include <sodium.h>

/* A question that is older was answered already, or nobody waits for its answer. */
#define QUESTION_AGE_MOST (2 * 60 * 1000)

/* Sealed and signed now, with fresh random bytes: what is never stored is never made again. */
static enum err make(const struct engine *e, const struct kind_row *row, const char *recipient,
	const uint8_t *cause, const ProtobufCMessage *body, int64_t now, uint8_t ret_id[MSG_ID_LEN],
	struct buf *ret)
{
	struct reader readers[READERS_MOST];
	uint8_t id[MSG_ID_LEN];
	struct entropy random;
	struct envelope_spec spec = {
		.kind = row->kind,
		.id = id,
		.sender = e->self,
		.recipient = recipient,
		.key_id = keyring_key_id(e->keys),
		.sign_seed = keyring_sign_seed(e->keys),
		.created_at = now,
		.cause = cause,
		.readers = readers,
	};
	enum err err;

	TRY(registry_permits(e->registry, row, e->self, recipient, now));
	TRY(registry_readers(e->registry, recipient, now, readers, &spec.n_readers, &spec.epoch));
	entropy_fresh(&random);
	msg_id_make(id, now, &random);
	err = envelope_make(&spec, body, &random, ret);
	sodium_memzero(&random, sizeof(random));
	if (err == OK)
		memcpy(ret_id, id, MSG_ID_LEN);
	return err;
}

static const struct query_route *find(const struct engine *e, enum kind ask)
{
	const struct query_route *r = e->svc->queries;

	while (r && r->handle && r->ask != ask)
		r++;
	return r && r->handle ? r : NULL;
}

static enum err call_handler(struct engine *e, const struct query_route *route,
	const struct message *m, int64_t now, ProtobufCMessage **ret)
{
	struct step s = {.engine = e, .now = now, .reads_only = true};
	struct txn *own;
	enum err err;

	s.sender = m->envelope.header->sender;
	memcpy(s.cause, m->envelope.header->id.data, MSG_ID_LEN);
	entropy_fresh(&s.random);
	TRY(engine_reading(e, &s.txn, &own));
	err = route->handle(&s, m->body, ret);
	txn_abort(&own);
	sodium_memzero(&s.random, sizeof(s.random));
	return err;
}

static enum err answer(
	struct engine *e, const struct message *question, int64_t now, struct buf *ret)
{
	const Header *h = question->envelope.header;
	const struct query_route *route = find(e, question->envelope.row->kind);
	ProtobufCMessage *told = NULL;
	uint8_t id[MSG_ID_LEN];
	enum err err;

	if (!route)
		return ERR_UNKNOWN_KIND;
	if (h->created_at < now - QUESTION_AGE_MOST || h->created_at > now + QUESTION_AGE_MOST)
		return ERR_TIMEOUT;
	TRY(call_handler(e, route, question, now, &told));
	err = make(e, catalogue_find(route->tell), h->sender, h->id.data, told, now, id, ret);
	protobuf_c_message_free_unpacked(told, NULL);
	return err;
}

enum err engine_answer(
	struct engine *e, struct slice query_envelope, int64_t now, struct buf *ret_answer_envelope)
{
	struct message question;
	struct buf out = {0};
	enum err err;

	TRY(message_open(e, query_envelope, CLASS_QUERY, LANE_ROUTINE, now, &question));
	err = answer(e, &question, now, &out);
	message_close(&question);
	if (err == OK)
		*ret_answer_envelope = out;
	else
		buf_free(&out);
	return err;
}

enum err engine_ask(struct engine *e, enum kind kind, const ProtobufCMessage *body, int64_t now,
	uint8_t ret_id[MSG_ID_LEN], struct buf *ret_envelope)
{
	const struct kind_row *row = catalogue_find(kind);
	const Principal *to;
	struct buf out = {0};
	enum err err;

	if (!row || row->cls != CLASS_QUERY || body->descriptor != row->body)
		return ERR_INVALID;
	to = registry_with_roles(e->registry, row->to, now, 0);
	if (!to)
		return ERR_UNKNOWN_RECIPIENT;
	err = make(e, row, to->name, NULL, body, now, ret_id, &out);
	if (err == OK)
		*ret_envelope = out;
	else
		buf_free(&out);
	return err;
}

enum err engine_open_answer(struct engine *e, const uint8_t id[MSG_ID_LEN],
	struct slice answer_envelope, int64_t now, enum kind *ret_kind, ProtobufCMessage **ret)
{
	struct message m;
	const Header *h;

	TRY(message_open(e, answer_envelope, CLASS_QUERY, LANE_ROUTINE, now, &m));
	h = m.envelope.header;
	if (!slice_eq(slice_of(h->cause.data, h->cause.len), slice_of(id, MSG_ID_LEN))) {
		message_close(&m);
		return ERR_NOT_ASKED;
	}
	*ret_kind = m.envelope.row->kind;
	*ret = m.body;
	m.body = NULL;
	message_close(&m);
	return OK;
}
