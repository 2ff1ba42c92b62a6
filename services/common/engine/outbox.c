#include "services/common/engine/engine_internal.h"

#include "services/common/base/log.h"

#define PLACE_LEN 9 /* lane, place */

enum err outbox_put(
	struct step *s, enum lane lane, const uint8_t id[MSG_ID_LEN], struct slice envelope)
{
	uint64_t place;
	struct key k;

	TRY(state_get(s->txn, "place", lane, &place));
	place++;
	k = delivery_key(lane, place);
	TRY(state_put(s->txn, "place", lane, place));
	TRY(txn_put(s->txn, T_OUTBOX, key_slice(&k), envelope));
	return txn_put(s->txn, T_OUTBOX_IDS, slice_of(id, MSG_ID_LEN), key_slice(&k));
}

static enum err copy_next(struct txn *t, enum lane lane, uint64_t after, uint64_t *ret_place,
	uint8_t ret_id[MSG_ID_LEN], struct buf *ret_envelope)
{
	struct key from = delivery_key(lane, after);
	struct envelope env;
	struct slice k, v;
	struct buf copy = {0};

	TRY(txn_next(t, T_OUTBOX, key_slice(&from), true, &k, &v));
	if (k.len != PLACE_LEN)
		return ERR_CORRUPT;
	if (k.data[0] != (uint8_t)lane)
		return ERR_NOT_FOUND;
	if (envelope_parse(v, &env) != OK)
		return ERR_CORRUPT;
	memcpy(ret_id, env.header->id.data, MSG_ID_LEN);
	envelope_free(&env);
	TRY(buf_append(&copy, v.data, v.len));
	*ret_envelope = copy;
	*ret_place = be64_get(k.data + 1);
	return OK;
}

enum err engine_outbox_next(struct engine *e, enum lane lane, uint64_t after, uint64_t *ret_place,
	uint8_t ret_id[MSG_ID_LEN], struct buf *ret_envelope)
{
	struct txn *t = NULL;
	enum err err;

	if (e->batch)
		return ERR_INVALID; /* nothing leaves before its commit */
	TRY(store_begin(e->store, TXN_READ, &t));
	err = copy_next(t, lane, after, ret_place, ret_id, ret_envelope);
	txn_abort(&t);
	return err;
}

enum err engine_outbox_count(struct engine *e, uint64_t *ret)
{
	struct txn *t, *own;
	enum err err;

	TRY(engine_reading(e, &t, &own));
	err = txn_count(t, T_OUTBOX, ret);
	txn_abort(&own);
	return err;
}

/* What the broker said about a message. One of the two is not NULL. */
struct verdict {
	const Receipt *receipt;
	const Refusal *refusal;
};

/* Did this broker's key sign it, and does it speak of these bytes? */
static bool signed_with(
	const struct verdict *v, const Key *key, const char *broker, struct slice envelope)
{
	uint8_t hash[HASH_LEN];

	if (v->receipt)
		return receipt_verify(v->receipt, envelope, broker, key->sign_key.data) == OK;
	envelope_hash(envelope, hash);
	return is_refusal((enum err)v->refusal->code) &&
	       slice_eq(slice_of(v->refusal->envelope_hash.data, v->refusal->envelope_hash.len),
		       slice_of(hash, HASH_LEN)) &&
	       refusal_verify(v->refusal, key->sign_key.data) == OK;
}

/* *ret_checkpoint is set for a receipt. */
static enum err check_verdict(const struct engine *e, const struct verdict *v,
	struct slice envelope, int64_t now, struct checkpoint *ret_checkpoint)
{
	const Principal *p;
	const Key *key;

	for (unsigned i = 0; (p = registry_with_roles(e->registry, ROLE_BIT(ROLE__BROKER), now, i));
		i++)
		for (size_t k = 0; k < p->n_keys; k++) {
			if (registry_key(e->registry, p->name, p->keys[k]->id.data, now, &key) !=
					OK ||
				!signed_with(v, key, p->name, envelope))
				continue;
			return v->receipt ? checkpoint_verify(slice_of(v->receipt->checkpoint.data,
								      v->receipt->checkpoint.len),
						    p->name, key->sign_key.data, ret_checkpoint)
					  : OK;
		}
	return ERR_BAD_SIGNATURE;
}

struct outgoing {
	struct slice place, envelope;
	enum kind kind;
};

/* Nobody waits for this refusal: the message is kept for a person, with the code and the time. */
static enum err keep_refused(
	struct engine *e, const struct outgoing *o, enum err refused, int64_t now)
{
	struct buf value = {0};
	uint8_t head[16];
	enum err err;

