#include "services/intake/skeleton.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ustring.h>
#include <unicode/utrans.h>

#define NAME_CHARS 512
/* One character of a name can become many: U+FDFA stands for a phrase. */
#define TEXT_CHARS 8192

/* Words that come and go between two spellings of one name. */
static const char *const particles[] = {"u", "daw", "ma", "ko", "maung", "mg", "saw", "sai", "al",
	"el", "bin", "ibn", "bint", "ben", "abu", "abou", "de", "del", "la", "las", "los", "da",
	"dos", "do", "van", "von", "der", "y", "e", "i"};

static bool is_particle(const char *part)
{
	for (size_t i = 0; i < sizeof(particles) / sizeof(particles[0]); i++)
		if (strcmp(particles[i], part) == 0)
			return true;
	return false;
}

/* Keeps a-z, and one space for every row of anything else but the marks that stand inside words. */
static void keep_letters(const UChar *in, int32_t len, char *out, size_t size)
{
	size_t n = 0;
	bool gap = false;

	for (int32_t i = 0; i < len && n + 2 < size; i++) {
		UChar c = in[i];

		if (c >= 'a' && c <= 'z') {
			if (gap && n)
				out[n++] = ' ';
			out[n++] = (char)c;
			gap = false;
		} else if (c == ' ' || c == '-' || c == ',' || c == '.' || c == '\t' || c == '\n') {
			gap = true;
		}
	}
	out[n] = 0;
}

/* ICU compiles its rules anew at each opening, which takes milliseconds: once for the process. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static UTransliterator *transliterator;

static void open_latin(void)
{
	static const char rules[] = "::Any-Latin; ::NFD; ::[:Nonspacing Mark:] Remove; "
				    "::Latin-ASCII; ::Lower;";
	UChar urules[sizeof(rules)], id[] = {'h', 'a', 'v', 'r', 'e', 0};
	UErrorCode code = U_ZERO_ERROR;

	u_uastrcpy(urules, rules);
	transliterator = utrans_openU(id, -1, UTRANS_FORWARD, urules, -1, NULL, &code);
}

enum err name_to_latin(const char *utf8, char *out, size_t size)
{
	UChar text[TEXT_CHARS];
	UErrorCode code = U_ZERO_ERROR;
	int32_t len = 0, limit;

	pthread_once(&once, open_latin);
	if (!transliterator)
		return ERR_NOMEM;
	u_strFromUTF8(text, TEXT_CHARS, &len, utf8, -1, &code);
	if (U_FAILURE(code) || len >= TEXT_CHARS)
		return ERR_INVALID;
	limit = len;
	utrans_transUChars(transliterator, text, &len, TEXT_CHARS, 0, &limit, &code);
	if (U_FAILURE(code))
		return ERR_INVALID;
	keep_letters(text, len < TEXT_CHARS ? len : TEXT_CHARS, out, size);
	return OK;
}

/* The sound that a letter stands for, whatever the spelling; 0: none. */
static char sound(const char *word, size_t i)
{
	char c = word[i], before = i ? word[i - 1] : 0;

	switch (c) {
	case 'a':
	case 'e':
	case 'i':
	case 'o':
	case 'u':
	case 'y':
		return 0;
	case 'w':
		return before ? 0 : 'v';
	case 'h': /* kh, gh, sh, th, dh, zh, ph, ch: the letter before says enough; silent last */
		return (before && strchr("kgstdzpcr", before)) || !word[i + 1] ? 0 : 'h';
	case 'j':
		return before && !word[i + 1] ? 0 : 'g';
	case 'c':
	case 'q':
	case 'x':
		return 'k';
	case 'z':
		return 's';
	case 'p':
		return word[i + 1] == 'h' ? 'f' : 'p';
	default:
		return c;
	}
}

void skeleton_of_part(const char *latin, char out[SKELETON_SIZE])
{
	size_t n = 0;

	for (size_t i = 0; latin[i] && n < SKELETON_SIZE - 1; i++) {
		char c = sound(latin, i);

		if (c && (!n || out[n - 1] != c))
			out[n++] = c;
	}
	out[n] = 0;
	if (n < 2) { /* nearly all vowels: the letters themselves */
		strncpy(out, latin, SKELETON_SIZE - 1);
		out[SKELETON_SIZE - 1] = 0;
	}
}

static void add_distinct(char list[][SKELETON_SIZE], size_t *n, const char *latin)
{
	char s[SKELETON_SIZE];

	skeleton_of_part(latin, s);
	if (strlen(s) < 2 || *n == SKELETONS_MOST)
		return;
	for (size_t i = 0; i < *n; i++)
		if (strcmp(list[i], s) == 0)
			return;
	memcpy(list[(*n)++], s, SKELETON_SIZE);
}

/* Every part of one written name, and the whole without its spaces. */
static enum err add_name(struct skeletons *out, const char *name)
{
	char latin[NAME_CHARS], whole[NAME_CHARS] = "", *save = NULL;
	size_t parts = 0;

	TRY(name_to_latin(name, latin, sizeof(latin)));
	for (char *p = strtok_r(latin, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
		if (is_particle(p))
			continue;
		add_distinct(out->part, &out->n_parts, p);
		/* the Arabic article, written into the word */
		if (strlen(p) >= 5 && (strncmp(p, "al", 2) == 0 || strncmp(p, "el", 2) == 0))
			add_distinct(out->part, &out->n_parts, p + 2);
		strcat(whole, p);
		parts++;
	}
	if (parts)
		add_distinct(out->whole, &out->n_wholes, whole);
	return OK;
}

enum err skeletons_of(const Identity *id, struct skeletons *ret)
{
	char full[NAME_CHARS];

	*ret = (struct skeletons){.n_parts = 0};
	snprintf(full, sizeof(full), "%s %s", id->given_names, id->family_name);
	TRY(add_name(ret, full));
	snprintf(full, sizeof(full), "%s %s", id->family_name, id->given_names);
	TRY(add_name(ret, full));
	if (*id->name_in_script)
		TRY(add_name(ret, id->name_in_script));
	for (size_t i = 0; i < id->n_other_names; i++)
		TRY(add_name(ret, id->other_names[i]));
	return OK;
}
