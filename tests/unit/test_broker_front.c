/* Goal: the broker's front over real sockets: known keys come in and are served, unknown ones do
 * not, also when nobody answers the handshake's question; what is no frame is thrown away and
 * stops nobody. */
#include "tests/unit/broker_rig.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>
#include <zmq.h>

#include "broker/front.h"
#include "broker/socket.h"

#define WAIT_MS 60000
#define SOCKETS 64

struct running {
	struct rig rig; /* fixture, store and core */
	char folder[32], endpoint[LANES][64];
	struct who *who;
	struct pool *pool;
	struct front *front;
	pthread_t thread;
	enum err result;
	void *context;          /* of the clients */
	void *sockets[SOCKETS]; /* of that context: closed at the end, also after a failure */
	size_t n_sockets;
};

static enum err reload(void *arg, struct registry **ret)
{
	struct running *r = arg;

	return registry_from_message(fixture_message(r->rig.f), ret);
}

static void *run(void *arg)
{
	struct running *r = arg;

	r->result = front_run(r->front);
	return NULL;
}

static void open_core(struct running *r)
{
	struct core_options o = {
		.store = r->rig.store,
		.registry = who_now(r->who),
		.principal = "broker",
		.sign_seed = keyring_sign_seed(fixture_keys(r->rig.f, "broker")),
	};

	assert_ok(core_open(&o, &r->rig.core));
	assert_ok(pool_open(r->who, 2, 64, &r->pool));
}

static int setup(void **state)
{
	struct running *r = calloc(1, sizeof *r);
	struct registry *registry;
	char path[64];

	assert_non_null(r);
	snprintf(r->folder, sizeof r->folder, "/tmp/havre-front-XXXXXX");
	assert_non_null(mkdtemp(r->folder));
	snprintf(r->endpoint[LANE_ROUTINE], 64, "ipc://%s/routine", r->folder);
	snprintf(r->endpoint[LANE_URGENT], 64, "ipc://%s/urgent", r->folder);
	snprintf(path, sizeof path, "%s/store", r->folder);
	r->rig.f = fixture_make();
	/* The front asks the clock: everybody must be valid now. */
	for (size_t i = 0; i < fixture_message(r->rig.f)->n_principals; i++) {
		fixture_message(r->rig.f)->principals[i]->not_before = 0;
		fixture_message(r->rig.f)->principals[i]->keys[0]->not_before = 0;
	}
	fixture_message(r->rig.f)->expires_at = INT64_MAX;
	fixture_rebuild(r->rig.f);
	assert_ok(store_open_lmdb(path, &broker_layout, 64 << 20, &r->rig.store));
	assert_ok(reload(r, &registry));
	assert_ok(who_open(&registry, &r->who));
	open_core(r);
	r->context = zmq_ctx_new();
	*state = r;
	return 0;
}

static void start(struct running *r)
{
	struct front_options o = {
		.endpoint = {r->endpoint[0], r->endpoint[1]},
		.transport_secret = keyring_transport_secret(fixture_keys(r->rig.f, "broker")),
		.batch = 16,
		.who = r->who,
		.pool = r->pool,
		.core = r->rig.core,
		.load_registry = reload,
		.arg = r,
	};

	assert_ok(front_open(&o, &r->front));
	assert_int_equal(pthread_create(&r->thread, NULL, run, r), 0);
}

static int teardown(void **state)
{
	struct running *r = *state;
	char command[64];

	for (size_t i = 0; i < r->n_sockets; i++)
		zmq_close(r->sockets[i]);
	zmq_ctx_term(r->context);
	if (r->front) {
		kill(getpid(), SIGTERM);
		pthread_join(r->thread, NULL);
		assert_ok(r->result);
	}
	front_free(&r->front);
	pool_free(&r->pool);
	core_free(&r->rig.core);
	who_free(&r->who);
	store_free(&r->rig.store);
	fixture_free(&r->rig.f);
	snprintf(command, sizeof command, "rm -r %s", r->folder);
	assert_int_equal(system(command), 0);
	free(r);
	return 0;
}

