/* 7. Requests: into the outbox in one step, then to the network until they are answered. */
#include "services/staff/staff.h"

struct batch {
	struct session *session;
	const struct sending *list;
	size_t n;
};

static enum err send_one(struct step *s, const struct sending *one)
{
	StaffRequest r = STAFF_REQUEST__INIT;
	uint8_t id[MSG_ID_LEN];
	struct key k;

	TRY(step_send_service(s, one->kind, one->body));
	memcpy(id, step_last_sent(s), MSG_ID_LEN);
	r.id = (ProtobufCBinaryData){MSG_ID_LEN, id};
	r.kind = one->kind;
	r.case_number = (char *)one->case_number;
	r.event = one->event;
	r.asked_at = step_now(s);
	k = request_key(msg_id_time(id), r.case_number);
	return case_put(s, STAFF_REQUESTS, key_slice(&k), STAFF_CASE, &r.base);
}

static enum err send_batch(struct step *s, void *arg)
{
	const struct batch *b = arg;

	for (size_t i = 0; i < b->n; i++)
		TRY(send_one(s, &b->list[i]));
	b->session->seen.asked = msg_id_time(step_last_sent(s));
	return OK;
}

static enum err count_open(struct step *s, void *arg)
{
	struct batch *b = arg;

	for (size_t i = 0; i < b->n; i++) {
		struct key k = request_key(b->session->seen.asked, b->list[i].case_number);
		ProtobufCMessage *m;
		const StaffRequest *r;
		bool settled;

		TRY(case_get(s, STAFF_REQUESTS, key_slice(&k), STAFF_CASE,
			&staff_request__descriptor, &m));
		r = (const StaffRequest *)m;
		settled = r->answered || r->refused;
		protobuf_c_message_free_unpacked(m, NULL);
		if (!settled)
			return ERR_BUSY;
	}
	return OK;
}

/* Any other error shows again when the requests are told. */
static bool all_settled(struct node *n, void *arg)
{
	return node_read(n, count_open, arg) != ERR_BUSY;
}

enum err send_all(struct session *s, const struct sending *list, size_t n)
{
	struct batch b = {s, list, n};
	int64_t within_ms;
	enum err e;

	TRY(home_wait(s->c, 15, &within_ms));
	e = node_local(s->n, send_batch, &b);
	if (e == OK && within_ms)
		e = node_run(s->n, all_settled, &b, within_ms);
	if (e == ERR_TIMEOUT) /* it is safe: a later call sends it and tells the answer */
		e = OK;
	return e == OK ? OK : cli_fail(s->c, e, NULL);
}
