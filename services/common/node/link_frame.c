#include "services/common/node/link_lane.h"
#include "services/common/base/log.h"

/* --- what the broker sends: a row says what makes sense, and who takes it --- */

static bool welcome_sound(const struct link *l, const struct lane_state *s, const Frame *f)
{
	return s->greeted && f->welcome->protocol == LINK_PROTOCOL &&
	       strcmp(f->welcome->broker, l->config->broker_name) == 0;
}

static enum err welcome_give(struct link *l, struct lane_state *s, const Frame *f)
{
	enum err e;

	if (!s->welcomed)
		log_info("LINK-WELCOME", "lane=%s read_up_to=%llu waiting=%llu registry=%llu",
			lane_name(s->lane), (unsigned long long)f->welcome->read_up_to,
			(unsigned long long)f->welcome->waiting,
			(unsigned long long)f->welcome->registry_version);
	e = l->ops->on_welcome(l->arg, s->lane, f->welcome);
	if (e == ERR_FENCED || e == ERR_ROLLED_BACK || e == ERR_BAD_SIGNATURE)
		return lane_lose(l, s, err_name(e));
	s->welcomed = e == OK;
	return e;
}

/* No gap, and no more than there was credit for; what comes twice is the reader's to skip. */
static bool delivery_sound(const struct link *l, const struct lane_state *s, const Frame *f)
{
	(void)l;
	return s->credit > 0 && f->delivery->seq > 0 && f->delivery->seq - 1 <= s->seq;
}

static enum err delivery_give(struct link *l, struct lane_state *s, const Frame *f)
{
	if (f->delivery->seq > s->seq)
		s->seq = f->delivery->seq;
	s->credit--;
	s->owed++;
	return l->ops->on_delivery(l->arg, s->lane, f->delivery);
}

static bool receipt_sound(const struct link *l, const struct lane_state *s, const Frame *f)
{
	(void)l, (void)s;
	return f->receipt->id.len == MSG_ID_LEN && f->receipt->envelope_hash.len == HASH_LEN;
}

static enum err receipt_give(struct link *l, struct lane_state *s, const Frame *f)
{
	(void)s;
	return l->ops->on_receipt(l->arg, f->receipt);
}

static bool refusal_sound(const struct link *l, const struct lane_state *s, const Frame *f)
{
	(void)l, (void)s;
	return (f->refusal->id.len == MSG_ID_LEN || f->refusal->id.len == 0) &&
	       f->refusal->envelope_hash.len == HASH_LEN;
}

static enum err refusal_give(struct link *l, struct lane_state *s, const Frame *f)
{
	(void)s;
	return l->ops->on_refusal(l->arg, f->refusal);
}

static bool busy_sound(const struct link *l, const struct lane_state *s, const Frame *f)
{
	(void)l, (void)s;
	return f->busy->id.len == MSG_ID_LEN || f->busy->id.len == 0;
}

static enum err busy_give(struct link *l, struct lane_state *s, const Frame *f)
{
	(void)s;
	if (f->busy->id.len == 0) /* the broker could not tell which */
		return OK;
	return l->ops->on_busy(l->arg, f->busy->id.data, f->busy->retry_ms);
}

static bool any_sound(const struct link *l, const struct lane_state *s, const Frame *f)
{
	(void)l, (void)s, (void)f;
	return true;
}

static enum err query_give(struct link *l, struct lane_state *s, const Frame *f)
{
	(void)s;
	return l->ops->on_query(l->arg, slice_of(f->query->envelope.data, f->query->envelope.len));
}

static enum err answer_give(struct link *l, struct lane_state *s, const Frame *f)
{
	(void)s;
	return l->ops->on_answer(
		l->arg, slice_of(f->answer->envelope.data, f->answer->envelope.len));
}

static enum err ping_give(struct link *l, struct lane_state *s, const Frame *f)
{
	Frame back = FRAME__INIT;
	Pong pong = PONG__INIT;

	(void)l;
	pong.nonce = f->ping->nonce;
	back.what_case = FRAME__WHAT_PONG;
	back.pong = &pong;
	if (link_socket_send(&s->socket, &back) != OK)
		log_debug("LINK-PONG", "lane=%s why=queue", lane_name(s->lane));
	return OK;
}

static enum err pong_give(struct link *l, struct lane_state *s, const Frame *f)
{
	return s->welcomed ? l->ops->on_safe(l->arg, s->lane, f->pong->safe) : OK;
}

/* early: makes sense before the welcome too. A frame without a row is not for programs. */
static const struct frame_row {
	bool (*sound)(const struct link *l, const struct lane_state *s, const Frame *f);
	enum err (*give)(struct link *l, struct lane_state *s, const Frame *f);
	bool early;
} frame_rows[] = {
	[FRAME__WHAT_WELCOME] = {welcome_sound, welcome_give, true},
	[FRAME__WHAT_RECEIPT] = {receipt_sound, receipt_give, false},
	[FRAME__WHAT_REFUSAL] = {refusal_sound, refusal_give, false},
	[FRAME__WHAT_BUSY] = {busy_sound, busy_give, false},
	[FRAME__WHAT_DELIVERY] = {delivery_sound, delivery_give, false},
	[FRAME__WHAT_QUERY] = {any_sound, query_give, false},
	[FRAME__WHAT_ANSWER] = {any_sound, answer_give, false},
	[FRAME__WHAT_PING] = {any_sound, ping_give, true},
	[FRAME__WHAT_PONG] = {any_sound, pong_give, true},
};
#define FRAME_ROWS (sizeof(frame_rows) / sizeof(frame_rows[0]))

static enum err lane_frame(struct link *l, struct lane_state *s, const Frame *f)
{
	const struct frame_row *row =
		(size_t)f->what_case < FRAME_ROWS ? &frame_rows[f->what_case] : NULL;

	if (!row || !row->give || !(s->welcomed || row->early) || !row->sound(l, s, f)) {
		log_warn("LINK-FRAME", "lane=%s what=%d why=%s", lane_name(s->lane),
			(int)f->what_case, err_name(ERR_INVALID));
		return lane_lose(l, s, "frame");
	}
	s->quiet_since = link_clock();
	s->probes = 0;
	if (s->welcomed)
		s->failures = 0;
	return row->give(l, s, f);
}

enum err lane_take(struct link *l, struct lane_state *s, bool *ret_took)
{
	Frame *f = NULL;
	enum err e = s->open ? link_socket_receive(&s->socket, &f) : ERR_NOT_FOUND;

	*ret_took = e != ERR_NOT_FOUND;
	if (e == ERR_NOT_FOUND)
		return OK;
	if (e == ERR_NOMEM)
		return e;
	if (e != OK) {
		log_warn("LINK-FRAME", "lane=%s what=none why=%s", lane_name(s->lane), err_name(e));
		return lane_lose(l, s, "frame");
	}
	e = lane_frame(l, s, f);
	frame__free_unpacked(f, NULL);
	return e;
}