/* --- a client --- */

static void *keep(struct running *r, void *socket)
{
	assert_non_null(socket);
	assert_true(r->n_sockets < SOCKETS);
	return r->sockets[r->n_sockets++] = socket;
}

static void *new_client(struct running *r, const uint8_t *public_key, const uint8_t *secret)
{
	const uint8_t *server = keyring_transport_pk(fixture_keys(r->rig.f, "broker"));
	void *s = keep(r, zmq_socket(r->context, ZMQ_DEALER));
	int none = 0, wait = WAIT_MS;

	assert_int_equal(zmq_setsockopt(s, ZMQ_LINGER, &none, sizeof none), 0);
	assert_int_equal(zmq_setsockopt(s, ZMQ_RCVTIMEO, &wait, sizeof wait), 0);
	assert_int_equal(zmq_setsockopt(s, ZMQ_CURVE_SERVERKEY, server, 32), 0);
	assert_int_equal(zmq_setsockopt(s, ZMQ_CURVE_PUBLICKEY, public_key, 32), 0);
	assert_int_equal(zmq_setsockopt(s, ZMQ_CURVE_SECRETKEY, secret, 32), 0);
	return s;
}

static void *client_of(struct running *r, const char *name)
{
	const struct keyring *k = fixture_keys(r->rig.f, name);

	return new_client(r, keyring_transport_pk(k), keyring_transport_secret(k));
}

static void send_frame(void *s, const Frame *f)
{
	uint8_t *bytes = malloc(frame__get_packed_size(f));
	size_t len = frame__pack(f, bytes);

	assert_int_equal(zmq_send(s, bytes, len, 0), len);
	free(bytes);
}

static void say_hello(void *s, uint32_t credit)
{
	Hello hello = HELLO__INIT;
	Frame f = FRAME__INIT;

	hello.protocol = 1;
	hello.credit = credit;
	f.what_case = FRAME__WHAT_HELLO;
	f.hello = &hello;
	send_frame(s, &f);
}

static void send_post(void *s, const struct buf *envelope)
{
	Post post = POST__INIT;
	Frame f = FRAME__INIT;

	post.envelope = (ProtobufCBinaryData){envelope->len, envelope->data};
	f.what_case = FRAME__WHAT_POST;
	f.post = &post;
	send_frame(s, &f);
}

static Frame *receive(void *s, Frame__WhatCase what)
{
	ProtobufCMessage *m = NULL;
	zmq_msg_t part;

	zmq_msg_init(&part);
	assert_true(zmq_msg_recv(&part, s, 0) >= 0);
	assert_false(zmq_msg_more(&part));
	assert_ok(strict_unpack(
		&frame__descriptor, slice_of(zmq_msg_data(&part), zmq_msg_size(&part)), &m));
	zmq_msg_close(&part);
	assert_int_equal(((Frame *)m)->what_case, what);
	return (Frame *)m;
}

static void drop(void *s, Frame__WhatCase what)
{
	frame__free_unpacked(receive(s, what), NULL);
}

static void *joined(struct running *r, enum lane lane, const char *name, uint32_t credit)
{
	void *s = client_of(r, name);

	assert_int_equal(zmq_connect(s, r->endpoint[lane]), 0);
	say_hello(s, credit);
	drop(s, FRAME__WHAT_WELCOME);
	return s;
}

/* The time in the id must be near the clock. */
static struct buf envelope_now(struct running *r, const char *from, const char *to)
{
	struct envelope_spec spec = {.kind = KIND_WITHDRAW_REFERRAL};
	Withdrawal body = WITHDRAWAL__INIT;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	spec.created_at = now.tv_sec * INT64_C(1000);
	return fixture_envelope_of(r->rig.f, from, to, &spec, &body.base);
}

