/*
 * cli.h - the command line of every command: subcommands and options are tables, from which the
 * parser, --help and the usage errors are made. A person's words come in English and French, by
 * the language asked for; with --json everything a command says is one JSON value on stdout.
 *
 *   static const struct cli_option new_options[] = {
 *           CLI_OPTION("principal", "NAME", "whose keys", "à qui sont les clés"),
 *           CLI_FLAG("force", "…", "…"),
 *           CLI_END,
 *   };
 *   static const struct cli_command commands[] = {
 *           CLI_COMMAND("keys new", "", 0, 0, new_options, keys_new, "make keys", "créer des
 * clés"), CLI_END,
 *   };
 *   static const struct cli_program program = {"havre-admin", {"…", "…"}, commands};
 *   int main(int argc, char **argv) { return cli_main(&program, argc, argv); }
 */
#ifndef HAVRE_CLI_H
#define HAVRE_CLI_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#include "proto/err.h"
#include "proto/fault.h"
#include "services/common/base/config.h"

/* Exit codes, of sysexits.h. */
enum cli_exit {
	EXIT_DONE = 0, /* done, or safely queued */
	EXIT_BAD_USAGE = 64,
	EXIT_BAD_DATA = 65,
	EXIT_UNREACHABLE = 69,
	EXIT_INTERNAL = 70,
	EXIT_NOT_PERMITTED = 77,
};

struct cli_option {
	const char *name;                        /* without the "--"; NULL ends a list */
	const char *argument;                    /* its name in the help; NULL: a flag */
	const char *words[2];                    /* by enum lang */
	void (*more)(FILE *out, enum lang lang); /* what --help says below; NULL: nothing */
};
#define CLI_OPTION(name, argument, en, fr)                                                         \
	{                                                                                          \
		name, argument, {en, fr}, NULL                                                     \
	}
#define CLI_FLAG(name, en, fr)                                                                     \
	{                                                                                          \
		name, NULL, {en, fr}, NULL                                                         \
	}
#define CLI_END                                                                                    \
	{                                                                                          \
		NULL                                                                               \
	}

struct cli;

/* Its result gives the exit code; an error that cli_fail did not tell yet is told by cli_main. */
typedef enum err cli_run(struct cli *c);

struct cli_command {
	const char *name;     /* one or two words; NULL ends a list; "" is the program alone */
	const char *operands; /* for the usage: "FILE..." */
	int least, most;      /* how many operands */
	const struct cli_option *options; /* NULL: only those that all commands have */
	cli_run *run;
	const char *words[2];
};
#define CLI_COMMAND(name, operands, least, most, options, run, en, fr)                             \
	{                                                                                          \
		name, operands, least, most, options, run,                                         \
		{                                                                                  \
			en, fr                                                                     \
		}                                                                                  \
	}

struct cli_program {
	const char *name;
	const char *words[2];
	const struct cli_command *commands;
	enum program program;
	bool sandboxed; /* before a command runs (sandbox.h); others enter it by themselves */
};

#define CLI_GIVEN_MOST 256

/* One call of a program. Commands read it; the texts are argv's. */
struct cli {
	const struct cli_program *program;
	const struct cli_command *command; /* NULL until it is known */
	char home[PATH_MAX];               /* --home, else $HAVRE_HOME, else ~/.havre */
	enum lang lang;                    /* --lang, else LC_ALL, LC_MESSAGES or LANG */
	bool json;
	const char *passphrase_file; /* NULL: ask on the terminal */
	char **operands;
	int n_operands;
	bool told; /* an error was told */
	struct {
		const struct cli_option *option;
		const char *value;
	} given[CLI_GIVEN_MOST];
	size_t n_given;
};

/* The whole of a main. Returns the exit code. */
int cli_main(const struct cli_program *program, int argc, char **argv);

/* The value of an option that takes one; the i-th of one given several times; NULL: not given. */
const char *cli_value(const struct cli *c, const char *name);
const char *cli_value_at(const struct cli *c, const char *name, size_t i);
bool cli_flag(const struct cli *c, const char *name);
/* The value, which must be given: else the usage error is told. */
MUST_USE enum err cli_required(struct cli *c, const char *name, const char **ret);
/* A whole number of the range: else the usage error is told. *ret is untouched when not given. */
MUST_USE enum err cli_number(struct cli *c, const char *name, long least, long most, long *ret);
/* A code of a person or a device, for a registry that others read: letters, digits and "-", so that
 * a full name does not slip in. Else ERR_INVALID is told. *ret is untouched when not given. */
MUST_USE enum err cli_code(struct cli *c, const char *name, const char **ret);
/* HOME/name. ERR_INVALID: too long. */
MUST_USE enum err cli_path(const struct cli *c, const char *name, char ret[PATH_MAX]);

/* Tells an error and returns it, for `return cli_fail(c, e, path)`. `about` (a file, an option;
 * never personal data) may be NULL. Words to stderr, or {"error", "message_en", "message_fr",
 * "about"} to stdout. */
enum err cli_fail(struct cli *c, enum err e, const char *about);
/* What is wrong with the command line itself (misuse.def): ERR_USAGE. `about`: the option with its
 * dashes, or the operand; may be NULL. */
enum misuse {
#define MISUSE(id, en, fr) MISUSE_##id,
#include "services/common/cli/misuse.def"
#undef MISUSE
	MISUSES
};
enum err cli_misused(struct cli *c, enum misuse what, const char *about);
/* As cli_fail, with what is wrong with each field; "faults": [{"path", "code", "message_en",
 * "message_fr"}]. */
enum err cli_fail_faults(struct cli *c, enum err e, const char *about, const struct faults *faults);
/* Words for a person on stdout, in the language asked for; nothing with --json. Both formats take
 * the same arguments in the same order. */
__attribute__((format(printf, 2, 4), format(printf, 3, 4))) void cli_say(
	const struct cli *c, const char *en, const char *fr, ...);
/* Takes over the value and prints it on a line, with --json only. */
void cli_json(const struct cli *c, json_t *value);

/* What a program ends with after this error. */
int cli_exit_code(enum err e);
/* The language that the environment asks for. */
enum lang cli_default_lang(void);

#endif
