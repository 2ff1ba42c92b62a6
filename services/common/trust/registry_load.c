/* Where a registry comes from: its file and that of the root keys, or a message, or the own store.
 */
#include <jansson.h>
#include <stdlib.h>

#include "proto/strict.h"
#include "services/common/base/file.h"
#include "services/common/trust/registry.h"
#include "services/common/trust/registry_check.h"

#define ROOT_FILE_MOST (64 * 1024)
#define ROOTS_MOST     32

size_t registry_most(void)
{
	return catalogue_find(KIND_SPREAD_REGISTRY)->most;
}

static enum err roots_from_json(
	const json_t *json, uint8_t roots[ROOTS_MOST][SIGN_PK_LEN], size_t *n, unsigned *threshold)
{
	const json_t *keys = json_object_get(json, "keys");
	json_int_t k = json_integer_value(json_object_get(json, "threshold"));

	*n = json_array_size(keys);
	if (*n > ROOTS_MOST || k < 1 || k > (json_int_t)*n)
		return ERR_CORRUPT;
	for (size_t i = 0; i < *n; i++) {
		const char *hex = json_string_value(json_array_get(keys, i));

		if (!hex || hex_decode(roots[i], SIGN_PK_LEN, hex) != OK)
			return ERR_CORRUPT;
	}
	*threshold = (unsigned)k;
	return OK;
}

static enum err read_roots(
	const char *path, uint8_t roots[ROOTS_MOST][SIGN_PK_LEN], size_t *n, unsigned *threshold)
{
	struct buf b = {0};
	json_t *json;
	enum err e;

	TRY(file_read(path, ROOT_FILE_MOST, &b));
	json = json_loadb((const char *)b.data, b.len, JSON_REJECT_DUPLICATES, NULL);
	e = json ? roots_from_json(json, roots, n, threshold) : ERR_CORRUPT;
	json_decref(json);
	buf_free(&b);
	return e;
}

enum err registry_load(const char *registry_file, const char *root_file, uint64_t seen_version,
	int64_t now, struct registry **ret)
{
	uint8_t roots[ROOTS_MOST][SIGN_PK_LEN];
	unsigned threshold = 0;
	struct buf b = {0};
	size_t n = 0;
	enum err e;

	TRY(read_roots(root_file, roots, &n, &threshold));
	TRY(file_read(registry_file, registry_most(), &b));
	e = registry_from_bytes(
		slice_buf(&b), (const uint8_t(*)[32])roots, n, threshold, seen_version, now, ret);
	buf_free(&b);
	return e;
}

/* --- from one that is trusted already --- */

/* registry_check_head has looked at the lengths of all that is given here. */
static enum err from_own_roots(const Registry *roots, struct slice signed_registry,
	uint64_t seen_version, int64_t now, struct registry **ret)
{
	uint8_t(*keys)[SIGN_PK_LEN] = calloc(roots->n_root_keys + 1, SIGN_PK_LEN);
	enum err e = keys ? OK : ERR_NOMEM;

	for (size_t i = 0; e == OK && i < roots->n_root_keys; i++)
		memcpy(keys[i], roots->root_keys[i].data, SIGN_PK_LEN);
	if (e == OK)
		e = registry_from_bytes(signed_registry, (const uint8_t(*)[32])keys,
			roots->n_root_keys, roots->threshold, seen_version, now, ret);
	free(keys);
	return e;
}

/* What it says of itself; nothing is checked. */
static enum err version_of(struct slice signed_registry, uint64_t *ret)
{
	ProtobufCMessage *outer = NULL, *m = NULL;
	const ProtobufCBinaryData *bytes;
	enum err e = strict_unpack(&signed_registry__descriptor, signed_registry, &outer);

	if (e == OK) {
		bytes = &((SignedRegistry *)outer)->registry;
		e = strict_unpack(&registry__descriptor, slice_of(bytes->data, bytes->len), &m);
	}
	if (e == OK)
		*ret = ((Registry *)m)->version;
	if (m)
		protobuf_c_message_free_unpacked(m, NULL);
	if (outer)
		protobuf_c_message_free_unpacked(outer, NULL);
	return e == OK || e == ERR_NOMEM ? e : ERR_CORRUPT;
}

enum err registry_next(const struct registry *before, struct slice signed_registry, int64_t now,
	struct registry **ret)
{
	const Registry *m = registry_message(before);
	uint64_t version = 0;

	/* An older one was signed by roots that may not count any more: it is old, not false. */
	TRY(version_of(signed_registry, &version));
	if (version <= m->version)
		return ERR_ROLLED_BACK;
	return from_own_roots(m, signed_registry, m->version + 1, now, ret);
}

enum err registry_kept(struct slice signed_registry, int64_t now, struct registry **ret)
{
	ProtobufCMessage *outer = NULL, *m = NULL;
	const ProtobufCBinaryData *bytes;
	enum err e = strict_unpack(&signed_registry__descriptor, signed_registry, &outer);

	if (e == OK) {
		bytes = &((SignedRegistry *)outer)->registry;
		e = strict_unpack(&registry__descriptor, slice_of(bytes->data, bytes->len), &m);
	}
	if (e == OK)
		e = registry_check_head((Registry *)m);
	if (e == OK)
		e = from_own_roots((Registry *)m, signed_registry, 0, now, ret);
	if (m)
		protobuf_c_message_free_unpacked(m, NULL);
	if (outer)
		protobuf_c_message_free_unpacked(outer, NULL);
	return e;
}

enum err registry_load_next(const char *registry_file, const struct registry *before, int64_t now,
	struct registry **ret)
{
	struct buf b = {0};
	enum err e;

	TRY(file_read(registry_file, registry_most(), &b));
	if (slice_eq(slice_buf(&b), registry_bytes(before)))
		e = registry_kept(slice_buf(&b), now, ret);
	else
		e = registry_next(before, slice_buf(&b), now, ret);
	buf_free(&b);
	return e;
}
