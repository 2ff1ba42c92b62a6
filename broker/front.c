/* The sockets and the loop. */
#include "broker/front.h"
#include "broker/socket.h"
#include "broker/zap.h"
#include "proto/merkle.h"
#include "proto/strict.h"
#include "services/common/base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS   1000
#define SAFE_MS   10000
#define COUNTS_MS (5 * 60 * 1000)

struct front {
	struct front_options o;
	void *context;
	void *socket[LANES];
	struct zap *zap;
	int signals;
	bool stop;
	uint64_t dropped;                                /* messages that were no frame */
	int64_t counts_at, report_at, watch_at, safe_at; /* by steady_ms */
	int64_t watched, watched_at; /* the time of the last watch, and when it was by steady_ms */
};

static int64_t read_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static int64_t clock_ms(void)
{
	return read_clock(CLOCK_REALTIME);
}

/* For what is done every so often, also when the other clock is set back. */
static int64_t steady_ms(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

/* The verifiers and the handshake go by the registry that the core has. */
static void show_registry(struct front *f)
{
	const struct registry *now = core_registry(f->o.core);
	struct registry *mine;

	if (now == who_now(f->o.who))
		return;
	mine = registry_ref(now);
	who_replace(f->o.who, &mine);
}

/* --- opening --- */

static enum err open_signals(struct front *f)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	f->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return f->signals >= 0 ? OK : ERR_IO;
}

static enum err open_all(struct front *f)
{
	f->context = zmq_ctx_new();
	if (!f->context)
		return ERR_NOMEM;
	TRY(open_signals(f));
	/* CURVE fails open: nobody may come in before the handler runs. */
	TRY(zap_open(f->context, f->o.who, &f->zap));
	for (size_t i = 0; i < LANES; i++)
		TRY(socket_listen(f->context, (enum lane)i, f->o.endpoint[i], f->o.transport_secret,
			&f->socket[i]));
	return OK;
}

enum err front_open(const struct front_options *o, struct front **ret)
{
	struct front *f = calloc(1, sizeof *f);
	enum err e;

	if (!f)
		return ERR_NOMEM;
	f->o = *o;
	f->signals = -1;
	f->counts_at = steady_ms() + COUNTS_MS;
	/* the machine's clock may have been ahead when the last message came */
	f->watched = core_newest(o->core);
	f->watched_at = steady_ms();
	show_registry(f);
	e = open_all(f);
	if (e != OK) {
		front_free(&f);
		return e;
	}
	*ret = f;
	return OK;
}

void front_free(struct front **fp)
{
	struct front *f = *fp;

	if (!f)
		return;
	for (size_t i = 0; i < LANES; i++)
		if (f->socket[i])
			zmq_close(f->socket[i]);
	if (f->context)
		zmq_ctx_shutdown(f->context);
	zap_free(&f->zap);
	if (f->context)
		zmq_ctx_term(f->context);
	if (f->signals >= 0)
		close(f->signals);
	free(f);
	*fp = NULL;
}

/* --- receiving --- */

static enum err frame_refused(struct front *f, enum lane lane, const char *why)
{
	f->dropped++;
	/* Anybody with a key can cause this line: it is written at 1, 2, 4, 8 ... */
	if ((f->dropped & (f->dropped - 1)) == 0)
		log_warn("FRAME-REFUSED", "lane=%s why=%s count=%" PRIu64, lane_name(lane), why,
			f->dropped);
	return OK;
}

/* What goes through the verifiers, by the frame that it comes in. */
static bool envelope_of(const Frame *frame, enum via *ret_via, struct slice *ret)
{
	const ProtobufCBinaryData *b;

	switch (frame->what_case) {
	case FRAME__WHAT_POST:
		*ret_via = VIA_POST;
		b = &frame->post->envelope;
		break;
	case FRAME__WHAT_QUERY:
		*ret_via = VIA_QUERY;
		b = &frame->query->envelope;
		break;
	case FRAME__WHAT_ANSWER:
		*ret_via = VIA_ANSWER;
		b = &frame->answer->envelope;
		break;
	default:
		return false;
	}
	*ret = slice_of(b->data, b->len);
	return true;
}

