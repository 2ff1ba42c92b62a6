/* The listening socket of a lane. */
#include "broker/socket.h"
#include "broker/zap.h"
#include "services/common/base/log.h"

#include <errno.h>

/* A draft in libzmq's header, and in its library since 4.3.0. */
#define ENFORCE_DOMAIN 93

#define HEARTBEAT_MS 10000
#define SILENCE_MS   30000
#define HANDSHAKE_MS 10000
/* Frames of a connection that wait to be read: FRAME_MOST each at most. */
#define RECEIVE_QUEUE 8
#define SEND_QUEUE    4096
#define ROUTING_LEN   5

static bool set_options(void *socket, const uint8_t *secret)
{
	static const struct {
		int option, value;
	} options[] = {
		{ZMQ_LINGER, 0},
		{ZMQ_ROUTER_MANDATORY, 1},
		{ZMQ_SNDHWM, SEND_QUEUE},
		{ZMQ_RCVHWM, RECEIVE_QUEUE},
		{ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS},
		{ZMQ_HEARTBEAT_TIMEOUT, SILENCE_MS},
		{ZMQ_HEARTBEAT_TTL, SILENCE_MS},
		{ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS},
		{ZMQ_TCP_MAXRT, SILENCE_MS}, /* who takes nothing for that long is cut */
		{ZMQ_CURVE_SERVER, 1},
		{ENFORCE_DOMAIN, 1},
	};
	int64_t most = FRAME_MOST;

	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		if (zmq_setsockopt(socket, options[i].option, &options[i].value, sizeof(int)) != 0)
			return false;
	return zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &most, sizeof most) == 0 &&
	       zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, secret, 32) == 0 &&
	       zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, ZAP_DOMAIN, strlen(ZAP_DOMAIN)) == 0;
}

enum err socket_listen(void *context, enum lane lane, const char *endpoint,
	const uint8_t *transport_secret, void **ret)
{
	char bound[256];
	size_t len = sizeof bound;
	void *socket = *ret = zmq_socket(context, ZMQ_ROUTER);

	if (!socket || !set_options(socket, transport_secret))
		return ERR_IO;
	if (zmq_bind(socket, endpoint) != 0) {
		log_error("BIND-FAILED", "lane=%s endpoint=%s why=\"%s\"", lane_name(lane),
			endpoint, zmq_strerror(errno));
		return ERR_INVALID;
	}
	if (zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, bound, &len) != 0)
		return ERR_IO;
	log_info("LISTENING", "lane=%s endpoint=%s", lane_name(lane), bound);
	return OK;
}

/* ZeroMQ names a connection by a zero byte and 4 others; a name that the other side chose itself
 * is longer or starts with another byte, and is refused. */
static uint64_t conn_id(enum lane lane, const uint8_t *routing, size_t len)
{
	uint64_t id = (uint64_t)lane + 1;

	if (len != ROUTING_LEN || routing[0] != 0)
		return 0;
	for (size_t i = 1; i < ROUTING_LEN; i++)
		id = id << 8 | routing[i];
	return id;
}

static enum lane conn_route(uint64_t id, uint8_t ret_routing[ROUTING_LEN])
{
	ret_routing[0] = 0;
	for (size_t i = ROUTING_LEN - 1; i >= 1; i--, id >>= 8)
		ret_routing[i] = (uint8_t)id;
	return (enum lane)(id - 1);
}

/* The rest of a message that has too many parts, one at a time. */
static void skip_parts(void *socket)
{
	zmq_msg_t part;
	int more = 1;

	while (more) {
		zmq_msg_init(&part);
		more = zmq_msg_recv(&part, socket, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&part);
		zmq_msg_close(&part);
	}
}

/* What is wrong with a message of these parts; NULL: nothing. */
static const char *check(void *socket, zmq_msg_t *frame, struct conn *from)
{
	if (zmq_msg_more(frame)) {
		skip_parts(socket);
		return "PARTS";
	}
	if (from->id == 0)
		return "ROUTING_ID";
	/* The routing part may have lost its metadata (libzmq 4.3.4); this part has it. */
	if (zap_read_user_id(zmq_msg_gets(frame, "User-Id"), &from->peer) != OK)
		return "USER_ID";
	return NULL;
}

/* A message comes whole: when its first part is there, all are. */
static enum err receive_parts(
	void *socket, enum lane lane, struct conn *from, zmq_msg_t *part, const char **ret_why)
{
	const char *why = "EMPTY";

	if (zmq_msg_recv(part, socket, ZMQ_DONTWAIT) < 0)
		return errno == EAGAIN || errno == EINTR ? ERR_NOT_FOUND : ERR_IO;
	*from = (struct conn){.lane = lane};
	from->id = conn_id(lane, zmq_msg_data(part), zmq_msg_size(part));
	if (zmq_msg_more(part)) {
		if (zmq_msg_recv(part, socket, ZMQ_DONTWAIT) < 0)
			return ERR_IO;
		why = check(socket, part, from);
	}
	if (!why)
		return OK;
	*ret_why = why;
	return ERR_MALFORMED;
}

enum err socket_receive(void *socket, enum lane lane, struct conn *ret_from, zmq_msg_t *ret_frame,
	const char **ret_why)
{
	enum err e;

	zmq_msg_init(ret_frame);
	e = receive_parts(socket, lane, ret_from, ret_frame, ret_why);
	if (e != OK)
		zmq_msg_close(ret_frame);
	return e;
}

enum err socket_send(void *const sockets[LANES], const struct output *o)
{
	uint8_t routing[ROUTING_LEN];
	void *socket = sockets[conn_route(o->conn, routing)];

	if (zmq_send(socket, routing, ROUTING_LEN, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0 ||
		zmq_send(socket, o->frame, o->len, ZMQ_DONTWAIT) < 0)
		return errno == EAGAIN ? ERR_BUSY : ERR_UNREACHABLE;
	return OK;
}
