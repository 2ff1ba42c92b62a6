/* The engine's copies for the recovery key. They are made after the commit that they are of, and
 * looked at again at every start. */
#include <sodium.h>
#include <stdio.h>

#include "services/common/keys/case_keys.h"
#include "services/common/keys/escrow.h"
#include "services/common/base/log.h"

/* NULL: none, or the device is a person's own. */
static const uint8_t *recovery_key(const struct engine *e)
{
	const Registry *r = registry_message(e->registry);
	bool own_device = e->svc->program == PROGRAM_CLIENT || e->svc->program == PROGRAM_STAFF;

	return r->recovery_key.len == RECOVERY_KEY_LEN && !own_device ? r->recovery_key.data : NULL;
}

static enum err write_copy(struct engine *e, const char *name, struct slice secret)
{
	struct bucket_files *files = buckets_files(e->buckets);
	const uint8_t *recovery = recovery_key(e), *store_key = keyring_store_key(e->keys);
	struct buf now = {0}, file = {0};
	char path[BUCKET_NAME_MOST + 16];
	enum err err;

	snprintf(path, sizeof(path), "escrow/%s", name);
	err = files->ops->read(files, path, &now);
	if (err == OK &&
		escrow_is_of(slice_buf(&now), e->self, name, secret, recovery, store_key)) {
		buf_free(&now);
		return OK;
	}
	buf_free(&now);
	err = escrow_seal(e->self, name, secret, recovery, store_key, &file);
	if (err == OK)
		err = files->ops->write(files, path, slice_buf(&file));
	buf_free(&file);
	if (err == OK)
		log_info("ESCROW-WRITTEN", "name=%s", name);
	return err;
}

enum err escrow_bucket(struct engine *e, uint64_t number, struct slice file)
{
	char name[BUCKET_NAME_MOST];

	if (!recovery_key(e))
		return OK;
	bucket_name(number, name);
	return write_copy(e, name, file);
}

enum err escrow_keys(struct engine *e)
{
	uint8_t *packed = NULL;
	size_t len = 0;
	enum err err;

	if (!recovery_key(e) || !buckets_files(e->buckets))
		return OK;
	TRY(keyring_pack_readers(e->keys, &packed, &len));
	err = write_copy(e, ESCROW_KEYS, slice_of(packed, len));
	sodium_free(packed);
	return err;
}

enum err engine_escrow(struct engine *e)
{
	return e->batch ? engine_fail(e, case_keys_settle(e)) : ERR_INVALID;
}
