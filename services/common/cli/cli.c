#include "services/common/cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/wipe.h"
#include "services/common/base/descriptors.h"
#include "services/common/cli/cli_help.h"
#include "services/common/sandbox/sandbox.h"

#define OPTIONS_MOST 32
#define CODE_MOST    32
/* What getopt_long gives for each of ours; above every character. */
#define LONG_OPTION 256

/* What a parse leads to. */
enum parsed { GO_ON, HELP, VERSION, BAD_USAGE };

static size_t add_options(
	struct option *list, size_t n, const struct cli_option **rows, const struct cli_option *o)
{
	for (; o && o->name && n < OPTIONS_MOST; o++, n++) {
		list[n] = (struct option){
			o->name, o->argument ? required_argument : no_argument, NULL, LONG_OPTION};
		rows[n] = o;
	}
	return n;
}

static enum parsed take_lang(struct cli *c, const char *value)
{
	if (strcmp(value, "en") != 0 && strcmp(value, "fr") != 0) {
		cli_misused(c, MISUSE_WRONG_VALUE, "--lang");
		return BAD_USAGE;
	}
	c->lang = *value == 'f' ? LANG_FR : LANG_EN;
	return GO_ON;
}

static enum parsed take_home(struct cli *c, const char *value)
{
	if (!*value || snprintf(c->home, sizeof(c->home), "%s", value) >= (int)sizeof(c->home)) {
		cli_misused(c, MISUSE_WRONG_VALUE, "--home");
		return BAD_USAGE;
	}
	return GO_ON;
}

/* One of the options that all commands have. */
static enum parsed take_common(struct cli *c, const char *name, const char *value)
{
	if (strcmp(name, "help") == 0)
		return HELP;
	if (strcmp(name, "version") == 0)
		return VERSION;
	if (strcmp(name, "lang") == 0)
		return take_lang(c, value);
	if (strcmp(name, "home") == 0)
		return take_home(c, value);
	if (strcmp(name, "json") == 0)
		c->json = true;
	else
		c->passphrase_file = value;
	return GO_ON;
}

static enum parsed take_option(struct cli *c, const struct cli_option *o, const char *value)
{
	for (const struct cli_option *common = cli_common_options; common->name; common++)
		if (common == o)
			return take_common(c, o->name, value);
	if (c->n_given == CLI_GIVEN_MOST) {
		cli_misused(c, MISUSE_TOO_MANY, NULL);
		return BAD_USAGE;
	}
	c->given[c->n_given].option = o;
	c->given[c->n_given++].value = value;
	return GO_ON;
}

/* getopt_long has stopped at `word`, for ':' or '?'. */
static enum parsed refuse_option(struct cli *c, int ch, const char *word)
{
	char letter[] = {'-', (char)optopt, 0};

	if (optopt && optopt != LONG_OPTION) /* one of several after a dash */
		cli_misused(c, MISUSE_UNKNOWN_OPTION, optopt > ' ' && optopt < 0x7f ? letter : "-");
	else if (ch == ':')
		cli_misused(c, MISUSE_NO_VALUE, word);
	else
		cli_misused(c, optopt ? MISUSE_NOT_A_FLAG : MISUSE_UNKNOWN_OPTION, word);
	return BAD_USAGE;
}

/* Options of argv[1..]; optind is then the first operand. HELP and VERSION wait for the end, so
 * that a --lang after them counts. */
static enum parsed parse(
	struct cli *c, const char *shorts, const struct cli_option *own, int argc, char **argv)
{
	struct option list[OPTIONS_MOST + 1] = {{NULL}};
	const struct cli_option *rows[OPTIONS_MOST];
	enum parsed result = GO_ON;
	/* of two with one name the command's own is found */
	size_t n = add_options(list, 0, rows, own);
	int ch, row = 0;

	add_options(list, n, rows, cli_common_options);
	opterr = 0;
	optind = 0; /* glibc: start anew */
	while ((ch = getopt_long(argc, argv, shorts, list, &row)) != -1) {
		enum parsed p = HELP;

		if (ch == LONG_OPTION)
			p = take_option(c, rows[row], optarg);
		else if (ch != 'h')
			p = refuse_option(c, ch, argv[optind - 1]);
		if (p == BAD_USAGE)
			return p;
		result = p == GO_ON ? result : p;
	}
	return result;
}

