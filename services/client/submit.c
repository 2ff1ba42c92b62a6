/* 1. What a partner sends: into the outbox in one transaction, then to the network while there is
 * one. */
#include "services/client/client.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services/common/referral/referral_check.h"
#include "services/common/referral/threat_words.h"

struct item {
	const char *file; /* NULL for a withdrawal */
	enum kind kind;
	const char *label;
	ProtobufCMessage *body;
	uint8_t id[MSG_ID_LEN];
	bool used; /* a referral's reference was submitted before */
};

struct items {
	struct item *list;
	size_t n;
};

static void items_free(struct items *it)
{
	for (size_t i = 0; i < it->n; i++)
		if (it->list[i].body && it->list[i].file)
			protobuf_c_message_free_unpacked(it->list[i].body, NULL);
	free(it->list);
	*it = (struct items){0};
}

static void say_nothing_stored(const struct cli *c)
{
	cli_say(c, "Nothing was stored and nothing was sent.\n",
		"Rien n’a été conservé ni envoyé.\n");
}

static enum err queue_item(struct step *s, struct item *it)
{
	ClientSubmission c = CLIENT_SUBMISSION__INIT;

	TRY(step_send_service(s, it->kind, it->body));
	memcpy(it->id, step_last_sent(s), MSG_ID_LEN);
	c.id = (ProtobufCBinaryData){MSG_ID_LEN, it->id};
	c.kind = it->kind;
	c.label = (char *)it->label;
	c.queued_at = step_now(s);
	if (it->kind == KIND_REPORT_RISK || it->kind == KIND_WITHDRAW_REFERRAL)
		c.case_number = c.label;
	return submission_save(s, &c);
}

static bool is_referral(uint32_t kind)
{
	return kind == KIND_SUBMIT_REFERRAL || kind == KIND_SUBMIT_URGENT;
}

/* What was refused or rejected left nothing behind: its reference is free. */
static bool takes_reference(const ClientSubmission *c)
{
	return is_referral(c->kind) && !c->refused && c->last_event != EVENT__REJECT;
}

static void mark_used(struct items *it, const char *reference, size_t from)
{
	for (size_t i = from; i < it->n; i++)
		if (is_referral(it->list[i].kind) && strcmp(it->list[i].label, reference) == 0)
			it->list[i].used = true;
}

struct used {
	struct step *s;
	struct items *items;
};

static enum err mark_submitted(void *arg, struct slice key, struct slice value)
{
	struct used *u = arg;
	ClientSubmission *c;

	(void)value;
	if (key.len != MSG_ID_LEN)
		return ERR_CORRUPT;
	TRY(submission_load(u->s, key.data, &c));
	if (takes_reference(c))
		mark_used(u->items, c->label, 0);
	client_submission__free_unpacked(c, NULL);
	return OK;
}

static enum err find_used(struct step *s, void *arg)
{
	struct used u = {s, arg};

	for (size_t i = 0; i < u.items->n; i++)
		if (is_referral(u.items->list[i].kind))
			mark_used(u.items, u.items->list[i].label, i + 1);
	return step_each(s, CLIENT_SUBMISSIONS, (struct slice){0}, mark_submitted, &u);
}

/* Intake would reject it: told here, at once, and nothing is queued. */
static enum err check_references(struct cli *c, struct node *n, struct items *items)
{
	struct faults faults = {0};
	enum err e = node_read(n, find_used, items);

	if (e != OK)
		return cli_fail(c, e, NULL);
	fault_add(&faults, FAULT_REFERENCE_USED, "reference");
	for (size_t i = 0; i < items->n; i++)
		if (items->list[i].used)
			e = cli_fail_faults(c, ERR_INVALID, items->list[i].file, &faults);
	if (e != OK)
		say_nothing_stored(c);
	return e;
}

/* All of them or none. */
static enum err queue_all(struct step *s, void *arg)
{
	struct items *it = arg;

	for (size_t i = 0; i < it->n; i++)
		TRY(queue_item(s, &it->list[i]));
	return OK;
}

struct report {
	struct cli *c;
	const struct items *items;
	json_t *list;
	bool online;
};

static enum err report_items(struct step *s, void *arg)
{
	struct report *r = arg;

