/*
 * flow.h - what was sent to each connection and is not known to have been read. Who does not read
 * must not fill this process's memory, over however many connections: behind FLOW_ASK bytes a Ping
 * with a nonce leaves, and the Pong with that nonce says that all before it was read.
 */
#ifndef HAVRE_BROKER_FLOW_H
#define HAVRE_BROKER_FLOW_H

#include "broker/verify.h"

/* Bytes, unread. At FLOW_MOST the connection is given no more deliveries and no new welcome, at
 * FLOW_END its session ends. */
#define FLOW_ASK  (1u * 1024 * 1024)
#define FLOW_MOST (8u * 1024 * 1024)
#define FLOW_END  (16u * 1024 * 1024)
/* Of all connections together: above it only who has read nearly all is given more. */
#define FLOW_ALL (512u * 1024 * 1024)
/* Connections of one key that said hello and are not known to be gone. */
#define FLOW_CONNECTIONS 16

struct flows;

/* The nonces come from the key (SIGN_SEED_LEN bytes) and a context that is another at each start,
 * so that a simulation repeats exactly. */
MUST_USE enum err flows_open(const uint8_t *key, struct slice context, struct flows **ret);
void flows_free(struct flows **fp);

/* The connection says hello: from now on it is counted. ERR_BUSY: it has too much unread, or its
 * key too many connections. */
MUST_USE enum err flow_join(struct flows *f, const struct conn *from);
/* Another connection of the same key; 0: none. Which are gone shows when something is sent to
 * them, so a hello that finds many has a Ping sent to each. `after`: 0 for the first. */
uint64_t flow_other(const struct flows *f, const struct conn *from, uint64_t after);
size_t flow_count(const struct flows *f, const struct conn *from);
void flow_gone(struct flows *f, uint64_t conn);

/* A frame leaves. true: a Ping with this nonce is to leave behind it. */
bool flow_sent(struct flows *f, uint64_t conn, size_t len, uint64_t *ret_nonce);
/* A Pong came; any nonce but the one that was asked with says nothing. true: there is room now. */
bool flow_pong(struct flows *f, uint64_t conn, uint64_t nonce);

/* Unread bytes; 0 for a connection that never said hello. */
size_t flow_unread(const struct flows *f, uint64_t conn);
bool flow_room(const struct flows *f, uint64_t conn);

#endif