static void check_receipt(struct running *r, void *s, const struct buf *envelope)
{
	Frame *f = receive(s, FRAME__WHAT_RECEIPT);

	assert_ok(receipt_verify(f->receipt, slice_buf(envelope), "broker",
		keyring_sign_pk(fixture_keys(r->rig.f, "broker"))));
	frame__free_unpacked(f, NULL);
}

static void a_message_travels(void **state)
{
	struct running *r = *state;
	struct buf b = envelope_now(r, "partner-a", "intake");
	void *sender, *reader;
	Frame *f;

	start(r);
	sender = joined(r, LANE_ROUTINE, "partner-a", 0);
	reader = joined(r, LANE_ROUTINE, "intake", 8);
	send_post(sender, &b);
	check_receipt(r, sender, &b);
	f = receive(reader, FRAME__WHAT_DELIVERY);
	assert_true(slice_eq(
		slice_of(f->delivery->envelope.data, f->delivery->envelope.len), slice_buf(&b)));
	frame__free_unpacked(f, NULL);
	buf_free(&b);
}

static void judge_two(struct running *r, void *s, const struct buf *two)
{
	for (int i = 0; i < 2; i++)
		while (!pool_work(r->pool))
			sched_yield();
	check_receipt(r, s, &two[0]);
	check_receipt(r, s, &two[1]);
}

/* The verifiers have room for two, and work when the test says so. */
static void nothing_overtakes_what_was_put_off(void **state)
{
	struct running *r = *state;
	struct buf list[4];
	void *s;

	pool_free(&r->pool);
	assert_ok(pool_open(r->who, 0, 2, &r->pool));
	start(r);
	s = joined(r, LANE_ROUTINE, "partner-a", 0);
	for (int i = 0; i < 4; i++) {
		list[i] = envelope_now(r, "partner-a", "intake");
		send_post(s, &list[i]);
	}
	for (int i = 0; i < 2; i++)
		drop(s, FRAME__WHAT_BUSY);
	judge_two(r, s, &list[0]);
	send_post(s, &list[3]); /* there is room again, and yet it is not its turn */
	drop(s, FRAME__WHAT_BUSY);
	send_post(s, &list[2]);
	send_post(s, &list[3]);
	judge_two(r, s, &list[2]);
	for (int i = 0; i < 4; i++)
		buf_free(&list[i]);
}

/* --- the handshake --- */

static void expect_refused_handshake(struct running *r, void *client)
{
	void *monitor = keep(r, zmq_socket(r->context, ZMQ_PAIR));
	int none = 0, wait = WAIT_MS,
	    refused = ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
		      ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL;
	zmq_msg_t part;

	assert_int_equal(zmq_socket_monitor(
				 client, "inproc://watch", refused | ZMQ_EVENT_HANDSHAKE_SUCCEEDED),
		0);
	assert_int_equal(zmq_setsockopt(monitor, ZMQ_LINGER, &none, sizeof none), 0);
	assert_int_equal(zmq_setsockopt(monitor, ZMQ_RCVTIMEO, &wait, sizeof wait), 0);
	assert_int_equal(zmq_connect(monitor, "inproc://watch"), 0);
	assert_int_equal(zmq_connect(client, r->endpoint[LANE_ROUTINE]), 0);
	zmq_msg_init(&part);
	assert_true(zmq_msg_recv(&part, monitor, 0) >= 0);
	uint16_t event;
	memcpy(&event, zmq_msg_data(&part), sizeof event);
	assert_true(event & refused);
	zmq_msg_close(&part);
	zmq_socket_monitor(client, NULL, 0);
}

static void an_unknown_key_does_not_come_in(void **state)
{
	struct running *r = *state;
	char public_text[41], secret_text[41];
	uint8_t public_key[32], secret[32];
	void *unknown;

	start(r);
	assert_int_equal(zmq_curve_keypair(public_text, secret_text), 0);
	assert_non_null(zmq_z85_decode(public_key, public_text));
	assert_non_null(zmq_z85_decode(secret, secret_text));
	unknown = new_client(r, public_key, secret);
	expect_refused_handshake(r, unknown);
	joined(r, LANE_ROUTINE, "partner-a", 0);
}

