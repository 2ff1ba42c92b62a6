/*
 * home.h - what the commands of people (havre, havre-staff) share: making a home folder with its
 * keys, opening it, and the time that one call gives the network.
 */
#ifndef HAVRE_HOME_H
#define HAVRE_HOME_H

#include "services/common/cli/cli.h"
#include "services/common/keys/passphrase.h"
#include "services/common/node/node.h"

/* The whole of `init`: --principal, --holder, --device and --epoch; makes the folder, the key file
 * and the request for the registry's administrator. A person's key always gets a passphrase: with
 * neither a file of it nor a terminal nothing is made. */
enum err home_init(struct cli *c);

/* From --passphrase-file, of which it tells what is wrong, or from the terminal (passphrase_get).
 */
MUST_USE enum err home_passphrase(struct cli *c, bool twice, struct passphrase **ret);

/* Opens the home folder; tells what is wrong. `context` (borrowed, may be NULL) is what
 * step_context gives. */
MUST_USE enum err home_open(
	struct cli *c, const struct service *svc, const void *context, struct node **ret);

/* --wait in milliseconds, or `otherwise` (seconds); tells a usage error. */
MUST_USE enum err home_wait(struct cli *c, long otherwise, int64_t *ret_ms);

/* Sends what waits and fetches what is new, for --wait seconds (or `otherwise`). OK also when
 * nothing could be reached: *ret_online says so. */
MUST_USE enum err home_sync(struct cli *c, struct node *n, long otherwise, bool *ret_online);

#endif
