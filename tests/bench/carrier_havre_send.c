/* Partners: a CURVE connection each, in one thread; every receipt is kept, and proved afterwards.
 */
#include "tests/bench/carrier_havre.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

#include "proto/checkpoint.h"
#include "services/common/node/link_socket.h"
#include "tests/bench/timing.h"

#define PROTOCOL 1

struct sender {
	struct link_socket socket;
	bool greeted, welcomed;
	struct slice posted; /* waits for its receipt; NULL: nothing does */
};

struct proof {
	Frame *frame; /* with the receipt */
	struct slice envelope;
};

struct senders {
	const struct person *people;
	unsigned n;
	void *context;
	struct sender *list;
	zmq_pollitem_t *items;
	struct proof *proofs;
	size_t n_proofs, room;
};

enum err broker_key(const struct person *p, const Key **ret)
{
	const Principal *broker = registry_find(p->registry, p->config.broker_name);
	enum err e = ERR_UNKNOWN_RECIPIENT;

	for (size_t i = 0; broker && e != OK && i < broker->n_keys; i++)
		e = registry_key(
			p->registry, broker->name, broker->keys[i]->id.data, now_ms(), ret);
	return e;
}

/* --- connecting --- */

static enum err connect_one(struct senders *s, unsigned i, enum lane lane)
{
	const struct person *p = &s->people[i];
	struct link_keys keys = {
		.public_key = keyring_transport_pk(p->keys),
		.secret = keyring_transport_secret(p->keys),
	};
	struct sender *one = &s->list[i];
	const Key *key;
	char name[32];

	TRY(broker_key(p, &key));
	memcpy(keys.broker, key->transport_key.data, CURVE_KEY_LEN);
	snprintf(name, sizeof(name), "sender-%u", i);
	TRY(link_socket_open(s->context, name,
		lane == LANE_URGENT ? p->config.urgent : p->config.routine, &keys, &one->socket));
	s->items[i].socket = one->socket.dealer;
	return OK;
}

static enum err greet(struct sender *one)
{
	Frame f = FRAME__INIT;
	Hello h = HELLO__INIT;

	h.protocol = PROTOCOL;
	f.what_case = FRAME__WHAT_HELLO;
	f.hello = &h;
	return link_socket_send(&one->socket, &f);
}

/* A connection that is not there yet takes nothing: then again when it can. */
static enum err welcome(struct sender *one, unsigned *waiting)
{
	Frame *f;
	enum err e;

	if (!one->greeted)
		one->greeted = greet(one) == OK;
	if (!one->greeted)
		return OK;
	e = link_socket_receive(&one->socket, &f);
	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	if (f->what_case == FRAME__WHAT_WELCOME && !one->welcomed) {
		one->welcomed = true;
		--*waiting;
	}
	frame__free_unpacked(f, NULL);
	return OK;
}

static enum err wait_any(struct senders *s)
{
	int ready;

	for (unsigned i = 0; i < s->n; i++)
		s->items[i].events = s->list[i].greeted ? ZMQ_POLLIN : ZMQ_POLLOUT;
	do
		ready = zmq_poll(s->items, (int)s->n, PATIENCE_MS);
	while (ready < 0 && errno == EINTR);
	if (ready < 0)
		return ERR_IO;
	return ready ? OK : ERR_TIMEOUT;
}

static enum err welcome_all(struct senders *s)
{
	unsigned waiting = s->n;

	while (waiting) {
		TRY(wait_any(s));
		for (unsigned i = 0; i < s->n; i++)
			if (s->items[i].revents)
				TRY(welcome(&s->list[i], &waiting));
	}
	return OK;
}

static enum err connect_all(struct senders *s, enum lane lane)
{
	s->context = zmq_ctx_new();
	s->list = calloc(s->n, sizeof(*s->list));
	s->items = calloc(s->n, sizeof(*s->items));
	if (!s->context || !s->list || !s->items)
		return ERR_NOMEM;
	for (unsigned i = 0; i < s->n; i++)
		TRY(connect_one(s, i, lane));
	return welcome_all(s);
}

enum err havre_senders_open(const struct senders_options *o, void **ret)
{
	struct senders *s = calloc(1, sizeof(*s));
	void *opened = s;
	enum err e;

