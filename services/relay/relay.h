/*
 * relay.h - an alert receiver that carries alerts, and the warnings of the broker and of intake, to
 * the outside world, by e-mail or webhook: a process of its own, that can open nothing about a case
 * but the alert it was sent. At least once, with a stable delivery id, so that the receiver can
 * drop a second one.
 */
#ifndef HAVRE_RELAY_H
#define HAVRE_RELAY_H

#include "proto/case.pb-c.h"
#include "proto/trust.pb-c.h"
#include "services/common/engine/service.h"

extern const struct service relay_service;

/* The tables of the service's store. */
enum {
	RELAY_PENDING, /* time, delivery id, case number -> Alert, encrypted */
	RELAY_WARNINGS /* time, delivery id -> Warning */
};

/* The words of an alert: case number, codes, rung, deadline; English first, then French. */
MUST_USE enum err alert_text(const Alert *a, struct buf *out);
/* "Havre: urgent ... / urgence ..." on one line. */
MUST_USE enum err alert_subject(const Alert *a, struct buf *out);
/* The webhook's body: one JSON object {"type", "timestamp", "data": {...}}. */
MUST_USE enum err alert_json(const Alert *a, int64_t now, struct buf *out);
/* The same of a warning. */
MUST_USE enum err warning_text(const Warning *w, struct buf *out);
MUST_USE enum err warning_subject(const Warning *w, struct buf *out);
MUST_USE enum err warning_json(const Warning *w, int64_t now, struct buf *out);
/* {"type": type, "timestamp": now, "data": m} */
MUST_USE enum err message_event(
	const char *type, const ProtobufCMessage *m, int64_t now, struct buf *out);
/* Standard Webhooks: "v1,BASE64(HMAC-SHA256(secret, id.timestamp.body))". */
MUST_USE enum err webhook_signature(const uint8_t *secret, size_t secret_len, const char *id,
	int64_t timestamp_s, struct slice body, struct buf *out);

/* What leaves: a message in the form of either channel. */
struct letter {
	char id[2 * 16 + 1]; /* the delivery, in hexadecimal */
	struct buf subject, text, json;
};
/* ERR_INVALID: the delivery id is not 16 bytes. letter_free(ret) in every case. */
MUST_USE enum err letter_of_alert(const Alert *a, int64_t now, struct letter *ret);
MUST_USE enum err letter_of_warning(const Warning *w, int64_t now, struct letter *ret);
void letter_free(struct letter *l);

/* Deliver one now. ERR_UNREACHABLE: try again later. */
MUST_USE enum err deliver_smtp(const struct config *c, const struct letter *l, int64_t now);
MUST_USE enum err deliver_webhook(const struct config *c, const struct letter *l, int64_t now);

#endif
