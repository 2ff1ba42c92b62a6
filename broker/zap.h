/*
 * zap.h - who may connect: the handler that ZeroMQ asks for each CURVE handshake (RFC 27), in a
 * thread of its own. A connection's User-Id is "principal/key id in hex", from the registry.
 *
 * CURVE fails open: where no handler answers, unknown keys come in. So the listeners are bound
 * after zap_open, the domain is enforced, and the process ends when the handler does.
 */
#ifndef HAVRE_BROKER_ZAP_H
#define HAVRE_BROKER_ZAP_H

#include "broker/verify.h"
#include "broker/who.h"

#define ZAP_DOMAIN "havre"

struct zap;

/* The handler answers when this returns. context: of ZeroMQ; `who` must outlive the handler. */
MUST_USE enum err zap_open(void *context, struct who *who, struct zap **ret);
/* The context must be shut down before: that is what ends the thread. */
void zap_free(struct zap **zp);
/* Becomes readable when the thread has ended. */
int zap_fd(const struct zap *z);

/* ERR_MALFORMED: no User-Id of zap.c. */
MUST_USE enum err zap_read_user_id(const char *user_id, struct peer *ret);

#endif
