/*
 * Writes the manual page of the configuration: a template from standard input, in which the line
 * @KEYS@ stands for the table config.def.   config_keys en|fr <havre.conf.5.in >havre.conf.5
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "services/common/base/config.h"

struct row {
	unsigned programs;
	const char *section, *key, *type, *def;
	long least, most;
	const char *words[2];
};

#define LINE_MOST   80 /* bytes */
#define TEXT_MOST   1024
#define BOUNDS_MOST 64

#define P(program) (1u << PROGRAM_##program)
#define ALL        (~P(BROKER))

static const struct row rows[] = {
#define CONFIG(programs, section, key, field, TYPE, def, least, most, en, fr)                      \
	{programs, section, key, #TYPE, def, least, most, {en, fr}},
#include "services/common/base/config.def"
#undef CONFIG
	{0},
};

static const char *const names[] = {
	[PROGRAM_BROKER] = "havre-broker",
	[PROGRAM_INTAKE] = "havre-intake",
	[PROGRAM_SCREENING] = "havre-screening",
	[PROGRAM_URGENT] = "havre-urgent",
	[PROGRAM_NOTIFY] = "havre-notify",
	[PROGRAM_RELAY] = "havre-relay",
	[PROGRAM_CLIENT] = "havre",
	[PROGRAM_STAFF] = "havre-staff",
	[PROGRAM_ADMIN] = "havre-admin",
};
#define NAMES (sizeof(names) / sizeof(names[0]))

/* What the bounds of a type count; a path's and a level's say nothing that helps. */
static const struct type {
	const char *name;
	const char *units[2];
} types[] = {
	{"STRING", {" bytes", " octets"}},
	{"NUMBER", {"", ""}},
	{"SECONDS", {" s", " s"}},
};

static const char *const everybody[2] = {"every program", "tous les programmes"};
static const char *const connected[2] = {
	"everything that connects to the broker", "tout ce qui se connecte au courtier"};
static const char *const labels[][2] = {
	{"Default:", "Par défaut :"}, {"none", "aucune"}, {"For", "Pour"}};

/* May a line end after this byte? With these a sentence would. */
static bool ends_nothing(char last)
{
	return !strchr(".!?", last);
}

/* As mandoc counts the first n bytes: it makes \[u00E9] of every character that is not ASCII. */
static size_t length(const char *text, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (unsigned char)text[i] < 0x80 ? 1 : (unsigned char)text[i] < 0xc0 ? 0 : 8;
	return sum;
}

/* A text, in lines of the length that mandoc asks for. It reads UTF-8; a backslash, and a dot or a
 * quote at the start of a line, mean something. */
static void print_text(const char *text)
{
	size_t column = 0;

	if (*text == '.' || *text == '\'')
		fputs("\\&", stdout);
	for (size_t i = 0; text[i]; i++) {
		size_t word = strcspn(text + i + 1, " ");

		if (text[i] == ' ' && i && text[i + 1] &&
			column + length(text + i, word + 1) > LINE_MOST &&
			!strchr(".'", text[i + 1]) && ends_nothing(text[i - 1])) {
			putchar('\n');
			column = 0;
			continue;
		}
		if (text[i] == '\\')
			fputs("\\e", stdout);
		else
			putchar(text[i]);
		column += length(text + i, 1);
	}
	putchar('\n');
}

static const char *bounds(const struct row *r, enum lang lang, char text[BOUNDS_MOST])
{
	*text = 0;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].name, r->type) == 0)
			snprintf(text, BOUNDS_MOST, " (%ld..%ld%s)", r->least, r->most,
				types[i].units[lang]);
	return text;
}

static void print_programs(unsigned programs, enum lang lang)
{
	char text[TEXT_MOST];
	int n = snprintf(text, sizeof(text), "%s ", labels[2][lang]);
	const char *comma = "";

	if ((programs & ALL) == ALL) {
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%s",
			programs & P(BROKER) ? everybody[lang] : connected[lang]);
		programs = 0;
	}
	for (size_t i = 0; i < NAMES; i++)
		if (programs & 1u << i) {
			n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%s", comma, names[i]);
			comma = ", ";
		}
	snprintf(text + n, sizeof(text) - (size_t)n, ".");
	print_text(text);
}

static void print_row(const struct row *r, enum lang lang)
{
	char text[TEXT_MOST], range[BOUNDS_MOST];

	printf(".It Ic %s\n", r->key);
	snprintf(text, sizeof(text), "%s%s.", r->words[lang], bounds(r, lang, range));
	print_text(text);
	printf("%s\n", labels[0][lang]);
	if (*r->def)
		printf(".Ql %s .\n", r->def);
	else
		printf("%s.\n", labels[1][lang]);
	print_programs(r->programs, lang);
}

static void print_keys(enum lang lang)
{
	const char *section = "";

	for (const struct row *r = rows; r->section; r++) {
		if (strcmp(section, r->section) != 0)
			printf("%s.Ss [%s]\\&\n.Bl -tag -width Ds\n", *section ? ".El\n" : "",
				r->section);
		section = r->section;
		print_row(r, lang);
	}
	puts(".El");
}

int main(int argc, char **argv)
{
	enum lang lang = argc == 2 && strcmp(argv[1], "fr") == 0 ? LANG_FR : LANG_EN;
	char line[1024];

	while (fgets(line, sizeof(line), stdin))
		if (strcmp(line, "@KEYS@\n") == 0)
			print_keys(lang);
		else
			fputs(line, stdout);
	return ferror(stdin) || fflush(stdout) ? 1 : 0;
}
