/*
 * bench_hop - a stand-in for a service, over a carrier that has none: reads its mailbox, verifies
 * and opens each urgent message, and sends on what the real service would, sealed and signed:
 *
 *   SUBMIT_URGENT  at intake  ->  SEND_THREAT to urgent  ->  RAISE_ALERT to the officer
 *
 *   --carrier NAME [--port PORT] --home FOLDER --as PRINCIPAL --to PRINCIPAL
 *
 * It keeps nothing: no store, no check for duplicates, no timers. Prints "ready" when it is
 * connected; runs until it is ended.
 */
#include <sodium.h>
#include <stdio.h>

#include "proto/case.pb-c.h"
#include "services/common/referral/case_number.h"
#include "tests/bench/carrier.h"

struct hop {
	const struct carrier *carrier;
	const struct person *person;
	const char *to;
	void *sender, *reader;
	size_t acked;
};

static enum err on_ack(void *arg, unsigned sender, int64_t at)
{
	(void)sender, (void)at;
	((struct hop *)arg)->acked++;
	return OK;
}

/* Until it is safe. */
static enum err send_on(
	struct hop *h, const struct message_read *cause, enum kind kind, const ProtobufCMessage *m)
{
	size_t acked = h->acked + 1;
	struct buf envelope = {0};
	enum err e =
		person_write(h->person, h->to, kind, cause->envelope.header->id.data, m, &envelope);

	if (e == OK)
		e = h->carrier->post(h->sender, 0, slice_buf(&envelope));
	while (e == OK && h->acked < acked)
		e = h->carrier->acks(h->sender, on_ack, h);
	buf_free(&envelope);
	return e;
}

static enum err as_intake(struct hop *h, const struct message_read *in)
{
	const Referral *r = (const Referral *)in->body;
	char number[CASE_NUMBER_SIZE];
	Threat t = THREAT__INIT;
	uint8_t random[8];

	randombytes_buf(random, sizeof(random));
	case_number_make(random, number);
	t.case_number = number;
	t.partner = in->envelope.header->sender;
	t.submission = in->envelope.header->id;
	t.received_at = in->envelope.header->created_at;
	t.protection = r->protection;
	t.priority = r->priority;
	t.location_country = r->location_country;
	return send_on(h, in, KIND_SEND_THREAT, &t.base);
}

static enum err as_urgent(struct hop *h, const struct message_read *in)
{
	const Threat *t = (const Threat *)in->body;
	uint8_t delivery[16];
	Alert a = ALERT__INIT;

	randombytes_buf(delivery, sizeof(delivery));
	a.case_number = t->case_number;
	a.delivery = (ProtobufCBinaryData){sizeof(delivery), delivery};
	a.rung = 1;
	a.raised_at = t->received_at;
	a.due_at = t->received_at;
	a.threats = t->protection->threats;
	a.n_threats = t->protection->n_threats;
	a.detained = t->protection->detained;
	a.removal_on = t->protection->removal_on;
	return send_on(h, in, KIND_RAISE_ALERT, &a.base);
}

static enum err on_message(void *arg, struct slice envelope)
{
	struct hop *h = arg;
	struct message_read m;
	enum err e;

	TRY(person_read(h->person, envelope, &m));
	if (m.envelope.row->kind == KIND_SUBMIT_URGENT)
		e = as_intake(h, &m);
	else if (m.envelope.row->kind == KIND_SEND_THREAT)
		e = as_urgent(h, &m);
	else
		e = ERR_UNKNOWN_KIND;
	message_read_free(&m);
	return e;
}

int main(int argc, char **argv)
{
	struct person person;
	struct options o;
	struct hop h;

	options_read(argc, argv, &o);
	MUST(o.as && o.to ? OK : ERR_USAGE);
	MUST(person_open(o.home, o.as, &person));
	h = (struct hop){carrier_find(o.carrier), &person, o.to, NULL, NULL, 0};
	MUST(h.carrier->senders_open(
		&(struct senders_options){&person, 1, o.to, LANE_URGENT, o.port}, &h.sender));
	MUST(h.carrier->reader_open(
		&(struct reader_options){&person, LANE_URGENT, o.port, NULL, on_message, &h},
		&h.reader));
	printf("ready\n");
	fflush(stdout);
	for (;;)
		MUST(h.carrier->read(h.reader));
}
