/* What must have followed from a message that was processed: an alert from an urgent request (I6).
 * What follows names its cause in its header, in the log or still in the outbox. Of what the broker
 * refused nothing can follow. */
#include <inttypes.h>

#include "proto/case.pb-c.h"
#include "proto/envelope.h"
#include "services/admin/verify.h"
#include "services/intake/intake.h"
#include "services/urgent/urgent.h"

static struct key caused_key(uint32_t kind, const uint8_t cause[MSG_ID_LEN])
{
	struct key k = {0};

	key_u64(&k, kind);
	key_bytes(&k, cause, MSG_ID_LEN);
	return k;
}

static enum err note_caused(struct verify *v, uint32_t kind, const uint8_t cause[MSG_ID_LEN])
{
	struct key k = caused_key(kind, cause);

	return omap_set(&v->caused, key_slice(&k), (struct slice){0}, 0);
}

bool is_caused(const struct verify *v, uint32_t kind, const struct logged *by)
{
	struct key k = caused_key(kind, by->id);

	return omap_get(&v->caused, key_slice(&k)) != NULL;
}

static enum err outbox_envelope(void *arg, struct slice envelope)
{
	struct verify *v = arg;
	struct envelope env;
	enum err e = OK;

	if (envelope_parse(envelope, &env) != OK)
		return ERR_CORRUPT;
	if (env.header->cause.len == MSG_ID_LEN)
		e = note_caused(v, env.header->kind, env.header->cause.data);
	envelope_free(&env);
	return e;
}

/* What left its outbox is in the log. */
enum err follow_gather(struct verify *v, struct home *h)
{
	omap_clear(&v->caused);
	for (uint64_t i = 0; i < v->size; i++)
		if (v->log[i].has_cause && strcmp(v->log[i].row.sender, h->name) == 0)
			TRY(note_caused(v, v->log[i].row.kind, v->log[i].cause));
	return home_outbox(h, outbox_envelope, v);
}

enum err open_logged(
	struct verify *v, const struct home *h, const struct logged *m, ProtobufCMessage **ret)
{
	struct slice content;

	TRY(verify_content(v, m, &content));
	return home_open_message(h, content, &m->row, ret);
}

/* --- I6: urgent requests --- */

/* Intake's part: the request went on to the urgent service, or back to the partner. */
static enum err check_submitted(struct verify *v, struct home *intake, const struct logged *m)
{
	struct slice ignored;
	enum err e;

	if (is_caused(v, KIND_SEND_THREAT, m))
		return OK;
	if (m->row.kind == KIND_REPORT_RISK && is_caused(v, KIND_REPORT_OUTCOME, m))
		return OK;
	e = step_get(intake->step, INTAKE_REJECTED, slice_of(m->id, MSG_ID_LEN), &ignored);
	if (e == ERR_NOT_FOUND)
		found(v, FOUND_REQUEST_LOST, "%" PRIu64, (uint64_t)(m - v->log));
	return e == ERR_NOT_FOUND ? OK : e;
}

/* The urgent service's part: a case names it as a cause, or had ended before. */
static enum err check_threat(struct verify *v, struct home *urgent, const struct logged *m)
{
	ProtobufCMessage *body;
	UrgentCase *c = NULL;
	enum err e;

	if (m->followed)
		return OK;
	e = open_logged(v, urgent, m, &body);
	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	e = urgent_load(urgent->step, ((const Threat *)body)->case_number, &c);
	protobuf_c_message_free_unpacked(body, NULL);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	if (e == ERR_NOT_FOUND || !c->ended)
		found(v, FOUND_REQUEST_LOST, "%" PRIu64, (uint64_t)(m - v->log));
	urgent_case__free_unpacked(c, NULL);
	return OK;
}

enum err check_requests(struct verify *v)
{
	struct home *intake = verify_home(v, R(INTAKE));
	struct home *urgent = verify_home(v, R(URGENT_SERVICE));

	TRY(follow_gather(v, intake));
	for (uint64_t i = 0; i < v->size; i++) {
		const struct logged *m = &v->log[i];
		uint32_t kind = m->row.kind;

		if (!m->has_content)
			continue;
		if ((kind == KIND_SUBMIT_URGENT || kind == KIND_REPORT_RISK) &&
			is_processed(intake, m))
			TRY(check_submitted(v, intake, m));
		if (kind == KIND_SEND_THREAT && urgent && is_processed(urgent, m))
			TRY(check_threat(v, urgent, m));
	}
	return OK;
}

/* --- I6, I7: what can have no consequence any more --- */

struct refusals {
	struct verify *v;
	const char *home;
	bool again; /* the store was put back: it has done again what it had done */
};

/* The first one with this id stands: this is what came out differently. */
static enum err is_difference(
	const struct refusals *r, enum err code, const struct envelope *env, bool *ret)
{
	struct logged *first = NULL;

	if (r->again && code == ERR_ID_REUSED)
		TRY(verify_find(r->v, r->home, slice_of(env->header->id.data, MSG_ID_LEN), &first));
	*ret = first != NULL;
	return OK;
}

static enum err tell_refused(void *arg, enum err code, struct slice envelope)
{
	const struct refusals *r = arg;
	const struct kind_row *row;
	struct envelope env;
	bool differs;
	enum err e;

	if (envelope_parse(envelope, &env) != OK)
		return ERR_CORRUPT;
	row = env.row;
	e = is_difference(r, code, &env, &differs);
	envelope_free(&env);
	if (e != OK || differs) {
		r->v->differences += e == OK;
		return e;
	}
	found(r->v, row->lane == LANE_URGENT ? FOUND_URGENT_REFUSED : FOUND_REFUSED, "%s %s %s",
		r->home, row->name, err_name(code));
	return OK;
}

/* A service's own word that the broker refused: what it was to bring about does not happen. */
enum err check_refused(struct verify *v)
{
	for (size_t i = 0; i < v->n_homes; i++) {
		struct refusals r = {v, v->homes[i].name, false};
		uint64_t followed[LANES];
		struct epoch store;

		if (!v->homes[i].step)
			continue;
		TRY(home_epochs(&v->homes[i], &store, followed));
		r.again = store.number > 1;
		TRY(home_refused(&v->homes[i], tell_refused, &r));
	}
	return OK;
}
