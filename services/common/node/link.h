/*
 * link.h - the two connections (lanes) of a program to the broker. Only link.c and link_socket.c
 * know ZeroMQ. CURVE both ways: the broker's transport key comes from the registry.
 *
 * The link greets again while it is not welcomed, asks for a sign of life after a heartbeat of
 * silence, and after three, or when it is cut, or when the broker sends what makes no sense, opens
 * a new connection, after a pause that grows from 100 ms to 5 s. One thread only.
 *
 * Nothing here is durable: what was not receipted is posted again from the outbox; what was not
 * committed is delivered again by the broker.
 */
#ifndef HAVRE_LINK_H
#define HAVRE_LINK_H

#include "proto/frame.pb-c.h"
#include "services/common/base/config.h"
#include "services/common/keys/keyring.h"
#include "services/common/trust/registry.h"

struct link;

/* Called from link_run only. A pointer is valid during the call. An error ends link_run with it. */
struct link_ops {
	/* ERR_FENCED, ERR_ROLLED_BACK, ERR_BAD_SIGNATURE: this broker is not to be talked to; the
	 * lane is not welcomed, and another connection is tried after a pause. */
	enum err (*on_welcome)(void *arg, enum lane lane, const Welcome *w);
	enum err (*on_delivery)(void *arg, enum lane lane, const Delivery *d);
	enum err (*on_receipt)(void *arg, const Receipt *r);
	enum err (*on_refusal)(void *arg, const Refusal *r);
	enum err (*on_busy)(void *arg, const uint8_t id[16], uint32_t retry_ms);
	enum err (*on_query)(void *arg, struct slice envelope);
	enum err (*on_answer)(void *arg, struct slice envelope);
	/* The lane went silent or was cut: whatever was posted and not receipted must be posted
	 * again after the next welcome. */
	enum err (*on_lost)(void *arg, enum lane lane);
	/* The broker's safe mark, in a Pong. */
	enum err (*on_safe)(void *arg, enum lane lane, uint64_t safe);
	/* Fills what Hello says of the program: all but the protocol and the credit. Once for each
	 * connection: said again, a Hello says the same, so that it does not matter which one a
	 * Welcome answers. */
	enum err (*hello)(void *arg, enum lane lane, Hello *ret);
	/* May it say hello now? false: it is asked again, and after a heartbeat not any more. NULL:
	 * always. */
	bool (*may_greet)(void *arg, enum lane lane);
};

/* Borrowed: c, keys and ops must outlive the link; the registry is only read.
 * ERR_UNKNOWN_RECIPIENT: the registry has no valid transport key of the broker. ERR_INVALID: an
 * endpoint of the configuration is none. */
MUST_USE enum err link_open(const struct config *c, const struct keyring *keys,
	const struct registry *registry, const struct link_ops *ops, void *arg, struct link **ret);
/* Sends what is queued for at most 200 ms, then closes. */
void link_free(struct link **lp);

/* Connects anew if the broker's key is another one in this registry. ERR_UNKNOWN_RECIPIENT: as
 * above, and nothing changes. */
MUST_USE enum err link_use_registry(struct link *l, const struct registry *registry);

/* After another of the keys is in use: connects anew with it. */
void link_use_keys(struct link *l, const struct keyring *keys);

/* Gives the connection up and opens another one: on_lost comes in the next link_run. `why` is
 * logged, and must last. */
void link_renew(struct link *l, enum lane lane, const char *why);

/* ERR_BUSY: not connected (no welcome yet) or the queue is full: try again after link_run. */
/* `receipt`: the first one, of what is posted again after the log was recovered; else NULL. */
MUST_USE enum err link_post(
	struct link *l, enum lane lane, struct slice envelope, const Receipt *receipt);
MUST_USE enum err link_query(struct link *l, struct slice envelope);
MUST_USE enum err link_answer(struct link *l, struct slice envelope);
/* Everything up to its seq is committed; gives as many deliveries of credit back. */
MUST_USE enum err link_cursor(struct link *l, enum lane lane, Cursor *c);
/* Welcomed by the broker. */
bool link_ready(const struct link *l, enum lane lane);

/* Waits for at most timeout_ms for traffic, and for `wake_fd` (-1: none) to become readable, then
 * handles what is there, the urgent lane first. It may return early, with nothing done. */
MUST_USE enum err link_run(struct link *l, int timeout_ms, int wake_fd);

/* Milliseconds of a clock that only runs forward, from an unknown start. */
int64_t link_clock(void);

#endif
