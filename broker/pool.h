/*
 * pool.h - threads that verify. Jobs come back in the order in which they were given, lane by
 * lane; those of the urgent lane overtake the others, on the way in and on the way out.
 */
#ifndef HAVRE_BROKER_POOL_H
#define HAVRE_BROKER_POOL_H

#include "broker/verify.h"
#include "broker/who.h"
#include "proto/frame.pb-c.h"

/* Most bytes of the envelopes that a lane holds. */
#define POOL_BYTES_MOST (64u * 1024 * 1024)

struct job {
	struct conn from;
	enum via via;
	int64_t at;   /* when it was received */
	Frame *frame; /* owned; the envelope is inside */
	struct slice envelope;
	const Receipt *receipt; /* shown with it, inside the frame; NULL: none */
	const char *broker;     /* whose receipt it must be; borrowed */
	struct verdict verdict; /* set when it comes back */
	/* the pool's own */
	struct job *next;
	bool done;
};

void job_free(struct job **jp);

struct pool;

/* most: jobs of each lane. threads: 0 when pool_work does it all. `who` must outlive the pool. */
MUST_USE enum err pool_open(struct who *who, unsigned threads, size_t most, struct pool **ret);
/* Ends the threads; forgets the jobs. */
void pool_free(struct pool **pp);

/* Becomes readable when a job can be taken; pool_take makes it unreadable again. */
int pool_fd(const struct pool *p);
/* Judges the next waiting job in the calling thread: what the pool's threads do for ever. false:
 * there was none. */
bool pool_work(struct pool *p);
/* Takes *jp and clears it. ERR_BUSY: the lane is full, and the job stays the caller's. */
MUST_USE enum err pool_give(struct pool *p, struct job **jp);
/* The next that is judged; NULL: the next is not judged yet, or there is none. */
struct job *pool_take(struct pool *p);

#endif
