/* What a command says: words in a language, or JSON. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/common/cli/cli.h"

void cli_say(const struct cli *c, const char *en, const char *fr, ...)
{
	va_list args;

	if (c->json)
		return;
	va_start(args, fr);
	vprintf(c->lang == LANG_FR ? fr : en, args);
	va_end(args);
}

void cli_json(const struct cli *c, json_t *value)
{
	if (c->json && value) {
		json_dumpf(value, stdout, JSON_COMPACT);
		putchar('\n');
	}
	json_decref(value);
}

static json_t *fault_json(const struct fault *f)
{
	char *en = fault_words(f, LANG_EN), *fr = fault_words(f, LANG_FR);
	json_t *json = json_pack("{s:s, s:s, s:s?, s:s?}", "path", f->path, "code",
		fault_name(f->code), "message_en", en, "message_fr", fr);

	free(en);
	free(fr);
	return json;
}

/* An error on its way to a person. */
struct told {
	enum err err;
	const char *words[2], *about;
	const struct faults *faults;
};

static void tell_json(const struct cli *c, const struct told *t)
{
	json_t *o = json_pack("{s:s, s:s, s:s}", "error", err_name(t->err), "message_en",
		t->words[LANG_EN], "message_fr", t->words[LANG_FR]);
	json_t *list;

	if (o && t->about)
		json_object_set_new(o, "about", json_string(t->about));
	if (o && t->faults) {
		list = json_array();
		for (size_t i = 0; i < t->faults->n; i++)
			json_array_append_new(list, fault_json(&t->faults->list[i]));
		json_object_set_new(o, "faults", list);
		if (t->faults->more)
			json_object_set_new(o, "more", json_integer((json_int_t)t->faults->more));
	}
	cli_json(c, o);
}

static void tell_words(const struct cli *c, const struct told *t)
{
	const char *colon = c->lang == LANG_FR ? " : " : ": ";
	const struct faults *faults = t->faults;

	fprintf(stderr, "%s%s", c->program->name, colon);
	if (t->about)
		fprintf(stderr, "%s%s", *t->about ? t->about : "''", colon);
	fprintf(stderr, "%s\n", t->words[c->lang]);
	for (size_t i = 0; faults && i < faults->n; i++) {
		char *what = fault_words(&faults->list[i], c->lang);

		fprintf(stderr, "  %s%s%s\n", faults->list[i].path, colon, what ? what : "");
		free(what);
	}
	if (faults && faults->more)
		fprintf(stderr, c->lang == LANG_FR ? "  et %zu autres\n" : "  and %zu more\n",
			faults->more);
}

static enum err tell(struct cli *c, const struct told *t)
{
	fflush(stdout);
	if (c->json)
		tell_json(c, t);
	else
		tell_words(c, t);
	c->told = true;
	return t->err;
}

enum err cli_fail_faults(struct cli *c, enum err e, const char *about, const struct faults *faults)
{
	return tell(
		c, &(struct told){e, {err_text(e, LANG_EN), err_text(e, LANG_FR)}, about, faults});
}

enum err cli_misused(struct cli *c, enum misuse what, const char *about)
{
	static const char *const words[MISUSES][2] = {
#define MISUSE(id, en, fr) [MISUSE_##id] = {en, fr},
#include "services/common/cli/misuse.def"
#undef MISUSE
	};

	return tell(c, &(struct told){ERR_USAGE, {words[what][LANG_EN], words[what][LANG_FR]},
			       about, NULL});
}

enum err cli_fail(struct cli *c, enum err e, const char *about)
{
	return cli_fail_faults(c, e, about, NULL);
}

int cli_exit_code(enum err e)
{
	switch (e) {
	case OK:
		return EXIT_DONE;
	case ERR_USAGE:
		return EXIT_BAD_USAGE;
	case ERR_UNREACHABLE:
	case ERR_TIMEOUT:
	case ERR_BUSY:
		return EXIT_UNREACHABLE;
	case ERR_NOMEM:
	case ERR_IO:
	case ERR_FULL:
	case ERR_LOCKED:
	case ERR_SANDBOX:
	case ERR_DESCRIPTORS:
		return EXIT_INTERNAL;
	case ERR_PERMISSIONS:
	case ERR_PASSPHRASE:
	case ERR_RESTORED:
	case ERR_FENCED:
	case ERR_NOT_PERMITTED:
	case ERR_UNKNOWN_SENDER:
	case ERR_UNKNOWN_KEY:
	case ERR_SUSPENDED:
	case ERR_REGISTRY_EXPIRED:
	case ERR_SUITE_REFUSED:
	case ERR_WRONG_CONNECTION:
		return EXIT_NOT_PERMITTED;
	default: /* what was given is not right */
		return EXIT_BAD_DATA;
	}
}

enum lang cli_default_lang(void)
{
	static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return strncmp(value, "fr", 2) == 0 ? LANG_FR : LANG_EN;
	}
	return LANG_EN;
}
