/* What a partner sees: where each referral stands, the notices, what still waits. */
#include "services/client/client.h"

#include <stdlib.h>
#include <string.h>

#include "proto/json.h"
#include "proto/words.h"

struct listing {
	struct cli *c;
	struct node *n;
	struct step *s;
	const char *only; /* reference or case number; NULL: all */
	bool waiting_only;
	bool known; /* `only` names something of this home */
	json_t *list;
};

/* What a partner sends about a case, and what follows when it is rejected. Of referrals the notice
 * says it. */
static const struct about_case {
	enum kind kind;
	const char *name[2], *next[2];
} about_cases[] = {
	{KIND_REPORT_RISK, {"risk report", "signalement d’un danger"},
		{"The report changed nothing in the case. Correct it and send it again at once; "
		 "for "
		 "a case that has left, submit a new urgent referral.",
			"Le signalement n’a rien changé au dossier. Corrigez-le et renvoyez-le "
			"immédiatement; pour un dossier qui a quitté le volet, présentez une "
			"nouvelle demande urgente."}},
	{KIND_WITHDRAW_REFERRAL, {"withdrawal", "retrait"},
		{"The case is as its last notice says. Check the number; a case that has left "
		 "needs "
		 "no withdrawal.",
			"Le dossier est tel que le dit son dernier avis. Vérifiez le numéro; un "
			"dossier qui a quitté le volet n’a pas à être retiré."}},
};

static const struct about_case *about_case_of(const ClientSubmission *c)
{
	for (size_t i = 0; c && i < sizeof(about_cases) / sizeof(about_cases[0]); i++)
		if (about_cases[i].kind == (enum kind)c->kind)
			return &about_cases[i];
	return NULL;
}

static void say_offline(const struct cli *c, bool online)
{
	if (!online)
		cli_say(c,
			"(The department was not reached: this is what was known at the last "
			"call. There is no network, or the department does not let this key in: "
			"if this lasts, telephone it.)\n",
			"(Le ministère n’a pas été joint : voici ce qui était connu au dernier "
			"appel. Il n’y a pas de réseau, ou le ministère n’admet pas cette clé : "
			"si cela dure, téléphonez-lui.)\n");
}

/* One line of where it stands. */
static const char *standing(const ClientSubmission *c, enum lang lang)
{
	static const char *const waits[] = {"waits in the outbox", "attend dans la boîte d’envoi"};
	static const char *const received[] = {"received", "reçu"};
	static const char *const rejected[] = {"not accepted: see havre inbox; you act",
		"non accepté : voir havre inbox; c’est à vous d’agir"};

	if (c->refused)
		return err_text((enum err)c->refused, lang);
	if (!c->received_at)
		return waits[lang];
	if (c->last_event == EVENT__REJECT)
		return rejected[lang];
	if (c->state)
		return word(&state__descriptor, (int)c->state, lang);
	if (c->last_event)
		return word(&event__descriptor, (int)c->last_event, lang);
	return received[lang];
}

static bool is_named(const struct listing *l, const ClientSubmission *c)
{
	return !l->only || strcmp(l->only, c->label) == 0 || strcmp(l->only, c->case_number) == 0;
}

static void say_submission(const struct cli *cli, const ClientSubmission *c)
{
	const struct about_case *about = about_case_of(c);

	cli_say(cli, "%-24s %-15s %s%s%s%s%s\n", "%-24s %-15s %s%s%s%s%s\n", c->label,
		*c->case_number ? c->case_number : "-", about ? about->name[cli->lang] : "",
		about ? cli->lang == LANG_FR ? " : " : ": " : "", standing(c, cli->lang),
		c->protection ? " / " : "",
		c->protection ? word(&protection__descriptor, (int)c->protection, cli->lang) : "");
}

static enum err show_submission(void *arg, struct slice key, struct slice value)
{
	struct listing *l = arg;
	const struct kind_row *row;
	ClientSubmission *c;
	json_t *json;
	enum err e;

	(void)value;
	if (key.len != MSG_ID_LEN)
		return ERR_CORRUPT;
	TRY(submission_load(l->s, key.data, &c));
	row = catalogue_find(c->kind);
	if (!is_named(l, c) || (l->waiting_only && (c->received_at || c->refused))) {
		client_submission__free_unpacked(c, NULL);
		return OK;
	}
	l->known = true;
	say_submission(l->c, c);
	e = message_to_json(&c->base, &json);
	if (e == OK) {
		json_object_set_new(json, "kind", json_string(row ? row->name : ""));
		json_object_set_new(json, "refused",
			json_string(c->refused ? err_name((enum err)c->refused) : ""));
		json_array_append_new(l->list, json);
	}
	client_submission__free_unpacked(c, NULL);
	return e;
}

static enum err list_submissions(struct step *s, void *arg)
{
	struct listing *l = arg;

	l->s = s;
	return step_each(s, CLIENT_SUBMISSIONS, (struct slice){0}, show_submission, l);
}

/* The written reasons, which only the partner and the vault can open. */
static char *open_reasons(const struct listing *l, const Notice *n)
{
	const struct keyring *keys = node_keys(l->n);
	const Principal *me = registry_find(node_registry(l->n), keyring_principal(keys));
	char *text = NULL;

	for (size_t i = 0; n->note && me && !text && i < me->n_keys; i++)
		for (size_t k = me->keys[i]->n_box_keys; !text && k > 0; k--) {
			const uint8_t *id = me->keys[i]->id.data;
			const uint8_t *sk = keyring_box_secret_of(
				keys, id, me->keys[i]->box_keys[k - 1]->epoch);

			if (sk && note_open(slice_of(n->note->sealed.data, n->note->sealed.len),
					  n->case_number, id, sk, &text) != OK)
				text = NULL;
		}
	return text;
}

