#include <errno.h>
#include <stdio.h>
#include <zmq.h>

#include "proto/catalogue.h"
#include "proto/strict.h"
#include "services/common/node/link_socket.h"

#define CONNECT_MS  5000
#define SEND_QUEUE  256
#define READ_QUEUE  64
#define MONITOR_LEN 64

/* A connection that ends is over: the link opens another, so that nothing old is left in it. */
#define CUT_EVENTS                                                                                 \
	(ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |        \
		ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)

static const struct {
	int option, value;
} options[] = {
	{ZMQ_LINGER, 0},
	{ZMQ_IMMEDIATE, 1}, /* nothing queues to a peer that is not there */
	{ZMQ_RECONNECT_IVL, -1},
	{ZMQ_CONNECT_TIMEOUT, CONNECT_MS},
	{ZMQ_HANDSHAKE_IVL, CONNECT_MS},
	{ZMQ_SNDHWM, SEND_QUEUE},
	{ZMQ_RCVHWM, READ_QUEUE},
};

static bool set_options(void *dealer, const struct link_keys *keys)
{
	int64_t most = FRAME_MOST;
	bool ok = zmq_setsockopt(dealer, ZMQ_MAXMSGSIZE, &most, sizeof(most)) == 0;

	for (size_t i = 0; ok && i < sizeof(options) / sizeof(options[0]); i++)
		ok = zmq_setsockopt(dealer, options[i].option, &options[i].value, sizeof(int)) == 0;
	return ok &&
	       zmq_setsockopt(dealer, ZMQ_CURVE_SERVERKEY, keys->broker, CURVE_KEY_LEN) == 0 &&
	       zmq_setsockopt(dealer, ZMQ_CURVE_PUBLICKEY, keys->public_key, CURVE_KEY_LEN) == 0 &&
	       zmq_setsockopt(dealer, ZMQ_CURVE_SECRETKEY, keys->secret, CURVE_KEY_LEN) == 0;
}

static bool watch(void *context, const char *name, struct link_socket *s)
{
	char address[MONITOR_LEN];
	int none = 0;

	snprintf(address, sizeof(address), "inproc://%s", name);
	if (zmq_socket_monitor(s->dealer, address, CUT_EVENTS) != 0)
		return false;
	s->monitor = zmq_socket(context, ZMQ_PAIR);
	return s->monitor && zmq_setsockopt(s->monitor, ZMQ_LINGER, &none, sizeof(none)) == 0 &&
	       zmq_connect(s->monitor, address) == 0;
}

enum err link_socket_open(void *context, const char *name, const char *endpoint,
	const struct link_keys *keys, struct link_socket *ret)
{
	struct link_socket s = {.dealer = zmq_socket(context, ZMQ_DEALER)};
	enum err e = ERR_IO;

	if (!s.dealer)
		return ERR_IO;
	if (set_options(s.dealer, keys) && watch(context, name, &s))
		e = zmq_connect(s.dealer, endpoint) == 0 ? OK : ERR_INVALID;
	if (e != OK)
		link_socket_close(&s, 0);
	else
		*ret = s;
	return e;
}

void link_socket_close(struct link_socket *s, int linger_ms)
{
	if (s->dealer) {
		(void)zmq_setsockopt(s->dealer, ZMQ_LINGER, &linger_ms, sizeof(linger_ms));
		(void)zmq_socket_monitor(s->dealer, NULL, 0);
		(void)zmq_close(s->dealer);
	}
	if (s->monitor)
		(void)zmq_close(s->monitor);
	*s = (struct link_socket){0};
}

bool link_socket_cut(struct link_socket *s)
{
	zmq_msg_t part;
	bool cut;

	zmq_msg_init(&part);
	/* Only events that mean the end are asked for: which one it is does not matter. */
	cut = zmq_msg_recv(&part, s->monitor, ZMQ_DONTWAIT) >= 0;
	zmq_msg_close(&part);
	return cut;
}

enum err link_socket_send(struct link_socket *s, const Frame *f)
{
	size_t size = frame__get_packed_size(f);
	zmq_msg_t m;

	if (size > FRAME_MOST)
		return ERR_TOO_LARGE;
	if (zmq_msg_init_size(&m, size) != 0)
		return ERR_NOMEM;
	frame__pack(f, zmq_msg_data(&m));
	if (zmq_msg_send(&m, s->dealer, ZMQ_DONTWAIT) >= 0)
		return OK;
	zmq_msg_close(&m);
	return ERR_BUSY;
}

/* All the parts of a message that should have had one. */
static void skip_parts(struct link_socket *s)
{
	zmq_msg_t part;
	int more = 1;

	while (more) {
		zmq_msg_init(&part);
		more = zmq_msg_recv(&part, s->dealer, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&part);
		zmq_msg_close(&part);
	}
}

enum err link_socket_receive(struct link_socket *s, Frame **ret)
{
	ProtobufCMessage *f = NULL;
	enum err e = ERR_MALFORMED;
	zmq_msg_t m;

	zmq_msg_init(&m);
	if (zmq_msg_recv(&m, s->dealer, ZMQ_DONTWAIT) < 0)
		e = ERR_NOT_FOUND;
	else if (zmq_msg_more(&m))
		skip_parts(s);
	else
		e = strict_unpack(
			&frame__descriptor, slice_of(zmq_msg_data(&m), zmq_msg_size(&m)), &f);
	zmq_msg_close(&m);
	if (e == OK)
		*ret = (Frame *)f;
	return e;
}