	for (size_t i = 0; i < r->items->n; i++) {
		const struct item *it = &r->items->list[i];
		char id[2 * MSG_ID_LEN + 1];
		ClientSubmission *c;

		hex_encode(id, it->id, MSG_ID_LEN);
		TRY(submission_load(s, it->id, &c));
		if (c->refused)
			cli_say(r->c, "%s: refused: %s\n", "%s : rejeté : %s\n", it->label,
				err_text((enum err)c->refused, r->c->lang));
		else if (c->received_at)
			cli_say(r->c, "%s: received, number %llu of the log (id %s)\n",
				"%s : reçu, numéro %llu du journal (id %s)\n", it->label,
				(unsigned long long)c->log_index, id);
		else
			cli_say(r->c,
				"%s: safe in the outbox; it leaves when the department can be "
				"reached. If this lasts though there is a network, the department "
				"may not let this key in: telephone it (id %s)\n",
				"%s : en sûreté dans la boîte d’envoi; partira dès que le "
				"ministère pourra être joint. Si cela dure malgré le réseau, le "
				"ministère "
				"n’admet peut-être pas cette clé : téléphonez-lui (id %s)\n",
				it->label, id);
		json_array_append_new(r->list,
			json_pack("{s:s, s:s, s:b, s:I, s:s}", "label", it->label, "id", id,
				"received", c->received_at != 0, "index", (json_int_t)c->log_index,
				"refused", c->refused ? err_name((enum err)c->refused) : ""));
		client_submission__free_unpacked(c, NULL);
	}
	return OK;
}

static bool any_refused(const json_t *list)
{
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one)
	{
		if (*json_string_value(json_object_get(one, "refused")))
			return true;
	}
	return false;
}

struct progress {
	size_t total;
	bool shown;
};

static bool outbox_empty(struct node *n, void *arg)
{
	struct progress *p = arg;
	uint64_t left = 0;

	if (engine_outbox_count(node_engine(n), &left) != OK)
		return false;
	if (p->shown)
		dprintf(STDERR_FILENO, "\r%zu/%zu", p->total - (left < p->total ? left : p->total),
			p->total);
	if (left == 0 && p->shown)
		dprintf(STDERR_FILENO, "\n");
	return left == 0;
}

static enum err send_items(struct cli *c, struct items *items)
{
	struct report r = {.c = c, .items = items};
	struct progress p = {items->n, items->n > 4 && !c->json && isatty(STDERR_FILENO)};
	struct node *n = NULL;
	long seconds = 10;
	enum err e = cli_number(c, "wait", 0, 86400, &seconds);

	if (e == OK)
		e = home_open(c, &client_service, NULL, &n);
	if (e != OK)
		return e;
	e = check_references(c, n, items);
	if (e != OK) {
		node_free(&n);
		return e;
	}
	e = node_local(n, queue_all, items);
	if (e == OK && seconds)
		e = node_run(n, outbox_empty, &p, seconds * 1000);
	if (e == ERR_TIMEOUT) /* it is safe: a later call sends it */
		e = OK;
	r.list = json_array();
	if (e == OK)
		e = node_read(n, report_items, &r);
	node_free(&n);
	if (e != OK) {
		json_decref(r.list);
		return cli_fail(c, e, NULL);
	}
	c->told = any_refused(r.list);
	cli_json(c, r.list);
	return c->told ? ERR_NOT_PERMITTED : OK;
}

enum err client_submit(struct cli *c)
{
	struct items items = {calloc((size_t)c->n_operands, sizeof(struct item)), 0};
	enum err e = items.list ? OK : ERR_NOMEM, bad = OK;

	for (int i = 0; e == OK && i < c->n_operands; i++) {
		struct item *it = &items.list[items.n];
		const Referral *r;

		/* every file is checked, so that all faults are told at once */
		enum err one = client_read(c, c->operands[i], &referral__descriptor, &it->body);

		if (one != OK) {
			bad = one;
			continue;
		}
		r = (const Referral *)it->body;
		it->file = c->operands[i];
		it->label = r->reference;
		it->kind = protection_is_empty(r->protection) ? KIND_SUBMIT_REFERRAL
							      : KIND_SUBMIT_URGENT;
		items.n++;
	}
	if (e == OK)
		e = bad;
	if (e == OK)
		e = send_items(c, &items);
	else if (bad != OK)
		say_nothing_stored(c);
	items_free(&items);
	return e;
}

enum err client_risk(struct cli *c)
{
	struct item item = {.file = c->operands[0], .kind = KIND_REPORT_RISK};
	struct items items = {&item, 1};
	enum err e;

	TRY(client_read(c, c->operands[0], &risk_report__descriptor, &item.body));
	item.label = ((const RiskReport *)item.body)->case_number;
	e = send_items(c, &items);
	protobuf_c_message_free_unpacked(item.body, NULL);
	return e;
}

enum err client_withdraw(struct cli *c)
{
	Withdrawal w = WITHDRAWAL__INIT;
	struct item item = {.kind = KIND_WITHDRAW_REFERRAL, .label = c->operands[0]};
	struct items items = {&item, 1};
	struct faults faults = {0};

	w.case_number = c->operands[0];
	w.consent_revoked = cli_flag(c, "consent-revoked");
	w.reason = REASON__AT_APPLICANTS_WISH;
	if (withdrawal_check(&w, node_now(), &faults) != OK)
		return cli_fail_faults(c, ERR_INVALID, NULL, &faults);
	item.body = &w.base;
	return send_items(c, &items);
}
