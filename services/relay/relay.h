/*
 * relay.h - an alert receiver that carries alerts to the outside world, by e-mail or webhook: a
 * process of its own, that can open nothing about a case but the alert it was sent. At least once,
 * with a stable delivery id, so that the receiver can drop a second one.
 */
#ifndef HAVRE_RELAY_H
#define HAVRE_RELAY_H

#include "proto/case.pb-c.h"
#include "services/common/service.h"

extern const struct service relay_service;

/* The tables of the service's store. */
enum { RELAY_PENDING };

/* The words of an alert: case number, codes, rung, deadline; English first, then French. */
MUST_USE enum err alert_text(const Alert *a, struct buf *out);
/* "Havre: urgent ... / urgence ..." on one line. */
MUST_USE enum err alert_subject(const Alert *a, struct buf *out);
/* The webhook's body: one JSON object {"type", "timestamp", "data": {...}}. */
MUST_USE enum err alert_json(const Alert *a, int64_t now, struct buf *out);
/* Standard Webhooks: "v1,BASE64(HMAC-SHA256(secret, id.timestamp.body))". */
MUST_USE enum err webhook_signature(const uint8_t *secret, size_t secret_len, const char *id,
	int64_t timestamp_s, struct slice body, struct buf *out);

/* Deliver one alert now. ERR_UNREACHABLE: try again later. */
MUST_USE enum err deliver_smtp(const struct config *c, const Alert *a, int64_t now);
MUST_USE enum err deliver_webhook(const struct config *c, const Alert *a, int64_t now);

#endif
