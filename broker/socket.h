/*
 * socket.h - one listening socket of a lane: a ZeroMQ ROUTER with CURVE. A message is a routing
 * part and one part more, which is a frame; anything else is refused here.
 */
#ifndef HAVRE_BROKER_SOCKET_H
#define HAVRE_BROKER_SOCKET_H

#include <zmq.h>

#include "broker/output.h"
#include "broker/verify.h"

/* The ZAP handler must run before. ERR_INVALID: the endpoint cannot be bound (logged). *ret is set
 * also then, for zmq_close. */
MUST_USE enum err socket_listen(void *context, enum lane lane, const char *endpoint,
	const uint8_t *transport_secret, void **ret);

/* Does not wait. *ret_frame: zmq_msg_close. ERR_NOT_FOUND: nothing is there. ERR_MALFORMED: what
 * was there is thrown away, and *ret_why (static) says what was wrong. ERR_IO. */
MUST_USE enum err socket_receive(void *socket, enum lane lane, struct conn *ret_from,
	zmq_msg_t *ret_frame, const char **ret_why);

/* Does not wait. sockets: by lane. ERR_UNREACHABLE: the connection is gone. ERR_BUSY: it takes
 * nothing. */
MUST_USE enum err socket_send(void *const sockets[LANES], const struct output *o);

#endif