	log_error("OUTBOX-REFUSED", "kind=%s why=%s", catalogue_find(o->kind)->name,
		err_name(refused));
	be64_put(head, refused);
	be64_put(head + 8, (uint64_t)now);
	err = buf_append(&value, head, sizeof(head));
	if (err == OK)
		err = buf_append(&value, o->envelope.data, o->envelope.len);
	if (err == OK)
		err = txn_put(e->batch, T_REFUSED, o->place, slice_buf(&value));
	buf_free(&value);
	return err;
}

/* It was receipted once, before the log was recovered. */
static bool comes_again(struct engine *e, struct slice id)
{
	struct slice v;

	return txn_get(e->batch, T_FIRST, id, &v) == OK;
}

static enum err run_hook(struct engine *e, struct slice id, const struct outgoing *o,
	const struct verdict *v, int64_t now)
{
	enum err refused = v->refusal ? (enum err)v->refusal->code : OK, err;
	struct step s;
	uint8_t at[8];

	/* of what was receipted before, no refusal is its sender's to hear of */
	if (!e->svc->on_posted || (refused != OK && comes_again(e, id)))
		return refused == OK ? OK : keep_refused(e, o, refused, now);
	TRY(step_begin(e, now, &s));
	memcpy(s.cause, id.data, MSG_ID_LEN);
	be64_put(at, (uint64_t)now);
	err = step_seed(&s, "step-posted", (struct slice[]){id, slice_of(at, sizeof(at))}, 2);
	if (err == OK)
		err = e->svc->on_posted(&s, s.cause, o->kind, o->envelope, v->receipt, refused);
	err = step_end(&s, err);
	if (!is_refusal(err))
		return err;
	log_error("POSTED-REFUSED", "kind=%s why=%s", catalogue_find(o->kind)->name, err_name(err));
	return OK;
}

static enum err keep(struct engine *e, const struct key *place, const Receipt *r)
{
	enum lane lane = place->data[0] == LANE_URGENT ? LANE_URGENT : LANE_ROUTINE;
	struct slice envelope;

	TRY(txn_get(e->batch, T_OUTBOX, key_slice(place), &envelope));
	return kept_put(e, lane, be64_get(place->data + 1), r, envelope);
}

static enum err leave(struct engine *e, struct slice id, const struct key *place)
{
	enum err err;

	TRY(txn_delete(e->batch, T_OUTBOX, key_slice(place)));
	TRY(txn_delete(e->batch, T_OUTBOX_IDS, id));
	err = txn_delete(e->batch, T_FIRST, id);
	return err == ERR_NOT_FOUND ? OK : err;
}

/* The service hears of it, and it leaves the outbox; what was receipted is kept aside. */
static enum err settle(struct engine *e, struct slice id, const struct outgoing *o,
	const struct verdict *v, int64_t now)
{
	struct key place = {0};

	key_bytes(&place, o->place.data, o->place.len); /* the hook's writes end the slices' life */
	TRY(run_hook(e, id, o, v, now));
	if (v->receipt)
		TRY(keep(e, &place, v->receipt));
	TRY(leave(e, id, &place));
	return take_ready(e);
}

static enum err posted(
	struct engine *e, ProtobufCBinaryData id_data, const struct verdict *v, int64_t now)
{
	struct slice id = slice_of(id_data.data, id_data.len);
	struct outgoing o;
	struct checkpoint head;
	struct envelope env;

	if (!e->batch || e->broken != OK)
		return e->broken != OK ? e->broken : ERR_INVALID;
	if (id.len != MSG_ID_LEN)
		return ERR_NOT_FOUND;
	TRY(txn_get(e->batch, T_OUTBOX_IDS, id, &o.place));
	if (o.place.len != PLACE_LEN || txn_get(e->batch, T_OUTBOX, o.place, &o.envelope) != OK ||
		envelope_parse(o.envelope, &env) != OK)
		return engine_fail(e, ERR_CORRUPT);
	o.kind = env.row->kind;
	envelope_free(&env);
	TRY(check_verdict(e, v, o.envelope, now, &head));
	TRY(engine_fail(e, settle(e, id, &o, v, now)));
	if (!v->receipt)
		return OK;
	return engine_fail(e,
		head_keep(e->batch, &head,
			slice_of(v->receipt->checkpoint.data, v->receipt->checkpoint.len), false));
}

enum err engine_receipt(struct engine *e, const Receipt *r, int64_t now)
{
	return posted(e, r->id, &(struct verdict){.receipt = r}, now);
}

enum err engine_refusal(struct engine *e, const Refusal *r, int64_t now)
{
	return posted(e, r->id, &(struct verdict){.refusal = r}, now);
}
