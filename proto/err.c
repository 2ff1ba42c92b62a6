#include "proto/err.h"

static const struct row {
	enum err code;
	const char *name, *text[2];
} rows[] = {
#define ERR(name, number, en, fr) {number, #name, {en, fr}},
#include "proto/err.def"
#undef ERR
};

static const struct row *find(enum err e)
{
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].code == e)
			return &rows[i];
	return 0;
}

const char *err_name(enum err e)
{
	const struct row *row = find(e);

	return row ? row->name : "UNKNOWN";
}

const char *err_text(enum err e, enum lang lang)
{
	static const char *const unknown[] = {"unknown error", "erreur inconnue"};
	const struct row *row = find(e);

	return row ? row->text[lang] : unknown[lang];
}
