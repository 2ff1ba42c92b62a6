/* The table of checks: in which order they run, and what they found. */
#include "services/admin/verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
	const char *id;
	const char *words[2], *why_not[2];
} checks[CHECKS] = {
#define CHECK(number, en, fr, why_en, why_fr) {"I" #number, {en, fr}, {why_en, why_fr}},
#include "services/admin/verify.def"
#undef CHECK
};

static const struct {
	int number;
	const char *words[2];
} findings[] = {
#define FINDING(name, number, en, fr) {number, {en, fr}},
#include "services/admin/verify.def"
#undef FINDING
};

#define I(number) (1u << CHECK_##number)
static const struct run {
	run_check *run;
	role_set role;
	unsigned serves;
} runs[] = {
#define RUN(function, role, serves) {function, R(role), serves},
#include "services/admin/verify.def"
#undef RUN
};

const char *check_id(enum check check)
{
	return checks[check].id;
}

const char *check_words(enum check check, enum lang lang)
{
	return checks[check].words[lang];
}

const char *check_why_not(const struct verify *v, enum check check, enum lang lang)
{
	static const char *const missing[] = {
		"a store that it needs is not here", "un magasin nécessaire n’est pas ici"};

	return v->tallies[check].missing ? missing[lang] : checks[check].why_not[lang];
}

enum result verify_result(const struct verify *v, enum check check)
{
	if (v->tallies[check].found)
		return RESULT_BROKEN;
	return *check_why_not(v, check, LANG_EN) ? RESULT_NOT_CHECKED : RESULT_OK;
}

bool verify_broken(const struct verify *v)
{
	for (int i = 0; i < CHECKS; i++)
		if (verify_result(v, (enum check)i) == RESULT_BROKEN)
			return true;
	return false;
}

static void keep(struct tally *t, const char *where, const char *why)
{
	if (t->found < FINDINGS_KEPT)
		snprintf(t->first[t->found], FINDING_SIZE, "%s: %s", where, why);
	t->found++;
}

void found(struct verify *v, enum finding finding, const char *where, ...)
{
	char text[96];
	va_list args;

	va_start(args, where);
	vsnprintf(text, sizeof(text), where, args);
	va_end(args);
	keep(&v->tallies[findings[finding].number - 1], text, findings[finding].words[v->lang]);
}

void found_elsewhere(struct verify *v, const char *invariant, const char *where, const char *why)
{
	for (int i = 0; i < CHECKS; i++)
		if (strcmp(checks[i].id, invariant) == 0)
			keep(&v->tallies[i], where, why);
}

void checked(struct verify *v, enum check check, const char *en, const char *fr, ...)
{
	va_list args;

	va_start(args, fr);
	vsnprintf(v->tallies[check].note, FINDING_SIZE, v->lang == LANG_FR ? fr : en, args);
	va_end(args);
}

struct home *verify_home(const struct verify *v, role_set roles)
{
	for (size_t i = 0; i < v->n_homes; i++)
		if (v->homes[i].parts->roles & roles)
			return &v->homes[i];
	return NULL;
}

bool is_staff(const struct verify *v, const char *name)
{
	const Principal *p = registry_find(v->broker->parts->registry, name);

	return p && (roles_of(p) & STAFF);
}

bool is_processed(const struct home *h, const struct logged *m)
{
	return strcmp(m->row.recipient, h->name) == 0 && m->row.seq <= h->cursor[m->row.lane] &&
	       !m->aside;
}

const struct box *verify_box(const struct verify *v, const char *name)
{
	for (size_t i = 0; i < v->n_boxes; i++)
		if (strcmp(v->boxes[i].principal->name, name) == 0)
			return &v->boxes[i];
	return NULL;
}

enum err verify_find(struct verify *v, const char *sender, struct slice id, struct logged **ret)
{
	uint64_t index;
	struct key k;
	enum err e;

	*ret = NULL;
	if (id.len != MSG_ID_LEN)
		return OK;
	seen_key(&k, sender, id.data);
	e = number_get(v->broker->txn, TABLE_SEEN, key_slice(&k), &index);
	if (e == OK && index < v->size)
		*ret = &v->log[index];
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err verify_content(struct verify *v, const struct logged *m, struct slice *ret)
{
	struct key k;

	index_key(&k, (uint64_t)(m - v->log));
	return txn_get(v->broker->txn, TABLE_CONTENT, key_slice(&k), ret);
}

static enum err begin_all(struct verify *v, const struct parts *list, size_t n)
{
	const struct parts *broker = NULL;

	for (size_t i = 0; i < n; i++) {
		if (list[i].store && (list[i].roles & R(BROKER)))
			broker = &list[i];
		else if (list[i].store)
			TRY(home_begin(&list[i], v->now, &v->homes[v->n_homes++]));
	}
	if (!broker)
		return ERR_NOT_FOUND;
	v->broker = &v->homes[v->n_homes];
	TRY(home_begin(broker, v->now, &v->homes[v->n_homes++]));
	for (size_t i = 0; i < v->n_homes; i++)
		if (v->homes[i].step)
			TRY(home_look_again(&v->homes[i]));
	return OK;
}

enum err verify_new(
	const struct parts *list, size_t n, int64_t now, enum lang lang, struct verify **ret)
{
	struct verify *v = calloc(1, sizeof(*v));
	enum err e = ERR_NOMEM;

	if (!v)
		return ERR_NOMEM;
	v->now = now;
	v->lang = lang;
	v->homes = calloc(n + 1, sizeof(*v->homes));
	if (v->homes)
		e = begin_all(v, list, n);
	if (e == OK)
		*ret = v;
	else
		verify_free(&v);
	return e;
}

void verify_free(struct verify **vp)
{
	struct verify *v = *vp;

	if (!v)
		return;
	for (size_t i = 0; i < v->n_homes; i++)
		home_end(&v->homes[i]);
	omap_clear(&v->caused);
	free(v->boxes);
	free(v->log);
	free(v->homes);
	free(v);
	*vp = NULL;
}

/* What could not be read to its end is not sound, whatever was found before. */
static void unreadable(struct verify *v, const struct run *run, enum err e)
{
	for (int i = 0; i < CHECKS; i++)
		if (run->serves & (1u << i))
			keep(&v->tallies[i], err_name(e),
				findings[FOUND_UNREADABLE].words[v->lang]);
}

static void missing(struct verify *v, const struct run *run)
{
	for (int i = 0; i < CHECKS; i++)
		if (run->serves & (1u << i))
			v->tallies[i].missing = true;
}

enum err verify_run(struct verify *v)
{
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		enum err e;

		if (!verify_home(v, runs[i].role)) {
			missing(v, &runs[i]);
			continue;
		}
		e = runs[i].run(v);
		if (e == ERR_NOMEM)
			return e;
		if (e != OK)
			unreadable(v, &runs[i], e);
	}
	return OK;
}
