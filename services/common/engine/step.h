/*
 * step.h - what a handler sees. A step is one message (or timer, or local command) and its whole
 * effect: the writes, the messages it sends, the timers it sets and the cursor go into one
 * transaction, so that the effect happens exactly once, whatever crashes. A handler is a function
 * of its store, the message, and the step's time and random bytes: run again, it gives the same
 * bytes. No handler knows a socket, a clock or a file.
 *
 * A handler that returns anything but OK has had no effect:
 *   ERR_WAIT                   after step_wait: parked until that key exists
 *   a refusal (100 and more)   quarantined with this code, counted, logged
 *   anything else              the process ends; the message is tried again after the restart
 */
#ifndef HAVRE_STEP_H
#define HAVRE_STEP_H

#include "proto/catalogue.h"
#include "proto/envelope.h"
#include "services/common/trust/registry.h"
#include "services/common/store/store.h"

struct step;

/* The broker's time of receipt of the message; for a timer, when it fired. Milliseconds. */
int64_t step_now(const struct step *s);
/* The sender's principal; the own principal in timers and local steps. */
const char *step_sender(const struct step *s);
/* The id of the message that this step handles; for timers and local steps a derived one. */
const uint8_t *step_cause(const struct step *s);
const char *step_self(const struct step *s);
const struct registry *step_registry(const struct step *s);
void step_random(struct step *s, void *out, size_t len);
/* The service's own context (struct service.context): configuration that handlers may read. */
const void *step_context(const struct step *s);

/* The service's own tables: table 0 is the first name of struct service.tables. Reading a key that
 * is empty or too long, as a message may name one, is ERR_NOT_FOUND. */
MUST_USE enum err step_get(struct step *s, int table, struct slice key, struct slice *ret);
MUST_USE enum err step_put(struct step *s, int table, struct slice key, struct slice value);
MUST_USE enum err step_delete(struct step *s, int table, struct slice key);
MUST_USE enum err step_next(struct step *s, int table, struct slice from, bool after,
	struct slice *ret_key, struct slice *ret_value);
MUST_USE enum err step_prev(struct step *s, int table, struct slice before, struct slice *ret_key,
	struct slice *ret_value);
MUST_USE enum err step_each(
	struct step *s, int table, struct slice prefix, txn_each_fn *each, void *arg);
MUST_USE enum err step_count(struct step *s, int table, uint64_t *ret);

/* Records: packed messages as values. *ret: protobuf_c_message_free_unpacked. */
MUST_USE enum err record_get(struct step *s, int table, struct slice key,
	const ProtobufCMessageDescriptor *type, ProtobufCMessage **ret);
MUST_USE enum err record_put(
	struct step *s, int table, struct slice key, const ProtobufCMessage *m);

/*
 * Records about a person: encrypted under the key of the case, which is made at the first put and
 * kept wrapped under the store key. Destroying the key (case_erase) makes them unreadable; the
 * lengths are padded.
 */
MUST_USE enum err case_get(struct step *s, int table, struct slice key, const char *case_number,
	const ProtobufCMessageDescriptor *type, ProtobufCMessage **ret);
MUST_USE enum err case_put(struct step *s, int table, struct slice key, const char *case_number,
	const ProtobufCMessage *m);
MUST_USE enum err case_erase(struct step *s, const char *case_number);

/* A keyed hash under the store key, for blind tokens: the same input gives the same 32 bytes here
 * and nowhere else. */
void step_blind(const struct step *s, const char *purpose, struct slice input, uint8_t ret[32]);

/* Seals and signs the body and puts it into the outbox; it leaves after the commit. The recipient
 * must be one that the catalogue permits: ERR_NOT_PERMITTED, ERR_UNKNOWN_RECIPIENT. ERR_SUSPENDED:
 * all its keys are suspended; the message that the step handles is held until that ends. */
MUST_USE enum err step_send(
	struct step *s, enum kind kind, const char *recipient, const ProtobufCMessage *body);
/* The same for an answer: who has no key any more to seal it to (retired, expired meanwhile) is
 * left out, with a log line, and what the step does stands. */
MUST_USE enum err step_send_known(
	struct step *s, enum kind kind, const char *recipient, const ProtobufCMessage *body);
/* The same to the only principal with the one role that the kind's row names as recipient. */
MUST_USE enum err step_send_service(struct step *s, enum kind kind, const ProtobufCMessage *body);
/* The id of the message that the last step_send made. */
const uint8_t *step_last_sent(const struct step *s);

/* One timer for each (name, key): setting it again moves it. Fires once, at or after `at`. */
MUST_USE enum err step_timer_set(struct step *s, const char *name, struct slice key, int64_t at);
MUST_USE enum err step_timer_cancel(struct step *s, const char *name, struct slice key);

/* `return step_wait(s, TABLE, key);` always returns ERR_WAIT (or a real error; ERR_EXISTS: the key
 * is there already, so nothing would end the wait; ERR_MALFORMED, a refusal: nothing can be kept
 * under such a key). For messages only. The message comes again in
 * the step that first puts this key, and is quarantined (WAITED_TOO_LONG) after a day. */
MUST_USE enum err step_wait(struct step *s, int table, struct slice key);

#endif
