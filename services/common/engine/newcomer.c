/* A new device, or an officer's new key, gets the mailbox from its start: what it cannot open there
 * since it was not yet one of the readers is no fault of the message. */
#include "services/common/engine/engine_internal.h"
#include "services/common/base/log.h"

/* When the registry first announced one of these keys; INT64_MIN: it has none of them. */
static int64_t announced_at(const struct engine *e)
{
	const Principal *self = registry_find(e->registry, e->self);
	int64_t first = INT64_MAX;
	const uint8_t *id;

	for (size_t i = 0; self && i < self->n_keys; i++) {
		const Key *k = self->keys[i];
		int64_t at = k->n_box_keys && k->box_keys[0]->since ? k->box_keys[0]->since
								    : k->not_before;

		for (size_t j = 0; (id = keyring_id_at(e->keys, j)); j++)
			if (memcmp(k->id.data, id, KEY_ID_LEN) == 0 && at < first)
				first = at;
	}
	return first == INT64_MAX ? INT64_MIN : first;
}

bool newcomer_passes(const struct engine *e, const struct delivery *d)
{
	bool named = false, one;
	struct envelope env;
	const uint8_t *id;

	if (d->received_at >= announced_at(e) || envelope_parse(d->envelope, &env) != OK)
		return false;
	for (size_t i = 0; (id = keyring_id_at(e->keys, i)); i++)
		named |= envelope_names(&env, id, &one) != OK || one;
	envelope_free(&env);
	if (!named)
		log_info("BEFORE-THIS-KEY", "lane=%s seq=%llu index=%llu", lane_name(d->lane),
			(unsigned long long)d->seq, (unsigned long long)d->index);
	return !named;
}