/* How many of these words are the command's name; -1: it is another. */
static int words_matching(const char *name, int argc, char **argv)
{
	int words = 0;

	while (*name) {
		size_t len = strcspn(name, " ");

		if (words == argc || strlen(argv[words]) != len ||
			strncmp(argv[words], name, len) != 0)
			return -1;
		name += len + (name[len] == ' ');
		words++;
	}
	return words;
}

static int find_command(struct cli *c, int argc, char **argv)
{
	int most = -1;

	for (const struct cli_command *k = c->program->commands; k->name; k++) {
		int n = words_matching(k->name, argc, argv);

		if (n > most) {
			most = n;
			c->command = k;
		}
	}
	return most;
}

/* A program that is one command: it has its options anywhere. */
static const struct cli_command *nameless(const struct cli_program *program)
{
	const struct cli_command *first = program->commands;

	return first->name && !*first->name ? first : NULL;
}

/* The first word of commands of two: "keys" of "keys new". */
static bool is_group(const struct cli *c, const char *word)
{
	size_t len = strlen(word);

	for (const struct cli_command *k = c->program->commands; k->name; k++)
		if (strncmp(k->name, word, len) == 0 && k->name[len] == ' ')
			return true;
	return false;
}

/* No command begins so: only help can be asked for. */
static enum parsed refuse_command(struct cli *c, enum parsed before, int argc, char **argv)
{
	bool group = argc > 0 && is_group(c, argv[0]);
	char both[128];

	if (group && argc > 1 && argv[1][0] != '-') {
		snprintf(both, sizeof(both), "%s %s", argv[0], argv[1]);
		cli_misused(c, MISUSE_UNKNOWN_COMMAND, both);
		return BAD_USAGE;
	}
	if (before == GO_ON && group)
		before = parse(c, ":h", NULL, argc, argv);
	if (before != GO_ON)
		return before;
	if (argc == 0)
		cli_misused(c, MISUSE_NO_COMMAND, NULL);
	else
		cli_misused(c, group ? MISUSE_HALF_A_COMMAND : MISUSE_UNKNOWN_COMMAND, argv[0]);
	return BAD_USAGE;
}

static enum parsed check_operands(struct cli *c)
{
	if (c->n_operands >= c->command->least && c->n_operands <= c->command->most)
		return GO_ON;
	if (c->n_operands > c->command->most)
		cli_misused(c, MISUSE_STRAY_OPERAND, c->operands[c->command->most]);
	else
		cli_misused(c, MISUSE_NO_OPERAND, c->command->operands);
	return BAD_USAGE;
}

static enum parsed parse_all(struct cli *c, int argc, char **argv)
{
	const struct cli_option *own = c->command ? c->command->options : NULL;
	enum parsed before = parse(c, "+:h", own, argc, argv), after;
	int at = optind, words;

	if (before == BAD_USAGE)
		return before;
	words = find_command(c, argc - at, argv + at);
	if (words < 0)
		return refuse_command(c, before, argc - at, argv + at);
	/* the word before the rest stands for a program's name */
	at += words - 1;
	after = parse(c, ":h", c->command->options, argc - at, argv + at);
	if (after != GO_ON)
		return after;
	c->operands = argv + at + optind;
	c->n_operands = argc - at - optind;
	return before == GO_ON ? check_operands(c) : before;
}

static void default_home(char home[PATH_MAX])
{
	const char *own = getenv("HAVRE_HOME"), *user = getenv("HOME");
	const struct passwd *entry;

	if (own && *own) {
		snprintf(home, PATH_MAX, "%s", own);
		return;
	}
	if (!user || !*user) {
		entry = getpwuid(geteuid());
		user = entry ? entry->pw_dir : "";
	}
	snprintf(home, PATH_MAX, "%s/.havre", user);
}

static int run(struct cli *c)
{
	enum err e = OK;

	if (c->program->sandboxed) {
		e = descriptors_ready();
		if (e == OK)
			e = sandbox_command(c);
	}
	if (e == OK)
		e = c->command->run(c);

	if (e != OK && !c->told)
		cli_fail(c, e, NULL);
	if (fflush(stdout) && e == OK)
		e = cli_fail(c, ERR_IO, NULL);
	return cli_exit_code(e);
}

