/* The suspension list: one officer proposes, another confirms; the broker acts on it at once. */
#include <stdio.h>

#include "proto/json.h"
#include "proto/strict.h"
#include "proto/words.h"
#include "services/common/engine/trust_step.h"
#include "services/staff/actions.h"
#include "services/staff/staff.h"

#define ID_SIZE (2 * ACT_ID_LEN + 1)

/* An act that this officer is about to sign. */
struct signing {
	struct buf act;
	SuspensionAct *said; /* the same, decoded */
	bool confirms;
};

static void signing_free(struct signing *s)
{
	buf_free(&s->act);
	if (s->said)
		suspension_act__free_unpacked(s->said, NULL);
}

static void id_text(struct slice act, char ret[ID_SIZE])
{
	uint8_t id[ACT_ID_LEN];

	act_id(act, id);
	hex_encode(ret, id, ACT_ID_LEN);
}

/* --- what there is --- */

struct listing {
	struct session *s;
	struct step *step;
	json_t *json;
	bool proposed;
};

/* What a list has no use for: lifts, and proposals that nobody can confirm any more. */
static bool is_past(const struct listing *l, const SuspensionAct *act)
{
	return l->proposed ? act->made_at < step_now(l->step) - ACT_LIVES_MS : act->lift;
}

static json_t *act_json(struct slice bytes, const SuspensionAct *act)
{
	char id[ID_SIZE];
	json_t *one;

	id_text(bytes, id);
	if (message_to_json(&act->base, &one) != OK)
		return NULL;
	json_object_set_new(one, "id", json_string(id));
	return one;
}

static enum err list_one(void *arg, const StoredAct *stored, const SuspensionAct *act)
{
	struct slice bytes = slice_of(stored->act->act.data, stored->act->act.len);
	char id[ID_SIZE], key[2 * KEY_ID_LEN + 1] = "", when[32];
	struct listing *l = arg;

	if (is_past(l, act))
		return OK;
	id_text(bytes, id);
	hex_encode(key, act->key_id.data, act->key_id.len);
	time_format(act->made_at, when);
	if (l->proposed)
		cli_say(l->s->c,
			"%s  to be confirmed (%s, %s%s%s): ", "%s  à confirmer (%s, %s%s%s) : ", id,
			stored->act->signatures[0]->officer, act->principal, *key ? " " : "", key);
	else
		cli_say(l->s->c, "%s  suspended (%s%s%s): ", "%s  suspension (%s%s%s) : ", id,
			act->principal, *key ? " " : "", key);
	cli_say(l->s->c, "%s%s, %s\n", "%s%s, %s\n",
		!act->lift                 ? ""
		: l->s->c->lang == LANG_FR ? "levée : "
					   : "lift: ",
		word(&suspension_reason__descriptor, (int)act->reason, l->s->c->lang), when);
	return json_array_append_new(l->json, act_json(bytes, act)) ? ERR_NOMEM : OK;
}

static enum err list_both(struct step *step, void *arg)
{
	struct listing l = {.s = arg, .step = step, .json = json_array()};
	json_t *both = json_object();
	enum err e;

	json_object_set_new(both, "in_force", l.json);
	e = trust_each(step, ACTS_IN_FORCE, list_one, &l);
	l.json = json_array();
	json_object_set_new(both, "proposed", l.json);
	l.proposed = true;
	if (e == OK)
		e = trust_each(step, ACTS_PROPOSED, list_one, &l);
	if (e == OK)
		cli_json(l.s->c, both);
	else
		json_decref(both);
	return e;
}

/* --- what is signed --- */

/* The newest act in force of the same target. */
struct newest {
	const SuspensionAct *target;
	uint64_t serial;
};

static enum err find_newest(void *arg, const StoredAct *stored, const SuspensionAct *act)
{
	struct newest *n = arg;

	(void)stored;
	if (strcmp(act->principal, n->target->principal) == 0 &&
		slice_eq(slice_of(act->key_id.data, act->key_id.len),
			slice_of(n->target->key_id.data, n->target->key_id.len)))
		n->serial = act->serial;
	return OK;
}

static enum err read_newest(struct step *s, void *arg)
{
	return trust_each(s, ACTS_IN_FORCE, find_newest, arg);
}

static enum err read_options(struct cli *c, SuspensionAct *a, uint8_t key_id[KEY_ID_LEN])
{
	const char *key = cli_value(c, "key"), *text;
	int reason = 0;

