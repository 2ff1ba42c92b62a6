/*
 * admin.h - the subcommands of havre-admin: their functions and their options. main.c has the
 * table.
 */
#ifndef HAVRE_ADMIN_H
#define HAVRE_ADMIN_H

#include "services/common/cli/cli.h"

/* keys.c */
extern const struct cli_option keys_new_options[], keys_root_options[];
cli_run keys_new, keys_root, keys_show;

/* keys_rotate.c, keys_destroy.c */
extern const struct cli_option keys_rotate_options[], keys_destroy_options[];
cli_run keys_rotate, keys_destroy;

/* escrow.c */
extern const struct cli_option escrow_new_options[], escrow_recover_options[];
cli_run escrow_new, escrow_recover;

/* registry.c: the draft, an unsigned registry that is worked on. */
extern const struct cli_option registry_new_options[], registry_add_options[],
	registry_suspend_options[], registry_retire_options[];
cli_run registry_new, registry_add, registry_suspend, registry_retire;

/* registry_keys.c */
extern const struct cli_option registry_recovery_options[], registry_roots_options[];
cli_run registry_recovery, registry_roots;

/* registry_sign.c */
extern const struct cli_option registry_sign_options[], registry_check_options[];
cli_run registry_sign, registry_check;

/* registry_show.c */
cli_run registry_show;

/* health_tell.c: both take the same options. */
extern const struct cli_option health_options[];
cli_run admin_health, admin_metrics;

/* backup.c, restore.c, recover.c */
extern const struct cli_option backup_options[], restore_options[], recover_options[];
cli_run admin_backup, admin_restore, admin_recover;

/* verify_tell.c, log.c */
extern const struct cli_option verify_options[], log_options[];
cli_run admin_verify, admin_log;

/* held.c */
extern const struct cli_option held_options[];
cli_run admin_held;

#endif
