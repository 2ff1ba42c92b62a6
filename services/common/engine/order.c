/* In which order the messages of the two lanes were handled, so that a store that is put back does
 * it in that order again. Routine messages come while urgent ones are on their way: where an urgent
 * one fell among them is nowhere in the log. So it is noted here, and told to the broker with the
 * cursor, which gives it back with the message. PROTOCOL.md, section 19. */
#include "services/common/engine/engine_internal.h"

#include <stdlib.h>

#define TOLD_MOST 1024
/* Parked until routine mail has come to that number: this byte, then the number. No table of a
 * service has it. */
#define ORDER_BYTE 0xfe

static struct key seq_key(uint64_t seq)
{
	struct key k = {0};

	key_u64(&k, seq);
	return k;
}

static void awaited(uint64_t routine, uint8_t ret[AWAITED_LEN])
{
	memset(ret, 0, AWAITED_LEN);
	ret[0] = ORDER_BYTE;
	be64_put(ret + 1, routine);
}

/* --- noted, and told --- */

static enum err put_place(struct engine *e, uint64_t seq, uint64_t routine)
{
	struct key k = seq_key(seq);
	uint8_t at[8];

	be64_put(at, routine);
	e->order_new = true;
	return txn_put(e->batch, T_ORDER, key_slice(&k), slice_of(at, sizeof(at)));
}

enum err order_note(struct engine *e, const struct delivery *d)
{
	if (d->lane != LANE_URGENT || d->placed)
		return OK;
	return put_place(e, d->seq, e->lanes[LANE_ROUTINE].cursor);
}

static enum err forget_up_to(struct engine *e, uint64_t seq)
{
	struct slice k, v;
	enum err err;

	while ((err = txn_next(e->batch, T_ORDER, (struct slice){0}, false, &k, &v)) == OK) {
		struct key at = {0};

		if (k.len != 8)
			return ERR_CORRUPT;
		if (be64_get(k.data) > seq)
			return OK;
		key_bytes(&at, k.data, k.len);
		TRY(txn_delete(e->batch, T_ORDER, key_slice(&at)));
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err order_welcome(struct engine *e, uint64_t placed)
{
	e->order_told = placed;
	e->order_new = true;
	return forget_up_to(e, placed);
}

enum err order_forget(struct engine *e)
{
	return forget_up_to(e, UINT64_MAX);
}

static enum err list_placed(struct txn *t, uint64_t after, Placed *all, size_t *ret_n)
{
	struct key at = seq_key(after);
	struct slice k, v;
	enum err err = OK;

	for (*ret_n = 0; *ret_n < TOLD_MOST; ++*ret_n) {
		err = txn_next(t, T_ORDER, key_slice(&at), true, &k, &v);
		if (err != OK)
			return err == ERR_NOT_FOUND ? OK : err;
		if (k.len != 8 || v.len != 8)
			return ERR_CORRUPT;
		placed__init(&all[*ret_n]);
		all[*ret_n].seq = be64_get(k.data);
		all[*ret_n].routine = be64_get(v.data);
		at = seq_key(all[*ret_n].seq);
	}
	return OK;
}

enum err engine_placed(struct engine *e, Placed ***ret, size_t *ret_n)
{
	Placed **list, *all;
	struct txn *t = NULL;
	size_t n = 0;
	enum err err;

	*ret = NULL;
	*ret_n = 0;
	if (!e->order_new)
		return OK;
	list = malloc(TOLD_MOST * (sizeof(Placed *) + sizeof(Placed)));
	if (!list)
		return ERR_NOMEM;
	all = (Placed *)(list + TOLD_MOST);
	err = store_begin(e->store, TXN_READ, &t);
	if (err == OK)
		err = list_placed(t, e->order_told, all, &n);
	txn_abort(&t);
	if (err != OK || n == 0) {
		free(list);
		e->order_new = false;
		return err;
	}
	for (size_t i = 0; i < n; i++)
		list[i] = &all[i];
	*ret = list;
	*ret_n = n;
	return err;
}

void engine_placed_told(struct engine *e, uint64_t seq)
{
	e->order_told = seq;
}

/* --- done again --- */

static bool routine_catches_up(const struct engine *e)
{
	return e->lanes[LANE_ROUTINE].cursor < e->lanes[LANE_ROUTINE].redo;
}

/* The highest number that a message waits for. ERR_NOT_FOUND: none does. */
static enum err last_awaited(struct txn *t, uint64_t *ret)
{
	uint8_t end[AWAITED_LEN] = {ORDER_BYTE + 1};
	struct slice k, v;

	TRY(txn_prev(t, T_PARKED, slice_of(end, sizeof(end)), &k, &v));
	if (k.len <= AWAITED_LEN)
		return ERR_CORRUPT;
	if (k.data[0] != ORDER_BYTE)
		return ERR_NOT_FOUND;
	*ret = be64_get(k.data + 1);
	return OK;
}

enum err order_later(struct engine *e, const struct delivery *d, bool *ret_later)
{
	uint64_t routine = 0, behind = 0;
	uint8_t until[AWAITED_LEN];
	enum err err;

	*ret_later = false;
	if (d->lane != LANE_URGENT || !routine_catches_up(e))
		return OK;
	if (d->placed && d->seq <= e->lanes[LANE_URGENT].redo)
		routine = d->routine;
	err = last_awaited(e->batch, &behind); /* none overtakes in its own lane */
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	if (behind > routine)
		routine = behind;
	if (routine <= e->lanes[LANE_ROUTINE].cursor)
		return OK;
	*ret_later = true;
	if (!d->placed)
		TRY(put_place(e, d->seq, routine));
	awaited(routine, until);
	return parked_until(e, d, until);
}

enum err order_due(struct engine *e)
{
	uint8_t from[AWAITED_LEN], until[AWAITED_LEN];

	if (!e->order_waits)
		return OK;
	awaited(0, from);
	awaited(routine_catches_up(e) ? e->lanes[LANE_ROUTINE].cursor : UINT64_MAX, until);
	TRY(parked_let_go_range(e, from, until));
	return order_load(e, e->batch);
}

enum err order_load(struct engine *e, struct txn *t)
{
	uint64_t routine;
	enum err err = last_awaited(t, &routine);

	e->order_waits = err == OK;
	return err == ERR_NOT_FOUND ? OK : err;
}
