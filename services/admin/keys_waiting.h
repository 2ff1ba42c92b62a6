/*
 * keys_waiting.h - does anything still wait under a box secret?
 */
#ifndef HAVRE_ADMIN_KEYS_WAITING_H
#define HAVRE_ADMIN_KEYS_WAITING_H

#include "services/common/cli/cli.h"
#include "services/common/keys/keyring.h"

/*
 * Looks at what is parked or held in the store of this home and, with `homes`, at what the broker
 * keeps for the principal and none of these keys has read. ERR_NEEDED: something waits that is
 * sealed to this key under this epoch.
 */
MUST_USE enum err keys_waiting(struct cli *c, const struct keyring *keys,
	const uint8_t key_id[KEY_ID_LEN], uint32_t epoch, const char *homes);

#endif
