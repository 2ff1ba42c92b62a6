#include "services/common/engine/engine_internal.h"

#include <sodium.h>

#include "proto/strict.h"
#include "services/common/base/log.h"
#include "services/common/records.pb-c.h"

/* The end of a key of T_PARKED is its key in T_READY: log index, lane, seq. */
#define READY_LEN  (8 + 1 + 8)
#define PARKED_LEN (AWAITED_LEN + READY_LEN)

void parked_awaited(int table, struct slice key, uint8_t ret[AWAITED_LEN])
{
	ret[0] = (uint8_t)table;
	crypto_generichash(ret + 1, HASH_LEN, key.data, key.len, NULL, 0);
}

static enum err put(struct engine *e, const struct delivery *d, const uint8_t awaited[AWAITED_LEN],
	struct key *ret_key)
{
	StoredParked record = STORED_PARKED__INIT;
	struct buf packed = {0};
	struct key k = {0};
	enum err err;

	record.lane = d->lane;
	record.seq = d->seq;
	record.index = d->index;
	record.received_at = d->received_at;
	record.envelope.data = (uint8_t *)d->envelope.data; /* only read */
	record.envelope.len = d->envelope.len;
	key_bytes(&k, awaited, AWAITED_LEN);
	key_u64(&k, d->index);
	key_u8(&k, (uint8_t)d->lane);
	key_u64(&k, d->seq);
	err = strict_pack(&record.base, &packed);
	if (err == OK)
		err = txn_put(e->batch, T_PARKED, key_slice(&k), slice_buf(&packed));
	buf_free(&packed);
	*ret_key = k;
	return err;
}

enum err parked_put(struct engine *e, const struct delivery *d, const uint8_t awaited[AWAITED_LEN])
{
	/* the timers' clock may be ahead of the broker's: it waits a day all the same */
	int64_t since = d->received_at > e->newest ? d->received_at : e->newest;
	struct key k;

	TRY(put(e, d, awaited, &k));
	TRY(timer_put(e->batch, TIMER_WAITED, key_slice(&k), since + WAIT_MOST, (struct slice){0}));
	log_info("MESSAGE-WAITS", "lane=%s seq=%llu index=%llu", lane_name(d->lane),
		(unsigned long long)d->seq, (unsigned long long)d->index);
	return OK;
}

enum err parked_until(
	struct engine *e, const struct delivery *d, const uint8_t awaited[AWAITED_LEN])
{
	struct key k;

	e->order_waits = true;
	return put(e, d, awaited, &k);
}

/* No table of a service has this number. */
static const uint8_t held[AWAITED_LEN] = {0xff};

enum err parked_hold(struct engine *e, const struct delivery *d)
{
	struct key k;

	log_warn("MESSAGE-HELD", "lane=%s seq=%llu index=%llu", lane_name(d->lane),
		(unsigned long long)d->seq, (unsigned long long)d->index);
	return put(e, d, held, &k);
}

bool parked_is_held(struct slice key)
{
	return key.len == PARKED_LEN && memcmp(key.data, held, AWAITED_LEN) == 0;
}

static enum err release_one(struct txn *t, struct slice key, struct slice value)
{
	uint8_t at[PARKED_LEN];

	if (key.len != PARKED_LEN)
		return ERR_CORRUPT;
	memcpy(at, key.data, PARKED_LEN);
	TRY(txn_put(t, T_READY, slice_of(at + AWAITED_LEN, READY_LEN), value));
	TRY(txn_delete(t, T_PARKED, slice_of(at, PARKED_LEN)));
	return timer_remove(t, TIMER_WAITED, slice_of(at, PARKED_LEN));
}

static enum err release(struct txn *t, const uint8_t awaited[AWAITED_LEN])
{
	struct slice k, v;
	enum err err;

	while ((err = txn_next(t, T_PARKED, slice_of(awaited, AWAITED_LEN), false, &k, &v)) == OK &&
		k.len > AWAITED_LEN && memcmp(k.data, awaited, AWAITED_LEN) == 0)
		TRY(release_one(t, k, v));
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err parked_let_go_range(
	struct engine *e, const uint8_t from[AWAITED_LEN], const uint8_t last[AWAITED_LEN])
{
	struct slice k, v;
	enum err err;

	while ((err = txn_next(e->batch, T_PARKED, slice_of(from, AWAITED_LEN), false, &k, &v)) ==
			OK &&
		k.len > AWAITED_LEN && memcmp(k.data, last, AWAITED_LEN) <= 0)
		TRY(release_one(e->batch, k, v));
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err parked_release(struct step *s, int table, struct slice key)
{
	uint8_t awaited[AWAITED_LEN];

	parked_awaited(table, key, awaited);
	return release(s->txn, awaited);
}

enum err parked_let_go(struct engine *e)
{
	return release(e->batch, held);
}

static enum err parked_rename(
	struct engine *e, const struct key *from, const struct key *to, struct slice value)
{
	TRY(txn_put(e->batch, T_PARKED, key_slice(to), value));
	TRY(txn_delete(e->batch, T_PARKED, key_slice(from)));
	return timer_move(e->batch, TIMER_WAITED, key_slice(from), key_slice(to));
}

static struct key parked_key(const uint8_t *awaited, uint64_t index, enum lane lane, uint64_t seq)
{
	struct key k = {0};

