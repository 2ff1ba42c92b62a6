#include "services/common/cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/wipe.h"
#include "services/common/cli/cli_help.h"
#include "services/common/sandbox/sandbox.h"

#define OPTIONS_MOST 32

/* What a parse leads to. */
enum parsed { GO_ON, HELP, VERSION, BAD_USAGE };

static size_t add_options(
	struct option *list, size_t n, const struct cli_option **rows, const struct cli_option *o)
{
	for (; o && o->name && n < OPTIONS_MOST; o++, n++) {
		list[n] = (struct option){
			o->name, o->argument ? required_argument : no_argument, NULL, 0};
		rows[n] = o;
	}
	return n;
}

static enum parsed take_lang(struct cli *c, const char *value)
{
	if (strcmp(value, "en") != 0 && strcmp(value, "fr") != 0) {
		cli_fail(c, ERR_USAGE, "--lang");
		return BAD_USAGE;
	}
	c->lang = *value == 'f' ? LANG_FR : LANG_EN;
	return GO_ON;
}

static enum parsed take_home(struct cli *c, const char *value)
{
	if (!*value || snprintf(c->home, sizeof(c->home), "%s", value) >= (int)sizeof(c->home)) {
		cli_fail(c, ERR_USAGE, "--home");
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
		cli_fail(c, ERR_USAGE, o->name);
		return BAD_USAGE;
	}
	c->given[c->n_given].option = o;
	c->given[c->n_given++].value = value;
	return GO_ON;
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

		if (ch == 0)
			p = take_option(c, rows[row], optarg);
		else if (ch != 'h') {
			cli_fail(c, ERR_USAGE, argv[optind - 1]);
			p = BAD_USAGE;
		}
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

/* A program that is one command has its options anywhere. */
static const struct cli_option *nameless_options(const struct cli *c)
{
	const struct cli_command *first = c->program->commands;

	return first->name && !*first->name ? first->options : NULL;
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

static enum parsed parse_all(struct cli *c, int argc, char **argv)
{
	enum parsed before = parse(c, "+h", nameless_options(c), argc, argv), after;
	int at = optind, words;

	if (before == BAD_USAGE)
		return before;
	words = find_command(c, argc - at, argv + at);
	if (words < 0) {
		if (before == GO_ON && at < argc && is_group(c, argv[at]))
			before = parse(c, "h", NULL, argc - at, argv + at);
		if (before != GO_ON)
			return before;
		cli_fail(c, ERR_USAGE, at < argc ? argv[at] : NULL);
		return BAD_USAGE;
	}
	/* the word before the rest stands for a program's name */
	at += words - 1;
	after = parse(c, "h", c->command->options, argc - at, argv + at);
	if (after != GO_ON)
		return after;
	c->operands = argv + at + optind;
	c->n_operands = argc - at - optind;
	if (before == GO_ON &&
		(c->n_operands < c->command->least || c->n_operands > c->command->most)) {
		cli_fail(c, ERR_USAGE, c->command->operands);
		return BAD_USAGE;
	}
	return before;
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
	enum err e = c->program->sandboxed ? sandbox_command(c) : OK;

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

int cli_main(const struct cli_program *program, int argc, char **argv)
{
	struct cli c = {
		.program = program, .lang = cli_default_lang(), .json = wants_json(argc, argv)};

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

static enum err bad_option(struct cli *c, const char *name)
{
	char option[64];

	snprintf(option, sizeof(option), "--%s", name);
	return cli_fail(c, ERR_USAGE, option);
}

enum err cli_required(struct cli *c, const char *name, const char **ret)
{
	const char *value = cli_value(c, name);

	if (!value || !*value)
		return bad_option(c, name);
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
		return bad_option(c, name);
	*ret = v;
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
