/*
 * Where the programs meet the machine. The linker puts these functions in the place of the real
 * ones (--wrap, see CMakeLists.txt): the clock, the socket of a link, files, the end of a commit,
 * the log, the delivery of a relay. All else of a program is the real code.
 */
#include "tests/sim/sim.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zmq.h>

#include "broker/socket.h"
#include "broker/zap.h"
#include "proto/strict.h"
#include "services/common/node/link_socket.h"
#include "services/common/base/log.h"
#include "services/common/store/store_backend.h"
#include "services/relay/relay.h"

/* The functions of a library have no other way to know whose they are. */
static struct process *running;

void seams_enter(struct process *p)
{
	running = p;
}

/* --- the clock --- */

int __real_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
	int64_t ms;

	if (!running)
		return __real_clock_gettime(clock, ret);
	ms = clock == CLOCK_MONOTONIC ? running->sim->now : process_clock(running);
	*ret = (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	return 0;
}

/* --- the network --- */

void *__wrap_zmq_ctx_new(void);
void *__wrap_zmq_ctx_new(void)
{
	return running;
}

int __wrap_zmq_ctx_term(void *context);
int __wrap_zmq_ctx_term(void *context)
{
	(void)context;
	return 0;
}

int __wrap_zmq_ctx_shutdown(void *context);
int __wrap_zmq_ctx_shutdown(void *context)
{
	(void)context;
	return 0;
}

int __wrap_zmq_close(void *socket);
int __wrap_zmq_close(void *socket)
{
	(void)socket;
	return 0;
}

/* What it would wait: the world goes on meanwhile, and comes back with the next turn. The broker's
 * loop waits itself: its second wait in a turn ends it. */
int __wrap_zmq_poll(zmq_pollitem_t *items, int n, long timeout);
int __wrap_zmq_poll(zmq_pollitem_t *items, int n, long timeout)
{
	(void)items;
	(void)n;
	running->waited_ms = timeout;
	errno = ETERM;
	return running->broker && ++running->polls == 2 ? -1 : 0;
}

/* --- the broker's side of the network --- */

enum err __wrap_zap_open(void *context, struct who *who, struct zap **ret);
enum err __wrap_zap_open(void *context, struct who *who, struct zap **ret)
{
	(void)context;
	(void)who;
	*ret = NULL; /* a wire has the name of its process */
	return OK;
}

int __wrap_zap_fd(const struct zap *z);
int __wrap_zap_fd(const struct zap *z)
{
	(void)z;
	return -1;
}

void __wrap_zap_free(struct zap **zp);
void __wrap_zap_free(struct zap **zp)
{
	*zp = NULL;
}

enum err __wrap_socket_listen(void *context, enum lane lane, const char *endpoint,
	const uint8_t *transport_secret, void **ret);
enum err __wrap_socket_listen(void *context, enum lane lane, const char *endpoint,
	const uint8_t *transport_secret, void **ret)
{
	(void)context;
	(void)lane;
	(void)endpoint;
	(void)transport_secret;
	*ret = running;
	return OK;
}

enum err __wrap_socket_receive(void *socket, enum lane lane, struct conn *ret_from,
	zmq_msg_t *ret_frame, const char **ret_why);
enum err __wrap_socket_receive(void *socket, enum lane lane, struct conn *ret_from,
	zmq_msg_t *ret_frame, const char **ret_why)
{
	struct wire *w = wire_pick(running->sim, lane);
	struct packet *p;

	(void)socket;
	(void)ret_why;
	if (!w)
		return ERR_NOT_FOUND;
	running->busy = true;
	p = wire_take(&w->up, running->sim->now);
	*ret_from = wire_conn(w);
	if (zmq_msg_init_size(ret_frame, p->len) != 0)
		abort();
	memcpy(zmq_msg_data(ret_frame), p->bytes, p->len);
	free(p);
	return OK;
}

static void check_frame(const struct wire *w, struct slice bytes)
{
	ProtobufCMessage *m = NULL;

	sim_must(strict_unpack(&frame__descriptor, bytes, &m), "frame");
	check_answered(running->sim, w, (const Frame *)m);
	protobuf_c_message_free_unpacked(m, NULL);
}

enum err __wrap_socket_send(void *const sockets[LANES], const struct output *o);
enum err __wrap_socket_send(void *const sockets[LANES], const struct output *o)
{
	struct sim *s = running->sim;
	struct wire *w = wire_find(s, o->conn);
	struct slice bytes = slice_of(o->frame, o->len);

	(void)sockets;
	if (!process_effect(running))
		return OK; /* nothing that the dead do is seen */
	if (!w || w->closed || (w->cut && w->seen_at != INT64_MAX))
		return ERR_UNREACHABLE;
	if (!s->quiet && w->down.n >= s->chances.queue)
		return ERR_BUSY;
	check_frame(w, bytes);
	trace(s, "broker > %s %s len=%zu %016llx", w->process->name, lane_name(w->lane), o->len,
		(unsigned long long)trace_bytes(bytes));
	wire_put(w, &w->down, bytes);
	s->counts.frames++;
	return OK;
}

