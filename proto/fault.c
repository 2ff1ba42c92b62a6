#include "proto/fault.h"

#include <protobuf-c/protobuf-c.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name, *words[2];
} rows[FAULT_COUNT] = {
#define FAULT(name, en, fr) [FAULT_##name] = {#name, {en, fr}},
#include "proto/faults.def"
#undef FAULT
};

void fault_add(struct faults *f, enum fault_code code, const char *path, ...)
{
	struct fault *fault = &f->list[f->n];
	va_list args;

	if (f->n == FAULTS_MOST) {
		f->more++;
		return;
	}
	fault->code = code;
	fault->list = NULL;
	va_start(args, path);
	vsnprintf(fault->path, sizeof(fault->path), path, args);
	va_end(args);
	f->n++;
}

void fault_add_list(struct faults *f, const char *path, const ProtobufCEnumDescriptor *list)
{
	size_t before = f->n;

	fault_add(f, FAULT_NOT_IN_LIST, "%s", path);
	if (f->n > before)
		f->list[before].list = list;
}

__attribute__((format(printf, 2, 3))) static size_t grow(
	struct fault_path *p, const char *step, ...)
{
	size_t before = p->len, room = sizeof(p->text) - before;
	va_list args;
	int n;

	va_start(args, step);
	n = vsnprintf(p->text + before, room, step, args);
	va_end(args);
	p->len += n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
	return before;
}

size_t fault_path_name(struct fault_path *p, const char *name)
{
	return grow(p, "%s%s", p->len ? "." : "", name);
}

size_t fault_path_index(struct fault_path *p, size_t i)
{
	return grow(p, "[%zu]", i);
}

void fault_path_back(struct fault_path *p, size_t len)
{
	p->len = len;
	p->text[len] = 0;
}

const char *fault_name(enum fault_code code)
{
	return (unsigned)code < FAULT_COUNT ? rows[code].name : "UNKNOWN";
}

const char *fault_text(enum fault_code code, enum lang lang)
{
	return (unsigned)code < FAULT_COUNT ? rows[code].words[lang] : "?";
}

char *fault_words(const struct fault *fault, enum lang lang)
{
	static const char *const colon[] = {": ", " : "};
	const ProtobufCEnumDescriptor *list = fault->list;
	const char *between = colon[lang];
	char *words = NULL;
	size_t size;
	FILE *out = open_memstream(&words, &size);

	if (!out)
		return NULL;
	fputs(fault_text(fault->code, lang), out);
	for (unsigned i = 0; list && i < list->n_values; i++)
		if (list->values[i].value) {
			fprintf(out, "%s%s", between, list->values[i].name);
			between = ", ";
		}
	if (fclose(out) == 0)
		return words;
	free(words);
	return NULL;
}

enum fault_code fault_find(const char *name)
{
	int code = 0;

	while (code < FAULT_COUNT && strcmp(rows[code].name, name) != 0)
		code++;
	return code;
}

/* Is this path the other one, or above it? "" is above all. */
static bool covers(const char *path, const char *other)
{
	size_t n = strlen(path);

	return strncmp(path, other, n) == 0 && (!n || !other[n] || strchr(".[", other[n]));
}

static void fault_copy(struct faults *f, const struct fault *fault)
{
	if (f->n == FAULTS_MOST)
		f->more++;
	else
		f->list[f->n++] = *fault;
}

void fault_add_others(struct faults *f, const struct faults *more)
{
	size_t known = f->n;

	for (size_t i = 0; i < more->n; i++) {
		bool told = false;

		for (size_t k = 0; k < known; k++)
			told = told || covers(f->list[k].path, more->list[i].path) ||
			       covers(more->list[i].path, f->list[k].path);
		if (!told)
			fault_copy(f, &more->list[i]);
	}
	f->more += more->more;
}
