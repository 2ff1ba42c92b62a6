/*
 * carrier.h - what carries envelopes: Havre's broker, or a peer that it is measured beside. The
 * same programs drive each of them through this table; a new peer is a new row in carriers.c.
 */
#ifndef HAVRE_BENCH_CARRIER_H
#define HAVRE_BENCH_CARRIER_H

#include "tests/bench/options.h"
#include "tests/bench/people.h"

/* Nothing happened for so long: the run has failed. */
#define PATIENCE_MS 30000

struct senders_options {
	const struct person *people; /* of each sender; borrowed */
	unsigned n;                  /* each has a connection of its own */
	const char *to;              /* whose mailbox */
	enum lane lane;
	const char *port;
};

/* The bytes are valid during the call. */
typedef enum err message_fn(void *arg, struct slice envelope);

struct reader_options {
	const struct person *person; /* borrowed */
	enum lane lane;
	const char *port;
	const char *after; /* a position; NULL: from the start */
	message_fn *fn;    /* gets each message */
	void *arg;
};

/* Of the sender with this number; at: clock_ns when it was there. */
typedef enum err ack_fn(void *arg, unsigned sender, int64_t at);

struct carrier {
	const char *name;

	/* All connected and greeted when it returns. */
	enum err (*senders_open)(const struct senders_options *o, void **ret);
	/* One message in flight for each sender; the bytes must live until senders_close. */
	enum err (*post)(void *senders, unsigned sender, struct slice envelope);
	/* Waits for acknowledgements and hands out those that are there; fn may post. ERR_TIMEOUT.
	 */
	enum err (*acks)(void *senders, ack_fn *fn, void *arg);
	/* Checks every signed receipt that came. ret: how many there were; 0: it gives none. */
	enum err (*prove)(void *senders, uint64_t *ret_receipts);
	void (*senders_close)(void **senders);

	/* Connected and greeted when it returns; messages may have come already. */
	enum err (*reader_open)(const struct reader_options *o, void **ret);
	/* Waits for messages and hands out those that are there, at most a second. */
	enum err (*read)(void *reader);
	/* Of the last message that was handed out, for `after`; valid until the next call. */
	const char *(*position)(void *reader);
	void (*reader_close)(void **reader);
};

extern const struct carrier carrier_havre, carrier_redis;

/* Ends the program when there is none of that name. */
const struct carrier *carrier_find(const char *name);

#endif
