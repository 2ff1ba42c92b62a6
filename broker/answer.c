/* The frames that the broker answers with. */
#include "broker/core_state.h"
#include "broker/log.h"
#include "proto/checkpoint.h"
#include "services/common/base/log.h"

#include <inttypes.h>

static ProtobufCBinaryData bytes_of(const void *data, size_t len)
{
	return (ProtobufCBinaryData){len, (uint8_t *)data};
}

static ProtobufCBinaryData id_of(const struct verdict *v)
{
	return bytes_of(v->id, v->has_id ? MSG_ID_LEN : 0);
}

enum err answer_busy(struct core *c, uint64_t conn, const struct verdict *v, uint32_t retry_ms)
{
	Busy busy = BUSY__INIT;
	Frame f = FRAME__INIT;

	busy.id = id_of(v);
	busy.retry_ms = retry_ms;
	f.what_case = FRAME__WHAT_BUSY;
	f.busy = &busy;
	c->counts.busy++;
	return outputs_add(&c->staged, conn, &f);
}

enum err answer_refusal(struct core *c, const struct conn *from, const struct verdict *v,
	enum err code, int64_t now)
{
	Refusal refusal = REFUSAL__INIT;
	Frame f = FRAME__INIT;
	uint8_t signature[SIG_LEN];
	uint64_t count;

	refusal.id = id_of(v);
	refusal.envelope_hash = bytes_of(v->hash, HASH_LEN);
	refusal.code = code;
	refusal.at = now;
	TRY(refusal_sign(&refusal, c->o.sign_seed, signature));
	refusal.signature = bytes_of(signature, SIG_LEN);
	f.what_case = FRAME__WHAT_REFUSAL;
	f.refusal = &refusal;
	if (code >= 100 && code < 100 + CODES_MOST)
		c->counts.refused[code - 100]++;
	if (tally(&c->refusals, from->peer.principal, err_name(code), &count))
		log_warn("POST-REFUSED", "kind=%s from=%s why=%s count=%" PRIu64,
			v->row ? v->row->name : "?", from->peer.principal, err_name(code), count);
	return outputs_add(&c->staged, from->id, &f);
}

static enum err answer_receipt(struct core *c, struct txn *t, const struct due *due)
{
	ProtobufCBinaryData steps[PROOF_MOST];
	struct tree_proof proof;
	Receipt receipt = RECEIPT__INIT;
	Frame f = FRAME__INIT;

	TRY(tree_inclusion(t, due->index, c->size, &proof));
	for (size_t i = 0; i < proof.n; i++)
		steps[i] = bytes_of(proof.hash[i], HASH_LEN);
	receipt.id = bytes_of(due->id, MSG_ID_LEN);
	receipt.index = due->index;
	receipt.received_at = due->received_at;
	receipt.envelope_hash = bytes_of(due->hash, HASH_LEN);
	receipt.n_proof = proof.n;
	receipt.proof = steps;
	receipt.checkpoint = bytes_of(c->checkpoint.data, c->checkpoint.len);
	f.what_case = FRAME__WHAT_RECEIPT;
	f.receipt = &receipt;
	return outputs_add(&c->staged, due->conn, &f);
}

enum err answer_receipts(struct core *c, struct txn *t)
{
	for (size_t i = 0; i < c->n_due; i++)
		TRY(answer_receipt(c, t, &c->due[i]));
	c->n_due = 0;
	return OK;
}

enum err answer_welcome(struct core *c, const struct conn *from, Welcome *w, int64_t now)
{
	Frame f = FRAME__INIT;

	w->protocol = 1;
	w->broker = (char *)c->o.principal;
	w->checkpoint = bytes_of(c->checkpoint.data, c->checkpoint.len);
	w->registry_version = registry_message(c->o.registry)->version;
	w->now = now;
	f.what_case = FRAME__WHAT_WELCOME;
	f.welcome = w;
	return outputs_add(&c->staged, from->id, &f);
}

enum err answer_pong(struct core *c, const struct conn *from, uint64_t nonce)
{
	Pong pong = PONG__INIT;
	Frame f = FRAME__INIT;

	pong.nonce = nonce;
	pong.safe = c->safe;
	f.what_case = FRAME__WHAT_PONG;
	f.pong = &pong;
	return outputs_add(&c->staged, from->id, &f);
}

enum err ask_ping(struct outputs *out, uint64_t conn, uint64_t nonce)
{
	Ping ping = PING__INIT;
	Frame f = FRAME__INIT;

	ping.nonce = nonce;
	f.what_case = FRAME__WHAT_PING;
	f.ping = &ping;
	return outputs_add(out, conn, &f);
}

enum err forward(struct core *c, uint64_t conn, enum via via, struct slice envelope)
{
	Query query = QUERY__INIT;
	Answer answer = ANSWER__INIT;
	Frame f = FRAME__INIT;

	if (via == VIA_QUERY) {
		query.envelope = bytes_of(envelope.data, envelope.len);
		f.what_case = FRAME__WHAT_QUERY;
		f.query = &query;
		c->counts.asked++;
	} else {
		answer.envelope = bytes_of(envelope.data, envelope.len);
		f.what_case = FRAME__WHAT_ANSWER;
		f.answer = &answer;
		c->counts.answered++;
	}
	return outputs_add(&c->staged, conn, &f);
}
