/*
 * draft.h - the files that the registry commands work on: the draft (a packed Registry that nobody
 * signed), signed registries, root.json; and how a draft is changed in memory.
 */
#ifndef HAVRE_DRAFT_H
#define HAVRE_DRAFT_H

#include "proto/crypto.h"
#include "proto/registry.pb-c.h"
#include "services/common/cli/cli.h"
#include "services/common/keys/keyring.h"
#include "services/common/base/message.h"
#include "services/common/trust/registry.h"

/* The path that the option gives, else HOME/name. */
MUST_USE enum err draft_path(
	const struct cli *c, const char *option, const char *name, char ret[PATH_MAX]);

/* Read and written whole. registry__free_unpacked, signed_registry__free_unpacked. ERR_CORRUPT;
 * ERR_REGISTRY_SIZE: nothing was written, since nobody could load it. */
MUST_USE enum err draft_load(const char *path, Registry **ret);
MUST_USE enum err draft_save(const char *path, const Registry *r);
MUST_USE enum err signed_load(const char *path, SignedRegistry **ret);
MUST_USE enum err signed_save(const char *path, const SignedRegistry *s);
/* The registry inside; nothing is checked. */
MUST_USE enum err signed_inside(const SignedRegistry *s, Registry **ret);

/* root.json: {"threshold": k, "keys": ["hex", ...]}. json_decref. */
MUST_USE enum err roots_load(const char *path, json_t **ret);
MUST_USE enum err roots_save(const char *path, const json_t *roots); /* keys.c */

/* The registry that the operand names, else HOME/registry, checked with root.json, whose path is
 * given back. cli_fail has told what is wrong. registry_free. */
MUST_USE enum err draft_checked(struct cli *c, char ret_root[PATH_MAX], struct registry **ret);

/* A key file, opened with --passphrase-file or the terminal when it needs a passphrase. */
MUST_USE enum err draft_keyring(struct cli *c, const char *path, struct keyring **ret);

/* Changes in memory that the generated code can free. */
MUST_USE enum err text_set(char **field, const char *text);
MUST_USE enum err list_append(void ***list, size_t *n, void *element);

int64_t draft_now(void);

#endif
