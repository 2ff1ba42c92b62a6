/* The unread bytes of each connection. */
#include "broker/flow.h"

#include <search.h>
#include <stdlib.h>

struct flow {
	uint64_t conn;
	size_t unread;
	/* The Ping that has no Pong yet; 0: none. What was unread when it left. */
	uint64_t nonce;
	size_t asked;
	struct reader_key *key;
	struct flow *next; /* of the same key */
};

struct reader_key {
	uint8_t id[KEY_ID_LEN];
	struct flow *first;
	size_t n;
};

struct flows {
	void *by_conn, *by_key; /* trees of search.h */
	size_t unread;          /* of all */
	struct entropy random;
};

static int by_conn(const void *a, const void *b)
{
	const struct flow *x = a, *y = b;

	return (x->conn > y->conn) - (x->conn < y->conn);
}

static int by_key(const void *a, const void *b)
{
	const struct reader_key *x = a, *y = b;

	return memcmp(x->id, y->id, KEY_ID_LEN);
}

enum err flows_open(const uint8_t *key, struct slice context, struct flows **ret)
{
	struct flows *f = calloc(1, sizeof *f);

	if (!f)
		return ERR_NOMEM;
	entropy_from(&f->random, key, context);
	*ret = f;
	return OK;
}

void flows_free(struct flows **fp)
{
	if (!*fp)
		return;
	tdestroy((*fp)->by_conn, free);
	tdestroy((*fp)->by_key, free);
	free(*fp);
	*fp = NULL;
}

static struct flow *find(const struct flows *f, uint64_t conn)
{
	struct flow probe = {.conn = conn};
	void *found = tfind(&probe, &f->by_conn, by_conn);

	return found ? *(struct flow **)found : NULL;
}

static struct reader_key *find_key(const struct flows *f, const struct conn *from)
{
	struct reader_key probe = {.n = 0};
	void *found;

	memcpy(probe.id, from->peer.key_id, KEY_ID_LEN);
	found = tfind(&probe, &f->by_key, by_key);
	return found ? *(struct reader_key **)found : NULL;
}

static enum err key_of(struct flows *f, const struct conn *from, struct reader_key **ret)
{
	struct reader_key *k = find_key(f, from);

	if (!k) {
		k = calloc(1, sizeof *k);
		if (!k)
			return ERR_NOMEM;
		memcpy(k->id, from->peer.key_id, KEY_ID_LEN);
		if (!tsearch(k, &f->by_key, by_key)) {
			free(k);
			return ERR_NOMEM;
		}
	}
	*ret = k;
	return OK;
}

enum err flow_join(struct flows *f, const struct conn *from)
{
	struct flow *flow = find(f, from->id);
	struct reader_key *key = NULL;

	if (flow)
		return flow->unread < FLOW_MOST ? OK : ERR_BUSY;
	TRY(key_of(f, from, &key));
	if (key->n >= FLOW_CONNECTIONS)
		return ERR_BUSY;
	flow = calloc(1, sizeof *flow);
	if (!flow)
		return ERR_NOMEM;
	*flow = (struct flow){.conn = from->id, .key = key, .next = key->first};
	if (!tsearch(flow, &f->by_conn, by_conn)) {
		free(flow);
		return ERR_NOMEM;
	}
	key->first = flow;
	key->n++;
	return OK;
}

uint64_t flow_other(const struct flows *f, const struct conn *from, uint64_t after)
{
	const struct reader_key *key = find_key(f, from);
	const struct flow *flow = key ? key->first : NULL;

	for (; flow && after != 0; flow = flow->next)
		if (flow->conn == after)
			after = 0;
	while (flow && flow->conn == from->id)
		flow = flow->next;
	return flow ? flow->conn : 0;
}

size_t flow_count(const struct flows *f, const struct conn *from)
{
	const struct reader_key *key = find_key(f, from);

	return key ? key->n : 0;
}

void flow_gone(struct flows *f, uint64_t conn)
{
	struct flow *flow = find(f, conn), **link;

	if (!flow)
		return;
	for (link = &flow->key->first; *link != flow; link = &(*link)->next)
		;
	*link = flow->next;
	flow->key->n--;
	f->unread -= flow->unread;
	tdelete(flow, &f->by_conn, by_conn);
	free(flow);
}

bool flow_sent(struct flows *f, uint64_t conn, size_t len, uint64_t *ret_nonce)
{
	struct flow *flow = find(f, conn);

	if (!flow)
		return false;
	flow->unread += len;
	f->unread += len;
	if (flow->nonce != 0 || flow->unread < FLOW_ASK)
		return false;
	while (flow->nonce == 0)
		entropy_bytes(&f->random, &flow->nonce, sizeof flow->nonce);
	flow->asked = flow->unread;
	*ret_nonce = flow->nonce;
	return true;
}

bool flow_pong(struct flows *f, uint64_t conn, uint64_t nonce)
{
	struct flow *flow = find(f, conn);

	if (!flow || nonce == 0 || flow->nonce != nonce)
		return false;
	flow->unread -= flow->asked;
	f->unread -= flow->asked;
	flow->nonce = 0;
	return flow_room(f, conn);
}

size_t flow_unread(const struct flows *f, uint64_t conn)
{
	const struct flow *flow = find(f, conn);

	return flow ? flow->unread : 0;
}

bool flow_room(const struct flows *f, uint64_t conn)
{
	size_t unread = flow_unread(f, conn);

	return unread < FLOW_MOST && (f->unread < FLOW_ALL || unread < FLOW_ASK);
}
