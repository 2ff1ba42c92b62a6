/*
 * keys.h - what the commands for keys share.
 */
#ifndef HAVRE_ADMIN_KEYS_H
#define HAVRE_ADMIN_KEYS_H

#include "services/common/cli/cli.h"
#include "services/common/keys/keyring.h"
#include "services/common/keys/passphrase.h"

/* Writes HOME/key.request and says what was made. */
MUST_USE enum err keys_made(struct cli *c, const struct keyring *k, struct slice request);
/* HOME/key, and what it opened with, to write it again. keyring_free, passphrase_free. */
MUST_USE enum err keys_open(struct cli *c, char ret_path[PATH_MAX], struct keyring **ret,
	struct passphrase **ret_passphrase);

#endif
