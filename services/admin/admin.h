/*
 * admin.h - the subcommands of havre-admin: their functions and their options. main.c has the
 * table.
 */
#ifndef HAVRE_ADMIN_H
#define HAVRE_ADMIN_H

#include "services/common/cli.h"

/* keys.c */
extern const struct cli_option keys_new_options[], keys_root_options[];
cli_run keys_new, keys_root, keys_show;

/* registry.c: the draft, an unsigned registry that is worked on. */
extern const struct cli_option registry_new_options[], registry_add_options[],
	registry_suspend_options[], registry_retire_options[];
cli_run registry_new, registry_add, registry_suspend, registry_retire;

/* registry_sign.c */
extern const struct cli_option registry_sign_options[], registry_check_options[];
cli_run registry_sign, registry_check;

/* registry_show.c */
cli_run registry_show;

/* health_tell.c: both take the same options. */
extern const struct cli_option health_options[];
cli_run admin_health, admin_metrics;

/* verify_tell.c, log.c */
extern const struct cli_option verify_options[], log_options[];
cli_run admin_verify, admin_log;

#endif