	if (!s)
		return ERR_NOMEM;
	s->people = o->people;
	s->n = o->n;
	e = connect_all(s, o->lane);
	if (e == OK)
		*ret = opened;
	else
		havre_senders_close(&opened);
	return e;
}

void havre_senders_close(void **sp)
{
	struct senders *s = *sp;

	if (!s)
		return;
	for (unsigned i = 0; s->list && i < s->n; i++)
		link_socket_close(&s->list[i].socket, 0);
	if (s->context)
		(void)zmq_ctx_term(s->context);
	for (size_t i = 0; i < s->n_proofs; i++)
		frame__free_unpacked(s->proofs[i].frame, NULL);
	free(s->proofs);
	free(s->items);
	free(s->list);
	free(s);
	*sp = NULL;
}

/* --- posting --- */

enum err havre_post(void *senders, unsigned sender, struct slice envelope)
{
	struct sender *one = &((struct senders *)senders)->list[sender];
	Frame f = FRAME__INIT;
	Post p = POST__INIT;

	p.envelope = (ProtobufCBinaryData){envelope.len, (uint8_t *)envelope.data};
	f.what_case = FRAME__WHAT_POST;
	f.post = &p;
	one->posted = envelope;
	return link_socket_send(&one->socket, &f);
}

/* Takes the frame. */
static enum err keep(struct senders *s, Frame *f, struct slice envelope)
{
	if (s->n_proofs == s->room) {
		size_t room = s->room ? 2 * s->room : 1024;
		struct proof *more = realloc(s->proofs, room * sizeof(*more));

		if (!more) {
			frame__free_unpacked(f, NULL);
			return ERR_NOMEM;
		}
		s->proofs = more;
		s->room = room;
	}
	s->proofs[s->n_proofs++] = (struct proof){f, envelope};
	return OK;
}

/* The broker asks whether what it sent was read. */
static enum err say_read(struct sender *one, Frame *asked)
{
	Frame f = FRAME__INIT;
	Pong pong = PONG__INIT;

	pong.nonce = asked->ping->nonce;
	f.what_case = FRAME__WHAT_PONG;
	f.pong = &pong;
	frame__free_unpacked(asked, NULL);
	return link_socket_send(&one->socket, &f);
}

/* One message is in flight: a refusal or a BUSY ends the run. Takes the frame. */
static enum err other_frame(struct sender *one, Frame *f)
{
	Frame__WhatCase what = f->what_case;

	if (what == FRAME__WHAT_PING)
		return say_read(one, f);
	frame__free_unpacked(f, NULL);
	if (what == FRAME__WHAT_WELCOME || what == FRAME__WHAT_PONG)
		return OK;
	fprintf(stderr, "frame %d came instead of a receipt\n", (int)what);
	return ERR_INVALID;
}

static enum err take_ack(struct senders *s, unsigned i, ack_fn *fn, void *arg)
{
	struct sender *one = &s->list[i];
	int64_t at;
	Frame *f;

	TRY(link_socket_receive(&one->socket, &f));
	at = clock_ns();
	if (f->what_case != FRAME__WHAT_RECEIPT || !one->posted.data)
		return other_frame(one, f);
	TRY(keep(s, f, one->posted));
	one->posted = (struct slice){0};
	return fn(arg, i, at);
}

enum err havre_acks(void *senders, ack_fn *fn, void *arg)
{
	struct senders *s = senders;

	TRY(wait_any(s));
	for (unsigned i = 0; i < s->n; i++) {
		enum err e = s->items[i].revents ? take_ack(s, i, fn, arg) : OK;

		if (e != OK && e != ERR_NOT_FOUND)
			return e;
	}
	return OK;
}

enum err havre_prove(void *senders, uint64_t *ret_receipts)
{
	struct senders *s = senders;
	const char *broker = s->people[0].config.broker_name;
	const Key *key;

	TRY(broker_key(&s->people[0], &key));
	for (size_t i = 0; i < s->n_proofs; i++)
		TRY(receipt_verify(s->proofs[i].frame->receipt, s->proofs[i].envelope, broker,
			key->sign_key.data));
	*ret_receipts = s->n_proofs;
	return OK;
}
