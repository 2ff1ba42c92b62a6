/* Working on the draft of a registry: many changes, then one signature. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/json.h"
#include "proto/strict.h"
#include "services/admin/admin.h"
#include "services/admin/draft.h"
#include "services/admin/registry_keys.h"
#include "services/common/base/file.h"
#include "services/common/trust/registry.h"
#include "services/common/trust/registry_check.h"

#define DRAFT "registry.draft"
#define SUITE 1

/* clang-format off */
#define DRAFT_OPTION CLI_OPTION("draft", "FILE", "the registry that is worked on (HOME/" DRAFT ")", \
	"le registre en préparation (HOME/" DRAFT ")")

const struct cli_option registry_new_options[] = {
	DRAFT_OPTION,
	CLI_OPTION("root", "FILE", "the public root keys (HOME/root.json)", "les clés racines publiques (HOME/root.json)"),
	CLI_OPTION("from", "FILE", "start from this signed registry", "partir de ce registre signé"),
	CLI_END,
};

const struct cli_option registry_add_options[] = {
	DRAFT_OPTION,
	CLI_OPTION("role", "ROLE", "what it may do; several times", "ce qu’elle peut faire; plusieurs fois"),
	CLI_OPTION("title-en", "TEXT", "its title in English", "son titre en anglais"),
	CLI_OPTION("title-fr", "TEXT", "its title in French", "son titre en français"),
	CLI_OPTION("share", "YEAR:PERSONS", "its places in a year; several times", "ses places pour une année; plusieurs fois"),
	CLI_OPTION("area", "CC", "a country of its agreement (none: all); several times",
		"un pays de son entente (aucun : tous); plusieurs fois"),
	CLI_OPTION("trained-on", "YYYY-MM-DD", "when it was trained", "date de sa formation"),
	CLI_OPTION("key-from", "YYYY-MM-DD", "the key’s first day (today)", "premier jour de la clé (aujourd’hui)"),
	CLI_OPTION("key-until", "YYYY-MM-DD", "the key’s last day", "dernier jour de la clé"),
	CLI_END,
};

const struct cli_option registry_suspend_options[] = {
	DRAFT_OPTION,
	CLI_FLAG("lift", "end the suspension", "mettre fin à la suspension"),
	CLI_END,
};

const struct cli_option registry_retire_options[] = {
	DRAFT_OPTION,
	CLI_END,
};
/* clang-format on */

static void tell_draft(const struct cli *c, const char *path)
{
	cli_say(c, "draft: %s\n", "ébauche : %s\n", path);
	cli_json(c, json_pack("{s:s}", "draft", path));
}

enum err draft_edit(struct cli *c, enum err (*change)(struct cli *c, Registry *r))
{
	char path[PATH_MAX];
	Registry *r = NULL;
	enum err e;

	TRY(draft_path(c, "draft", DRAFT, path));
	e = draft_load(path, &r);
	if (e != OK)
		return cli_fail(c, e, path);
	e = change(c, r);
	if (e == OK)
		e = registry_check_principals(r);
	if (e == OK)
		e = draft_save(path, r);
	registry__free_unpacked(r, NULL);
	if (e != OK)
		return c->told ? e : cli_fail(c, e, path);
	tell_draft(c, path);
	return OK;
}

static enum err take_root(Registry *r, const char *hex)
{
	ProtobufCBinaryData *longer = realloc(r->root_keys, (r->n_root_keys + 1) * sizeof(*longer));
	uint8_t *key;

	if (!longer)
		return ERR_NOMEM;
	r->root_keys = longer;
	key = malloc(SIGN_PK_LEN);
	if (!key)
		return ERR_NOMEM;
	r->root_keys[r->n_root_keys++] = (ProtobufCBinaryData){SIGN_PK_LEN, key};
	return hex ? hex_decode(key, SIGN_PK_LEN, hex) : ERR_CORRUPT;
}

static void drop_roots(Registry *r)
{
	for (size_t i = 0; i < r->n_root_keys; i++)
		free(r->root_keys[i].data);
	r->n_root_keys = 0;
}

static enum err take_roots(const char *path, Registry *r)
{
	const json_t *keys;
	json_t *roots = NULL;
	enum err e = OK;

	TRY(roots_load(path, &roots));
	keys = json_object_get(roots, "keys");
	drop_roots(r);
	r->threshold = (uint32_t)json_integer_value(json_object_get(roots, "threshold"));
	for (size_t i = 0; e == OK && i < json_array_size(keys); i++)
		e = take_root(r, json_string_value(json_array_get(keys, i)));
	json_decref(roots);
	return e;
}

static enum err from_signed(struct cli *c, const char *path, Registry **ret)
{
	SignedRegistry *s = NULL;
	enum err e = signed_load(path, &s);

	if (e == OK)
		e = signed_inside(s, ret);
	signed_registry__free_unpacked(s, NULL);
	if (e != OK)
		cli_fail(c, e, path);
	return e;
}