	TRY(cli_required(c, "reason", &text));
	if (coded_find(&suspension_reason__descriptor, text, &reason) != OK)
		return session_bad_word(c, text, &suspension_reason__descriptor);
	if (key && hex_decode(key_id, KEY_ID_LEN, key) != OK)
		return cli_fail(c, ERR_USAGE, key);
	a->principal = c->operands[0];
	a->key_id = (ProtobufCBinaryData){key ? KEY_ID_LEN : 0, key_id};
	a->lift = cli_flag(c, "lift");
	a->reason = (SuspensionReason)reason;
	return OK;
}

static enum err new_act(struct session *s, struct signing *ret)
{
	SuspensionAct a = SUSPENSION_ACT__INIT;
	struct newest newest = {.target = &a};
	uint8_t key_id[KEY_ID_LEN];
	SignedAct said = SIGNED_ACT__INIT;

	TRY(read_options(s->c, &a, key_id));
	TRY(node_read(s->n, read_newest, &newest));
	a.serial = newest.serial + 1;
	a.made_at = node_now();
	TRY(strict_pack(&a.base, &ret->act));
	said.act = (ProtobufCBinaryData){ret->act.len, ret->act.data};
	return act_open(&said, &ret->said);
}

struct wanted {
	const char *id;
	struct signing *ret;
};

static enum err find_proposal(void *arg, const StoredAct *stored, const SuspensionAct *act)
{
	const struct wanted *w = arg;
	struct slice bytes = slice_of(stored->act->act.data, stored->act->act.len);
	char id[ID_SIZE];

	(void)act;
	id_text(bytes, id);
	if (w->ret->said || strcmp(id, w->id) != 0)
		return OK;
	TRY(buf_append(&w->ret->act, bytes.data, bytes.len));
	return act_open(stored->act, &w->ret->said);
}

static enum err read_proposal(struct step *s, void *arg)
{
	return trust_each(s, ACTS_PROPOSED, find_proposal, arg);
}

static enum err proposed_act(struct session *s, const char *id, struct signing *ret)
{
	struct wanted w = {id, ret};

	TRY(node_read(s->n, read_proposal, &w));
	ret->confirms = true;
	return ret->said ? OK : cli_fail(s->c, ERR_NOT_FOUND, id);
}

/* --- signing and sending --- */

static enum err sign_and_send(struct session *s, const struct signing *what)
{
	const struct keyring *keys = node_keys(s->n);
	SignedAct body = SIGNED_ACT__INIT;
	ActSignature sig = ACT_SIGNATURE__INIT, *list[] = {&sig};
	struct sending one = {
		KIND_PROPOSE_SUSPENSION, EVENT__NO_EVENT, what->said->principal, &body.base};
	uint8_t signature[SIG_LEN];

	TRY(act_sign(slice_buf(&what->act), keyring_sign_seed(keys), signature));
	sig.officer = (char *)keyring_principal(keys);
	sig.key_id = (ProtobufCBinaryData){KEY_ID_LEN, (uint8_t *)keyring_key_id(keys)};
	sig.signature = (ProtobufCBinaryData){SIG_LEN, signature};
	body.act = (ProtobufCBinaryData){what->act.len, what->act.data};
	body.signatures = list;
	body.n_signatures = 1;
	return send_all(s, &one, 1);
}

static enum err tell(struct session *s, const struct signing *what)
{
	json_t *json = act_json(slice_buf(&what->act), what->said);
	char id[ID_SIZE];

	if (!json)
		return ERR_NOMEM;
	json_object_set_new(json, "confirms", json_boolean(what->confirms));
	id_text(slice_buf(&what->act), id);
	if (!what->confirms)
		cli_say(s->c,
			"Within 24 hours another officer confirms it: havre-staff suspend "
			"--confirm "
			"%s\n",
			"D’ici 24 heures, un autre agent le confirme : havre-staff suspend "
			"--confirm %s\n",
			id);
	return tell_requests(s, json);
}

static enum err run(struct session *s)
{
	const char *confirm = cli_value(s->c, "confirm");
	struct signing what = {.said = NULL};
	bool online;
	enum err e;

	/* first what the broker told since: the serials, and what others propose */
	TRY(home_sync(s->c, s->n, 15, &online));
	if (!confirm && !s->c->n_operands)
		return node_read(s->n, list_both, s);
	e = confirm ? proposed_act(s, confirm, &what) : new_act(s, &what);
	if (e == OK)
		e = sign_and_send(s, &what);
	if (e == OK)
		e = tell(s, &what);
	signing_free(&what);
	return e;
}

enum err staff_suspend(struct cli *c)
{
	struct session s = {.c = c};
	enum err e;

	if (cli_value(c, "confirm") && c->n_operands)
		return cli_fail(c, ERR_USAGE, "NAME|--confirm");
	e = session_open(c, &s);
	if (e == OK)
		e = run(&s);
	session_close(&s);
	return e;
}
