/* The ZAP handler. */
#include "broker/zap.h"
#include "services/common/base/log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#define USER_ID_SIZE (NAME_SIZE + 1 + 2 * KEY_ID_LEN)
#define PUBLIC_LEN   32
#define PART_MOST    256

/* version, request id, domain, address, identity, mechanism, client's public key */
enum part { VERSION, REQUEST, DOMAIN, ADDRESS, IDENTITY, MECHANISM, PUBLIC, PARTS };

struct zap {
	void *socket;
	struct who *who;
	int ended;
	uint64_t refused;
	pthread_t thread;
};

struct request {
	uint8_t part[PARTS][PART_MOST];
	size_t len[PARTS];
};

enum err zap_read_user_id(const char *user_id, struct peer *ret)
{
	const char *slash = user_id ? strchr(user_id, '/') : NULL;
	struct peer peer = {.principal = ""};

	if (!slash || slash == user_id || slash - user_id >= NAME_SIZE)
		return ERR_MALFORMED;
	memcpy(peer.principal, user_id, (size_t)(slash - user_id));
	if (hex_decode(peer.key_id, KEY_ID_LEN, slash + 1) != OK)
		return ERR_MALFORMED;
	*ret = peer;
	return OK;
}

static void write_user_id(const Principal *p, const Key *key, char ret[USER_ID_SIZE])
{
	char hex[2 * KEY_ID_LEN + 1];

	hex_encode(hex, key->id.data, KEY_ID_LEN);
	snprintf(ret, USER_ID_SIZE, "%s/%s", p->name, hex);
}

/* A request, of which too long parts are cut: they are refused by their length. -1: the context
 * has ended. */
static int receive(void *socket, struct request *r)
{
	size_t n = 0;
	int more = 1;

	*r = (struct request){.len = {0}};
	while (more) {
		zmq_msg_t part;

		zmq_msg_init(&part);
		if (zmq_msg_recv(&part, socket, 0) < 0) {
			zmq_msg_close(&part);
			return -1;
		}
		if (n < PARTS) {
			size_t len = zmq_msg_size(&part);

			r->len[n] = len;
			memcpy(r->part[n], zmq_msg_data(&part), len < PART_MOST ? len : PART_MOST);
		}
		n++;
		more = zmq_msg_more(&part);
		zmq_msg_close(&part);
	}
	return (int)n;
}

static bool is(const struct request *r, enum part part, const char *text)
{
	return r->len[part] == strlen(text) && memcmp(r->part[part], text, r->len[part]) == 0;
}

/* "" when it may not come in. */
static void look_up(struct zap *z, const struct request *r, int n, char ret_user_id[USER_ID_SIZE])
{
	const Principal *p;
	struct timespec now;
	const Key *key;

	ret_user_id[0] = '\0';
	if (n != PARTS || !is(r, VERSION, "1.0") || !is(r, DOMAIN, ZAP_DOMAIN) ||
		!is(r, MECHANISM, "CURVE") || r->len[PUBLIC] != PUBLIC_LEN)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	if (registry_by_transport(who_lock(z->who), r->part[PUBLIC],
		    now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000, &p, &key) == OK)
		write_user_id(p, key, ret_user_id);
	who_unlock(z->who);
}

static int reply(void *socket, const struct request *r, const char *user_id)
{
	bool yes = user_id[0] != '\0';
	size_t len = r->len[REQUEST] < PART_MOST ? r->len[REQUEST] : PART_MOST;
	const struct slice parts[] = {
		slice_str("1.0"),
		slice_of(r->part[REQUEST], len),
		slice_str(yes ? "200" : "400"),
		slice_str(yes ? "OK" : "No"),
		slice_str(user_id),
		slice_str(""),
	};
	size_t n = sizeof parts / sizeof *parts;

	for (size_t i = 0; i < n; i++)
		if (zmq_send(socket, parts[i].data, parts[i].len, i + 1 < n ? ZMQ_SNDMORE : 0) < 0)
			return -1;
	return 0;
}

static void *run(void *arg)
{
	struct zap *z = arg;
	char user_id[USER_ID_SIZE];
	struct request r;
	uint64_t one = 1;
	int n;

	pthread_setname_np(pthread_self(), "zap"); /* as operators and debuggers see it */
	while ((n = receive(z->socket, &r)) >= 0) {
		look_up(z, &r, n, user_id);
		if (reply(z->socket, &r, user_id) != 0)
			break;
		if (user_id[0] != '\0')
			continue;
		z->refused++;
		/* Anybody can cause this line: it is written at 1, 2, 4, 8 ... */
		if ((z->refused & (z->refused - 1)) == 0)
			log_warn("CONNECTION-REFUSED", "count=%" PRIu64, z->refused);
	}
	zmq_close(z->socket);
	(void)!write(z->ended, &one, sizeof one);
	return NULL;
}

enum err zap_open(void *context, struct who *who, struct zap **ret)
{
	struct zap *z = calloc(1, sizeof *z);
	int none = 0;

	if (!z)
		return ERR_NOMEM;
	z->who = who;
	z->ended = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	z->socket = zmq_socket(context, ZMQ_REP);
	if (z->ended >= 0 && z->socket &&
		zmq_setsockopt(z->socket, ZMQ_LINGER, &none, sizeof none) == 0 &&
		zmq_bind(z->socket, "inproc://zeromq.zap.01") == 0 &&
		pthread_create(&z->thread, NULL, run, z) == 0) {
		*ret = z;
		return OK;
	}
	if (z->socket)
		zmq_close(z->socket);
	if (z->ended >= 0)
		close(z->ended);
	free(z);
	return ERR_IO;
}

void zap_free(struct zap **zp)
{
	struct zap *z = *zp;

	if (!z)
		return;
	pthread_join(z->thread, NULL);
	close(z->ended);
	free(z);
	*zp = NULL;
}

int zap_fd(const struct zap *z)
{
	return z->ended;
}