static enum err empty_registry(Registry **ret)
{
	Registry *r = message_new(&registry__descriptor);
	uint32_t *suites = malloc(sizeof(*suites));

	if (!r || !suites) {
		registry__free_unpacked(r, NULL);
		free(suites);
		return ERR_NOMEM;
	}
	suites[0] = SUITE;
	r->suites = suites;
	r->n_suites = 1;
	*ret = r;
	return OK;
}

static enum err create_draft(struct cli *c, const Registry *r)
{
	char path[PATH_MAX];
	struct buf b = {0};
	enum err e;

	TRY(draft_path(c, "draft", DRAFT, path));
	e = strict_pack(&r->base, &b);
	if (e == OK)
		e = file_create(path, slice_buf(&b), 0644);
	buf_free(&b);
	if (e != OK)
		return cli_fail(c, e, path);
	tell_draft(c, path);
	return OK;
}

enum err registry_new(struct cli *c)
{
	const char *from = cli_value(c, "from");
	char root[PATH_MAX];
	Registry *r = NULL;
	enum err e;

	TRY(draft_path(c, "root", "root.json", root));
	TRY(from ? from_signed(c, from, &r) : empty_registry(&r));
	e = take_roots(root, r);
	if (e != OK)
		cli_fail(c, e, root);
	else
		e = create_draft(c, r);
	registry__free_unpacked(r, NULL);
	return e;
}

static Principal *find_principal(const Registry *r, const char *name)
{
	for (size_t i = 0; i < r->n_principals; i++)
		if (strcmp(r->principals[i]->name, name) == 0)
			return r->principals[i];
	return NULL;
}

/* A principal without roles or titles yet, in the list. */
static enum err new_principal(Registry *r, const KeyRequest *request, Principal **ret)
{
	Principal *p = message_new(&principal__descriptor);
	enum err e;

	if (!p)
		return ERR_NOMEM;
	p->not_before = request->key->not_before;
	e = text_set(&p->name, request->principal);
	if (e == OK)
		e = text_set(&p->title_en, request->principal);
	if (e == OK)
		e = text_set(&p->title_fr, request->principal);
	if (e == OK)
		e = list_append((void ***)&r->principals, &r->n_principals, p);
	if (e != OK)
		principal__free_unpacked(p, NULL);
	else
		*ret = p;
	return e;
}

/* "urgent-service" and URGENT_SERVICE are the same role. */
static enum err take_role(struct cli *c, Principal *p, const char *text)
{
	const ProtobufCEnumValue *v;
	char name[32];
	Role *longer;

	snprintf(name, sizeof(name), "%s", text);
	for (char *s = name; *s; s++)
		*s = *s == '-' ? '_' : (char)toupper((unsigned char)*s);
	v = protobuf_c_enum_descriptor_get_value_by_name(&role__descriptor, name);
	if (!v || v->value == ROLE__NO_ROLE)
		return cli_fail(c, ERR_INVALID, text);
	for (size_t i = 0; i < p->n_roles; i++)
		if ((int)p->roles[i] == v->value)
			return OK;
	longer = realloc(p->roles, (p->n_roles + 1) * sizeof(*longer));
	if (!longer)
		return ERR_NOMEM;
	p->roles = longer;
	p->roles[p->n_roles++] = (Role)v->value;
	return OK;
}

static enum err agreement_of(Principal *p, Agreement **ret)
{
	if (!p->agreement) {
		p->agreement = message_new(&agreement__descriptor);
		if (!p->agreement)
			return ERR_NOMEM;
	}
	*ret = p->agreement;
	return OK;
}

/* "2026:40"; given again for a year, it is the new number. */
static enum err take_share(struct cli *c, Agreement *a, const char *text)
{
	char *colon, *end;
	long year = strtol(text, &colon, 10), persons;
	YearShare *s;
	enum err e;

	if (*colon != ':' || !isdigit((unsigned char)colon[1]) || year < 2000 || year > 2999)
		return cli_fail(c, ERR_INVALID, text);
	persons = strtol(colon + 1, &end, 10);
	if (*end || persons > 100000)
		return cli_fail(c, ERR_INVALID, text);
	for (size_t i = 0; i < a->n_shares; i++)
		if (a->shares[i]->year == (uint32_t)year) {
			a->shares[i]->persons = (uint32_t)persons;
			return OK;
		}
	s = message_new(&year_share__descriptor);
	if (!s)
		return ERR_NOMEM;
	s->year = (uint32_t)year;
	s->persons = (uint32_t)persons;
	e = list_append((void ***)&a->shares, &a->n_shares, s);
	if (e != OK)
		free(s);
	return e;
}

static enum err take_area(struct cli *c, Agreement *a, const char *text)
{
	char *copy;
	enum err e;

