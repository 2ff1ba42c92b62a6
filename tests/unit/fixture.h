/*
 * fixture.h - for tests: a registry with one of everybody, and everybody's keys.
 *
 * The organizations, people and services are invented:
 *   partner-a, partner-b, partner-c   REFERRER     officer-1, officer-2   OFFICER
 *   supervisor-1  SUPERVISOR                       director-1             DIRECTOR
 *   intake, screening, urgent, notify, broker      the services
 *   relay-smtp, relay-webhook                      ALERT_RECEIVER
 *
 * What fails here ends the test program.
 */
#ifndef HAVRE_TESTS_FIXTURE_H
#define HAVRE_TESTS_FIXTURE_H

#include "proto/envelope.h"
#include "proto/frame.pb-c.h"
#include "services/common/keys/keyring.h"
#include "services/common/trust/registry.h"

/* 2026-03-01T12:00:00Z. Everybody is valid from 30 days before this and for a year after it. */
#define FIXTURE_NOW INT64_C(1772366400000)

struct fixture;

struct fixture *fixture_make(void);
void fixture_free(struct fixture **fp);

const struct registry *fixture_registry(const struct fixture *f);
const struct keyring *fixture_keys(const struct fixture *f, const char *name);

/* To test another registry: change the message (memory from malloc), then fixture_rebuild. The
 * registry of before lives as long as the fixture. */
Registry *fixture_message(struct fixture *f);
Principal *fixture_principal(struct fixture *f, const char *name);
void fixture_rebuild(struct fixture *f);

/* An envelope from one to another, made at FIXTURE_NOW; no catalogue row has to permit it. Free
 * the bytes with buf_free. */
struct buf fixture_envelope(struct fixture *f, enum kind kind, const char *from, const char *to,
	const ProtobufCMessage *body);
/* The same, of which everything can be told: id, sender, recipient, key_id, sign_seed and readers
 * are filled in where they are NULL. */
struct buf fixture_envelope_of(struct fixture *f, const char *from, const char *to,
	const struct envelope_spec *spec, const ProtobufCMessage *body);

/* Verifies the envelope and opens it as `reader`; ends the program when it is not right. *ret
 * (may be NULL) has copies of what its header says. protobuf_c_message_free_unpacked. */
struct fixture_header {
	enum kind kind;
	uint8_t id[MSG_ID_LEN], cause[MSG_ID_LEN];
	bool has_cause;
	char sender[49], recipient[49];
	int64_t created_at;
};
ProtobufCMessage *fixture_open(const struct fixture *f, const char *reader, struct slice envelope,
	struct fixture_header *ret);

/* The broker's receipt for the only envelope of a log, or the second one of two.
 * receipt__free_unpacked. */
Receipt *fixture_receipt(const struct fixture *f, struct slice envelope, int64_t received_at);
Receipt *fixture_receipt_second(
	const struct fixture *f, struct slice envelope, int64_t received_at);
/* The broker's signed refusal; the second one has the id of `named` and the hash of `envelope`.
 * refusal__free_unpacked. */
Refusal *fixture_refusal(const struct fixture *f, struct slice envelope, enum err code, int64_t at);
Refusal *fixture_refusal_for(
	const struct fixture *f, struct slice named, struct slice envelope, enum err code);

#endif
