/* Completion for bash, made from the same tables as --help. */
#include <string.h>

#include "services/common/cli/cli_help.h"

/* Options whose argument is one of a list ("en|fr"), a folder, or nothing that can be guessed;
 * a file completes everything else. */
static void print_arguments(FILE *out, const struct cli_option *options)
{
	for (const struct cli_option *o = options; o && o->name; o++) {
		const char *a = o->argument;

		if (!a)
			continue;
		fprintf(out, "\t\t--%s) ", o->name);
		if (strchr(a, '|'))
			fprintf(out, "list='%s'; list=${list//|/ }", a);
		else if (strstr(a, "DIR"))
			fputs("kind=directory", out);
		else if (strstr(a, "FILE"))
			fputs("kind=file", out);
		else
			fputs("kind=none", out);
		fputs(" ;;\n", out);
	}
}

static void print_options(FILE *out, const struct cli_option *options)
{
	for (const struct cli_option *o = options; o && o->name; o++)
		fprintf(out, " --%s", o->name);
}

static void print_command(FILE *out, const struct cli_command *k)
{
	fprintf(out, "\t'%s')\n\t\toptions='", k->name);
	print_options(out, k->options);
	fputs("'\n\t\tcase $2 in\n", out);
	print_arguments(out, k->options);
	fputs("\t\tesac ;;\n", out);
}

/* What the tables know: the names of the commands, and for a command its options and what the
 * argument of option $2 may be. */
static void print_tables(FILE *out, const char *f, const struct cli_command *commands)
{
	fprintf(out, "%s_names=(", f);
	for (const struct cli_command *k = commands; k->name; k++)
		fprintf(out, "%s'%s'", k == commands ? "" : " ", k->name);
	fprintf(out, ")\n\n%s_know()\n{\n\tcase $1 in\n", f);
	for (const struct cli_command *k = commands; k->name; k++)
		print_command(out, k);
	fputs("\tesac\n\tcommon='", out);
	print_options(out, cli_common_options);
	fputs("'\n\tif [[ -z $kind$list ]]; then\n\t\tcase $2 in\n", out);
	print_arguments(out, cli_common_options);
	fputs("\t\tesac\n\tfi\n}\n\n", out);
}

/* The same for every program; @ stands for the function's name. `typed` are the words before the
 * cursor that are neither options nor their arguments. */
static const char function[] =
	"@()\n"
	"{\n"
	"\tlocal current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
	"\tlocal typed='' command='' options='' common='' kind='' list='' name i\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\toptions='' kind='' list=''\n"
	"\t\t@_know \"$command\" \"${COMP_WORDS[i]}\"\n"
	"\t\tif [[ ${COMP_WORDS[i]} == -* ]]; then\n"
	"\t\t\t[[ -z $kind$list ]] || ((i++))\n"
	"\t\t\tcontinue\n"
	"\t\tfi\n"
	"\t\ttyped+=\"${COMP_WORDS[i]} \"\n"
	"\t\tfor name in \"${@_names[@]}\"; do\n"
	"\t\t\t[[ $typed != \"$name \" ]] || command=$name\n"
	"\t\tdone\n"
	"\tdone\n"
	"\toptions='' kind='' list=''\n"
	"\t@_know \"$command\" \"$before\"\n"
	"\tCOMPREPLY=()\n"
	"\tif [[ -n $list ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"$list\" -- \"$current\")\n"
	"\telif [[ -n $kind ]]; then\n"
	"\t\t[[ $kind == none ]] || mapfile -t COMPREPLY < <(compgen -A $kind -- \"$current\")\n"
	"\telif [[ $current == -* ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"$options $common\" -- \"$current\")\n"
	"\telse\n"
	"\t\tfor name in \"${@_names[@]}\"; do\n"
	"\t\t\tif [[ $name == \"$typed$current\"* ]]; then\n"
	"\t\t\t\tname=${name#\"$typed\"}\n"
	"\t\t\t\tCOMPREPLY+=(\"${name%% *}\")\n"
	"\t\t\tfi\n"
	"\t\tdone\n"
	"\t\tif [[ -n $command && ${#COMPREPLY[@]} == 0 ]]; then\n"
	"\t\t\tmapfile -t COMPREPLY < <(compgen -A file -- \"$current\")\n"
	"\t\tfi\n"
	"\tfi\n"
	"}\n";

void cli_print_completion(const struct cli_program *program, FILE *out)
{
	char f[64];

	snprintf(f, sizeof(f), "_%s", program->name);
	for (char *p = f; *p; p++)
		if (*p == '-')
			*p = '_';
	fprintf(out, "# Completion for bash of %s; made from its table of commands.\n",
		program->name);
	print_tables(out, f, program->commands);
	for (const char *p = function; *p; p++)
		/* "${x[@]}" is bash's own */
		if (*p == '@' && p[1] != ']')
			fputs(f, out);
		else
			fputc(*p, out);
	fprintf(out, "complete -o filenames -F %s %s\n", f, program->name);
}