/* No receipt of a broker is larger. The pool counts envelopes only. */
static bool receipt_fits(const Frame *frame)
{
	const Receipt *r = frame->what_case == FRAME__WHAT_POST ? frame->post->receipt : NULL;

	return !r || (r->n_proof <= PROOF_MOST &&
			     receipt__get_packed_size(r) <= FRAME_MOST - ENVELOPE_MOST);
}

/* Takes *frame. */
static enum err give_job(struct front *f, const struct conn *from, enum via via,
	struct slice envelope, Frame **frame)
{
	struct job *j = calloc(1, sizeof *j);
	enum err e = OK;

	if (!j)
		return ERR_NOMEM;
	*j = (struct job){.from = *from, .via = via, .envelope = envelope, .at = clock_ms()};
	j->frame = *frame;
	j->receipt = via == VIA_POST ? j->frame->post->receipt : NULL;
	j->broker = core_principal(f->o.core);
	*frame = NULL;
	if ((via == VIA_POST && !core_lets(f->o.core, from, envelope)) ||
		pool_give(f->o.pool, &j) != OK)
		e = core_busy(f->o.core, from, via, envelope);
	else if (via == VIA_POST)
		core_given(f->o.core, from);
	job_free(&j);
	return e;
}

static enum err on_frame(struct front *f, const struct conn *from, struct slice bytes)
{
	ProtobufCMessage *m = NULL;
	struct slice envelope;
	Frame *frame;
	enum via via;
	enum err e = strict_unpack(&frame__descriptor, bytes, &m);

	if (e != OK)
		return frame_refused(f, from->lane, err_name(e));
	frame = (Frame *)m;
	if (!receipt_fits(frame))
		e = frame_refused(f, from->lane, "RECEIPT");
	else if (envelope_of(frame, &via, &envelope) && core_hears(f->o.core, from, clock_ms()))
		e = give_job(f, from, via, envelope, &frame);
	else
		e = core_control(f->o.core, from, frame, clock_ms());
	if (frame)
		frame__free_unpacked(frame, NULL);
	return e;
}

/* ERR_NOT_FOUND: nothing is there. */
static enum err receive_one(struct front *f, enum lane lane)
{
	const char *why = NULL;
	struct conn from;
	zmq_msg_t frame;
	enum err e = socket_receive(f->socket[lane], lane, &from, &frame, &why);

	if (e == ERR_MALFORMED)
		return frame_refused(f, lane, why);
	TRY(e);
	e = on_frame(f, &from, slice_of(zmq_msg_data(&frame), zmq_msg_size(&frame)));
	zmq_msg_close(&frame);
	return e;
}

static enum err receive(struct front *f, enum lane lane)
{
	enum err e = OK;

	for (unsigned n = 0; e == OK && n < f->o.batch; n++)
		e = receive_one(f, lane);
	return e == ERR_NOT_FOUND ? OK : e;
}

/* --- committing and sending --- */

static enum err judged(struct front *f)
{
	struct job *j;
	enum err e = OK;

	for (unsigned n = 0; e == OK && n < f->o.batch && !core_full(f->o.core); n++) {
		j = pool_take(f->o.pool);
		if (!j)
			break;
		e = core_judged(f->o.core, &j->from, j->via, &j->verdict, j->envelope, clock_ms());
		job_free(&j);
	}
	return e;
}

/* A connection that is gone, or that takes nothing: its program says hello again. */
static void send_all(struct front *f)
{
	struct output *o;

	while ((o = core_output(f->o.core))) {
		enum err e = socket_send(f->socket, o);

		if (e == ERR_BUSY)
			core_stuck(f->o.core, o->conn);
		else if (e != OK)
			core_gone(f->o.core, o->conn);
		free(o);
	}
}

static enum err commit(struct front *f)
{
	enum err e = core_commit(f->o.core);

	if (e != OK) {
		log_error("COMMIT-FAILED", "why=%s", err_name(e));
		return e;
	}
	send_all(f);
	return OK;
}

/* --- the loop --- */

