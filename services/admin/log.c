/* `havre-admin log`: the rows of the broker's log, its signed head, and proofs. A row says who sent
 * what kind of message to whom, and nothing of what is inside. */
#include <inttypes.h>
#include <stdio.h>

#include "broker/log.h"
#include "proto/checkpoint.h"
#include "proto/json.h"
#include "services/admin/admin.h"
#include "services/admin/draft.h"
#include "services/admin/verify.h"

#define ROWS_DEFAULT 50
#define ROWS_MOST    1000000

/* clang-format off */
const struct cli_option log_options[] = {
	CLI_OPTION("homes", "DIR", "the folder in which the broker’s home is the folder broker (else --home is the broker’s home)",
		"le dossier où celui du courtier se nomme broker (sinon --home est celui du courtier)"),
	CLI_OPTION("from", "INDEX", "the first row (the newest rows)", "la première ligne (les plus récentes)"),
	CLI_OPTION("limit", "N", "how many rows (50)", "nombre de lignes (50)"),
	CLI_OPTION("proof", "INDEX", "the proof that this message is in the log", "la preuve que ce message est au journal"),
	CLI_END,
};
/* clang-format on */

struct log_view {
	struct cli *c;
	struct txn *t;
	uint64_t size;
	struct slice head;
};

static enum err content_size(struct txn *t, uint64_t index, size_t *ret)
{
	struct slice content;
	struct key k;
	enum err e;

	index_key(&k, index);
	e = txn_get(t, TABLE_CONTENT, key_slice(&k), &content);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	*ret = e == OK ? content.len : 0;
	return OK;
}

static enum err show_row(const struct log_view *v, uint64_t index, json_t *list)
{
	const struct kind_row *kind;
	struct log_row row;
	const char *name;
	char at[32];
	size_t size;

	TRY(log_row_get(v->t, index, &row));
	TRY(content_size(v->t, index, &size));
	kind = catalogue_find(row.kind);
	name = kind ? kind->name : "?";
	time_format(row.received_at, at);
	if (!v->c->json)
		printf("%8" PRIu64 "  %s  %-7s  %-18s %7zu  %s > %s\n", index, at,
			lane_name(row.lane), name, size, row.sender, row.recipient);
	json_array_append_new(
		list, json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:I}", "index", (json_int_t)index,
			      "received_at", at, "sender", row.sender, "recipient", row.recipient,
			      "kind", name, "lane", lane_name(row.lane), "size", (json_int_t)size));
	return OK;
}

static enum err show_rows(const struct log_view *v)
{
	long from = -1, limit = ROWS_DEFAULT;
	json_t *list = json_array();
	uint64_t first, n;
	enum err e = cli_number(v->c, "from", 0, INT32_MAX, &from);

	if (e == OK)
		e = cli_number(v->c, "limit", 1, ROWS_MOST, &limit);
	n = v->size < (uint64_t)limit ? v->size : (uint64_t)limit;
	first = from < 0 ? v->size - n : (uint64_t)from;
	for (uint64_t i = first; e == OK && i < v->size && i - first < n; i++)
		e = show_row(v, i, list);
	if (e != OK) {
		json_decref(list);
		return e;
	}
	cli_say(v->c, "\n%.*s", "\n%.*s", (int)v->head.len, (const char *)v->head.data);
	cli_json(v->c, json_pack("{s:o, s:I, s:s%}", "messages", list, "size", (json_int_t)v->size,
			       "checkpoint", (const char *)v->head.data, v->head.len));
	if (!v->c->json)
		json_decref(list);
	return OK;
}

static void show_path(const struct log_view *v, const struct tree_proof *p, json_t *list)
{
	char hex[2 * HASH_LEN + 1];

	for (size_t i = 0; i < p->n; i++) {
		hex_encode(hex, p->hash[i], HASH_LEN);
		cli_say(v->c, "  %s\n", "  %s\n", hex);
		json_array_append_new(list, json_string(hex));
	}
}

/* Against the head that is stored: the proof of what a partner's receipt says. */
static enum err show_proof(const struct log_view *v, uint64_t index)
{
	char hex[2 * HASH_LEN + 1], at[32];
	struct tree_proof proof;
	struct log_row row;
	json_t *list;

	TRY(log_row_get(v->t, index, &row));
	TRY(tree_inclusion(v->t, index, v->size, &proof));
	time_format(row.received_at, at);
	hex_encode(hex, row.hash, HASH_LEN);
	cli_say(v->c, "number %" PRIu64 " of %" PRIu64 ", received at %s\nSHA-256 %s\nproof:\n",
		"numéro %" PRIu64 " de %" PRIu64 ", reçu à %s\nSHA-256 %s\npreuve :\n", index,
		v->size, at, hex);
	list = json_array();
	show_path(v, &proof, list);
	cli_say(v->c, "\n%.*s", "\n%.*s", (int)v->head.len, (const char *)v->head.data);
	cli_json(v->c,
		json_pack("{s:I, s:I, s:s, s:s, s:O, s:s%}", "index", (json_int_t)index, "size",
			(json_int_t)v->size, "received_at", at, "envelope_hash", hex, "proof", list,
			"checkpoint", (const char *)v->head.data, v->head.len));
	json_decref(list);
	return OK;
}

static enum err show(struct log_view *v)
{
	long proof = -1;
	enum err e;

	TRY(cli_number(v->c, "proof", 0, INT32_MAX, &proof));
	TRY(tree_size(v->t, &v->size));
	e = txn_get(v->t, TABLE_META, slice_str(META_CHECKPOINT), &v->head);
	if (e != OK)
		return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
	return proof < 0 ? show_rows(v) : show_proof(v, (uint64_t)proof);
}

static enum err broker_home(const struct cli *c, char ret[PATH_MAX])
{
	const char *homes = cli_value(c, "homes");

	if (snprintf(ret, PATH_MAX, homes ? "%s/broker" : "%s", homes ? homes : c->home) >=
		PATH_MAX)
		return ERR_INVALID;
	return OK;
}

enum err admin_log(struct cli *c)
{
	struct log_view v = {.c = c};
	char folder[PATH_MAX];
	struct parts p;
	enum err e;

	TRY(broker_home(c, folder));
	e = parts_open(folder, draft_now(), c->lang, stderr, &p);
	if (e == OK && !(p.roles & R(BROKER)))
		e = ERR_INVALID;
	if (e == OK)
		e = store_begin(p.store, TXN_READ, &v.t);
	if (e == OK) {
		e = show(&v);
		txn_abort(&v.t);
	}
	if (e != OK && !c->told)
		cli_fail(c, e, p.about ? p.about : folder);
	parts_free(&p);
	return e;
}
