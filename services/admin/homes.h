/*
 * homes.h - the home folders that backup, restore and recover work on: those in --homes DIR, or
 * only those that --only names.
 */
#ifndef HAVRE_HOMES_H
#define HAVRE_HOMES_H

#include "services/common/cli/cli.h"
#include "services/common/trust/registry.h"

#define HOMES_OPTIONS                                                                              \
	CLI_OPTION("homes", "DIR", "the folder of the home folders, one for each principal",       \
		"le dossier des dossiers personnels, un par entité"),                              \
		CLI_OPTION("only", "NAME", "only this home (may be given several times)",          \
			"seulement ce dossier (peut être répété)")

struct admin_home {
	const char *name; /* of the folder */
	char folder[PATH_MAX];
	struct config config;
	char principal[64]; /* whose key file it is; no passphrase is needed for that */
};

/*
 * Calls fn for each, in the order of their names; a folder without a key file is none, unless
 * --only names it. An error of fn is told, about the home, and ends it. ERR_NOT_FOUND: there is no
 * home at all.
 */
typedef enum err homes_fn(struct cli *c, const struct admin_home *h, void *arg);
MUST_USE enum err homes_each(struct cli *c, homes_fn *fn, void *arg);

/* PATH/NAME; ERR_INVALID when it is too long. */
MUST_USE enum err join_path(const char *path, const char *name, char ret[PATH_MAX]);
/* Is there a store in the folder? */
bool has_store(const char *folder);
MUST_USE enum err sync_path(const char *folder);

#endif