	key_bytes(&k, awaited, AWAITED_LEN);
	key_u64(&k, index);
	key_u8(&k, (uint8_t)lane);
	key_u64(&k, seq);
	return k;
}

enum err parked_forget_places(struct engine *e, enum lane lane, uint64_t from, uint64_t no_index)
{
	struct slice k, v;
	struct key at = {0};
	enum err err;

	while ((err = txn_next(e->batch, T_PARKED, key_slice(&at), true, &k, &v)) == OK) {
		uint64_t index;

		if (k.len != PARKED_LEN)
			return ERR_CORRUPT;
		at = (struct key){0};
		key_bytes(&at, k.data, k.len);
		index = be64_get(at.data + AWAITED_LEN);
		if (at.data[AWAITED_LEN + 8] == (uint8_t)lane && index >= from &&
			index < no_index) {
			struct key to = parked_key(at.data, index | no_index, lane,
				be64_get(at.data + AWAITED_LEN + 9));

			TRY(parked_rename(e, &at, &to, v));
		}
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

bool parked_is_lost(struct slice key)
{
	return key.len == PARKED_LEN && key.data[AWAITED_LEN] & 0x80;
}

enum err parked_find(struct engine *e, uint64_t index, enum lane lane, uint64_t seq,
	struct key *ret, struct slice *ret_value)
{
	static const uint8_t any[AWAITED_LEN];
	struct key end = parked_key(any, index, lane, seq), at = {0};
	struct slice k, v;
	enum err err;

	while ((err = txn_next(e->batch, T_PARKED, key_slice(&at), true, &k, &v)) == OK) {
		at = (struct key){0};
		key_bytes(&at, k.data, k.len);
		if (k.len == PARKED_LEN &&
			memcmp(at.data + AWAITED_LEN, end.data + AWAITED_LEN, READY_LEN) == 0) {
			*ret = at;
			*ret_value = v;
			return OK;
		}
	}
	return err;
}

enum err parked_move(
	struct engine *e, const struct key *from, struct slice value, const struct delivery *d)
{
	struct key to = parked_key(from->data, d->index, d->lane, d->seq);
	struct buf packed = {0};
	ProtobufCMessage *m;
	enum err err = strict_unpack(&stored_parked__descriptor, value, &m);

	if (err != OK)
		return err == ERR_NOMEM ? err : ERR_CORRUPT;
	((StoredParked *)m)->index = d->index;
	((StoredParked *)m)->seq = d->seq;
	err = strict_pack(m, &packed);
	if (err == OK)
		err = parked_rename(e, from, &to, slice_buf(&packed));
	buf_free(&packed);
	protobuf_c_message_free_unpacked(m, NULL);
	return err;
}

enum err parked_unpack(struct slice value, struct delivery *ret, ProtobufCMessage **ret_owner)
{
	const StoredParked *p;
	enum err err = strict_unpack(&stored_parked__descriptor, value, ret_owner);

	if (err != OK)
		return err == ERR_NOMEM ? err : ERR_CORRUPT;
	p = (const StoredParked *)*ret_owner;
	*ret = (struct delivery){
		.lane = p->lane == LANE_URGENT ? LANE_URGENT : LANE_ROUTINE,
		.seq = p->seq,
		.index = p->index,
		.received_at = p->received_at,
		.envelope = slice_of(p->envelope.data, p->envelope.len),
	};
	return OK;
}

enum err parked_expire(struct engine *e, struct slice key)
{
	ProtobufCMessage *owner;
	struct message m;
	struct delivery d;
	struct slice v;
	enum err err;

	TRY(txn_get(e->batch, T_PARKED, key, &v));
	TRY(parked_unpack(v, &d, &owner));
	err = txn_delete(e->batch, T_PARKED, key);
	if (err == OK)
		err = message_open(e, d.envelope, CLASS_DURABLE, d.lane, d.received_at, &m);
	if (err == OK)
		message_close(&m);
	/* what it waits for may be held with it: its time begins again with the lift */
	if (err == ERR_SUSPENDED)
		err = parked_hold(e, &d);
	else if (err == OK || is_refusal(err))
		err = quarantine_put(e, &d, ERR_WAITED_TOO_LONG);
	protobuf_c_message_free_unpacked(owner, NULL);
	return err;
}
