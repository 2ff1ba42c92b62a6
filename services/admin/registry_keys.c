/* Keys of a draft, the recovery key, and the roots that a registry names. */
#include <stdio.h>
#include <stdlib.h>

#include "proto/day.h"
#include "proto/json.h"
#include "services/admin/admin.h"
#include "services/admin/registry_keys.h"
#include "services/common/keys/escrow.h"
#include "services/common/base/file.h"
#include "services/common/trust/registry.h"

/* clang-format off */
const struct cli_option registry_recovery_options[] = {
	CLI_OPTION("draft", "FILE", "the registry that is worked on (HOME/registry.draft)",
		"le registre en préparation (HOME/registry.draft)"),
	CLI_END,
};

const struct cli_option registry_roots_options[] = {
	CLI_OPTION("root", "FILE", "the public root keys (HOME/root.json)", "les clés racines publiques (HOME/root.json)"),
	CLI_END,
};
/* clang-format on */

static BoxKey *box_of(const Key *k, uint32_t epoch)
{
	for (size_t i = 0; i < k->n_box_keys; i++)
		if (k->box_keys[i]->epoch == epoch)
			return k->box_keys[i];
	return NULL;
}

static bool same_bytes(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* The dates of what is known. */
static enum err take_dates(const Key *known, const Key *asked, bool *ret_new)
{
	*ret_new = known->n_box_keys != asked->n_box_keys;
	for (size_t i = 0; i < asked->n_box_keys; i++) {
		BoxKey *b = asked->box_keys[i], *old = box_of(known, b->epoch);

		b->since = old ? old->since : 0;
		*ret_new |= !old;
		if (old && !same_bytes(&old->box_key, &b->box_key))
			return ERR_INVALID;
	}
	return OK;
}

static bool is_of(const Principal *p, const Key *k)
{
	for (size_t i = 0; p && i < p->n_keys; i++)
		if (p->keys[i] == k)
			return true;
	return false;
}

enum err key_renew(const Principal *p, Key *known, Key *asked)
{
	BoxKey **boxes = known->box_keys;
	size_t n = known->n_box_keys;
	bool new = false;

	if (!is_of(p, known) || !same_bytes(&known->sign_key, &asked->sign_key) ||
		!same_bytes(&known->transport_key, &asked->transport_key))
		return ERR_INVALID;
	TRY(take_dates(known, asked, &new));
	if (!new)
		return ERR_EXISTS;
	known->box_keys = asked->box_keys;
	known->n_box_keys = asked->n_box_keys;
	asked->box_keys = boxes;
	asked->n_box_keys = n;
	return key_common_epoch(p) ? OK : ERR_NO_COMMON_EPOCH;
}

bool key_common_epoch(const Principal *p)
{
	const Key *first = NULL;

	for (size_t i = 0; i < p->n_keys && !first; i++)
		if (!p->keys[i]->retired)
			first = p->keys[i];
	for (size_t i = 0; first && i < first->n_box_keys; i++) {
		bool all = true;

		for (size_t j = 0; j < p->n_keys; j++)
			all &= p->keys[j]->retired ||
			       box_of(p->keys[j], first->box_keys[i]->epoch) != NULL;
		if (all)
			return true;
	}
	return !first;
}

/* Midnight, UTC, after `days` more. *ret stays when it is not given. */
static enum err date_option(struct cli *c, const char *name, int64_t days, int64_t *ret)
{
	const char *text = cli_value(c, name);
	int64_t day;

	if (!text)
		return OK;
	if (day_parse(text, &day) != OK)
		return cli_fail(c, ERR_INVALID, name);
	*ret = (day + days) * MS_A_DAY;
	return OK;
}

enum err key_dates(struct cli *c, Key *k)
{
	TRY(date_option(c, "key-from", 0, &k->not_before));
	TRY(date_option(c, "key-until", 1, &k->not_after));
	return !k->not_after || k->not_after > k->not_before
		       ? OK
		       : cli_fail(c, ERR_INVALID, "key-until");
}

void keys_announced(Registry *r, int64_t at)
{
	for (size_t i = 0; i < r->n_principals; i++)
		for (size_t j = 0; j < r->principals[i]->n_keys; j++) {
			Key *k = r->principals[i]->keys[j];

			for (size_t n = 0; n < k->n_box_keys; n++)
				if (!k->box_keys[n]->since)
					k->box_keys[n]->since = at;
		}
}

/* --- the recovery key --- */

/* A line of 64 digits, as `escrow new` writes it. */
static enum err read_recovery_key(const char *path, uint8_t ret[RECOVERY_KEY_LEN])
{
	char hex[2 * RECOVERY_KEY_LEN + 1] = "";
	struct buf b = {0};
	enum err e;

	TRY(file_read(path, 4096, &b));
	e = b.len == sizeof(hex) && b.data[b.len - 1] == '\n' ? OK : ERR_CORRUPT;
	if (e == OK) {
		memcpy(hex, b.data, sizeof(hex) - 1);
		e = hex_decode(ret, RECOVERY_KEY_LEN, hex) == OK ? OK : ERR_CORRUPT;
	}
	buf_free(&b);
	return e;
}

static enum err set_recovery(struct cli *c, Registry *r)
{
	uint8_t *key = malloc(RECOVERY_KEY_LEN);
	enum err e = key ? read_recovery_key(c->operands[0], key) : ERR_NOMEM;

	if (e != OK) {
		free(key);
		return cli_fail(c, e, c->operands[0]);
	}
	free(r->recovery_key.data);
	r->recovery_key = (ProtobufCBinaryData){RECOVERY_KEY_LEN, key};
	return OK;
}

enum err registry_recovery(struct cli *c)
{
	return draft_edit(c, set_recovery);
}

/* --- the roots --- */

static json_t *roots_of(const Registry *r)
{
	json_t *keys = json_array();

	for (size_t i = 0; i < r->n_root_keys; i++) {
		char hex[2 * SIGN_PK_LEN + 1];

		hex_encode(hex, r->root_keys[i].data, SIGN_PK_LEN);
		json_array_append_new(keys, json_string(hex));
	}
	return json_pack("{s:i, s:o}", "threshold", (int)r->threshold, "keys", keys);
}

enum err registry_roots(struct cli *c)
{
	struct registry *r = NULL;
	char root[PATH_MAX];
	json_t *roots;
	enum err e;

	TRY(draft_checked(c, root, &r));
	roots = roots_of(registry_message(r));
	registry_free(&r);
	e = roots ? roots_save(root, roots) : ERR_NOMEM;
	if (e != OK) {
		json_decref(roots);
		return cli_fail(c, e, root);
	}
	cli_say(c, "%s: root keys %zu, threshold %d\n", "%s : clés racines %zu, seuil %d\n", root,
		json_array_size(json_object_get(roots, "keys")),
		(int)json_integer_value(json_object_get(roots, "threshold")));
	cli_json(c, roots);
	return OK;
}
