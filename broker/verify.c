/* The judgement of one envelope, and of a receipt that is shown with it: cheap checks first, the
 * signature last. */
#include "broker/verify.h"
#include "proto/envelope.h"
#include "proto/strict.h"

struct question {
	const struct registry *registry;
	const struct conn *from;
	const struct envelope *envelope;
	enum via via;
	int64_t now;
};

enum err verify_peer(const struct registry *r, const struct peer *peer, int64_t now)
{
	const Key *key;

	return registry_key(r, peer->principal, peer->key_id, now, &key);
}

/* A connection carries its own principal's messages, a carrier's those of others. */
static enum err check_connection(const struct question *q)
{
	const struct peer *peer = &q->from->peer;
	const Principal *p;

	TRY(verify_peer(q->registry, peer, q->now));
	if (strcmp(peer->principal, q->envelope->header->sender) == 0)
		return OK;
	p = registry_find(q->registry, peer->principal);
	return p && roles_of(p) & ROLE_BIT(ROLE__CARRIER) ? OK : ERR_WRONG_CONNECTION;
}

static enum err check_row(const struct question *q)
{
	const struct kind_row *row = q->envelope->row;
	const Header *h = q->envelope->header;

	if ((row->cls == CLASS_DURABLE) != (q->via == VIA_POST))
		return ERR_NOT_PERMITTED;
	if (row->lane != q->from->lane)
		return ERR_WRONG_LANE;
	if (!registry_allows_suite(q->registry, h->suite))
		return ERR_SUITE_REFUSED;
	return registry_permits(q->registry, row, h->sender, h->recipient, q->now);
}

static enum err check_id_time(const struct question *q)
{
	const Header *h = q->envelope->header;
	int64_t at = msg_id_time(h->id.data);
	bool old = at < q->now - ID_BEHIND_MS && h->cause.len == 0;

	return at <= q->now + ID_AHEAD_MS && !old ? OK : ERR_WRONG_ID_TIME;
}

static enum err check_signature(const struct question *q)
{
	const Header *h = q->envelope->header;
	const Key *key;

	TRY(registry_key(q->registry, h->sender, h->key_id.data, q->now, &key));
	return envelope_verify(q->envelope, key->sign_key.data);
}

static enum err judge(const struct question *q)
{
	static enum err (*const checks[])(const struct question *) = {
		check_connection,
		check_row,
		check_id_time,
		check_signature,
	};

	if (registry_expired(q->registry, q->now - REGISTRY_GRACE_MS))
		return ERR_REGISTRY_EXPIRED;
	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
		TRY(checks[i](q));
	return OK;
}

/* Bytes that are refused may still say which message they were meant to be. */
static void salvage_id(struct slice bytes, struct verdict *v)
{
	ProtobufCMessage *outer, *header;

	if (strict_unpack(&envelope__descriptor, bytes, &outer) != OK)
		return;
	const ProtobufCBinaryData *h = &((Envelope *)outer)->header;

	if (strict_unpack(&header__descriptor, slice_of(h->data, h->len), &header) == OK) {
		const ProtobufCBinaryData *id = &((Header *)header)->id;

		v->has_id = id->len == MSG_ID_LEN;
		if (v->has_id)
			memcpy(v->id, id->data, MSG_ID_LEN);
		protobuf_c_message_free_unpacked(header, NULL);
	}
	protobuf_c_message_free_unpacked(outer, NULL);
}

/* envelope_parse has checked all lengths. */
static void copy_header(const struct envelope *e, struct verdict *v)
{
	const Header *h = e->header;

	v->row = e->row;
	v->has_id = true;
	memcpy(v->id, h->id.data, MSG_ID_LEN);
	memcpy(v->sender, h->sender, strnlen(h->sender, NAME_SIZE - 1));
	memcpy(v->recipient, h->recipient, strnlen(h->recipient, NAME_SIZE - 1));
	v->has_cause = h->cause.len == MSG_ID_LEN;
	if (v->has_cause)
		memcpy(v->cause, h->cause.data, MSG_ID_LEN);
}

void verify_id(struct slice bytes, struct verdict *ret)
{
	*ret = (struct verdict){.err = ERR_BUSY};
	envelope_hash(bytes, ret->hash);
	salvage_id(bytes, ret);
}

void verify(const struct registry *r, const struct conn *from, enum via via, int64_t now,
	struct slice bytes, struct verdict *ret)
{
	struct envelope envelope;
	struct question q = {r, from, &envelope, via, now};

	*ret = (struct verdict){.generation = registry_generation(r)};
	envelope_hash(bytes, ret->hash);
	ret->err = envelope_parse(bytes, &envelope);
	if (ret->err != OK) {
		salvage_id(bytes, ret);
		return;
	}
	copy_header(&envelope, ret);
	ret->err = judge(&q);
	envelope_free(&envelope);
}

void verify_receipt(const struct registry *r, const char *broker, const Receipt *receipt,
	struct slice bytes, struct verdict *v)
{
	const Principal *self = registry_find(r, broker);
	struct slice note = slice_of(receipt->checkpoint.data, receipt->checkpoint.len);
	struct slice hash = slice_of(receipt->envelope_hash.data, receipt->envelope_hash.len);

	v->receipt = receipt;
	if (!self || !slice_eq(hash, slice_of(v->hash, HASH_LEN)))
		return;
	for (size_t i = 0; i < self->n_keys && !v->receipt_good; i++) {
		const uint8_t *key = self->keys[i]->sign_key.data;

		v->receipt_good = receipt_verify(receipt, bytes, broker, key) == OK &&
				  checkpoint_verify(note, broker, key, &v->receipt_head) == OK;
	}
}