/* --- a link's socket is a wire --- */

enum err __wrap_link_socket_open(void *context, const char *name, const char *endpoint,
	const struct link_keys *keys, struct link_socket *ret);
enum err __wrap_link_socket_open(void *context, const char *name, const char *endpoint,
	const struct link_keys *keys, struct link_socket *ret)
{
	const char *urgent = lane_name(LANE_URGENT); /* how its monitor's name begins */

	(void)context;
	(void)endpoint;
	(void)keys;
	ret->dealer = wire_open(
		running, strncmp(name, urgent, strlen(urgent)) == 0 ? LANE_URGENT : LANE_ROUTINE);
	return OK;
}

void __wrap_link_socket_close(struct link_socket *ls, int linger_ms);
void __wrap_link_socket_close(struct link_socket *ls, int linger_ms)
{
	(void)linger_ms;
	if (ls->dealer)
		wire_close(ls->dealer);
	ls->dealer = NULL;
}

bool __wrap_link_socket_cut(struct link_socket *ls);
bool __wrap_link_socket_cut(struct link_socket *ls)
{
	const struct wire *w = ls->dealer;

	return w->cut && running->sim->now >= w->seen_at;
}

enum err __wrap_link_socket_send(struct link_socket *ls, const Frame *f);
enum err __wrap_link_socket_send(struct link_socket *ls, const Frame *f)
{
	struct wire *w = ls->dealer;
	struct buf packed = {0};

	if (running->sim->now < w->up_at)
		return ERR_BUSY;
	if (!process_effect(running))
		return OK; /* nothing that the dead do is seen */
	check_sent(running, w->lane, f);
	sim_must(strict_pack(&f->base, &packed), "pack");
	trace(running->sim, "%s > %s what=%d len=%zu %016llx", running->name, lane_name(w->lane),
		(int)f->what_case, packed.len, (unsigned long long)trace_bytes(slice_buf(&packed)));
	wire_put(w, &w->up, slice_buf(&packed));
	running->sim->counts.frames++;
	buf_free(&packed);
	return OK;
}

enum err __wrap_link_socket_receive(struct link_socket *ls, Frame **ret);
enum err __wrap_link_socket_receive(struct link_socket *ls, Frame **ret)
{
	struct wire *w = ls->dealer;
	struct packet *p = wire_take(&w->down, running->sim->now);
	ProtobufCMessage *m;
	enum err e;

	if (!p)
		return ERR_NOT_FOUND;
	running->busy = true;
	e = strict_unpack(&frame__descriptor, slice_of(p->bytes, p->len), &m);
	free(p);
	if (e != OK)
		return e;
	*ret = (Frame *)m;
	if ((*ret)->what_case == FRAME__WHAT_WELCOME && (*ret)->welcome->fenced)
		running->sim->counts.fenced++;
	return OK;
}

/* --- the disk --- */

enum err __real_config_load(
	const char *home, enum program program, FILE *errors, enum lang lang, struct config *ret);
enum err __wrap_config_load(
	const char *home, enum program program, FILE *errors, enum lang lang, struct config *ret);
enum err __wrap_config_load(
	const char *home, enum program program, FILE *errors, enum lang lang, struct config *ret)
{
	const struct sim *s = running ? running->sim : NULL;
	enum err e = __real_config_load("/nonexistent", program, errors, lang, ret);

	(void)home;
	if (e != OK || !s)
		return e;
	ret->credit = s->chances.credit;
	ret->in_flight = s->chances.in_flight;
	ret->heartbeat_s = 15;
	ret->cap = s->o.plant == PLANT_CAP_RAISED ? s->chances.cap + 1000 : s->chances.cap;
	ret->rung_1_s = 20;
	ret->rung_2_s = 30;
	ret->rung_3_s = 40;
	ret->decision_s = 300;
	if (program == PROGRAM_RELAY) {
		free(ret->relay_type);
		ret->relay_type = strdup("webhook");
	}
	return OK;
}

enum err __wrap_keyring_needs_passphrase(const char *path, bool *ret);
enum err __wrap_keyring_needs_passphrase(const char *path, bool *ret)
{
	(void)path;
	*ret = false;
	return OK;
}

enum err __wrap_keyring_load(const char *path, struct slice passphrase, struct keyring **ret);
enum err __wrap_keyring_load(const char *path, struct slice passphrase, struct keyring **ret)
{
	(void)path;
	(void)passphrase;
	*ret = (struct keyring *)fixture_keys(running->sim->fixture, running->name);
	return OK;
}

/* The world's own: a process only borrows keys and store. */
void __real_keyring_free(struct keyring **kp);
void __wrap_keyring_free(struct keyring **kp);
void __wrap_keyring_free(struct keyring **kp)
{
	if (running)
		*kp = NULL;
	else
		__real_keyring_free(kp);
}

