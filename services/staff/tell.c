/* What became of requests, told once. */
#include "services/staff/staff.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/json.h"
#include "proto/words.h"

enum outcome outcome_of(const StaffRequest *r, bool own)
{
	if (r->refused)
		return OUTCOME_BROKER_REFUSED;
	if (!r->answered)
		return r->received_at ? OUTCOME_RECEIVED : OUTCOME_WAITS;
	if (r->result)
		return OUTCOME_NOT_APPLIED;
	if (r->kind != KIND_OPEN_IDENTITY)
		return OUTCOME_APPLIED;
	return own ? OUTCOME_OPENED : OUTCOME_OPENED_LATE;
}

static const struct {
	const char *name, *words[2];
} outcomes[OUTCOMES] = {
	[OUTCOME_WAITS] = {"WAITS",
		{"safe in the outbox; it leaves when the broker can be reached, and a later call "
		 "tells the answer. If this lasts though there is a network, the broker may not "
		 "let this key in: ask the administrator",
			"en sûreté dans la boîte d’envoi; partira dès que le courtier pourra être "
			"joint, et un appel suivant donnera la réponse. Si cela dure malgré le "
			"réseau, le courtier n’admet peut-être pas cette clé : demandez à "
			"l’administrateur"}},
	[OUTCOME_RECEIVED] = {"RECEIVED",
		{"received by the broker; a later call tells the answer",
			"reçu par le courtier; un appel suivant donnera la réponse"}},
	[OUTCOME_BROKER_REFUSED] = {"REFUSED", {"refused by the broker", "rejeté par le courtier"}},
	[OUTCOME_APPLIED] = {"APPLIED", {"applied", "appliqué"}},
	[OUTCOME_NOT_APPLIED] = {"NOT_APPLIED", {"NOT applied", "NON appliqué"}},
	[OUTCOME_OPENED] = {"OPENED",
		{"opened; the opening, its reason and your name are logged for ever",
			"ouverte; l’ouverture, son motif et votre nom sont consignés pour "
			"toujours"}},
	[OUTCOME_OPENED_LATE] = {"OPENED_LATE",
		{"opened and logged, but too late to be shown, and not kept: ask again",
			"ouverte et consignée, mais trop tard pour être montrée, et non "
			"conservée : demandez de nouveau"}},
};

const char *outcome_name(enum outcome o)
{
	return outcomes[o].name;
}

const char *outcome_text(enum outcome o, enum lang lang)
{
	return outcomes[o].words[lang];
}

/* --- telling --- */

struct telling {
	struct session *session;
	struct step *s;
	json_t *list;
	struct key *told; /* keys of what is settled: to be forgotten */
	size_t n;
	enum err result;
};

static const char *deed(const StaffRequest *r, enum lang lang)
{
	static const char *const open[] = {"open the identity", "ouvrir l’identité"};
	static const char *const close_year[] = {"close the year", "clore l’année"};
	static const char *const suspend[] = {
		"signature for the suspension list", "signature pour la liste de suspension"};

	if (r->kind == KIND_OPEN_IDENTITY)
		return open[lang];
	if (r->kind == KIND_CLOSE_YEAR)
		return close_year[lang];
	if (r->kind == KIND_PROPOSE_SUSPENSION)
		return suspend[lang];
	return word(&event__descriptor, (int)r->event, lang);
}

/* The error that goes with an outcome, or OK. */
static enum err why(const StaffRequest *r)
{
	return (enum err)(r->refused ? r->refused : r->result);
}

static void say_request(const struct cli *c, const StaffRequest *r, enum outcome o, bool own)
{
	char when[32];

	time_format(r->asked_at, when);
	if (!own)
		cli_say(c, "(asked at %s) ", "(demandé à %s) ", when);
	cli_say(c, "%s%s%s: %s", "%s%s%s : %s", r->case_number, *r->case_number ? "  " : "",
		deed(r, c->lang), outcome_text(o, c->lang));
	if (why(r) != OK)
		cli_say(c, ": %s", " : %s", err_text(why(r), c->lang));
	if (r->state)
		cli_say(c, "\n    now: %s", "\n    maintenant : %s",
			word(&state__descriptor, (int)r->state, c->lang));
	else if (r->protection)
		cli_say(c, "\n    now: %s", "\n    maintenant : %s",
			word(&protection__descriptor, (int)r->protection, c->lang));
	if ((r->state || r->protection) && r->case_version)
		cli_say(c, ", version %u", ", version %u", r->case_version);
	cli_say(c, "\n", "\n");
}

