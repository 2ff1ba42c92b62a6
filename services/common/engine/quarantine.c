#include "services/common/engine/engine_internal.h"

#include <stdlib.h>

#include "proto/strict.h"
#include "services/common/base/log.h"
#include "services/common/records.pb-c.h"

/* Told at once: a frame holds no more. */
#define TOLD_MOST 1024

struct key delivery_key(enum lane lane, uint64_t seq)
{
	struct key k = {0};

	key_u8(&k, (uint8_t)lane);
	key_u64(&k, seq);
	return k;
}

static enum err remember(struct engine *e, struct set_aside one)
{
	struct set_aside *list;

	if ((e->n_aside & (e->n_aside - 1)) == 0) { /* 0, 1, 2, 4 ...: full */
		list = realloc(e->aside, (e->n_aside ? e->n_aside * 2 : 1) * sizeof(*list));
		if (!list)
			return ERR_NOMEM;
		e->aside = list;
	}
	e->aside[e->n_aside++] = one;
	return OK;
}

enum err quarantine_put(struct engine *e, const struct delivery *d, enum err code)
{
	StoredQuarantine record = STORED_QUARANTINE__INIT;
	struct key k = delivery_key(d->lane, d->seq);
	struct buf packed = {0};
	enum err err;

	record.code = code;
	record.index = d->index;
	record.received_at = d->received_at;
	err = strict_pack(&record.base, &packed);
	if (err == OK)
		err = txn_put(e->batch, T_QUARANTINE, key_slice(&k), slice_buf(&packed));
	buf_free(&packed);
	if (err == OK)
		err = remember(e, (struct set_aside){d->lane, d->seq, code, false});
	if (err == OK)
		log_warn("MESSAGE-QUARANTINED", "lane=%s seq=%llu index=%llu why=%s",
			lane_name(d->lane), (unsigned long long)d->seq,
			(unsigned long long)d->index, err_name(code));
	return err;
}

static enum err load_one(void *arg, struct slice key, struct slice value)
{
	ProtobufCMessage *m;
	enum err code;

	if (key.len != 9 || key.data[0] >= LANES ||
		strict_unpack(&stored_quarantine__descriptor, value, &m) != OK)
		return ERR_CORRUPT;
	code = (enum err)((const StoredQuarantine *)m)->code;
	protobuf_c_message_free_unpacked(m, NULL);
	return remember(arg,
		(struct set_aside){(enum lane)key.data[0], be64_get(key.data + 1), code, true});
}

enum err quarantine_load(struct engine *e)
{
	struct txn *t = NULL;
	enum err err;

	TRY(store_begin(e->store, TXN_READ, &t));
	err = txn_each(t, T_QUARANTINE, (struct slice){0}, load_one, e);
	txn_abort(&t);
	return err;
}

static void untell(struct engine *e, enum lane lane, uint64_t seq)
{
	size_t kept = 0;

	for (size_t i = 0; i < e->n_aside; i++)
		if (e->aside[i].lane != lane || e->aside[i].seq != seq)
			e->aside[kept++] = e->aside[i];
	e->n_aside = kept;
}

enum err quarantine_again(struct engine *e, enum lane lane, uint64_t from)
{
	struct key at = delivery_key(lane, 0), at_log;
	struct slice k, v;
	enum err err;

	while ((err = txn_next(e->batch, T_QUARANTINE, key_slice(&at), true, &k, &v)) == OK &&
		k.len == 9 && k.data[0] == (uint8_t)lane) {
		ProtobufCMessage *m;
		uint64_t index;

		if (strict_unpack(&stored_quarantine__descriptor, v, &m) != OK)
			return ERR_CORRUPT;
		index = ((const StoredQuarantine *)m)->index;
		protobuf_c_message_free_unpacked(m, NULL);
		at = delivery_key(lane, be64_get(k.data + 1));
		if (index < from)
			continue;
		untell(e, lane, be64_get(at.data + 1));
		TRY(txn_delete(e->batch, T_QUARANTINE, key_slice(&at)));
		/* it waited first, and was set aside later */
		at_log = delivery_key(lane, index);
		err = txn_delete(e->batch, T_SEEN, key_slice(&at_log));
		if (err != OK && err != ERR_NOT_FOUND)
			return err;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

void quarantine_committed(struct engine *e)
{
	for (size_t i = 0; i < e->n_aside; i++)
		e->aside[i].committed = true;
}

static bool may_be_told(const struct set_aside *a, enum lane lane)
{
	return a->committed && a->lane == lane;
}

enum err engine_quarantined(struct engine *e, enum lane lane, Quarantined ***ret, size_t *ret_n)
{
	size_t n = 0, told = 0, kept = 0;
	Quarantined **list, *all;

	for (size_t i = 0; i < e->n_aside && n < TOLD_MOST; i++)
		n += may_be_told(&e->aside[i], lane);
	list = n ? malloc(n * (sizeof(Quarantined *) + sizeof(Quarantined))) : NULL;
	if (n && !list)
		return ERR_NOMEM;
	all = (Quarantined *)(list + n);
	for (size_t i = 0; i < e->n_aside; i++) {
		if (told == n || !may_be_told(&e->aside[i], lane)) {
			e->aside[kept++] = e->aside[i];
			continue;
		}
		list[told] = &all[told];
		quarantined__init(&all[told]);
		all[told].seq = e->aside[i].seq;
		all[told++].code = e->aside[i].code;
	}
	e->n_aside = kept;
	*ret = list;
	*ret_n = n;
	return OK;
}
