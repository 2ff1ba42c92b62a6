#include "services/staff/note.h"

#include <stdio.h>
#include <string.h>

#include "services/staff/case_view.h"

#define TEXT_MOST (32u << 10)

static enum err read_all(FILE *f, struct buf *out)
{
	char block[4096];
	size_t n;
	enum err e = OK;

	while (e == OK && (n = fread(block, 1, sizeof(block), f)) > 0)
		e = out->len + n > TEXT_MOST ? ERR_TOO_LARGE : buf_append(out, block, n);
	explicit_bzero(block, sizeof(block));
	if (e == OK && ferror(f))
		e = ERR_IO;
	if (e == OK && (!out->len || memchr(out->data, '\0', out->len)))
		e = ERR_INVALID; /* no text */
	while (e == OK && out->len && out->data[out->len - 1] == '\n')
		out->len--; /* the end of a file, not of a text */
	return e == OK ? buf_append(out, "", 1) : e;
}

enum err note_read(const char *path, struct buf *out)
{
	bool own = strcmp(path, "-") != 0;
	FILE *f = own ? fopen(path, "rb") : stdin;
	enum err e = f ? read_all(f, out) : ERR_NOT_FOUND;

	if (f && own)
		fclose(f);
	return e;
}

static enum err add_readers(const struct registry *r, const char *name,
	struct reader readers[2 * READERS_MOST], size_t *n)
{
	uint32_t epoch;
	size_t more;

	TRY(registry_readers(r, name, node_now(), readers + *n, &more, &epoch));
	*n += more;
	return OK;
}

static enum err seal(struct session *s, const char *partner, const char *case_number,
	const char *text, struct buf *ret)
{
	const struct registry *r = node_registry(s->n);
	const Principal *intake = registry_with_roles(r, ROLE_BIT(ROLE__INTAKE), node_now(), 0);
	struct reader readers[2 * READERS_MOST];
	struct entropy random;
	size_t n = 0;

	if (!partner || !intake)
		return ERR_UNKNOWN_RECIPIENT;
	TRY(add_readers(r, partner, readers, &n));
	TRY(add_readers(r, intake->name, readers, &n));
	entropy_fresh(&random);
	return note_seal(text, case_number, readers, n, &random, ret);
}

enum err note_from_file(
	struct session *s, const char *path, const char *case_number, struct buf *ret)
{
	struct case_view v = {NULL};
	struct buf text = {0};
	enum err e = note_read(path, &text);

	if (e != OK)
		e = cli_fail(s->c, e, path);
	if (e == OK)
		e = case_view_load(s, case_number, &v);
	if (e == OK) {
		e = seal(s, case_view_partner(&v), case_number, (const char *)text.data, ret);
		if (e != OK)
			e = cli_fail(s->c, e, path);
	}
	case_view_free(&v);
	buf_free(&text);
	return e;
}
