#include "services/client/client.h"

#include <stdlib.h>

#include "proto/strict.h"
#include "services/common/base/message.h"

static const char *const tables[] = {
	[CLIENT_SUBMISSIONS] = "submissions",
	[CLIENT_PROOFS] = "proofs",
	[CLIENT_INBOX] = "inbox",
	NULL,
};

enum err submission_load(struct step *s, const uint8_t id[MSG_ID_LEN], ClientSubmission **ret)
{
	ProtobufCMessage *m;

	TRY(case_get(s, CLIENT_SUBMISSIONS, slice_of(id, MSG_ID_LEN), CLIENT_CASE,
		&client_submission__descriptor, &m));
	*ret = (ClientSubmission *)m;
	return OK;
}

enum err submission_save(struct step *s, const ClientSubmission *c)
{
	return case_put(
		s, CLIENT_SUBMISSIONS, slice_of(c->id.data, c->id.len), CLIENT_CASE, &c->base);
}

/* What the newest notice says replaces what the one before said. */
static enum err note_progress(struct step *s, const Notice *n)
{
	ClientSubmission *c;
	enum err e;

	if (n->submission.len != MSG_ID_LEN)
		return OK;
	e = submission_load(s, n->submission.data, &c);
	if (e == ERR_NOT_FOUND) /* submitted from another device of this partner */
		return OK;
	if (e != OK)
		return e;
	if (*n->case_number)
		e = set_text(&c->case_number, n->case_number);
	c->last_event = n->event;
	c->last_at = n->at;
	if (n->state)
		c->state = n->state;
	if (n->protection)
		c->protection = n->protection;
	if (e == OK)
		e = submission_save(s, c);
	client_submission__free_unpacked(c, NULL);
	return e;
}

/* 6. */
static enum err on_notice(struct step *s, const ProtobufCMessage *m)
{
	struct key k = {0};

	key_u64(&k, (uint64_t)step_now(s));
	key_bytes(&k, step_cause(s), MSG_ID_LEN);
	TRY(case_put(s, CLIENT_INBOX, key_slice(&k), CLIENT_CASE, m));
	return note_progress(s, (const Notice *)m);
}

static enum err keep_proof(
	struct step *s, const uint8_t id[MSG_ID_LEN], struct slice envelope, const Receipt *receipt)
{
	ClientProof p = CLIENT_PROOF__INIT;
	struct buf packed = {0};
	enum err e = strict_pack(&receipt->base, &packed);

	if (e == OK) {
		p.envelope = (ProtobufCBinaryData){envelope.len, (uint8_t *)envelope.data};
		p.receipt = (ProtobufCBinaryData){packed.len, packed.data};
		e = record_put(s, CLIENT_PROOFS, slice_of(id, MSG_ID_LEN), &p.base);
	}
	buf_free(&packed);
	return e;
}

static enum err on_posted(struct step *s, const uint8_t id[MSG_ID_LEN], enum kind kind,
	struct slice envelope, const Receipt *receipt, enum err refused)
{
	ClientSubmission *c;
	enum err e;

	(void)kind;
	if (receipt)
		TRY(keep_proof(s, id, envelope, receipt));
	e = submission_load(s, id, &c);
	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	c->refused = refused;
	if (receipt) {
		c->received_at = receipt->received_at;
		c->log_index = receipt->index;
	}
	e = submission_save(s, c);
	client_submission__free_unpacked(c, NULL);
	return e;
}

static const struct route routes[] = {
	ON(SEND_NOTICE, on_notice),
	{0},
};

const struct service client_service = {
	.name = "havre",
	.program = PROGRAM_CLIENT,
	.tables = tables,
	.routes = routes,
	.on_posted = on_posted,
};
