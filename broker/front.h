/*
 * front.h - the broker's two listening sockets, one for each lane, and the loop that joins them to
 * the verifiers and to the core. Only this, socket.c and zap.c know ZeroMQ.
 */
#ifndef HAVRE_BROKER_FRONT_H
#define HAVRE_BROKER_FRONT_H

#include "broker/core.h"
#include "broker/pool.h"
#include "broker/who.h"

struct front;

/* All borrowed; they must outlive the front. */
struct front_options {
	const char *endpoint[LANES];
	const uint8_t *transport_secret; /* CURVE, 32 bytes */
	unsigned batch;                  /* most messages of one commit */
	struct who *who;
	struct pool *pool;
	struct core *core;
	/* Loads the registry again; ERR_... and no change when that fails. Called for SIGHUP. */
	enum err (*load_registry)(void *arg, struct registry **ret);
	const char *home; /* where HOME/safe is looked for; NULL: nowhere */
	/* Called every report_ms milliseconds; NULL: never. */
	void (*report)(void *arg);
	long report_ms;
	void *arg;
};

/* Starts the ZAP handler, then listens. ERR_INVALID: an endpoint cannot be bound (logged). */
MUST_USE enum err front_open(const struct front_options *o, struct front **ret);
void front_free(struct front **fp);

/* Until SIGTERM or SIGINT, which must be blocked in all threads, with SIGHUP: OK. Anything else:
 * end the process (70). */
MUST_USE enum err front_run(struct front *f);

#endif