	if (!country_valid(text))
		return cli_fail(c, ERR_INVALID, text);
	for (size_t i = 0; i < a->n_areas; i++)
		if (strcmp(a->areas[i], text) == 0)
			return OK;
	copy = strdup(text);
	if (!copy)
		return ERR_NOMEM;
	e = list_append((void ***)&a->areas, &a->n_areas, copy);
	if (e != OK)
		free(copy);
	return e;
}

static enum err take_agreement(struct cli *c, Principal *p)
{
	const char *share = cli_value(c, "share"), *area = cli_value(c, "area");
	const char *trained = cli_value(c, "trained-on");
	Agreement *a = NULL;
	int y, m, d;

	if (!share && !area && !trained)
		return OK;
	TRY(agreement_of(p, &a));
	for (size_t i = 0; (share = cli_value_at(c, "share", i)); i++)
		TRY(take_share(c, a, share));
	for (size_t i = 0; (area = cli_value_at(c, "area", i)); i++)
		TRY(take_area(c, a, area));
	if (!trained)
		return OK;
	if (date_parse(trained, &y, &m, &d) != OK)
		return cli_fail(c, ERR_INVALID, "--trained-on");
	return text_set(&a->trained_on, trained);
}

static enum err take_words(struct cli *c, Principal *p)
{
	const char *role, *en = cli_value(c, "title-en"), *fr = cli_value(c, "title-fr");

	for (size_t i = 0; (role = cli_value_at(c, "role", i)); i++)
		TRY(take_role(c, p, role));
	if (!p->n_roles)
		return cli_misused(c, MISUSE_NO_OPTION, "--role");
	if (en)
		TRY(text_set(&p->title_en, en));
	if (fr)
		TRY(text_set(&p->title_fr, fr));
	return take_agreement(c, p);
}

static Key *find_key(const Registry *r, const uint8_t id[KEY_ID_LEN])
{
	for (size_t i = 0; i < r->n_principals; i++)
		for (size_t j = 0; j < r->principals[i]->n_keys; j++) {
			Key *k = r->principals[i]->keys[j];

			if (k->id.len == KEY_ID_LEN && memcmp(k->id.data, id, KEY_ID_LEN) == 0)
				return k;
		}
	return NULL;
}

/* The key moves from the request to its principal; one that is there takes its new epochs. */
static enum err take_request(struct cli *c, Registry *r, KeyRequest *request)
{
	enum err e = registry_check_request(request);
	Principal *p;
	Key *known;

	if (e != OK)
		return cli_fail(c, e, c->operands[0]);
	known = find_key(r, request->key->id.data);
	p = find_principal(r, request->principal);
	if (known) {
		e = key_renew(p, known, request->key);
		return e == OK ? OK : cli_fail(c, e, c->operands[0]);
	}
	if (!p)
		TRY(new_principal(r, request, &p));
	TRY(take_words(c, p));
	for (size_t i = 0; i < request->key->n_box_keys; i++)
		request->key->box_keys[i]->since = 0; /* the registry says it, not who asks */
	TRY(key_dates(c, request->key));
	TRY(list_append((void ***)&p->keys, &p->n_keys, request->key));
	request->key = NULL;
	return key_common_epoch(p) ? OK : cli_fail(c, ERR_NO_COMMON_EPOCH, c->operands[0]);
}

static enum err add(struct cli *c, Registry *r)
{
	ProtobufCMessage *m = NULL;
	struct buf b = {0};
	enum err e = file_read(c->operands[0], registry_most(), &b);

	if (e == OK)
		e = strict_unpack(&key_request__descriptor, slice_buf(&b), &m);
	buf_free(&b);
	if (e != OK)
		return cli_fail(c, e == ERR_NOT_FOUND ? e : ERR_CORRUPT, c->operands[0]);
	e = take_request(c, r, (KeyRequest *)m);
	protobuf_c_message_free_unpacked(m, NULL);
	return e;
}

static enum err suspend(struct cli *c, Registry *r)
{
	Principal *p = find_principal(r, c->operands[0]);

	if (!p)
		return cli_fail(c, ERR_NOT_FOUND, c->operands[0]);
	p->suspended = !cli_flag(c, "lift");
	return OK;
}

/* From now on; what the key signed before stays right. */
static enum err retire(struct cli *c, Registry *r)
{
	uint8_t id[KEY_ID_LEN];
	Key *k;

	if (hex_decode(id, sizeof(id), c->operands[0]) != OK)
		return cli_fail(c, ERR_INVALID, c->operands[0]);
	k = find_key(r, id);
	if (!k)
		return cli_fail(c, ERR_NOT_FOUND, c->operands[0]);
	if (!k->retired) {
		int64_t now = draft_now();

		k->retired = true;
		k->not_after = k->not_after && k->not_after < now ? k->not_after : now;
	}
	return OK;
}

enum err registry_add(struct cli *c)
{
	return draft_edit(c, add);
}

enum err registry_suspend(struct cli *c)
{
	return draft_edit(c, suspend);
}

enum err registry_retire(struct cli *c)
{
	return draft_edit(c, retire);
}
