/*
 * people.h - who takes part: principals of a cluster's registry with their homes, and what a reader
 * and a sender do with an envelope, whatever carried it.
 */
#ifndef HAVRE_BENCH_PEOPLE_H
#define HAVRE_BENCH_PEOPLE_H

#include "proto/envelope.h"
#include "services/common/base/config.h"
#include "services/common/keys/keyring.h"
#include "services/common/trust/registry.h"

/* Milliseconds since 1970. */
int64_t now_ms(void);

struct person {
	struct keyring *keys;
	struct config config;
	struct registry *registry;
};

/* home: of the cluster; the person's is the folder of that name in it. person_close(ret). */
MUST_USE enum err person_open(const char *home, const char *name, struct person *ret);
void person_close(struct person *p);
/* The partners bench-1 .. bench-n. people_close(ret, n). */
MUST_USE enum err people_open(const char *home, unsigned n, struct person **ret);
void people_close(struct person **people, unsigned n);

/* Seals and signs a message of `from` to `to`, and appends its envelope to *out. `cause`: the id of
 * the message that caused it, or NULL. */
MUST_USE enum err person_write(const struct person *from, const char *to, enum kind kind,
	const uint8_t *cause, const ProtobufCMessage *body, struct buf *out);

/* What every reader does first: strict decoding, the sender's key of the registry, the signature,
 * the seal, the body. Any error: not a message for this reader. message_read_free(ret). */
struct message_read {
	struct envelope envelope;
	ProtobufCMessage *body;
};
MUST_USE enum err person_read(
	const struct person *reader, struct slice envelope, struct message_read *ret);
void message_read_free(struct message_read *m);

#endif
