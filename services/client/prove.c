/* A receipt checked without a network: the broker had these bytes, at this time, at this place. */
#include "services/client/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/checkpoint.h"
#include "proto/json.h"
#include "proto/strict.h"

/* What a word of the user may fit, the best last. Of one kind the newest is meant. */
enum fit { FIT_NOT, FIT_ABOUT, FIT_REFERRAL, FIT_TAKEN, FIT_ID };

/* A proof, found by reference, case number or id. */
struct wanted {
	struct step *s;
	const char *label;
	uint8_t id[MSG_ID_LEN];
	enum fit fit;
	int64_t queued_at;
	ClientProof *proof;
};

/* A reference can be sent again after a rejection; a case's number is on its risk reports too. */
static enum fit fit_of(const struct wanted *w, const ClientSubmission *c, const char *id)
{
	if (strcmp(id, w->label) == 0)
		return FIT_ID;
	if (strcmp(c->label, w->label) != 0 && strcmp(c->case_number, w->label) != 0)
		return FIT_NOT;
	if (c->kind != KIND_SUBMIT_REFERRAL && c->kind != KIND_SUBMIT_URGENT)
		return FIT_ABOUT;
	return c->refused || c->last_event == EVENT__REJECT ? FIT_REFERRAL : FIT_TAKEN;
}

static enum err match(void *arg, struct slice key, struct slice value)
{
	struct wanted *w = arg;
	char id[2 * MSG_ID_LEN + 1];
	ClientSubmission *c;
	enum fit fit;

	(void)value;
	if (key.len != MSG_ID_LEN)
		return ERR_CORRUPT;
	TRY(submission_load(w->s, key.data, &c));
	hex_encode(id, key.data, MSG_ID_LEN);
	fit = fit_of(w, c, id);
	if (fit != FIT_NOT && (fit > w->fit || (fit == w->fit && c->queued_at >= w->queued_at))) {
		memcpy(w->id, key.data, MSG_ID_LEN);
		w->fit = fit;
		w->queued_at = c->queued_at;
	}
	client_submission__free_unpacked(c, NULL);
	return OK;
}

static enum err find_proof(struct step *s, void *arg)
{
	struct wanted *w = arg;
	ProtobufCMessage *m;

	w->s = s;
	TRY(step_each(s, CLIENT_SUBMISSIONS, (struct slice){0}, match, w));
	if (w->fit == FIT_NOT)
		return ERR_NOT_FOUND;
	TRY(record_get(
		s, CLIENT_PROOFS, slice_of(w->id, MSG_ID_LEN), &client_proof__descriptor, &m));
	w->proof = (ClientProof *)m;
	return OK;
}

/* Any key that the registry ever listed for a broker may have signed. */
static enum err check_with_registry(const struct registry *reg, const Receipt *r,
	struct slice envelope, const char **ret_broker)
{
	const Registry *m = registry_message(reg);

	for (size_t i = 0; i < m->n_principals; i++) {
		const Principal *p = m->principals[i];

		for (size_t k = 0; (roles_of(p) & ROLE_BIT(ROLE__BROKER)) && k < p->n_keys; k++)
			if (receipt_verify(r, envelope, p->name, p->keys[k]->sign_key.data) == OK) {
				*ret_broker = p->name;
				return OK;
			}
	}
	return ERR_BAD_SIGNATURE;
}

static void tell(struct cli *c, const Receipt *r, const char *broker)
{
	char when[32];

	time_format(r->received_at, when);
	cli_say(c,
		"Proved: %s received it at %s, as number %llu of its log. The signature and the "
		"inclusion proof are right.\n",
		"Prouvé : %s l’a reçu à %s, sous le numéro %llu de son journal. La signature et la "
		"preuve d’inclusion sont valables.\n",
		broker, when, (unsigned long long)r->index);
	cli_json(c, json_pack("{s:b, s:s, s:s, s:I, s:s%}", "proved", 1, "broker", broker,
			    "received_at", when, "index", (json_int_t)r->index, "checkpoint",
			    (const char *)r->checkpoint.data, r->checkpoint.len));
}

static enum err check_proof(struct cli *c, const struct registry *reg, const ClientProof *p)
{
	ProtobufCMessage *m;
	const char *broker;
	enum err e =
		strict_unpack(&receipt__descriptor, slice_of(p->receipt.data, p->receipt.len), &m);

	if (e != OK)
		return e;
	e = check_with_registry(
		reg, (Receipt *)m, slice_of(p->envelope.data, p->envelope.len), &broker);
	if (e == OK)
		tell(c, (Receipt *)m, broker);
	protobuf_c_message_free_unpacked(m, NULL);
	return e;
}

static enum err write_proof(const char *path, const ClientProof *p)
{
	json_t *json;
	int bad;

	TRY(message_to_json(&p->base, &json));
	bad = json_dump_file(json, path, JSON_INDENT(2));
	json_decref(json);
	return bad ? ERR_IO : OK;
}

static enum err prove_file(struct cli *c, const char *path)
{
	char registry_file[PATH_MAX], root_file[PATH_MAX];
	struct registry *reg = NULL;
	struct faults faults = {0};
	ProtobufCMessage *m = NULL;
	json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	enum err e = json ? json_to_message(json, &client_proof__descriptor, &faults, &m)
			  : ERR_MALFORMED;

	json_decref(json);
	if (e == OK)
		e = cli_path(c, "registry", registry_file);
	if (e == OK)
		e = cli_path(c, "root.json", root_file);
	if (e == OK)
		e = registry_load(registry_file, root_file, 0, node_now(), &reg);
	if (e == OK)
		e = check_proof(c, reg, (ClientProof *)m);
	registry_free(&reg);
	if (m)
		protobuf_c_message_free_unpacked(m, NULL);
	return e == OK ? OK : cli_fail(c, e, path);
}

enum err client_prove(struct cli *c)
{
	struct wanted w = {0};
	struct node *n = NULL;
	enum err e;

	if (cli_value(c, "file"))
		return prove_file(c, cli_value(c, "file"));
	if (!c->n_operands)
		return cli_misused(c, MISUSE_NO_OPERAND, "REFERENCE");
	w.label = c->operands[0];
	TRY(home_open(c, &client_service, NULL, &n));
	e = node_read(n, find_proof, &w);
	if (e == OK)
		e = check_proof(c, node_registry(n), w.proof);
	if (e == OK && cli_value(c, "out"))
		e = write_proof(cli_value(c, "out"), w.proof);
	if (w.proof)
		client_proof__free_unpacked(w.proof, NULL);
	node_free(&n);
	return e == OK ? OK : cli_fail(c, e, w.label);
}
