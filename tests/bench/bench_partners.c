/*
 * bench_partners - so many partners, each with one message in flight: posts all of a pack, and
 * measures each from the post until its acknowledgement is there.
 *
 *   --carrier NAME [--port PORT] --home FOLDER --partners N --pack FILE [--to PRINCIPAL]
 *
 * Prints one JSON object. Receipts are proved after the clock has stopped: partners do that on
 * machines of their own.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/carrier.h"
#include "tests/bench/pack.h"
#include "tests/bench/timing.h"

struct run {
	const struct carrier *carrier;
	void *senders;
	const struct pack *pack;
	unsigned partners;
	size_t *next;       /* of each partner */
	int64_t *posted_at; /* of each partner's message in flight */
	int64_t *took;      /* of each message, in the order of acknowledgement */
	size_t acked;
	int64_t first_at, last_at;
};

/* The partner's next message, if it has one. */
static enum err post_next(struct run *r, unsigned partner)
{
	size_t m = r->next[partner];

	if (m >= r->pack->n)
		return OK;
	r->next[partner] += r->partners;
	r->posted_at[partner] = clock_ns();
	return r->carrier->post(r->senders, partner, r->pack->list[m]);
}

static enum err on_ack(void *arg, unsigned partner, int64_t at)
{
	struct run *r = arg;

	r->took[r->acked++] = at - r->posted_at[partner];
	r->last_at = at;
	return post_next(r, partner);
}

static enum err run_all(struct run *r)
{
	r->first_at = clock_ns();
	for (unsigned i = 0; i < r->partners; i++) {
		r->next[i] = i;
		TRY(post_next(r, i));
	}
	while (r->acked < r->pack->n)
		TRY(r->carrier->acks(r->senders, on_ack, r));
	return OK;
}

static void measure(const struct options *o, const struct person *people)
{
	struct run r = {.carrier = carrier_find(o->carrier), .partners = o->partners};
	struct senders_options so = {people, o->partners, o->to, LANE_ROUTINE, o->port};
	struct pack pack;
	struct timing t;
	uint64_t receipts = 0;

	MUST(pack_read(o->pack, &pack));
	r.pack = &pack;
	r.next = calloc(r.partners, sizeof(*r.next));
	r.posted_at = calloc(r.partners, sizeof(*r.posted_at));
	r.took = calloc(pack.n, sizeof(*r.took));
	MUST(r.next && r.posted_at && r.took ? OK : ERR_NOMEM);
	MUST(r.carrier->senders_open(&so, &r.senders));
	MUST(run_all(&r));
	MUST(r.carrier->prove(r.senders, &receipts));
	timing_of(r.took, r.acked, &t);
	printf("{\"acked\": %zu, \"receipts\": %" PRIu64 ", \"first_ns\": %" PRId64
	       ", \"last_ns\": %" PRId64 ", \"p50_us\": %.1f, \"p99_us\": %.1f, \"bytes\": %zu}\n",
		r.acked, receipts, r.first_at, r.last_at, t.p50_us, t.p99_us, pack.list[0].len);
	r.carrier->senders_close(&r.senders);
	pack_free(&pack);
	free(r.next);
	free(r.posted_at);
	free(r.took);
}

int main(int argc, char **argv)
{
	struct person *people;
	struct options o;

	options_read(argc, argv, &o);
	if (!o.to)
		o.to = "intake";
	MUST(people_open(o.home, o.partners, &people));
	measure(&o, people);
	people_close(&people, o.partners);
	return 0;
}
