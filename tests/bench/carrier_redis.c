/* Redis Streams: a mailbox is a stream, an acknowledgement is XADD's reply, a reader uses XREAD. */
#include "tests/bench/carrier.h"

#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/timing.h"

#define BATCH    "128" /* as Havre's credit */
#define BLOCK_MS "1000"
#define ID_SIZE  48

static enum err redis_connect(const char *port, redisContext **ret)
{
	redisContext *c = redisConnect("127.0.0.1", port ? atoi(port) : 0); // NOLINT(cert-err34-c)

	if (c && !c->err) {
		*ret = c;
		return OK;
	}
	fprintf(stderr, "redis: %s\n", c ? c->errstr : "memory");
	if (c)
		redisFree(c);
	return ERR_UNREACHABLE;
}

/* --- senders: one thread, a connection each --- */

struct senders {
	unsigned n;
	char *stream;
	redisContext **list;
	struct pollfd *fds;
};

static void senders_close(void **sp)
{
	struct senders *s = *sp;

	if (!s)
		return;
	for (unsigned i = 0; s->list && i < s->n; i++)
		if (s->list[i])
			redisFree(s->list[i]);
	free(s->list);
	free(s->fds);
	free(s->stream);
	free(s);
	*sp = NULL;
}

/* hiredis waits in a read of a connection that blocks: it must not, from the greeting on. */
static enum err connect_one(struct senders *s, unsigned i, const char *port)
{
	redisContext *c = NULL;

	TRY(redis_connect(port, &c));
	s->list[i] = c;
	s->fds[i] = (struct pollfd){.fd = c->fd, .events = POLLIN};
	if (fcntl(c->fd, F_SETFL, O_NONBLOCK) != 0)
		return ERR_IO;
	c->flags &= ~REDIS_BLOCK;
	return OK;
}

static enum err senders_open(const struct senders_options *o, void **ret)
{
	struct senders *s = calloc(1, sizeof(*s));
	void *opened = s;
	enum err e;

	if (!s)
		return ERR_NOMEM;
	s->n = o->n;
	s->stream = strdup(o->to);
	s->list = calloc(o->n, sizeof(redisContext *));
	s->fds = calloc(o->n, sizeof(*s->fds));
	e = s->stream && s->list && s->fds ? OK : ERR_NOMEM;
	for (unsigned i = 0; e == OK && i < o->n; i++)
		e = connect_one(s, i, o->port);
	if (e == OK)
		*ret = opened;
	else
		senders_close(&opened);
	return e;
}

static enum err post(void *senders, unsigned sender, struct slice envelope)
{
	struct senders *s = senders;
	const char *words[] = {"XADD", s->stream, "*", "e", (const char *)envelope.data};
	const size_t lengths[] = {4, strlen(s->stream), 1, 1, envelope.len};
	redisContext *c = s->list[sender];
	struct pollfd room = {.fd = c->fd, .events = POLLOUT};
	int done = 0;

	if (redisAppendCommandArgv(c, 5, words, lengths) != REDIS_OK)
		return ERR_NOMEM;
	while (!done) {
		if (redisBufferWrite(c, &done) != REDIS_OK)
			return ERR_IO;
		if (!done && poll(&room, 1, PATIENCE_MS) != 1)
			return ERR_TIMEOUT;
	}
	return OK;
}

static enum err take_ack(struct senders *s, unsigned i, ack_fn *fn, void *arg)
{
	redisReply *reply = NULL;
	int64_t at;
	bool added;

	if (redisBufferRead(s->list[i]) != REDIS_OK ||
		redisGetReplyFromReader(s->list[i], (void **)&reply) != REDIS_OK)
		return ERR_IO;
	if (!reply) /* a part of it */
		return OK;
	at = clock_ns();
	added = reply->type == REDIS_REPLY_STRING;
	if (!added)
		fprintf(stderr, "redis: %s\n", reply->str ? reply->str : "no id");
	freeReplyObject(reply);
	return added ? fn(arg, i, at) : ERR_INVALID;
}

static enum err acks(void *senders, ack_fn *fn, void *arg)
{
	struct senders *s = senders;
	int ready;

	do
		ready = poll(s->fds, s->n, PATIENCE_MS);
	while (ready < 0 && errno == EINTR);
	if (ready <= 0)
		return ready ? ERR_IO : ERR_TIMEOUT;
	for (unsigned i = 0; i < s->n; i++)
		if (s->fds[i].revents)
			TRY(take_ack(s, i, fn, arg));
	return OK;
}

static enum err prove(void *senders, uint64_t *ret_receipts)
{
	(void)senders;
	*ret_receipts = 0;
	return OK;
}

/* --- a reader --- */

struct reading {
	redisContext *c;
	struct reader_options o;
	char *stream;
	char position[ID_SIZE];
};

static void reader_close(void **rp)
{
	struct reading *r = *rp;

	if (!r)
		return;
	if (r->c)
		redisFree(r->c);
	free(r->stream);
	free(r);
	*rp = NULL;
}

static enum err reader_open(const struct reader_options *o, void **ret)
{
	struct reading *r = calloc(1, sizeof(*r));
	void *opened = r;
	enum err e;

	if (!r)
		return ERR_NOMEM;
	r->o = *o;
	snprintf(r->position, sizeof(r->position), "%s", o->after ? o->after : "0");
	r->stream = strdup(keyring_principal(o->person->keys));
	e = r->stream ? redis_connect(o->port, &r->c) : ERR_NOMEM;
	if (e == OK)
		*ret = opened;
	else
		reader_close(&opened);
	return e;
}

/* [id, [field, value]] */
static enum err hand_out(struct reading *r, const redisReply *entry)
{
	const redisReply *pair;

	if (entry->elements != 2 || entry->element[1]->elements != 2 ||
		entry->element[0]->len >= ID_SIZE)
		return ERR_INVALID;
	pair = entry->element[1];
	memcpy(r->position, entry->element[0]->str, entry->element[0]->len + 1);
	return r->o.fn(r->o.arg, slice_of(pair->element[1]->str, pair->element[1]->len));
}

/* [[stream, [entry, ..]]], or nothing when the time is over. */
static enum err read_some(void *reader)
{
	struct reading *r = reader;
	redisReply *reply = redisCommand(r->c,
		"XREAD COUNT " BATCH " BLOCK " BLOCK_MS " STREAMS %s %s", r->stream, r->position);
	const redisReply *entries;
	enum err e = OK;

	if (!reply)
		return ERR_UNREACHABLE;
	if (reply->type != REDIS_REPLY_NIL) {
		e = reply->type == REDIS_REPLY_ARRAY && reply->elements == 1 &&
				    reply->element[0]->elements == 2
			    ? OK
			    : ERR_INVALID;
		entries = e == OK ? reply->element[0]->element[1] : NULL;
		for (size_t i = 0; e == OK && i < entries->elements; i++)
			e = hand_out(r, entries->element[i]);
	}
	freeReplyObject(reply);
	return e;
}

static const char *position(void *reader)
{
	return ((struct reading *)reader)->position;
}

const struct carrier carrier_redis = {
	.name = "redis",
	.senders_open = senders_open,
	.post = post,
	.acks = acks,
	.prove = prove,
	.senders_close = senders_close,
	.reader_open = reader_open,
	.read = read_some,
	.position = position,
	.reader_close = reader_close,
};
