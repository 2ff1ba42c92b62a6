/* A reader: the kit's own link, as services and commands use it. */
#include "tests/bench/carrier_havre.h"

#include <stdio.h>
#include <stdlib.h>

#include "services/common/node/link.h"

#define TURN_MS 1000

const struct carrier carrier_havre = {
	.name = "havre",
	.senders_open = havre_senders_open,
	.post = havre_post,
	.acks = havre_acks,
	.prove = havre_prove,
	.senders_close = havre_senders_close,
	.reader_open = havre_reader_open,
	.read = havre_read,
	.position = havre_position,
	.reader_close = havre_reader_close,
};

struct reading {
	struct link *link;
	struct reader_options o;
	uint64_t seq, told; /* handed out; told to the broker */
	char position[24];
};

static enum err on_welcome(void *arg, enum lane lane, const Welcome *w)
{
	(void)arg, (void)lane, (void)w;
	return OK;
}

static enum err on_delivery(void *arg, enum lane lane, const Delivery *d)
{
	struct reading *r = arg;

	if (lane != r->o.lane || d->seq <= r->seq)
		return OK;
	r->seq = d->seq;
	return r->o.fn(r->o.arg, slice_of(d->envelope.data, d->envelope.len));
}

/* A reader posts nothing and asks nothing. */
static enum err on_receipt(void *arg, const Receipt *receipt)
{
	(void)arg, (void)receipt;
	return ERR_INVALID;
}

static enum err on_refusal(void *arg, const Refusal *refusal)
{
	(void)arg, (void)refusal;
	return ERR_INVALID;
}

static enum err on_busy(void *arg, const uint8_t id[16], uint32_t retry_ms)
{
	(void)arg, (void)id, (void)retry_ms;
	return ERR_INVALID;
}

static enum err on_question(void *arg, struct slice envelope)
{
	(void)arg, (void)envelope;
	return OK;
}

static enum err on_lost(void *arg, enum lane lane)
{
	(void)arg, (void)lane;
	fprintf(stderr, "the connection to the broker was lost\n");
	return ERR_UNREACHABLE;
}

static enum err on_safe(void *arg, enum lane lane, uint64_t safe)
{
	(void)arg, (void)lane, (void)safe;
	return OK;
}

/* It keeps no store. */
static enum err hello(void *arg, enum lane lane, Hello *ret)
{
	const struct reading *r = arg;

	ret->read_up_to = lane == r->o.lane ? r->seq : 0;
	return OK;
}

static const struct link_ops ops = {
	.on_welcome = on_welcome,
	.on_delivery = on_delivery,
	.on_receipt = on_receipt,
	.on_refusal = on_refusal,
	.on_busy = on_busy,
	.on_query = on_question,
	.on_answer = on_question,
	.on_lost = on_lost,
	.on_safe = on_safe,
	.hello = hello,
};

enum err havre_reader_open(const struct reader_options *o, void **ret)
{
	struct reading *r = calloc(1, sizeof(*r));
	enum err e = OK;
	void *opened = r;

	if (!r)
		return ERR_NOMEM;
	r->o = *o;
	r->seq = o->after ? strtoull(o->after, NULL, 10) : 0;
	r->told = r->seq;
	e = link_open(&o->person->config, o->person->keys, o->person->registry, &ops, r, &r->link);
	for (int64_t until = link_clock() + PATIENCE_MS; e == OK && !link_ready(r->link, o->lane);)
		e = link_clock() > until ? ERR_TIMEOUT : link_run(r->link, TURN_MS, -1);
	if (e == OK)
		*ret = opened;
	else
		havre_reader_close(&opened);
	return e;
}

/* The cursor follows each batch, as a service's commit would. */
enum err havre_read(void *reader)
{
	struct reading *r = reader;
	Cursor c = CURSOR__INIT;
	enum err e;

	TRY(link_run(r->link, TURN_MS, -1));
	if (r->told == r->seq)
		return OK;
	c.seq = r->seq;
	e = link_cursor(r->link, r->o.lane, &c);
	if (e == OK)
		r->told = r->seq;
	return e == ERR_BUSY ? OK : e;
}

const char *havre_position(void *reader)
{
	struct reading *r = reader;

	snprintf(r->position, sizeof(r->position), "%llu", (unsigned long long)r->seq);
	return r->position;
}

void havre_reader_close(void **rp)
{
	struct reading *r = *rp;

	if (!r)
		return;
	link_free(&r->link);
	free(r);
	*rp = NULL;
}