static void a_suspended_principal_does_not_come_in(void **state)
{
	struct running *r = *state;
	struct registry *registry;
	void *s;

	fixture_principal(r->rig.f, "partner-a")->suspended = true;
	assert_ok(reload(r, &registry));
	assert_ok(core_use_registry(r->rig.core, registry, r->rig.now));
	registry_free(&registry);
	start(r); /* the handshake goes by what the core goes by */
	s = client_of(r, "partner-a");
	expect_refused_handshake(r, s);
}

/* CURVE fails open in libzmq; here it must not. */
static void without_a_handler_nobody_comes_in(void **state)
{
	struct running *r = *state;
	void *listener, *s = client_of(r, "partner-a");
	const struct keyring *k = fixture_keys(r->rig.f, "broker");

	assert_ok(socket_listen(r->context, LANE_ROUTINE, r->endpoint[LANE_ROUTINE],
		keyring_transport_secret(k), &listener));
	keep(r, listener);
	expect_refused_handshake(r, s);
}

static void a_reload_suspends_at_once(void **state)
{
	struct running *r = *state;
	struct buf b;
	bool loaded = false;
	void *a, *other;
	Frame *f;

	start(r);
	a = joined(r, LANE_ROUTINE, "partner-a", 0);
	b = envelope_now(r, "partner-a", "intake");
	send_post(a, &b);
	check_receipt(r, a, &b);
	fixture_principal(r->rig.f, "partner-b")->suspended = true;
	fixture_message(r->rig.f)->version++;
	kill(getpid(), SIGHUP);
	/* The signal is handled in the loop's own time: until then it is welcomed by the old one.
	 */
	while (!loaded) {
		say_hello(a, 0);
		f = receive(a, FRAME__WHAT_WELCOME);
		loaded = f->welcome->registry_version == fixture_message(r->rig.f)->version;
		frame__free_unpacked(f, NULL);
	}
	other = client_of(r, "partner-b");
	expect_refused_handshake(r, other);
	buf_free(&b);
}

/* --- what is no frame --- */

static void garbage_stops_nobody(void **state)
{
	struct running *r = *state;
	struct buf b = envelope_now(r, "partner-a", "intake");
	void *s;

	start(r);
	s = joined(r, LANE_ROUTINE, "partner-a", 0);
	assert_int_equal(zmq_send(s, "\xff\xff", 2, 0), 2);
	assert_int_equal(zmq_send(s, "", 0, 0), 0);
	for (int i = 0; i < 5000; i++)
		assert_int_equal(zmq_send(s, "part", 4, ZMQ_SNDMORE), 4);
	assert_int_equal(zmq_send(s, "last", 4, 0), 4);
	send_post(s, &b);
	check_receipt(r, s, &b);
	buf_free(&b);
}

static void a_routing_id_of_its_own_is_not_heard(void **state)
{
	struct running *r = *state;
	void *chosen, *s;

	start(r);
	chosen = client_of(r, "partner-a");
	assert_int_equal(zmq_setsockopt(chosen, ZMQ_ROUTING_ID, "mine!", 5), 0);
	assert_int_equal(zmq_connect(chosen, r->endpoint[LANE_ROUTINE]), 0);
	say_hello(chosen, 0);
	s = joined(r, LANE_ROUTINE, "partner-b", 0);
	say_hello(chosen, 0);
	say_hello(s, 0);
	drop(s, FRAME__WHAT_WELCOME);
	assert_int_equal(zmq_recv(chosen, (char[8]){0}, 8, ZMQ_DONTWAIT), -1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_message_travels),
		T(nothing_overtakes_what_was_put_off),
		T(an_unknown_key_does_not_come_in),
		T(a_suspended_principal_does_not_come_in),
		T(without_a_handler_nobody_comes_in),
		T(a_reload_suspends_at_once),
		T(garbage_stops_nobody),
		T(a_routing_id_of_its_own_is_not_heard),
	};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
