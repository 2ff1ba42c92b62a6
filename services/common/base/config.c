#include "services/common/base/config.h"

#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "services/common/base/log.h"

enum type { TYPE_STRING, TYPE_LEVEL, TYPE_SANDBOX, TYPE_PATH, TYPE_NUMBER, TYPE_SECONDS };

struct row {
	unsigned programs;
	const char *section, *key;
	size_t offset;
	enum type type;
	const char *def;
	long least, most;
	const char *words[2]; /* by enum lang */
};

#define P(program) (1u << PROGRAM_##program | 1u << PROGRAM_ADMIN)
#define ALL        (~(1u << PROGRAM_BROKER))

static const struct row rows[] = {
#define CONFIG(programs, section, key, field, TYPE, def, least, most, en, fr)                      \
	{programs, section, key, offsetof(struct config, field), TYPE_##TYPE, def, least, most,    \
		{en, fr}},
#include "services/common/base/config.def"
#undef CONFIG
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

enum mistake {
	MISTAKE_NONE,
	UNKNOWN_SECTION,
	UNKNOWN_KEY,
	OTHER_PROGRAM,
	TWICE,
	BAD_LENGTH,
	BAD_NUMBER,
	BAD_LEVEL,
	BAD_SANDBOX,
	LONG_LINE,
	NOT_INI,
	NOT_READABLE,
	NO_MEMORY,
};

/* clang-format off */
static const char *const mistakes[][2] = {
	[MISTAKE_NONE] = {"", ""},
	[UNKNOWN_SECTION] = {"there is no such section", "cette section n’existe pas"},
	[UNKNOWN_KEY] = {"there is no such key in this section", "cette clé n’existe pas dans cette section"},
	[OTHER_PROGRAM] = {"this key is for another program", "cette clé est destinée à un autre programme"},
	[TWICE] = {"this key was given before", "cette clé a déjà été donnée"},
	[BAD_LENGTH] = {"the text is too short or too long", "le texte est trop court ou trop long"},
	[BAD_NUMBER] = {"this is not a whole number of the range", "ce n’est pas un nombre entier de l’intervalle"},
	[BAD_LEVEL] = {"this is not debug, info, warn or error", "ce n’est pas debug, info, warn ou error"},
	[BAD_SANDBOX] = {"this is neither required nor available", "ce n’est ni required ni available"},
	[LONG_LINE] = {"the line is too long", "la ligne est trop longue"},
	[NOT_INI] = {"this is neither “[section]” nor “key = value”", "ce n’est ni « [section] » ni « clé = valeur »"},
	[NOT_READABLE] = {"the file cannot be read", "le fichier est illisible"},
	[NO_MEMORY] = {"out of memory", "mémoire insuffisante"},
};
/* clang-format on */

struct reading {
	struct config *config;
	enum program program;
	FILE *file, *errors;
	enum lang lang;
	int line;
	unsigned count; /* of mistakes */
	bool seen[ROWS];
};

static void complain(struct reading *r, enum mistake m, int line, const char *section,
	const char *key, const struct row *row)
{
	r->count++;
	fprintf(r->errors, "havre.conf:%d: ", line);
	if (section)
		fprintf(r->errors, "[%s] %s: ", section, key);
	fputs(mistakes[m][r->lang], r->errors);
	if (row && (m == BAD_NUMBER || m == BAD_LENGTH))
		fprintf(r->errors, " (%ld..%ld)", row->least, row->most);
	fputc('\n', r->errors);
}

static enum mistake take_text(char **field, char *text)
{
	if (!text)
		return NO_MEMORY;
	free(*field);
	*field = text;
	return MISTAKE_NONE;
}

static enum mistake take_path(const char *home, char **field, const char *value)
{
	char *path = NULL;

	if (*value == '/')
		return take_text(field, strdup(value));
	if (asprintf(&path, "%s/%s", home, value) < 0)
		return NO_MEMORY;
	return take_text(field, path);
}

static enum mistake take_number(const struct row *row, long *field, const char *value)
{
	char *end;
	long v;

	errno = 0;
	v = strtol(value, &end, 10);
	if (errno || end == value || *end || v < row->least || v > row->most)
		return BAD_NUMBER;
	*field = v;
	return MISTAKE_NONE;
}

static enum mistake take(struct config *c, const struct row *row, const char *value)
{
	void *field = (char *)c + row->offset;
	enum log_level level;
	long len = (long)strlen(value);

	if (row->type == TYPE_NUMBER || row->type == TYPE_SECONDS)
		return take_number(row, field, value);
	if (row->type == TYPE_LEVEL && log_level_find(value, &level) != OK)
		return BAD_LEVEL;
	if (row->type == TYPE_SANDBOX && strcmp(value, "required") != 0 &&
		strcmp(value, "available") != 0)
		return BAD_SANDBOX;
	if (len < row->least || len > row->most)
		return BAD_LENGTH;
	if (row->type == TYPE_PATH)
		return take_path(c->home, field, value);
	return take_text(field, strdup(value));
}

static enum mistake find(
	const struct reading *r, const char *section, const char *key, const struct row **ret)
{
	enum mistake m = UNKNOWN_SECTION;

	for (const struct row *row = rows; row < rows + ROWS; row++) {
		if (strcmp(row->section, section) != 0)
			continue;
		m = UNKNOWN_KEY;
		if (strcmp(row->key, key) != 0)
			continue;
		if (!(row->programs & 1u << r->program))
			return OTHER_PROGRAM;
		*ret = row;
		return r->seen[row - rows] ? TWICE : MISTAKE_NONE;
	}
	return m;
}

/* inih's handler: 0 would be a mistake of the form, and ours are told already. */
static int on_value(void *arg, const char *section, const char *key, const char *value)
{
	struct reading *r = arg;
	const struct row *row = NULL;
	enum mistake m = find(r, section, key, &row);

	if (m == MISTAKE_NONE) {
		r->seen[row - rows] = true;
		m = take(r->config, row, value);
	}
	if (m != MISTAKE_NONE)
		complain(r, m, r->line, section, key, row);
	return 1;
}

/* inih's reader: counts the lines, and does not let a long line pass as two. */
static char *next_line(char *line, int size, void *arg)
{
	struct reading *r = arg;
	int c;

	if (!fgets(line, size, r->file))
		return NULL;
	r->line++;
	if (strchr(line, '\n') || feof(r->file))
		return line;
	while ((c = fgetc(r->file)) != EOF && c != '\n')
		;
	complain(r, LONG_LINE, r->line, NULL, NULL, NULL);
	line[0] = 0;
	return line;
}

static enum err set_defaults(struct config *c, const char *home)
{
	c->home = strdup(home);
	if (!c->home)
		return ERR_NOMEM;
	for (const struct row *row = rows; row < rows + ROWS; row++)
		if (take(c, row, row->def) != MISTAKE_NONE)
			return ERR_NOMEM;
	return OK;
}

static enum err read_file(struct reading *r)
{
	char path[PATH_MAX];
	int bad;

	if (snprintf(path, sizeof(path), "%s/havre.conf", r->config->home) >= (int)sizeof(path))
		return ERR_INVALID;
	r->file = fopen(path, "re");
	if (!r->file && errno == ENOENT)
		return OK;
	if (!r->file) {
		complain(r, NOT_READABLE, 0, NULL, NULL, NULL);
		return ERR_IO;
	}
	bad = ini_parse_stream(next_line, r, on_value, r);
	if (bad > 0) /* the first line of bad form */
		complain(r, NOT_INI, bad, NULL, NULL, NULL);
	if (ferror(r->file) || bad < 0)
		complain(r, NOT_READABLE, r->line, NULL, NULL, NULL);
	fclose(r->file);
	return r->count ? ERR_INVALID : OK;
}

enum err config_load(
	const char *home, enum program program, FILE *errors, enum lang lang, struct config *ret)
{
	struct config c = {0};
	struct reading r = {.config = &c, .program = program, .errors = errors, .lang = lang};
	enum err e = set_defaults(&c, home);

	if (e == OK)
		e = read_file(&r);
	if (e != OK)
		config_free(&c);
	else
		*ret = c;
	return e;
}

static void free_field(struct config *c, const struct row *row)
{
	if (row->type != TYPE_NUMBER && row->type != TYPE_SECONDS)
		free(*(char **)((char *)c + row->offset));
}

void config_free(struct config *c)
{
	for (const struct row *row = rows; row < rows + ROWS; row++)
		free_field(c, row);
	free(c->home);
	*c = (struct config){0};
}

void config_example(enum program program, enum lang lang, FILE *out)
{
	const char *section = "";

	for (const struct row *row = rows; row < rows + ROWS; row++) {
		if (!(row->programs & 1u << program))
			continue;
		if (strcmp(section, row->section) != 0)
			fprintf(out, "%s[%s]\n", *section ? "\n" : "", row->section);
		section = row->section;
		fprintf(out, "# %s", row->words[lang]);
		if (row->type == TYPE_NUMBER || row->type == TYPE_SECONDS)
			fprintf(out, " (%ld..%ld)", row->least, row->most);
		fprintf(out, "\n#%s = %s\n", row->key, row->def);
	}
}
