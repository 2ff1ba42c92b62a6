/*
 * I7: every notice owed was sent. An outcome is told by a notice; what several partners of one
 * person are to hear, notify passes on to itself first, once for each, and each of these is told by
 * a notice. Notify's record of a case says, in times of receipt, from when on and until when
 * somebody is told.
 */
#include <inttypes.h>

#include "proto/case.pb-c.h"
#include "proto/envelope.h"
#include "services/admin/verify.h"
#include "services/intake/intake.h"
#include "services/notify/notify.h"
#include "services/notify/records.pb-c.h"

/* --- what is told at all --- */

enum { no, yes };

static const struct told {
	Event event;
	int last;
} told[] = {
#define NOTICE(event, last, ...) {EVENT__##event, last},
#include "services/notify/notices.def"
#undef NOTICE
};

/* NULL: it is told to nobody. */
static const struct told *find_told(Event event)
{
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		if (told[i].event == event)
			return &told[i];
	return NULL;
}

/* --- what was passed on --- */

static struct key part_key(const uint8_t cause[MSG_ID_LEN], const char *number, bool of_merge)
{
	struct key k = {0};

	key_str(&k, "passed on");
	key_bytes(&k, cause, MSG_ID_LEN);
	key_u8(&k, of_merge);
	key_str(&k, number);
	return k;
}

static enum err note_part(
	struct verify *v, const uint8_t cause[MSG_ID_LEN], const ProtobufCMessage *body)
{
	const Outcome *o = (const Outcome *)body;
	struct key k = part_key(cause, o->case_number, o->event == EVENT__MERGE_DUPLICATE);

	return omap_set(&v->caused, key_slice(&k), (struct slice){0}, 0);
}

struct outbox_walk {
	struct verify *v;
	const struct home *notify;
};

static enum err part_on_its_way(void *arg, struct slice bytes)
{
	const struct outbox_walk *w = arg;
	struct log_row row = {.received_at = w->v->now};
	ProtobufCMessage *body = NULL;
	struct envelope env;
	enum err e = OK;

	if (envelope_parse(bytes, &env) != OK)
		return ERR_CORRUPT;
	row.lane = env.row->lane;
	if (env.row->kind == KIND_REPORT_OUTCOME && env.header->cause.len == MSG_ID_LEN)
		e = home_open_message(w->notify, bytes, &row, &body);
	if (body) {
		e = note_part(w->v, env.header->cause.data, body);
		protobuf_c_message_free_unpacked(body, NULL);
	}
	envelope_free(&env);
	return e == ERR_NOT_FOUND ? OK : e;
}

static bool is_own(const struct home *notify, const struct logged *m)
{
	return strcmp(m->row.sender, notify->name) == 0;
}

static enum err gather_parts(struct verify *v, struct home *notify)
{
	struct outbox_walk w = {v, notify};

	for (uint64_t i = 0; i < v->size; i++) {
		const struct logged *m = &v->log[i];
		ProtobufCMessage *body;
		enum err e;

		if (m->row.kind != KIND_REPORT_OUTCOME || !m->has_cause || !is_own(notify, m))
			continue;
		e = open_logged(v, notify, m, &body);
		if (e == OK) {
			e = note_part(v, m->cause, body);
			protobuf_c_message_free_unpacked(body, NULL);
		}
		TRY(e == ERR_NOT_FOUND ? OK : e);
	}
	return home_outbox(notify, part_on_its_way, &w);
}

/* --- what is owed --- */

/* An outcome that notify has processed. */
struct outcome {
	struct verify *v;
	struct home *notify;
	const struct logged *m;
	const Outcome *o;
	bool time_differs; /* notify may have handled it at another time of receipt */
};

static bool is_passed_on(const struct outcome *x, const char *number, bool of_merge)
{
	struct key k = part_key(x->m->id, number, of_merge);

	return omap_get(&x->v->caused, key_slice(&k)) != NULL;
}

static void must_be_passed_on(const struct outcome *x, const char *number, bool of_merge)
{
	if (!is_passed_on(x, number, of_merge))
		found(x->v, FOUND_NOTICE_LOST, "%" PRIu64 " %s", (uint64_t)(x->m - x->v->log),
			number);
}

/* ERR_NOT_FOUND. */
static enum err load_case(struct home *notify, const char *number, NotifyCase **ret)
{
	ProtobufCMessage *m;

	TRY(record_get(
		notify->step, NOTIFY_CASES, slice_str(number), &notify_case__descriptor, &m));
	*ret = (NotifyCase *)m;
	return OK;
}

/* Whoever was merged into this case before hears of it. *ret: there is somebody. */
static bool check_merged(const struct outcome *x, const NotifyCase *c, bool of_merge)
{
	bool any = false;

	for (size_t i = 0; i < c->n_merged; i++) {
		if (x->m->row.received_at <= c->merged[i]->since)
			continue;
		any = true;
		must_be_passed_on(x, c->merged[i]->case_number, of_merge);
	}
	return any;
}

static bool is_merged_into(const NotifyCase *goes_on, const char *number)
{
	for (size_t i = 0; i < goes_on->n_merged; i++)
		if (strcmp(goes_on->merged[i]->case_number, number) == 0)
			return true;
	return false;
}