static void say_text(const struct cli *c, const Text *t)
{
	if (t)
		cli_say(c, "    %s\n", "    %s\n", c->lang == LANG_FR ? t->fr : t->en);
}

/* When, what it is about, and what happened; a rejected one by what was sent. */
static void say_head(const struct cli *cli, const Notice *n, const ClientSubmission *c)
{
	const struct about_case *about = *n->case_number ? NULL : about_case_of(c);
	static const char *const not_accepted[] = {"not accepted", "non accepté"};
	const char *number = n->case_number;
	char when[32];

	if (!*number)
		number = c ? c->label : "-";
	time_format(n->at, when);
	cli_say(cli, "%s  %s  %s%s%s\n", "%s  %s  %s%s%s\n", when, number,
		about ? about->name[cli->lang] : "",
		about ? cli->lang == LANG_FR ? " : " : ": " : "",
		about ? not_accepted[cli->lang]
		      : word(&event__descriptor, (int)n->event, cli->lang));
	say_text(cli, n->happened);
	if (about)
		cli_say(cli, "    %s\n", "    %s\n", about->next[cli->lang]);
	else
		say_text(cli, n->next);
}

static void say_notice(
	const struct listing *l, const Notice *n, const ClientSubmission *c, const char *reasons)
{
	say_head(l->c, n, c);
	say_text(l->c, n->who);
	for (size_t i = 0; i < n->n_reasons; i++)
		cli_say(l->c, "    - %s\n", "    - %s\n",
			word(&reason__descriptor, (int)n->reasons[i], l->c->lang));
	if (reasons)
		cli_say(l->c, "    \"%s\"\n", "    « %s »\n", reasons);
	for (size_t i = 0; i < n->n_faults; i++)
		cli_say(l->c, "    %s: %s\n", "    %s : %s\n", n->faults[i]->path,
			l->c->lang == LANG_FR ? n->faults[i]->fr : n->faults[i]->en);
}

/* What the notice is about; NULL when it was sent from another device of this partner. */
static enum err submission_of(const struct listing *l, const Notice *n, ClientSubmission **ret)
{
	enum err e = ERR_NOT_FOUND;

	*ret = NULL;
	if (n->submission.len == MSG_ID_LEN)
		e = submission_load(l->s, n->submission.data, ret);
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err add_notice(struct listing *l, const Notice *n, const ClientSubmission *c)
{
	char *reasons = open_reasons(l, n);
	json_t *json;
	enum err e;

	l->known = true;
	say_notice(l, n, c, reasons);
	e = message_to_json(&n->base, &json);
	if (e == OK) {
		json_object_del(json, "note");
		if (reasons)
			json_object_set_new(json, "written_reasons", json_string(reasons));
		json_array_append_new(l->list, json);
	}
	free(reasons);
	return e;
}

static enum err show_notice(void *arg, struct slice key, struct slice value)
{
	struct listing *l = arg;
	ClientSubmission *c = NULL;
	ProtobufCMessage *m;
	const Notice *n;
	enum err e;

	(void)value;
	TRY(case_get(l->s, CLIENT_INBOX, key, CLIENT_CASE, &notice__descriptor, &m));
	n = (const Notice *)m;
	e = submission_of(l, n, &c);
	if (e == OK && (!l->only || strcmp(l->only, n->case_number) == 0 || (c && is_named(l, c))))
		e = add_notice(l, n, c);
	if (c)
		client_submission__free_unpacked(c, NULL);
	protobuf_c_message_free_unpacked(m, NULL);
	return e;
}

/* Nothing may have come yet about what was sent. */
static enum err look_for_name(void *arg, struct slice key, struct slice value)
{
	struct listing *l = arg;
	ClientSubmission *c;

	(void)value;
	if (key.len != MSG_ID_LEN)
		return ERR_CORRUPT;
	TRY(submission_load(l->s, key.data, &c));
	l->known = l->known || is_named(l, c);
	client_submission__free_unpacked(c, NULL);
	return OK;
}

static enum err list_notices(struct step *s, void *arg)
{
	struct listing *l = arg;

	l->s = s;
	TRY(step_each(s, CLIENT_INBOX, (struct slice){0}, show_notice, l));
	if (!l->only || l->known)
		return OK;
	return step_each(s, CLIENT_SUBMISSIONS, (struct slice){0}, look_for_name, l);
}

static enum err show(struct cli *c, bool waiting_only, enum err (*list)(struct step *, void *))
{
	struct listing l = {.c = c, .waiting_only = waiting_only};
	bool online = false;
	enum err e;

	if (c->n_operands)
		l.only = c->operands[0];
	TRY(home_open(c, &client_service, NULL, &l.n));
	l.list = json_array();
	e = home_sync(c, l.n, 10, &online);
	if (e == OK) {
		say_offline(c, online);
		e = node_read(l.n, list, &l);
		if (e == OK && l.only && !l.known)
			e = ERR_NOT_FOUND;
		if (e != OK)
			e = cli_fail(c, e, l.only);
	}
	if (e == OK && json_array_size(l.list) == 0)
		cli_say(c, "Nothing.\n", "Rien.\n");
	node_free(&l.n);
	if (e == OK)
		cli_json(c, l.list);
	else
		json_decref(l.list);
	return e;
}

enum err client_status(struct cli *c)
{
	return show(c, false, list_submissions);
}

enum err client_inbox(struct cli *c)
{
	return show(c, false, list_notices);
}

enum err client_outbox(struct cli *c)
{
	return show(c, true, list_submissions);
}
