/*
 * cli_help.h - the options that every command has; --help and completion made from the tables. For
 * cli.c; what prints tables of its own takes cli_columns.
 */
#ifndef HAVRE_CLI_HELP_H
#define HAVRE_CLI_HELP_H

#include <stdio.h>

#include "services/common/cli/cli.h"

/* --json, --home, --lang, --passphrase-file, --help, --version. */
extern const struct cli_option cli_common_options[];

/* Characters, not bytes: columns line up in French, too. */
int cli_columns(const char *text);

/* Of the command, or of the program when there is none yet. */
void cli_print_help(const struct cli *c, FILE *out);
/* Its first line. */
void cli_print_usage(const struct cli *c, FILE *out);

/* A script for bash that completes commands and options: what `PROGRAM --completion bash` prints.
 * For the build, not for people: no help names it. */
void cli_print_completion(const struct cli_program *program, FILE *out);

#endif
