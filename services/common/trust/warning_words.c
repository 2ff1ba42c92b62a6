#include "services/common/trust/warning_words.h"

#include <inttypes.h>
#include <stdio.h>

#include "proto/catalogue.h"
#include "proto/json.h"

static const struct words {
	const char *says[2], *advice[2], *over[2];
} rows[] = {
#define WARNING(code, says_en, says_fr, advice_en, advice_fr, over_en, over_fr)                    \
	[WARNING_CODE__##code] = {{says_en, says_fr}, {advice_en, advice_fr}, {over_en, over_fr}},
#include "services/common/trust/warning_words.def"
#undef WARNING
};

/* A code of a later version has no words here. */
static const struct words *words_of(const Warning *w)
{
	static const struct words none = {{"?", "?"}, {"", ""}, {"?", "?"}};
	size_t i = (size_t)w->code;

	return i < sizeof(rows) / sizeof(rows[0]) && rows[i].says[0] ? &rows[i] : &none;
}

static enum err add(struct buf *out, const char *text)
{
	return buf_append(out, text, strlen(text));
}

static enum err add_faults(const Warning *w, struct buf *out)
{
	for (size_t i = 0; i < w->n_faults; i++) {
		if (i)
			TRY(add(out, ", "));
		TRY(add(out, w->faults[i]));
	}
	return OK;
}

/* The value of a place, `len` characters long. */
static enum err add_value(const Warning *w, const char *place, size_t len, struct buf *out)
{
	const struct kind_row *row = catalogue_find(w->kind);
	char count[24], since[32];
	const struct {
		const char *name, *value;
	} values[] = {
		{"about", w->about},
		{"count", count},
		{"kind", row ? row->name : "?"},
		{"from", w->sender},
		{"since", since},
	};

	snprintf(count, sizeof(count), "%" PRIu64, w->count);
	time_format(w->since_at, since);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (strlen(values[i].name) == len && strncmp(values[i].name, place, len) == 0)
			return add(out, values[i].value);
	return add_faults(w, out);
}

static enum err fill(const Warning *w, const char *text, struct buf *out)
{
	const char *open, *close;

	while ((open = strchr(text, '{')) && (close = strchr(open, '}'))) {
		TRY(buf_append(out, text, (size_t)(open - text)));
		TRY(add_value(w, open + 1, (size_t)(close - open) - 1, out));
		text = close + 1;
	}
	return add(out, text);
}

enum err warning_says(const Warning *w, enum lang lang, struct buf *out)
{
	const struct words *words = words_of(w);

	return fill(w, (w->over ? words->over : words->says)[lang], out);
}

enum err warning_advice(const Warning *w, enum lang lang, struct buf *out)
{
	return w->over ? OK : fill(w, words_of(w)->advice[lang], out);
}

bool warning_is_event(const Warning *w)
{
	return !*words_of(w)->over[LANG_EN];
}
