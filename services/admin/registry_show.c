/* A registry for a person to read: a draft or a signed one. */
#include <stdio.h>

#include "proto/json.h"
#include "services/admin/admin.h"
#include "services/admin/draft.h"

static enum err load_either(const char *path, Registry **ret, SignedRegistry **ret_signed)
{
	enum err e = draft_load(path, ret);

	if (e != ERR_CORRUPT)
		return e;
	TRY(signed_load(path, ret_signed));
	return signed_inside(*ret_signed, ret);
}

static void print_key(const struct cli *c, const Key *k)
{
	char id[2 * KEY_ID_LEN + 1] = "", from[32], until[32] = "";
	unsigned epoch = k->n_box_keys ? k->box_keys[k->n_box_keys - 1]->epoch : 0;

	if (k->id.len == KEY_ID_LEN)
		hex_encode(id, k->id.data, KEY_ID_LEN);
	time_format(k->not_before, from);
	if (k->not_after)
		time_format(k->not_after, until);
	printf("    %s  %.10s..%.10s  %s %u  %s %s %s\n", id, from, until,
		c->lang == LANG_FR ? "époque" : "epoch", epoch, k->holder, k->device,
		!k->retired          ? ""
		: c->lang == LANG_FR ? "retirée"
				     : "retired");
}

static void print_principal(const struct cli *c, const Principal *p)
{
	printf("%s  (%s)%s\n   ", p->name, c->lang == LANG_FR ? p->title_fr : p->title_en,
		!p->suspended        ? ""
		: c->lang == LANG_FR ? "  SUSPENDUE"
				     : "  SUSPENDED");
	for (size_t i = 0; i < p->n_roles; i++) {
		const ProtobufCEnumValue *v =
			protobuf_c_enum_descriptor_get_value(&role__descriptor, (int)p->roles[i]);

		printf(" %s", v ? v->name : "?");
	}
	for (size_t i = 0; p->agreement && i < p->agreement->n_shares; i++)
		printf(" %u:%u", p->agreement->shares[i]->year, p->agreement->shares[i]->persons);
	for (size_t i = 0; p->agreement && i < p->agreement->n_areas; i++)
		printf(" %s", p->agreement->areas[i]);
	printf("\n");
	for (size_t i = 0; i < p->n_keys; i++)
		print_key(c, p->keys[i]);
}

static void print_registry(const struct cli *c, const Registry *r, const SignedRegistry *s)
{
	char issued[32], until[32];

	time_format(r->issued_at, issued);
	time_format(r->expires_at, until);
	if (s)
		cli_say(c, "version %llu, from %.10s to %.10s, signatures: %zu of %u\n\n",
			"version %llu, du %.10s au %.10s, signatures : %zu de %u\n\n",
			(unsigned long long)r->version, issued, until, s->n_signatures,
			r->threshold);
	else
		cli_say(c, "draft of version %llu, not signed\n\n",
			"ébauche de la version %llu, non signée\n\n",
			(unsigned long long)r->version + 1);
	for (size_t i = 0; i < r->n_principals; i++)
		print_principal(c, r->principals[i]);
}

static enum err print_json(const struct cli *c, const Registry *r, const SignedRegistry *s)
{
	json_t *json = NULL, *roots = json_array();

	TRY(message_to_json(&r->base, &json));
	for (size_t i = 0; s && i < s->n_signatures; i++) {
		char hex[2 * SIGN_PK_LEN + 1] = "";

		if (s->signatures[i]->root_key.len == SIGN_PK_LEN)
			hex_encode(hex, s->signatures[i]->root_key.data, SIGN_PK_LEN);
		json_array_append_new(roots, json_string(hex));
	}
	json_object_set_new(json, "signed_by", roots);
	cli_json(c, json);
	return OK;
}

enum err registry_show(struct cli *c)
{
	SignedRegistry *s = NULL;
	char path[PATH_MAX];
	Registry *r = NULL;
	enum err e;

	if (c->n_operands)
		snprintf(path, sizeof(path), "%s", c->operands[0]);
	else
		TRY(cli_path(c, "registry.draft", path));
	e = load_either(path, &r, &s);
	if (e != OK)
		e = cli_fail(c, e, path);
	else if (c->json)
		e = print_json(c, r, s);
	else
		print_registry(c, r, s);
	registry__free_unpacked(r, NULL);
	signed_registry__free_unpacked(s, NULL);
	return e;
}
