/*
 * link_socket.h - one connection of a link: a ZeroMQ DEALER that connects once, and the monitor
 * that tells when it is cut. A message of one part is one Frame. Not for the link's users.
 */
#ifndef HAVRE_LINK_SOCKET_H
#define HAVRE_LINK_SOCKET_H

#include "proto/bytes.h"
#include "proto/frame.pb-c.h"

#define CURVE_KEY_LEN 32

struct link_socket {
	void *dealer, *monitor;
};

/* Binary CURVE keys: the own pair, which stays in the keyring, and the broker's. */
struct link_keys {
	const uint8_t *public_key, *secret;
	uint8_t broker[CURVE_KEY_LEN];
};

/* context: of ZeroMQ. name: of the monitor, unlike that of any socket that lives. ERR_INVALID: not
 * an endpoint. ERR_IO: no more sockets. */
MUST_USE enum err link_socket_open(void *context, const char *name, const char *endpoint,
	const struct link_keys *keys, struct link_socket *ret);
/* What is queued may leave for linger_ms after the context's end was asked for. */
void link_socket_close(struct link_socket *s, int linger_ms);

/* Has the connection ended, or did it never come about? */
bool link_socket_cut(struct link_socket *s);
/* ERR_BUSY: nobody is there to take it, or the queue is full. */
MUST_USE enum err link_socket_send(struct link_socket *s, const Frame *f);
/* ERR_NOT_FOUND: nothing is there now. ERR_MALFORMED, ERR_NOT_CANONICAL: something that is not one
 * frame. frame__free_unpacked(*ret, NULL). */
MUST_USE enum err link_socket_receive(struct link_socket *s, Frame **ret);

#endif
