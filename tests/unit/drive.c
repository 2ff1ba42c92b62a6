#include "tests/unit/drive.h"

#include <stdio.h>
#include <stdlib.h>

#include "services/common/base/civil.h"

#define SENT_MOST 4096

struct sent {
	struct fixture_header header;
	ProtobufCMessage *body;
	bool taken;
};

struct drive {
	struct fixture *f;
	const char *principal;
	struct config config;
	struct store_layout layout;
	struct store *store;
	struct engine *engine;
	uint64_t seq[LANES], index, places[LANES];
	uint8_t last_id[MSG_ID_LEN];
	struct sent sent[SENT_MOST];
	size_t n_sent;
};

static void must(enum err e, const char *what)
{
	if (e == OK)
		return;
	fprintf(stderr, "drive: %s: %s\n", what, err_name(e));
	abort();
}

struct drive *drive_make(struct fixture *f, const struct service *svc, const char *principal)
{
	struct drive *d = calloc(1, sizeof(*d));
	const void *context;

	if (!d)
		abort();
	d->f = f;
	d->principal = principal;
	must(civil_setup("America/Toronto"), "civil");
	must(config_load("/nonexistent", svc->program, stderr, LANG_EN, &d->config), "config");
	must(engine_layout(svc, &d->layout), "layout");
	must(store_open_memory(&d->layout, &d->store), "store");
	context = svc->context ? svc->context(&d->config) : &d->config;
	must(engine_open(svc, context, d->store, fixture_keys(f, principal), fixture_registry(f),
		     &d->engine),
		"engine");
	return d;
}

void drive_forget(struct drive *d)
{
	for (size_t i = 0; i < d->n_sent; i++)
		protobuf_c_message_free_unpacked(d->sent[i].body, NULL);
	d->n_sent = 0;
}

void drive_free(struct drive **dp)
{
	struct drive *d = *dp;

	if (!d)
		return;
	drive_forget(d);
	engine_free(&d->engine);
	store_free(&d->store);
	free((void *)d->layout.tables);
	config_free(&d->config);
	free(d);
	*dp = NULL;
}

struct config *drive_config(struct drive *d)
{
	return &d->config;
}

struct engine *drive_engine(struct drive *d)
{
	return d->engine;
}

struct store *drive_store(struct drive *d)
{
	return d->store;
}

/* Opens what is new in the outbox, each as its recipient. */
static void gather(struct drive *d)
{
	for (int lane = 0; lane < LANES; lane++) {
		uint8_t id[MSG_ID_LEN];
		struct buf envelope = {0};

		while (engine_outbox_next(d->engine, (enum lane)lane, d->places[lane],
			       &d->places[lane], id, &envelope) == OK) {
			struct envelope parsed;
			struct sent *s = &d->sent[d->n_sent++];

			if (d->n_sent > SENT_MOST)
				abort();
			must(envelope_parse(slice_buf(&envelope), &parsed), "parse");
			s->body = fixture_open(
				d->f, parsed.header->recipient, slice_buf(&envelope), &s->header);
			s->taken = false;
			envelope_free(&parsed);
			buf_free(&envelope);
			envelope = (struct buf){0};
		}
	}
}

void drive_send(
	struct drive *d, enum kind kind, const char *from, const ProtobufCMessage *body, int64_t at)
{
	struct buf b = fixture_envelope(d->f, kind, from, d->principal, body);
	enum lane lane = catalogue_find(kind)->lane;
	struct delivery in = {lane, ++d->seq[lane], ++d->index, at, slice_buf(&b)};
	struct envelope parsed;

	must(envelope_parse(slice_buf(&b), &parsed), "parse");
	memcpy(d->last_id, parsed.header->id.data, MSG_ID_LEN);
	envelope_free(&parsed);
	must(engine_begin(d->engine), "begin");
	must(engine_take(d->engine, &in), "take");
	must(engine_commit(d->engine), "commit");
	buf_free(&b);
	gather(d);
}

const uint8_t *drive_last_id(const struct drive *d)
{
	return d->last_id;
}

size_t drive_quarantined(struct drive *d, enum err *ret_code)
{
	size_t total = 0;

	for (int lane = 0; lane < LANES; lane++) {
		Quarantined **list = NULL;
		size_t n = 0;

		must(engine_quarantined(d->engine, (enum lane)lane, &list, &n), "quarantined");
		if (n)
			*ret_code = (enum err)list[n - 1]->code;
		total += n;
		free(list);
	}
	return total;
}

void drive_timers(struct drive *d, int64_t now)
{
	must(engine_begin(d->engine), "begin");
	must(engine_timers(d->engine, now), "timers");
	must(engine_commit(d->engine), "commit");
	gather(d);
}

static bool matches(const struct sent *s, enum kind kind, const char *to)
{
	return !s->taken && s->header.kind == kind && (!to || !strcmp(s->header.recipient, to));
}

const ProtobufCMessage *drive_sent(struct drive *d, enum kind kind, const char *to)
{
	for (size_t i = 0; i < d->n_sent; i++)
		if (matches(&d->sent[i], kind, to)) {
			d->sent[i].taken = true;
			return d->sent[i].body;
		}
	return NULL;
}

size_t drive_count(struct drive *d, enum kind kind, const char *to)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n_sent; i++)
		n += matches(&d->sent[i], kind, to);
	return n;
}

const ProtobufCMessage *drive_ask(
	struct drive *d, enum kind ask, const char *from, const ProtobufCMessage *question)
{
	struct buf b = fixture_envelope(d->f, ask, from, d->principal, question);
	struct buf answer = {0};
	struct sent *s = &d->sent[d->n_sent++];

	if (d->n_sent > SENT_MOST)
		abort();
	must(engine_answer(d->engine, slice_buf(&b), FIXTURE_NOW, &answer), "answer");
	s->body = fixture_open(d->f, from, slice_buf(&answer), &s->header);
	s->taken = true;
	buf_free(&answer);
	buf_free(&b);
	return s->body;
}
