/*
 * bench_reader - the service's side: reads its mailbox, verifies and opens every message.
 *
 *   --carrier NAME [--port PORT] --home FOLDER --as PRINCIPAL --count N
 *
 * Prints "ready" when it is connected, and one JSON object when N messages were read.
 */
#include <inttypes.h>
#include <stdio.h>

#include "tests/bench/carrier.h"
#include "tests/bench/timing.h"

struct run {
	const struct person *person;
	size_t read, verified;
	int64_t last_at;
};

static enum err on_message(void *arg, struct slice envelope)
{
	struct run *r = arg;
	struct message_read m;
	enum err e = person_read(r->person, envelope, &m);

	r->read++;
	r->last_at = clock_ns();
	if (e != OK) {
		fprintf(stderr, "message %zu is not right: %s\n", r->read, err_name(e));
		return OK;
	}
	r->verified++;
	message_read_free(&m);
	return OK;
}

static enum err read_all(const struct carrier *c, void *reader, struct run *r, size_t count)
{
	int64_t patience = (int64_t)PATIENCE_MS * 1000000;

	r->last_at = clock_ns();
	while (r->read < count) {
		TRY(c->read(reader));
		if (clock_ns() - r->last_at > patience)
			return ERR_TIMEOUT;
	}
	return OK;
}

int main(int argc, char **argv)
{
	const struct carrier *c;
	struct reader_options ro;
	struct person person;
	struct run r = {&person, 0, 0, 0};
	struct options o;
	void *reader;

	options_read(argc, argv, &o);
	c = carrier_find(o.carrier);
	MUST(person_open(o.home, o.as, &person));
	ro = (struct reader_options){&person, LANE_ROUTINE, o.port, o.after, on_message, &r};
	MUST(c->reader_open(&ro, &reader));
	printf("ready\n");
	fflush(stdout);
	MUST(read_all(c, reader, &r, o.count));
	printf("{\"read\": %zu, \"verified\": %zu, \"last_ns\": %" PRId64 "}\n", r.read, r.verified,
		r.last_at);
	c->reader_close(&reader);
	person_close(&person);
	return 0;
}
