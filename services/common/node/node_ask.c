#include "proto/checkpoint.h"
#include "services/common/base/log.h"
#include "services/common/node/node_inside.h"

/* A question may get lost with a connection, or be put off: it is asked again. */
#define ASK_AGAIN_MS 2000

bool node_refusal_signed(const struct node *n, const Refusal *r)
{
	const char *broker = n->config.broker_name;
	const Principal *p = registry_find(n->registry, broker);
	const Key *key;

	for (size_t i = 0; p && i < p->n_keys; i++)
		if (p->keys[i]->id.len == KEY_ID_LEN &&
			registry_key(n->registry, broker, p->keys[i]->id.data, r->at, &key) == OK &&
			refusal_verify(r, key->sign_key.data) == OK)
			return true;
	return false;
}

/* The first of the answers that came that is the one. ERR_NOT_FOUND: none is. */
static enum err pick_answer(struct node *n, enum kind kind, ProtobufCMessage **ret)
{
	enum err e = ERR_NOT_FOUND;

	for (size_t i = 0; i < n->answers.n && e != OK; i++) {
		ProtobufCMessage *m = NULL;
		enum kind told;

		e = engine_open_answer(n->engine, n->asking, slice_buf(&n->answers.list[i]),
			node_now(), &told, &m);
		if (e == OK && (int)told != (int)kind + 1) {
			protobuf_c_message_free_unpacked(m, NULL);
			e = ERR_NOT_ASKED;
		}
		if (e == OK)
			*ret = m;
		else
			log_warn("NODE-ANSWER", "why=%s", err_name(e));
	}
	letters_clear(&n->answers);
	return e == OK ? OK : ERR_NOT_FOUND;
}

static enum err await(struct node *n, enum kind kind, struct slice question, int64_t within_ms,
	ProtobufCMessage **ret)
{
	int64_t now = link_clock(), until = now + within_ms, again_at = now;
	bool asked = false;
	enum err e;

	for (; now < until; now = link_clock()) {
		int64_t sleep = until - now;

		if (now >= again_at && link_query(n->link, question) == OK) {
			asked = true;
			again_at = now + ASK_AGAIN_MS;
		}
		/* Until there is a connection, its welcome ends the turn. */
		if (now < again_at && again_at - now < sleep)
			sleep = again_at - now;
		TRY(node_turn(n, sleep > INT32_MAX ? INT32_MAX : (int)sleep));
		if (n->asking_refused != OK)
			return n->asking_refused;
		e = pick_answer(n, kind, ret);
		if (e != ERR_NOT_FOUND)
			return e;
	}
	return asked ? ERR_TIMEOUT : ERR_UNREACHABLE;
}

enum err node_ask(struct node *n, enum kind kind, const ProtobufCMessage *question,
	int64_t within_ms, ProtobufCMessage **ret)
{
	struct buf envelope = {0};
	uint8_t id[MSG_ID_LEN];
	enum err e;

	TRY(engine_ask(n->engine, kind, question, node_now(), id, &envelope));
	n->asking = id;
	n->asking_refused = OK;
	e = await(n, kind, slice_buf(&envelope), within_ms, ret);
	n->asking = NULL;
	letters_clear(&n->answers);
	buf_free(&envelope);
	return e;
}