static void log_counts(const struct front *f)
{
	const struct core_counts *n = core_counts(f->o.core);
	uint64_t refused = 0;

	for (size_t i = 0; i < CODES_MOST; i++) {
		refused += n->refused[i];
		if (n->refused[i] > 0)
			log_info("REFUSED", "why=%s count=%" PRIu64, err_name((enum err)(100 + i)),
				n->refused[i]);
	}
	log_info("COUNTS",
		"log=%" PRIu64 " received=%" PRIu64 " accepted=%" PRIu64 " duplicates=%" PRIu64
		" refused=%" PRIu64 " busy=%" PRIu64 " delivered=%" PRIu64 " asked=%" PRIu64
		" answered=%" PRIu64 " unheard=%" PRIu64 " dropped=%" PRIu64,
		core_size(f->o.core), n->received, n->accepted, n->duplicates, refused, n->busy,
		n->delivered, n->asked, n->answered, n->unheard, f->dropped);
}

/* Never behind and never still, whatever is done to the machine's clock. */
static int64_t watch_clock(struct front *f, int64_t steady)
{
	int64_t now = clock_ms();

	if (now < f->watched + (steady - f->watched_at))
		now = f->watched + (steady - f->watched_at);
	f->watched = now;
	f->watched_at = steady;
	return now;
}

/* Was there a backup? */
static enum err look_for_safe(struct front *f)
{
	struct safe s;
	enum err e = safe_read(f->o.home, &s);

	if (e == OK)
		return core_safe(f->o.core, &s);
	if (e != ERR_NOT_FOUND)
		log_warn("SAFE-NOT-READ", "why=%s", err_name(e));
	return OK;
}

static enum err tick(struct front *f)
{
	int64_t now = clock_ms(), steady = steady_ms();

	if (f->o.report && steady >= f->report_at) {
		f->report_at = steady + f->o.report_ms;
		f->o.report(f->o.arg);
	}
	if (steady >= f->watch_at) {
		f->watch_at = steady + TICK_MS;
		TRY(core_watch(f->o.core, watch_clock(f, steady)));
	}
	if (f->o.home && steady >= f->safe_at) {
		f->safe_at = steady + SAFE_MS;
		TRY(look_for_safe(f));
	}
	if (steady < f->counts_at)
		return OK;
	f->counts_at = steady + COUNTS_MS;
	log_counts(f);
	return core_tidy(f->o.core, now);
}

/* A registry that is not accepted is not the end; a store that fails is. */
static enum err reload(struct front *f)
{
	struct registry *r = NULL;
	enum err e = f->o.load_registry(f->o.arg, &r);

	if (e == OK) {
		e = core_use_registry(f->o.core, r, clock_ms());
		if (e != OK && e != ERR_ROLLED_BACK) {
			registry_free(&r);
			return e;
		}
	}
	if (e == OK) {
		show_registry(f);
		log_info("REGISTRY-LOADED", "version=%" PRIu64,
			registry_message(who_now(f->o.who))->version);
	} else {
		log_error("REGISTRY-REFUSED", "why=%s", err_name(e));
	}
	registry_free(&r);
	return OK;
}

static enum err on_signals(struct front *f)
{
	struct signalfd_siginfo info;

	while (read(f->signals, &info, sizeof info) == (ssize_t)sizeof info)
		if (info.ssi_signo == SIGHUP)
			TRY(reload(f));
		else
			f->stop = true;
	return OK;
}

static enum err turn(struct front *f, zmq_pollitem_t *items)
{
	if (items[0].revents) {
		log_error("ZAP-ENDED", "why=%s", err_name(ERR_IO));
		return ERR_IO;
	}
	if (items[1].revents)
		TRY(on_signals(f));
	TRY(receive(f, LANE_URGENT));
	TRY(receive(f, LANE_ROUTINE));
	TRY(judged(f));
	show_registry(f);
	TRY(commit(f));
	return tick(f);
}

enum err front_run(struct front *f)
{
	zmq_pollitem_t items[] = {
		{.fd = zap_fd(f->zap), .events = ZMQ_POLLIN},
		{.fd = f->signals, .events = ZMQ_POLLIN},
		{.fd = pool_fd(f->o.pool), .events = ZMQ_POLLIN},
		{.socket = f->socket[LANE_URGENT], .events = ZMQ_POLLIN},
		{.socket = f->socket[LANE_ROUTINE], .events = ZMQ_POLLIN},
	};
	int n = sizeof items / sizeof *items;
	enum err e = OK;

	while (e == OK && !f->stop) {
		if (zmq_poll(items, n, core_more(f->o.core) ? 0 : TICK_MS) < 0 && errno != EINTR)
			return ERR_IO;
		e = turn(f, items);
	}
	log_counts(f);
	return e;
}
