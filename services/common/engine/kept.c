/* What a recovered log makes necessary again: sent messages, until the broker's safe mark passes
 * them, and the names of those that were handled. */
#include "services/common/engine/engine_internal.h"

#include "proto/strict.h"
#include "services/common/records.pb-c.h"

/* Rows that one commit removes, of each table and lane. */
#define PRUNE_MOST 256
/* In place of the log index of a parked message: its place in the recovered log is not known. */
#define NO_INDEX (UINT64_C(1) << 63)

static ProtobufCBinaryData bytes_of(struct slice s)
{
	return (ProtobufCBinaryData){s.len, (uint8_t *)s.data};
}

static enum err put_packed(struct txn *t, int table, const struct key *k, const ProtobufCMessage *m)
{
	struct buf packed = {0};
	enum err err = strict_pack(m, &packed);

	if (err == OK)
		err = txn_put(t, table, key_slice(k), slice_buf(&packed));
	buf_free(&packed);
	return err;
}

/* --- sent --- */

enum err kept_put(struct engine *e, enum lane lane, uint64_t place, const Receipt *receipt,
	struct slice envelope)
{
	struct key k = delivery_key(lane, receipt->index);
	StoredKept row = STORED_KEPT__INIT;
	struct buf packed = {0};
	enum err err = strict_pack(&receipt->base, &packed);

	row.place = place;
	row.receipt = bytes_of(slice_buf(&packed));
	row.envelope = bytes_of(envelope);
	if (err == OK)
		err = put_packed(e->batch, T_KEPT, &k, &row.base);
	buf_free(&packed);
	return err;
}

/* Back to its place in the outbox, where nothing has its place. */
static enum err send_again(struct engine *e, enum lane lane, const StoredKept *row)
{
	struct key place = delivery_key(lane, row->place);
	struct slice bytes = slice_of(row->envelope.data, row->envelope.len), id;
	struct envelope env;
	enum err err;

	if (envelope_parse(bytes, &env) != OK)
		return ERR_CORRUPT;
	id = slice_of(env.header->id.data, MSG_ID_LEN);
	err = txn_put(e->batch, T_OUTBOX, key_slice(&place), bytes);
	if (err == OK)
		err = txn_put(e->batch, T_OUTBOX_IDS, id, key_slice(&place));
	if (err == OK)
		err = txn_put(e->batch, T_FIRST, id, slice_of(row->receipt.data, row->receipt.len));
	envelope_free(&env);
	return err;
}

/* The first row of the lane at or after this index. ERR_NOT_FOUND. */
static enum err row_from(struct txn *t, int table, enum lane lane, uint64_t index, struct key *ret,
	struct slice *ret_value)
{
	struct key from = delivery_key(lane, index);
	struct slice k;

	TRY(txn_next(t, table, key_slice(&from), false, &k, ret_value));
	if (k.len != from.len)
		return ERR_CORRUPT;
	if (k.data[0] != (uint8_t)lane)
		return ERR_NOT_FOUND;
	*ret = (struct key){0};
	key_bytes(ret, k.data, k.len);
	return OK;
}

enum err kept_again(struct engine *e, enum lane lane, uint64_t from, unsigned *ret_n)
{
	struct slice value;
	struct key k;
	enum err err;

