/*
 * shares.h - the custodians' files: HOME-less files of mode 0600, each under its own passphrase or
 * bare, each one part of the recovery key.
 */
#ifndef HAVRE_ADMIN_SHARES_H
#define HAVRE_ADMIN_SHARES_H

#include "services/common/cli/cli.h"
#include "services/common/keys/escrow.h"

#define SHARES_MOST 16

/* ERR_EXISTS; the error is told. */
MUST_USE enum err share_save(struct cli *c, const char *path, const Share *s);
/* The recovery secret from the files of --share. ERR_SHARES: told, without saying which. */
MUST_USE enum err shares_join(struct cli *c, uint8_t ret_secret[RECOVERY_KEY_LEN]);

#endif