static enum err json_request(const StaffRequest *r, enum outcome o, bool own, json_t *list)
{
	const struct kind_row *row = catalogue_find(r->kind);
	json_t *json;

	TRY(message_to_json(&r->base, &json));
	json_object_set_new(json, "kind", json_string(row ? row->name : ""));
	json_object_set_new(json, "refused", json_string(r->refused ? err_name(why(r)) : ""));
	json_object_set_new(json, "result", json_string(r->answered ? err_name(why(r)) : ""));
	json_object_set_new(json, "outcome", json_string(outcome_name(o)));
	json_object_set_new(
		json, "applied", json_boolean(o == OUTCOME_APPLIED || o == OUTCOME_OPENED));
	json_object_set_new(json, "earlier", json_boolean(!own));
	json_object_set_new(json, "message_en", json_string(outcome_text(o, LANG_EN)));
	json_object_set_new(json, "message_fr", json_string(outcome_text(o, LANG_FR)));
	return json_array_append_new(list, json) ? ERR_NOMEM : OK;
}

static enum err remember(struct telling *t, struct slice key)
{
	struct key *more = realloc(t->told, (t->n + 1) * sizeof(*more));

	if (!more)
		return ERR_NOMEM;
	t->told = more;
	t->told[t->n] = (struct key){0};
	key_bytes(&t->told[t->n++], key.data, key.len);
	return OK;
}

static enum err tell_one(struct telling *t, struct slice key, const StaffRequest *r)
{
	bool own = t->session->seen.asked && t->session->seen.asked == msg_id_time(r->id.data);
	enum outcome o = outcome_of(r, own);

	if (!own && (o == OUTCOME_WAITS || o == OUTCOME_RECEIVED))
		return OK;
	if (o != OUTCOME_WAITS && o != OUTCOME_RECEIVED)
		TRY(remember(t, key));
	if (own && o == OUTCOME_BROKER_REFUSED)
		t->result = why(r);
	if (own && o == OUTCOME_NOT_APPLIED)
		t->result = ERR_INVALID;
	say_request(t->session->c, r, o, own);
	return json_request(r, o, own, t->list);
}

static enum err visit(void *arg, struct slice key, struct slice value)
{
	struct telling *t = arg;
	ProtobufCMessage *m;
	enum err e;

	(void)value;
	TRY(case_get(t->s, STAFF_REQUESTS, key, STAFF_CASE, &staff_request__descriptor, &m));
	e = ((StaffRequest *)m)->id.len == MSG_ID_LEN ? tell_one(t, key, (StaffRequest *)m)
						      : ERR_CORRUPT;
	protobuf_c_message_free_unpacked(m, NULL);
	return e;
}

static enum err tell_all(struct step *s, void *arg)
{
	struct telling *t = arg;

	t->s = s;
	return step_each(s, STAFF_REQUESTS, (struct slice){0}, visit, t);
}

static enum err forget(struct step *s, void *arg)
{
	const struct telling *t = arg;

	for (size_t i = 0; i < t->n; i++)
		TRY(step_delete(s, STAFF_REQUESTS, key_slice(&t->told[i])));
	return OK;
}

enum err tell_requests(struct session *s, json_t *json)
{
	struct telling t = {.session = s, .list = json_array()};
	enum err e = node_read(s->n, tell_all, &t);

	if (e == OK && t.n)
		e = node_local(s->n, forget, &t);
	free(t.told);
	json_object_set_new(json, "results", t.list);
	if (e != OK) {
		json_decref(json);
		return cli_fail(s->c, e, NULL);
	}
	cli_json(s->c, json);
	if (t.result != OK)
		s->c->told = true;
	return t.result;
}
