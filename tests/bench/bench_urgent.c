/*
 * bench_urgent - one partner and one officer: from the post of an urgent referral until its alert
 * is verified and opened at the officer. One referral at a time, so that each alert is the one of
 * the referral before it; and the next not before a tenth of a second is over, so that what else a
 * referral sets off does not slow the next one down.
 *
 *   --carrier NAME [--port PORT] --home FOLDER --pack FILE --as OFFICER [--after POSITION]
 *
 * Prints one JSON object; `after` is where the next run goes on.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/case.pb-c.h"
#include "tests/bench/carrier.h"
#include "tests/bench/pack.h"
#include "tests/bench/timing.h"

#define EVERY_NS INT64_C(100000000)

struct run {
	const struct carrier *carrier;
	void *sender, *reader;
	const struct person *officer;
	size_t acked, alerts;
	int64_t acked_at, alert_at;
};

static enum err on_ack(void *arg, unsigned partner, int64_t at)
{
	struct run *r = arg;

	(void)partner;
	r->acked++;
	r->acked_at = at;
	return OK;
}

static enum err on_message(void *arg, struct slice envelope)
{
	struct run *r = arg;
	struct message_read m;

	TRY(person_read(r->officer, envelope, &m));
	if (m.envelope.row->kind == KIND_RAISE_ALERT && !((const Alert *)m.body)->stand_down) {
		r->alerts++;
		r->alert_at = clock_ns();
	}
	message_read_free(&m);
	return OK;
}

/* What it took until the acknowledgement, and until the alert. */
static enum err one(struct run *r, struct slice envelope, int64_t *ret_ack, int64_t *ret_alert)
{
	size_t acked = r->acked + 1, alerts = r->alerts + 1;
	int64_t start = clock_ns(), patience = (int64_t)PATIENCE_MS * 1000000;

	TRY(r->carrier->post(r->sender, 0, envelope));
	while (r->acked < acked)
		TRY(r->carrier->acks(r->sender, on_ack, r));
	while (r->alerts < alerts) {
		TRY(r->carrier->read(r->reader));
		if (clock_ns() - start > patience)
			return ERR_TIMEOUT;
	}
	if (r->alerts > alerts) {
		fprintf(stderr, "more alerts than urgent referrals\n");
		return ERR_INVALID;
	}
	*ret_ack = r->acked_at - start;
	*ret_alert = r->alert_at - start;
	return OK;
}

/* By clock_ns; at once when it is past. */
static void wait_until(int64_t at)
{
	struct timespec ts = {at / 1000000000, at % 1000000000};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) != 0)
		continue;
}

static void measure(struct run *r, const struct pack *pack)
{
	int64_t *ack = calloc(pack->n, sizeof(*ack)), *alert = calloc(pack->n, sizeof(*alert));
	struct timing to_ack, to_alert;
	uint64_t receipts = 0;

	MUST(ack && alert ? OK : ERR_NOMEM);
	for (size_t i = 0; i < pack->n; i++) {
		int64_t start = clock_ns();

		MUST(one(r, pack->list[i], &ack[i], &alert[i]));
		wait_until(start + EVERY_NS);
	}
	MUST(r->carrier->prove(r->sender, &receipts));
	timing_of(ack, pack->n, &to_ack);
	timing_of(alert, pack->n, &to_alert);
	printf("{\"acked\": %zu, \"alerts\": %zu, \"receipts\": %" PRIu64
	       ", \"ack_p50_us\": %.1f, \"ack_p99_us\": %.1f, \"p50_us\": %.1f, \"p99_us\": %.1f, "
	       "\"most_us\": %.1f, \"after\": \"%s\"}\n",
		r->acked, r->alerts, receipts, to_ack.p50_us, to_ack.p99_us, to_alert.p50_us,
		to_alert.p99_us, to_alert.most_us, r->carrier->position(r->reader));
	free(ack);
	free(alert);
}

int main(int argc, char **argv)
{
	struct person *partner, officer;
	struct senders_options so;
	struct reader_options ro;
	struct run r = {.officer = &officer};
	struct options o;
	struct pack pack;

	options_read(argc, argv, &o);
	r.carrier = carrier_find(o.carrier);
	MUST(people_open(o.home, 1, &partner));
	MUST(person_open(o.home, o.as, &officer));
	MUST(pack_read(o.pack, &pack));
	so = (struct senders_options){partner, 1, "intake", LANE_URGENT, o.port};
	ro = (struct reader_options){&officer, LANE_URGENT, o.port, o.after, on_message, &r};
	MUST(r.carrier->reader_open(&ro, &r.reader));
	MUST(r.carrier->senders_open(&so, &r.sender));
	measure(&r, &pack);
	r.carrier->senders_close(&r.sender);
	r.carrier->reader_close(&r.reader);
	pack_free(&pack);
	person_close(&officer);
	people_close(&partner, 1);
	return 0;
}