void __real_store_free(struct store **sp);
void __wrap_store_free(struct store **sp);
void __wrap_store_free(struct store **sp)
{
	if (running)
		*sp = NULL;
	else
		__real_store_free(sp);
}

enum err __wrap_store_open_lmdb(
	const char *path, const struct store_layout *layout, size_t map_bytes, struct store **ret);
enum err __wrap_store_open_lmdb(
	const char *path, const struct store_layout *layout, size_t map_bytes, struct store **ret)
{
	(void)path;
	(void)layout;
	(void)map_bytes;
	*ret = running->store;
	return OK;
}

/* A memory store has its own files of secrets. */
enum err __wrap_node_open_buckets(struct node *n);
enum err __wrap_node_open_buckets(struct node *n)
{
	(void)n;
	return OK;
}

enum err __wrap_registry_load(const char *registry_file, const char *root_file,
	uint64_t seen_version, int64_t now, struct registry **ret);
enum err __wrap_registry_load(const char *registry_file, const char *root_file,
	uint64_t seen_version, int64_t now, struct registry **ret)
{
	(void)registry_file;
	(void)root_file;
	(void)now;
	return trust_file(running, seen_version, ret);
}

/* Only one of the small files is read when a program runs that way: HOME/recover. */
enum err __real_file_read(const char *path, size_t most, struct buf *ret);
enum err __wrap_file_read(const char *path, size_t most, struct buf *ret);
enum err __wrap_file_read(const char *path, size_t most, struct buf *ret)
{
	const char *name = strrchr(path, '/');

	if (running && name && strcmp(name + 1, RECOVER_FILE) == 0)
		return backup_word(running, ret);
	return __real_file_read(path, most, ret);
}

/* And only that one is put away. */
enum err __wrap_file_rename(const char *from, const char *path);
enum err __wrap_file_rename(const char *from, const char *path)
{
	(void)from;
	(void)path;
	if (process_effect(running))
		backup_word_used(running);
	return OK;
}

enum err __wrap_safe_read(const char *home, struct safe *ret);
enum err __wrap_safe_read(const char *home, struct safe *ret)
{
	(void)home;
	return backup_safe(running, ret);
}

enum err __real_txn_commit(struct txn **tp);
enum err __wrap_txn_commit(struct txn **tp);
enum err __wrap_txn_commit(struct txn **tp)
{
	struct process *p = running;
	const struct txn *t = *tp;
	enum err e;

	if (!p || t->parent || t->mode != TXN_WRITE || t->store != p->store)
		return __real_txn_commit(tp);
	if (!process_effect(p))
		store_memory_fail_next_commit(p->store, ERR_IO);
	if (p->sim->o.plant == PLANT_DISK_LIES && !p->dead) {
		txn_abort(&p->before);
		sim_must(store_begin(p->store, TXN_READ, &p->before), "snapshot");
	}
	e = __real_txn_commit(tp);
	trace(p->sim, "%s commits: %s", p->name, err_name(e));
	if (e == OK) {
		p->committed = true;
		p->sim->counts.commits++;
	}
	return e;
}

/* --- the log --- */

__attribute__((format(printf, 3, 0))) static void log_line(
	const char *level, const char *id, const char *fmt, va_list args)
{
	char line[512];

	if (!running)
		return;
	vsnprintf(line, sizeof(line), fmt, args);
	check_text(running->sim, "log", slice_str(line));
	trace(running->sim, "%s: %s %s %s", running->name, level, id, line);
}

#define LOG(name)                                                                                  \
	__attribute__((format(printf, 2, 3))) void __wrap_log_##name(                              \
		const char *id, const char *fmt, ...);                                             \
	void __wrap_log_##name(const char *id, const char *fmt, ...)                               \
	{                                                                                          \
		va_list args;                                                                      \
                                                                                                   \
		va_start(args, fmt);                                                               \
		log_line(#name, id, fmt, args);                                                    \
		va_end(args);                                                                      \
	}
LOG(debug)
LOG(info)
LOG(warn)
LOG(error)

/* --- the outside world of a relay --- */

enum err __wrap_deliver_webhook(const struct config *c, const struct letter *l, int64_t now);
enum err __wrap_deliver_webhook(const struct config *c, const struct letter *l, int64_t now)
{
	struct sim *s = running->sim;

	(void)c;
	(void)now;
	if (!s->quiet && chance_one_in(&s->chance, 4))
		return ERR_UNREACHABLE;
	if (!process_effect(running))
		return ERR_UNREACHABLE;
	check_text(s, "alert", slice_buf(&l->json));
	check_text(s, "alert", slice_buf(&l->text));
	trace(s, "%s delivers %s %016llx", running->name, l->id,
		(unsigned long long)trace_bytes(slice_buf(&l->json)));
	if (s->o.plant == PLANT_NAME_TOLD)
		log_warn("RELAY-DELIVERED", "to=%s", CANARY);
	return OK;
}
