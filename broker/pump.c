/* Deliveries: from the mailboxes that are ready to the sessions that have credit. */
#include "broker/mailbox_state.h"

/* Where it was handled between the lanes, if its reader has said so. */
static enum err find_place(struct txn *t, const struct session *s, Delivery *d)
{
	struct key k;
	enum err e;

	if (s->box->lane != LANE_URGENT)
		return OK;
	lane_order_key(&k, s->box->name, d->seq);
	e = number_get(t, TABLE_ORDER, key_slice(&k), &d->routine);
	d->placed = e == OK;
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err deliver_one(struct txn *t, struct session *s, struct outputs *out)
{
	Delivery d = DELIVERY__INIT;
	Frame f = FRAME__INIT;
	struct slice content;
	struct log_row row;
	struct key k;
	size_t before = out->bytes;

	d.seq = s->sent + 1;
	mailbox_key(&k, s->box->name, s->box->lane, d.seq);
	TRY(number_get(t, TABLE_MAILBOX, key_slice(&k), &d.index));
	TRY(log_row_get(t, d.index, &row));
	index_key(&k, d.index);
	TRY(txn_get(t, TABLE_CONTENT, key_slice(&k), &content));
	d.received_at = row.received_at;
	TRY(find_place(t, s, &d));
	d.envelope = (ProtobufCBinaryData){content.len, (uint8_t *)content.data};
	f.what_case = FRAME__WHAT_DELIVERY;
	f.delivery = &d;
	TRY(outputs_add(out, s->conn, &f));
	s->sent++;
	s->credit--;
	s->flight_bytes += out->bytes - before;
	return OK;
}

static bool may_take(const struct session *s, const struct flows *flows)
{
	return s->credit > 0 && s->sent < s->box->last && s->flight_bytes < FLIGHT_BYTES_MOST &&
	       flow_room(flows, s->conn);
}

/* *ret_more: the list is full, and there is more to give. */
static enum err pump_box(struct mailbox *box, struct txn *t, const struct flows *flows,
	size_t most_bytes, struct outputs *out, uint64_t *delivered, bool *ret_more)
{
	for (struct session *s = box->sessions; s; s = s->next)
		while (may_take(s, flows)) {
			if (out->bytes >= most_bytes) {
				*ret_more = true;
				return OK;
			}
			TRY(deliver_one(t, s, out));
			++*delivered;
		}
	*ret_more = false;
	return OK;
}

static struct mailbox *take_ready(struct mailboxes *m)
{
	struct ready *ready = &m->ready[m->ready[LANE_URGENT].first ? LANE_URGENT : LANE_ROUTINE];
	struct mailbox *box = ready->first;

	if (!box)
		return NULL;
	ready->first = box->next_ready;
	if (!ready->first)
		ready->last = NULL;
	box->ready = false;
	return box;
}

enum err mailboxes_pump(struct mailboxes *m, struct txn *t, const struct flows *flows,
	size_t most_bytes, struct outputs *out, uint64_t *ret_delivered)
{
	struct mailbox *box;
	bool more = false;

	while (!more && (box = take_ready(m))) {
		TRY(pump_box(box, t, flows, most_bytes, out, ret_delivered, &more));
		if (more)
			mailbox_make_ready(m, box);
	}
	return OK;
}