	*ret_n = 0;
	while ((err = row_from(e->batch, T_KEPT, lane, from, &k, &value)) == OK) {
		ProtobufCMessage *m;

		if (strict_unpack(&stored_kept__descriptor, value, &m) != OK)
			return ERR_CORRUPT;
		err = send_again(e, lane, (const StoredKept *)m);
		protobuf_c_message_free_unpacked(m, NULL);
		TRY(err);
		TRY(txn_delete(e->batch, T_KEPT, key_slice(&k)));
		++*ret_n;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err engine_first_receipt(struct engine *e, const uint8_t id[MSG_ID_LEN], struct buf *ret)
{
	struct txn *t, *own;
	struct slice v;
	enum err err;

	TRY(engine_reading(e, &t, &own));
	err = txn_get(t, T_FIRST, slice_of(id, MSG_ID_LEN), &v);
	if (err == OK)
		err = buf_append(ret, v.data, v.len);
	txn_abort(&own);
	return err;
}

/* --- handled --- */

static struct key name_key(const char *sender, struct slice id)
{
	struct key k = {0};

	key_str(&k, sender);
	key_bytes(&k, id.data, id.len);
	return k;
}

static enum err seen_put(struct engine *e, const struct delivery *d, const Header *h)
{
	struct key k = delivery_key(d->lane, d->index);
	StoredSeen row = STORED_SEEN__INIT;

	row.seq = d->seq;
	row.sender = h->sender;
	row.id = h->id;
	return put_packed(e->batch, T_SEEN, &k, &row.base);
}

enum err seen_note(struct engine *e, const struct delivery *d)
{
	struct key at = delivery_key(d->lane, d->seq);
	struct slice aside;
	struct envelope env;
	enum err err = txn_get(e->batch, T_QUARANTINE, key_slice(&at), &aside);

	if (err != ERR_NOT_FOUND)
		return err; /* it was set aside, and had no effect */
	if (envelope_parse(d->envelope, &env) != OK)
		return ERR_CORRUPT;
	err = seen_put(e, d, env.header);
	envelope_free(&env);
	return err;
}

/* One that is parked finds its place in the recovered log. */
static enum err place_parked(struct engine *e, const struct delivery *d, struct slice old)
{
	struct slice value;
	struct key k;
	enum err err = parked_find(
		e, be64_get(old.data) | NO_INDEX, d->lane, be64_get(old.data + 8), &k, &value);

	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	return parked_move(e, &k, value, d);
}

static enum err skip(struct engine *e, const struct delivery *d, const Header *h, bool *ret)
{
	struct key k = name_key(h->sender, slice_of(h->id.data, h->id.len));
	uint8_t old[16];
	struct slice v;
	enum err err = txn_get(e->batch, T_AGAIN, key_slice(&k), &v);

	*ret = err == OK;
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	if (v.len != sizeof(old))
		return ERR_CORRUPT;
	memcpy(old, v.data, sizeof(old));
	TRY(txn_delete(e->batch, T_AGAIN, key_slice(&k)));
	TRY(place_parked(e, d, slice_of(old, sizeof(old))));
	return seen_put(e, d, h);
}

enum err seen_skip(struct engine *e, const struct delivery *d, bool *ret_skipped)
{
	struct envelope env;
	struct slice k, v;
	enum err err = txn_next(e->batch, T_AGAIN, (struct slice){0}, false, &k, &v);

	*ret_skipped = false;
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	if (envelope_parse(d->envelope, &env) != OK)
		return OK;
	err = skip(e, d, env.header, ret_skipped);
	envelope_free(&env);
	return err;
}

/* The row moves to the table that is asked by name. */
static enum err expect(struct engine *e, const struct key *at, const StoredSeen *row)
{
	struct key k = name_key(row->sender, slice_of(row->id.data, row->id.len));
	uint8_t old[16];

	memcpy(old, at->data + 1, 8);
	be64_put(old + 8, row->seq);
	return txn_put(e->batch, T_AGAIN, key_slice(&k), slice_of(old, sizeof(old)));
}

enum err seen_again(struct engine *e, enum lane lane, uint64_t from)
{
	struct slice value;
	struct key k;
	enum err err;

	while ((err = row_from(e->batch, T_SEEN, lane, from, &k, &value)) == OK) {
		ProtobufCMessage *m;

		if (strict_unpack(&stored_seen__descriptor, value, &m) != OK)
			return ERR_CORRUPT;
		err = expect(e, &k, (const StoredSeen *)m);
		protobuf_c_message_free_unpacked(m, NULL);
		TRY(err);
		TRY(txn_delete(e->batch, T_SEEN, key_slice(&k)));
	}
	TRY(err == ERR_NOT_FOUND ? OK : err);
	return parked_forget_places(e, lane, from, NO_INDEX);
}

/* --- what is safe is not needed again --- */

static enum err prune(struct engine *e, int table, enum lane lane, bool *ret_all)
{
	struct slice value;
	struct key k;
	enum err err = OK;

	*ret_all = false;
	for (unsigned n = 0; n < PRUNE_MOST; n++) {
		err = row_from(e->batch, table, lane, 0, &k, &value);
		if (err != OK || be64_get(k.data + 1) >= e->lanes[lane].safe) {
			*ret_all = true;
			return err == ERR_NOT_FOUND ? OK : err;
		}
		TRY(txn_delete(e->batch, table, key_slice(&k)));
	}
	return OK;
}

/* A log that ends below this cannot be followed any more. */
static enum err note_gone(struct engine *e, enum lane lane)
{
	if (e->lanes[lane].safe <= e->lanes[lane].gone)
		return OK;
	e->lanes[lane].gone = e->lanes[lane].safe;
	return state_put(e->batch, "gone", lane, e->lanes[lane].gone);
}

enum err kept_prune(struct engine *e)
{
	for (int i = 0; i < LANES; i++) {
		bool kept, seen;

		if (e->lanes[i].safe == e->lanes[i].pruned)
			continue;
		TRY(note_gone(e, (enum lane)i));
		TRY(prune(e, T_KEPT, (enum lane)i, &kept));
		TRY(prune(e, T_SEEN, (enum lane)i, &seen));
		if (kept && seen)
			e->lanes[i].pruned = e->lanes[i].safe;
	}
	return OK;
}
