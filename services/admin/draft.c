#include "services/admin/draft.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/strict.h"
#include "services/common/base/file.h"
#include "services/common/cli/home.h"
#include "services/common/trust/registry.h"

#define ROOT_FILE_MOST (64 * 1024)

enum err draft_path(const struct cli *c, const char *option, const char *name, char ret[PATH_MAX])
{
	const char *value = cli_value(c, option);

	if (!value)
		return cli_path(c, name, ret);
	if (strlen(value) >= PATH_MAX)
		return ERR_INVALID;
	memcpy(ret, value, strlen(value) + 1);
	return OK;
}

static enum err unpack(
	const ProtobufCMessageDescriptor *type, struct slice bytes, ProtobufCMessage **ret)
{
	enum err e = strict_unpack(type, bytes, ret);

	return e == OK || e == ERR_NOMEM ? e : ERR_CORRUPT;
}

static enum err load(
	const char *path, const ProtobufCMessageDescriptor *type, ProtobufCMessage **ret)
{
	struct buf b = {0};
	enum err e;

	TRY(file_read(path, registry_most(), &b));
	e = unpack(type, slice_buf(&b), ret);
	buf_free(&b);
	return e;
}

enum err draft_load(const char *path, Registry **ret)
{
	ProtobufCMessage *m = NULL;

	TRY(load(path, &registry__descriptor, &m));
	*ret = (Registry *)m;
	return OK;
}

static enum err save(const char *path, const ProtobufCMessage *m)
{
	struct buf b = {0};
	enum err e = strict_pack(m, &b);

	if (e == OK && b.len > registry_most())
		e = ERR_REGISTRY_SIZE;
	if (e == OK)
		e = file_replace(path, slice_buf(&b), 0644);
	buf_free(&b);
	return e;
}

enum err draft_save(const char *path, const Registry *r)
{
	return save(path, &r->base);
}

enum err signed_save(const char *path, const SignedRegistry *s)
{
	return save(path, &s->base);
}

enum err signed_load(const char *path, SignedRegistry **ret)
{
	ProtobufCMessage *m = NULL;

	TRY(load(path, &signed_registry__descriptor, &m));
	*ret = (SignedRegistry *)m;
	return OK;
}

enum err signed_inside(const SignedRegistry *s, Registry **ret)
{
	ProtobufCMessage *m = NULL;

	TRY(unpack(&registry__descriptor, slice_of(s->registry.data, s->registry.len), &m));
	*ret = (Registry *)m;
	return OK;
}

enum err roots_load(const char *path, json_t **ret)
{
	struct buf b = {0};
	json_t *json;

	TRY(file_read(path, ROOT_FILE_MOST, &b));
	json = json_loadb((const char *)b.data, b.len, JSON_REJECT_DUPLICATES, NULL);
	buf_free(&b);
	if (!json_is_array(json_object_get(json, "keys"))) {
		json_decref(json);
		return ERR_CORRUPT;
	}
	*ret = json;
	return OK;
}

enum err draft_keyring(struct cli *c, const char *path, struct keyring **ret)
{
	struct passphrase *p = NULL;
	bool needed = false;
	enum err e = keyring_needs_passphrase(path, &needed);

	if (e == OK && needed)
		e = home_passphrase(c, false, &p);
	if (e == OK)
		e = keyring_load(path, passphrase_slice(p), ret);
	passphrase_free(&p);
	return e == OK || c->told ? e : cli_fail(c, e, path);
}

enum err draft_checked(struct cli *c, char ret_root[PATH_MAX], struct registry **ret)
{
	char path[PATH_MAX];
	enum err e;

	if (c->n_operands)
		snprintf(path, sizeof(path), "%s", c->operands[0]);
	else
		TRY(cli_path(c, "registry", path));
	TRY(draft_path(c, "root", "root.json", ret_root));
	e = registry_load(path, ret_root, 0, draft_now(), ret);
	return e == OK ? OK : cli_fail(c, e, path);
}

enum err text_set(char **field, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return ERR_NOMEM;
	if (*field != (const char *)protobuf_c_empty_string)
		free(*field);
	*field = copy;
	return OK;
}

enum err list_append(void ***list, size_t *n, void *element)
{
	void **longer = realloc(*list, (*n + 1) * sizeof(*longer));

	if (!longer)
		return ERR_NOMEM;
	longer[(*n)++] = element;
	*list = longer;
	return OK;
}

int64_t draft_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