/* Known before anything is parsed: what is wrong with the other words is told as JSON too. */
static bool wants_json(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0)
			return true;
	return false;
}

/* The same of the language. What is no language is told when it is parsed. */
static enum lang wanted_lang(char **argv)
{
	for (int i = 1; argv[0] && argv[i] && strcmp(argv[i], "--") != 0; i++) {
		const char *value = strncmp(argv[i], "--lang=", 7) == 0 ? argv[i] + 7
				    : strcmp(argv[i], "--lang") == 0    ? argv[i + 1]
									: NULL;

		if (value && strcmp(value, "fr") == 0)
			return LANG_FR;
		if (value && strcmp(value, "en") == 0)
			return LANG_EN;
	}
	return cli_default_lang();
}

int cli_main(const struct cli_program *program, int argc, char **argv)
{
	struct cli c = {.program = program,
		.command = nameless(program),
		.lang = wanted_lang(argv),
		.json = wants_json(argc, argv)};

	json_wipe_frees();
	default_home(c.home);
	if (argc == 3 && strcmp(argv[1], "--completion") == 0 && strcmp(argv[2], "bash") == 0) {
		cli_print_completion(program, stdout);
		return fflush(stdout) ? EXIT_INTERNAL : EXIT_DONE;
	}
	switch (parse_all(&c, argc, argv)) {
	case GO_ON:
		return run(&c);
	case HELP:
		cli_print_help(&c, stdout);
		return EXIT_DONE;
	case VERSION:
		printf("%s %s\n", program->name, HAVRE_VERSION);
		return EXIT_DONE;
	case BAD_USAGE:
		break;
	}
	if (!c.json)
		cli_print_usage(&c, stderr);
	return EXIT_BAD_USAGE;
}

const char *cli_value_at(const struct cli *c, const char *name, size_t i)
{
	for (size_t j = 0; j < c->n_given; j++)
		if (strcmp(c->given[j].option->name, name) == 0 && i-- == 0)
			return c->given[j].value;
	return NULL;
}

/* As everywhere, the last one counts. */
const char *cli_value(const struct cli *c, const char *name)
{
	const char *value = NULL, *next;

	for (size_t i = 0; (next = cli_value_at(c, name, i)); i++)
		value = next;
	return value;
}

bool cli_flag(const struct cli *c, const char *name)
{
	for (size_t j = 0; j < c->n_given; j++)
		if (strcmp(c->given[j].option->name, name) == 0)
			return true;
	return false;
}

static enum err bad_option(struct cli *c, const char *name, enum misuse what)
{
	char option[64];

	snprintf(option, sizeof(option), "--%s", name);
	return cli_misused(c, what, option);
}

enum err cli_required(struct cli *c, const char *name, const char **ret)
{
	const char *value = cli_value(c, name);

	if (!value || !*value)
		return bad_option(c, name, value ? MISUSE_NO_VALUE : MISUSE_NO_OPTION);
	*ret = value;
	return OK;
}

enum err cli_number(struct cli *c, const char *name, long least, long most, long *ret)
{
	const char *value = cli_value(c, name);
	char *end;
	long v;

	if (!value)
		return OK;
	errno = 0;
	v = strtol(value, &end, 10);
	if (errno || end == value || *end || v < least || v > most)
		return bad_option(c, name, MISUSE_WRONG_VALUE);
	*ret = v;
	return OK;
}

enum err cli_code(struct cli *c, const char *name, const char **ret)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	const char *value = cli_value(c, name);
	char option[64];

	if (!value)
		return OK;
	snprintf(option, sizeof(option), "--%s", name);
	if (strlen(value) > CODE_MOST || value[strspn(value, allowed)])
		return cli_fail(c, ERR_INVALID, option);
	*ret = value;
	return OK;
}

enum err cli_path(const struct cli *c, const char *name, char ret[PATH_MAX])
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", c->home, name) >= (int)sizeof(path))
		return ERR_INVALID;
	memcpy(ret, path, sizeof(path));
	return OK;
}
