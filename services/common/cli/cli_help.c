#include "services/common/cli/cli_help.h"

#include <string.h>

/* clang-format off */
const struct cli_option cli_common_options[] = {
	CLI_FLAG("json", "print JSON", "écrire du JSON"),
	CLI_OPTION("home", "DIR", "the folder of keys, configuration and store (or $HAVRE_HOME; ~/.havre)",
		"le dossier des clés, de la configuration et du magasin (ou $HAVRE_HOME; ~/.havre)"),
	CLI_OPTION("lang", "en|fr", "the language of what is printed", "la langue de ce qui est écrit"),
	CLI_OPTION("passphrase-file", "FILE", "read the passphrase from this file (mode 0600)",
		"lire la phrase de passe dans ce fichier (mode 0600)"),
	CLI_FLAG("help", "print this", "écrire ceci"),
	CLI_FLAG("version", "print the version", "écrire la version"),
	CLI_END,
};

enum heading { USAGE, COMMANDS, OPTIONS, COMMON, EXIT_CODES, EXIT_LINE, COMMAND_WORD, COUNT };

static const char *const headings[COUNT][2] = {
	[USAGE] = {"Usage:", "Utilisation :"},
	[COMMANDS] = {"Commands:", "Commandes :"},
	[OPTIONS] = {"Options:", "Options :"},
	[COMMON] = {"Options of every command:", "Options de toutes les commandes :"},
	[EXIT_CODES] = {"Exit codes:", "Codes de sortie :"},
	[EXIT_LINE] = {
		"0 done or safely queued, 64 usage, 65 bad data, 69 nothing could be reached,\n"
		"  70 internal, 77 not permitted",
		"0 fait ou mis en file en sûreté, 64 utilisation, 65 données erronées,\n"
		"  69 rien n’a pu être joint, 70 erreur interne, 77 non permis"},
	[COMMAND_WORD] = {"COMMAND", "COMMANDE"},
};
/* clang-format on */

int cli_columns(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

static void print_row(FILE *out, const char *left, const char *words)
{
	int pad = 28 - cli_columns(left);

	fprintf(out, "  %s%*s", left, pad > 1 ? pad : 1, "");
	fprintf(out, pad > 1 ? "%s\n" : "\n                              %s\n", words);
}

static bool listed(const struct cli_option *options, const char *name)
{
	for (; options && options->name; options++)
		if (strcmp(options->name, name) == 0)
			return true;
	return false;
}

/* Without those whose names `others` has. */
static void print_options(FILE *out, const struct cli_option *options,
	const struct cli_option *others, enum lang lang)
{
	for (const struct cli_option *o = options; o && o->name; o++) {
		char left[128];

		if (listed(others, o->name))
			continue;
		snprintf(left, sizeof(left), "--%s%s%s", o->name, o->argument ? " " : "",
			o->argument ? o->argument : "");
		print_row(out, left, o->words[lang]);
		if (o->more)
			o->more(out, lang);
	}
}

void cli_print_usage(const struct cli *c, FILE *out)
{
	const struct cli_command *k = c->command;

	fprintf(out, "%s %s", headings[USAGE][c->lang], c->program->name);
	if (!k)
		fprintf(out, " %s", headings[COMMAND_WORD][c->lang]);
	else if (*k->name)
		fprintf(out, " %s", k->name);
	fprintf(out, " [OPTION...]%s%s\n", k && *k->operands ? " " : "", k ? k->operands : "");
}

static void print_command(const struct cli *c, FILE *out)
{
	fprintf(out, "\n  %s\n", c->command->words[c->lang]);
	if (c->command->options && c->command->options->name) {
		fprintf(out, "\n%s\n", headings[OPTIONS][c->lang]);
		print_options(out, c->command->options, NULL, c->lang);
	}
}

static void print_program(const struct cli *c, FILE *out)
{
	fprintf(out, "\n  %s\n\n%s\n", c->program->words[c->lang], headings[COMMANDS][c->lang]);
	for (const struct cli_command *k = c->program->commands; k->name; k++) {
		char left[128];

		snprintf(left, sizeof(left), "%s%s%s", k->name, *k->operands ? " " : "",
			k->operands);
		print_row(out, left, k->words[c->lang]);
	}
}

void cli_print_help(const struct cli *c, FILE *out)
{
	cli_print_usage(c, out);
	if (c->command)
		print_command(c, out);
	else
		print_program(c, out);
	fprintf(out, "\n%s\n", headings[COMMON][c->lang]);
	print_options(out, cli_common_options, c->command ? c->command->options : NULL, c->lang);
	fprintf(out, "\n%s\n  %s\n", headings[EXIT_CODES][c->lang], headings[EXIT_LINE][c->lang]);
}
