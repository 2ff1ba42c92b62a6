#include "services/staff/staff.h"

#include "proto/strict.h"

static const char *const tables[] = {
	[STAFF_REQUESTS] = "requests",
	[STAFF_ALERTS] = "alerts",
	[STAFF_WARNINGS] = "warnings",
	NULL,
};

struct key request_key(int64_t asked, const char *case_number)
{
	struct key k = {0};

	key_u64(&k, (uint64_t)asked);
	key_str(&k, case_number);
	return k;
}

static struct staff_seen *seen_of(const struct step *s)
{
	return ((const struct staff_context *)step_context(s))->seen;
}

void staff_moved(struct step *s, bool fresh)
{
	struct staff_seen *seen = seen_of(s);

	seen->moved = true;
	seen->fresh += fresh;
}

/* 4. The newest alert replaces the one before; a stand-down ends it. */
static enum err on_alert(struct step *s, const ProtobufCMessage *m)
{
	const Alert *a = (const Alert *)m;
	struct slice key = slice_str(a->case_number);
	enum err e;

	if (a->stand_down)
		e = step_delete(s, STAFF_ALERTS, key);
	else
		e = case_put(s, STAFF_ALERTS, key, STAFF_CASE, m);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	staff_moved(s, !a->stand_down);
	return OK;
}

/* The request that this message answers: a message's id has the time of its cause's. ERR_NOT_FOUND:
 * it was asked on another device of this person, or told already. */
static enum err asked_for(struct step *s, const char *case_number, StaffRequest **ret)
{
	struct key k = request_key(msg_id_time(step_cause(s)), case_number);
	ProtobufCMessage *m;

	TRY(case_get(s, STAFF_REQUESTS, key_slice(&k), STAFF_CASE, &staff_request__descriptor, &m));
	*ret = (StaffRequest *)m;
	return OK;
}

static enum err save(struct step *s, const StaffRequest *r)
{
	struct key k = request_key(msg_id_time(r->id.data), r->case_number);

	return case_put(s, STAFF_REQUESTS, key_slice(&k), STAFF_CASE, &r->base);
}

/* 7. */
static enum err on_result(struct step *s, const ProtobufCMessage *m)
{
	const DecisionResult *d = (const DecisionResult *)m;
	StaffRequest *r;
	enum err e = asked_for(s, d->case_number, &r);

	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	r->answered = true;
	r->result = d->result;
	r->case_version = d->case_version;
	r->state = d->state;
	r->protection = d->protection;
	e = save(s, r);
	staff_request__free_unpacked(r, NULL);
	return e;
}

/* An identity is for the eyes of who asks now: it goes to the running command's memory, and
 * nowhere when nobody waits for it. */
static enum err on_opened(struct step *s, const ProtobufCMessage *m)
{
	const IdentityOpened *o = (const IdentityOpened *)m;
	struct staff_seen *seen = seen_of(s);
	StaffRequest *r;
	enum err e = asked_for(s, o->case_number, &r);

	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	r->answered = true;
	r->result = o->result;
	e = save(s, r);
	if (e == OK && seen->asked == msg_id_time(r->id.data)) {
		buf_free(&seen->opened);
		e = strict_pack(m, &seen->opened);
	}
	staff_request__free_unpacked(r, NULL);
	return e;
}

struct posted_one {
	struct step *s;
	const uint8_t *id;
	const Receipt *receipt;
	enum err refused;
};

static enum err note_posted(void *arg, struct slice key, struct slice value)
{
	const struct posted_one *p = arg;
	ProtobufCMessage *m;
	StaffRequest *r;
	enum err e = OK;

	(void)value;
	TRY(case_get(p->s, STAFF_REQUESTS, key, STAFF_CASE, &staff_request__descriptor, &m));
	r = (StaffRequest *)m;
	if (r->id.len == MSG_ID_LEN && memcmp(r->id.data, p->id, MSG_ID_LEN) == 0) {
		r->refused = p->refused;
		r->received_at = p->receipt ? p->receipt->received_at : 0;
		/* the broker does what it takes, or refuses it */
		r->answered = p->receipt && r->kind == KIND_PROPOSE_SUSPENSION;
		e = save(p->s, r);
	}
	protobuf_c_message_free_unpacked(m, NULL);
	return e;
}

static enum err on_posted(struct step *s, const uint8_t id[MSG_ID_LEN], enum kind kind,
	struct slice envelope, const Receipt *receipt, enum err refused)
{
	struct posted_one p = {s, id, receipt, refused};
	struct key at = {0};

	(void)kind;
	(void)envelope;
	key_u64(&at, (uint64_t)msg_id_time(id));
	return step_each(s, STAFF_REQUESTS, key_slice(&at), note_posted, &p);
}

static const struct route routes[] = {
	ON(RAISE_ALERT, on_alert),
	ON(WARN_OPERATOR, on_warning),
	ON(ANSWER_DECISION, on_result),
	ON(IDENTITY_OPENED, on_opened),
	{0},
};

const struct service staff_service = {
	.name = "havre-staff",
	.program = PROGRAM_STAFF,
	.tables = tables,
	.routes = routes,
	.on_posted = on_posted,
};
