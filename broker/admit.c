/* One durable message: known already, refused, or appended to the log and to its mailbox. */
#include "broker/log.h"
#include "broker/own.h"
#include "services/common/base/log.h"

#include <inttypes.h>

static bool lane_is_full(const struct core *c, enum lane lane, size_t len)
{
	int most = lane == LANE_URGENT ? FULL_URGENT_PERCENT : FULL_ROUTINE_PERCENT;
	uint64_t used = (uint64_t)store_fill_percent(c->o.store);

	/* What this batch has written is not on disk yet. */
	if (c->o.store_bytes > 0)
		used += 100 * (c->bytes + len) / c->o.store_bytes;
	return used >= (uint64_t)most;
}

static void owe_receipt(struct core *c, const struct conn *from, const struct verdict *v,
	uint64_t index, int64_t received_at)
{
	struct due *due = &c->due[c->n_due++];

	*due = (struct due){.conn = from->id, .index = index, .received_at = received_at};
	memcpy(due->id, v->id, MSG_ID_LEN);
	memcpy(due->hash, v->hash, HASH_LEN);
}

static enum err put_all(struct core *c, struct txn *t, const struct verdict *v,
	struct slice envelope, struct log_row *row)
{
	uint8_t leaf[HASH_LEN];
	struct key k;

	TRY(mailbox_put(c->boxes, t, row->recipient, row->lane, c->size, &row->seq));
	TRY(log_row_append(t, c->size, row));
	index_key(&k, c->size);
	TRY(txn_append(t, TABLE_CONTENT, key_slice(&k), envelope));
	seen_key(&k, row->sender, v->id);
	TRY(number_put(t, TABLE_SEEN, key_slice(&k), c->size));
	log_leaf(row->received_at, row->hash, leaf);
	return tree_append(t, c->size, leaf);
}

enum err admit_append(struct core *c, struct txn *t, const struct verdict *v, struct slice envelope,
	int64_t now, struct log_row *ret_row)
{
	struct log_row row = {.kind = v->row->kind, .lane = v->row->lane};

	if (now > c->last_received)
		c->last_received = now;
	row.resent = v->resent;
	row.received_at = v->resent ? v->first_at : c->last_received;
	memcpy(row.hash, v->hash, HASH_LEN);
	memcpy(row.sender, v->sender, NAME_SIZE);
	memcpy(row.recipient, v->recipient, NAME_SIZE);
	TRY(put_all(c, t, v, envelope, &row));
	c->size++;
	c->bytes += envelope.len;
	c->written = c->appended = true;
	c->counts.accepted++;
	*ret_row = row;
	return OK;
}

/* What is said to the broker is done in the same transaction, or refused. */
static enum err append(struct core *c, struct txn *t, const struct conn *from,
	const struct verdict *v, struct slice envelope, int64_t now)
{
	struct heard heard = {0};
	struct log_row row;
	enum err e = own_hear(c, t, v, envelope, now, &heard);

	if (e >= 100)
		return answer_refusal(c, from, v, e, now);
	TRY(e);
	e = admit_append(c, t, v, envelope, now, &row);
	if (e == OK) {
		owe_receipt(c, from, v, c->size - 1, row.received_at);
		e = own_do(c, t, &heard, &row, now);
	}
	heard_free(&heard);
	return e;
}

/* ERR_NOT_FOUND: this sender never used this id. */
static enum err find_seen(
	struct txn *t, const struct verdict *v, uint64_t *ret_index, struct log_row *ret_row)
{
	struct key k;
	enum err e;

	seen_key(&k, v->sender, v->id);
	TRY(number_get(t, TABLE_SEEN, key_slice(&k), ret_index));
	e = log_row_get(t, *ret_index, ret_row);
	return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
}

static enum err refuse_reuse(struct core *c, struct txn *t, const struct conn *from,
	const struct verdict *v, int64_t now)
{
	char id[2 * MSG_ID_LEN + 1];
	uint64_t count;

	hex_encode(id, v->id, MSG_ID_LEN);
	if (tally(&c->refusals, v->sender, "ID-REUSED", &count))
		log_error("ID-REUSED", "from=%s kind=%s id=%s count=%" PRIu64, v->sender,
			v->row->name, id, count);
	TRY(own_id_reused(c, t, v, now));
	return answer_refusal(c, from, v, ERR_ID_REUSED, now);
}

/* What was receipted stays receipted: the same bytes get the first receipt again, also from a
 * sender whose key is retired by now. */
static bool may_have_receipt(const struct verdict *v)
{
	return v->row && v->err != ERR_WRONG_CONNECTION && v->row->cls == CLASS_DURABLE;
}

enum err admit(struct core *c, const struct conn *from, const struct verdict *v,
	struct slice envelope, int64_t now)
{
	struct log_row row;
	uint64_t index;
	struct txn *t;
	enum err known = ERR_NOT_FOUND;

	TRY(core_txn(c, &t));
	if (may_have_receipt(v))
		known = find_seen(t, v, &index, &row);
	if (known != OK && known != ERR_NOT_FOUND)
		return known;
	if (known == OK && memcmp(row.hash, v->hash, HASH_LEN) == 0) {
		owe_receipt(c, from, v, index, row.received_at);
		c->counts.duplicates++;
		return OK;
	}
	if (v->err != OK)
		return answer_refusal(c, from, v, v->err, now);
	if (known == OK)
		return refuse_reuse(c, t, from, v, now);
	if (lane_is_full(c, v->row->lane, envelope.len))
		return put_off(c, from, VIA_POST, v);
	return append(c, t, from, v, envelope, now);
}