/* From a merge on its readers hear of the case that goes on; and at once, where it stands. */
static enum err check_join(const struct outcome *x, const NotifyCase *c)
{
	NotifyCase *goes_on;
	enum err e = load_case(x->notify, x->o->merged_into, &goes_on);

	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	if (e == ERR_NOT_FOUND || !is_merged_into(goes_on, x->o->case_number))
		found(x->v, FOUND_NOTICE_LOST, "%s", x->o->case_number);
	else if (goes_on->standing && goes_on->standing->event &&
		 goes_on->standing->since < x->m->row.received_at && !x->time_differs) {
		must_be_passed_on(x, x->o->case_number, false);
		(void)check_merged(x, c, false);
	}
	if (e == OK)
		notify_case__free_unpacked(goes_on, NULL);
	return OK;
}

/* Had its partner heard the last word before? */
static bool was_closed(const struct outcome *x, const NotifyCase *c)
{
	int64_t at = x->m->row.received_at;

	if (!c->closed_at || x->o->event == EVENT__REVOKE_CONSENT)
		return false;
	if (at == c->closed_at) /* is this the last word? */
		return find_told(x->o->event)->last == no;
	return at > c->closed_at || x->time_differs;
}

/* Of a case that was held the partner heard from intake. Without intake's store it may be so. */
static enum err was_held(const struct verify *v, const char *case_number, bool *ret)
{
	struct home *intake = verify_home(v, R(INTAKE));
	IntakeEntry *entry;
	enum err e;

	*ret = !intake;
	if (!intake)
		return OK;
	e = entry_load(intake->step, case_number, &entry);
	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	*ret = entry->held_once;
	intake_entry__free_unpacked(entry, NULL);
	return OK;
}

static enum err check_case(const struct outcome *x, const NotifyCase *c)
{
	bool of_merge = x->o->event == EVENT__MERGE_DUPLICATE, others = false;
	bool whole = !x->o->part && x->o->event != EVENT__REGISTER;
	bool direct = is_caused(x->v, KIND_SEND_NOTICE, x->m);

	if (whole && !(x->time_differs && direct))
		others = check_merged(x, c, of_merge);
	if (whole && *x->o->merged_into)
		TRY(check_join(x, c));
	if (others || !(direct || was_closed(x, c)))
		if (!whole || !is_passed_on(x, x->o->case_number, of_merge))
			found(x->v, FOUND_NOTICE_LOST, "%" PRIu64 " %s",
				(uint64_t)(x->m - x->v->log), x->o->case_number);
	return OK;
}

static enum err check_outcome(const struct outcome *x)
{
	static const NotifyCase unknown = NOTIFY_CASE__INIT;
	bool heard = false;
	NotifyCase *c;
	enum err e;

	if (!find_told(x->o->event))
		return OK;
	if (x->o->event == EVENT__REGISTER) /* once */
		TRY(was_held(x->v, x->o->case_number, &heard));
	if (heard)
		return OK;
	e = *x->o->case_number && !x->o->answer ? load_case(x->notify, x->o->case_number, &c)
						: ERR_NOT_FOUND;
	if (e == ERR_NOT_FOUND)
		return check_case(x, &unknown);
	TRY(e);
	e = check_case(x, c);
	notify_case__free_unpacked(c, NULL);
	return e;
}

static enum err check_one(struct verify *v, struct home *notify, const struct logged *m)
{
	struct outcome x = {.v = v, .notify = notify, .m = m};
	ProtobufCMessage *body;
	enum err e;

	TRY(receipt_may_differ(v, m, &x.time_differs));
	e = open_logged(v, notify, m, &body);
	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	x.o = (const Outcome *)body;
	e = check_outcome(&x);
	protobuf_c_message_free_unpacked(body, NULL);
	return e;
}

/* --- the check --- */

static void count_delivered(struct verify *v, const struct logged *m, uint64_t *ret_waiting)
{
	const struct box *b = verify_box(v, m->row.recipient);

	if (b && m->row.seq <= b->passed[m->row.lane])
		v->counts.notices_delivered++;
	else
		++*ret_waiting;
}

enum err check_notices(struct verify *v)
{
	struct home *notify = verify_home(v, R(NOTIFY));
	uint64_t waiting = 0, outbox = 0;

	TRY(follow_gather(v, notify));
	TRY(gather_parts(v, notify));
	for (uint64_t i = 0; i < v->size; i++) {
		const struct logged *m = &v->log[i];

		if (m->row.kind == KIND_SEND_NOTICE)
			count_delivered(v, m, &waiting);
		if (m->row.kind == KIND_REPORT_OUTCOME && m->has_content && is_processed(notify, m))
			TRY(check_one(v, notify, m));
	}
	TRY(home_outbox_count(notify, &outbox));
	checked(v, CHECK_7, "%" PRIu64 " notices delivered, %" PRIu64 " on their way",
		"%" PRIu64 " avis remis, %" PRIu64 " en route", v->counts.notices_delivered,
		waiting + outbox);
	return OK;
}
