/* What a partner sees: where each referral stands, the notices, what still waits. */
#include "services/client/client.h"

#include <stdlib.h>

#include "proto/json.h"
#include "proto/words.h"

struct listing {
	struct cli *c;
	struct node *n;
	struct step *s;
	const char *only; /* reference or case number; NULL: all */
	bool waiting_only;
	json_t *list;
};

static void say_offline(const struct cli *c, bool online)
{
	if (!online)
		cli_say(c, "(No network: this is what was known at the last call.)\n",
			"(Pas de réseau : voici ce qui était connu au dernier appel.)\n");
}

/* One line of where it stands. */
static const char *standing(const ClientSubmission *c, enum lang lang)
{
	static const char *const waits[] = {"waits in the outbox", "attend dans la boîte d’envoi"};
	static const char *const received[] = {"received", "reçu"};

	if (c->refused)
		return err_text((enum err)c->refused, lang);
	if (!c->received_at)
		return waits[lang];
	if (c->state)
		return word(&state__descriptor, (int)c->state, lang);
	if (c->last_event)
		return word(&event__descriptor, (int)c->last_event, lang);
	return received[lang];
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
	if ((l->only && strcmp(l->only, c->label) != 0 && strcmp(l->only, c->case_number) != 0) ||
		(l->waiting_only && (c->received_at || c->refused))) {
		client_submission__free_unpacked(c, NULL);
		return OK;
	}
	cli_say(l->c, "%-24s %-15s %s%s%s\n", "%-24s %-15s %s%s%s\n", c->label,
		*c->case_number ? c->case_number : "-", standing(c, l->c->lang),
		c->protection ? " / " : "",
		c->protection ? word(&protection__descriptor, (int)c->protection, l->c->lang) : "");
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

static void say_notice(const struct listing *l, const Notice *n, const char *reasons)
{
	char when[32];

	time_format(n->at, when);
	cli_say(l->c, "%s  %s  %s\n", "%s  %s  %s\n", when, *n->case_number ? n->case_number : "-",
		word(&event__descriptor, (int)n->event, l->c->lang));
	say_text(l->c, n->happened);
	say_text(l->c, n->next);
	say_text(l->c, n->who);
	for (size_t i = 0; i < n->n_reasons; i++)
		cli_say(l->c, "    - %s\n", "    - %s\n",
			word(&reason__descriptor, (int)n->reasons[i], l->c->lang));
	if (reasons)
		cli_say(l->c, "    \"%s\"\n", "    « %s »\n", reasons);
	for (size_t i = 0; i < n->n_faults; i++)
		cli_say(l->c, "    %s: %s\n", "    %s : %s\n", n->faults[i]->path,
			l->c->lang == LANG_FR ? n->faults[i]->fr : n->faults[i]->en);
}

static enum err show_notice(void *arg, struct slice key, struct slice value)
{
	struct listing *l = arg;
	ProtobufCMessage *m;
	const Notice *n;
	json_t *json;
	char *reasons;
	enum err e;

	(void)value;
	TRY(case_get(l->s, CLIENT_INBOX, key, CLIENT_CASE, &notice__descriptor, &m));
	n = (const Notice *)m;
	if (l->only && strcmp(l->only, n->case_number) != 0) {
		protobuf_c_message_free_unpacked(m, NULL);
		return OK;
	}
	reasons = open_reasons(l, n);
	say_notice(l, n, reasons);
	e = message_to_json(m, &json);
	if (e == OK) {
		json_object_del(json, "note");
		if (reasons)
			json_object_set_new(json, "written_reasons", json_string(reasons));
		json_array_append_new(l->list, json);
	}
	free(reasons);
	protobuf_c_message_free_unpacked(m, NULL);
	return e;
}

static enum err list_notices(struct step *s, void *arg)
{
	struct listing *l = arg;

	l->s = s;
	return step_each(s, CLIENT_INBOX, (struct slice){0}, show_notice, l);
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
		if (e != OK)
			e = cli_fail(c, e, NULL);
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
