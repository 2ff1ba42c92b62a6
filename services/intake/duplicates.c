/*
 * The same person referred twice. Blind tokens (keyed hashes of name skeletons and birth dates)
 * find candidates without a list of names anywhere; then the candidates' files are opened here, in
 * the vault, and compared. Only a person says "same" or "not the same".
 */
#include "services/intake/intake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/json.h"
#include "services/intake/skeleton.h"

#define TOKEN_LEN       16
#define CANDIDATES_MOST 64

/* The birth date in the one form that day and month changing places give too. */
static void date_form(const char *born_on, char out[16])
{
	int y, m, d;

	if (date_parse(born_on, &y, &m, &d) != OK) {
		strcpy(out, "-");
		return;
	}
	snprintf(out, 16, "%04d|%02d|%02d", y % 10000, m < d ? m : d, m < d ? d : m);
}

/* What each token is made of; `add` is called for each. */
typedef enum err token_fn(void *arg, const uint8_t token[TOKEN_LEN]);

struct maker {
	struct step *s;
	token_fn *add;
	void *arg;
};

static enum err make(const struct maker *m, const char *a, const char *b, const char *c)
{
	struct key k = {0};
	uint8_t blind[32];

	key_str(&k, a);
	key_str(&k, b);
	key_str(&k, c);
	step_blind(m->s, "name", key_slice(&k), blind);
	return m->add(m->arg, blind);
}

/* Part and date; whole name and date; two parts, country and year of birth. */
static enum err tokens_of(const struct maker *m, const Identity *id)
{
	struct skeletons sk;
	char date[16], year[5];

	TRY(skeletons_of(id, &sk));
	date_form(id->born_on, date);
	snprintf(year, sizeof(year), "%.4s", date);
	for (size_t i = 0; i < sk.n_parts; i++)
		TRY(make(m, "part", sk.part[i], date));
	for (size_t i = 0; i < sk.n_wholes; i++)
		TRY(make(m, "whole", sk.whole[i], date));
	for (size_t i = 0; i < sk.n_parts; i++)
		for (size_t k = i + 1; k < sk.n_parts; k++) {
			bool first = strcmp(sk.part[i], sk.part[k]) < 0;
			char two[2 * SKELETON_SIZE];

			snprintf(two, sizeof(two), "%s+%s", sk.part[first ? i : k],
				sk.part[first ? k : i]);
			TRY(make(m, two, id->birth_country, year));
		}
	return OK;
}

static size_t common_parts(const struct skeletons *a, const struct skeletons *b, bool *ret_whole)
{
	size_t n = 0;

	*ret_whole = false;
	for (size_t i = 0; i < a->n_parts; i++)
		for (size_t k = 0; k < b->n_parts; k++)
			n += strcmp(a->part[i], b->part[k]) == 0;
	for (size_t i = 0; i < a->n_wholes; i++)
		for (size_t k = 0; k < b->n_wholes; k++)
			*ret_whole = *ret_whole || strcmp(a->whole[i], b->whole[k]) == 0;
	return n;
}

/* What is compared of one person. */
struct features {
	struct skeletons names;
	char date[16];
	const char *country;
};

static enum err features_of(const Referral *r, struct features **ret)
{
	struct features *list = calloc(r->n_persons + 1, sizeof(*list));

	if (!list)
		return ERR_NOMEM;
	for (size_t i = 0; i < r->n_persons; i++) {
		const Identity *id = r->persons[i]->identity;
		enum err e = skeletons_of(id, &list[i].names);

		if (e != OK) {
			free(list);
			return e;
		}
		date_form(id->born_on, list[i].date);
		list[i].country = id->birth_country;
	}
	*ret = list;
	return OK;
}

/* Same date (also with day and month changed): one name in common and the same country of birth,
 * or more. Same year only: two names and the country. */
static bool likely_person(const struct features *a, const struct features *b)
{
	bool whole, country = strcmp(a->country, b->country) == 0;
	size_t parts;

	if (strncmp(a->date, b->date, 4) != 0)
		return false;
	parts = common_parts(&a->names, &b->names, &whole);
	if (strcmp(a->date, b->date) == 0)
		return whole || parts >= 2 || (parts == 1 && country);
	return country && (whole || parts >= 2);
}

enum err duplicates_likely(const Referral *a, const Referral *b, bool *ret)
{
	struct features *fa = NULL, *fb = NULL;
	bool likely = false;
	enum err e = features_of(a, &fa);

	if (e == OK)
		e = features_of(b, &fb);
	for (size_t i = 0; e == OK && !likely && i < a->n_persons; i++)
		for (size_t k = 0; !likely && k < b->n_persons; k++)
			likely = likely_person(&fa[i], &fb[k]);
	free(fa);
	free(fb);
	if (e == OK)
		*ret = likely;
	return e;
}

/* Cases that share a token. */
struct candidates {
	struct step *s;
	const IntakeEntry *entry;
	char number[CANDIDATES_MOST][16];
	size_t n;
};

static enum err note_candidate(void *arg, struct slice key, struct slice value)
{
	struct candidates *c = arg;
	const char *number = (const char *)key.data + TOKEN_LEN;
	size_t len = key.len - TOKEN_LEN;

	(void)value;
	if (len >= sizeof(c->number[0]))
		return ERR_CORRUPT;
	for (size_t i = 0; i < c->n; i++)
		if (strlen(c->number[i]) == len && memcmp(c->number[i], number, len) == 0)
			return OK;
	if (c->n < CANDIDATES_MOST) {
		memcpy(c->number[c->n], number, len);
		c->number[c->n++][len] = 0;
	}
	return OK;
}

static enum err find_by_token(void *arg, const uint8_t token[TOKEN_LEN])
{
	struct candidates *c = arg;

	return step_each(c->s, INTAKE_TOKENS, slice_of(token, TOKEN_LEN), note_candidate, c);
}

static enum err write_token(void *arg, const uint8_t token[TOKEN_LEN])
{
	struct candidates *c = arg;
	struct key k = {0};

	key_bytes(&k, token, TOKEN_LEN);
	key_bytes(&k, c->entry->case_number, strlen(c->entry->case_number));
	return step_put(c->s, INTAKE_TOKENS, key_slice(&k), slice_of("", 0));
}

static enum err each_token(struct step *s, const Referral *r, token_fn *add, void *arg)
{
	struct maker m = {s, add, arg};

	for (size_t i = 0; i < r->n_persons; i++)
		TRY(tokens_of(&m, r->persons[i]->identity));
	return OK;
}

static bool linked_by_partner(const Referral *r, const char *number)
{
	for (size_t i = 0; i < r->n_linked_cases; i++)
		if (strcmp(r->linked_cases[i], number) == 0)
			return true;
	return false;
}

static enum err add_likely(IntakeEntry *entry, const char *number)
{
	char *copy = strdup(number);
	enum err e = copy ? list_add(&entry->likely, &entry->n_likely, copy) : ERR_NOMEM;

	if (e != OK)
		free(copy);
	return e;
}

/* Opens one candidate, while it is in the stream, and compares. */
static enum err compare(struct step *s, IntakeEntry *entry, const Referral *r, const char *number)
{
	IntakeEntry *other = NULL;
	IntakeVault *v = NULL;
	bool likely = false;
	enum err e = entry_load(s, number, &other);

	if (e == OK &&
		(other->state == STATE__REGISTERED || other->state == STATE__DUPLICATE_HOLD) &&
		!(linked_by_partner(r, number) && strcmp(other->partner, entry->partner) == 0)) {
		e = vault_load(s, number, &v);
		if (e == OK)
			e = duplicates_likely(r, v->referral, &likely);
		if (e == OK && likely)
			e = add_likely(entry, number);
	}
	vault_free(v);
	if (other)
		intake_entry__free_unpacked(other, NULL);
	return e;
}

enum err duplicates_propose(struct step *s, IntakeEntry *entry, const Referral *r)
{
	struct candidates c = {.s = s, .entry = entry};

	TRY(each_token(s, r, find_by_token, &c));
	for (size_t i = 0; i < c.n; i++)
		TRY(compare(s, entry, r, c.number[i]));
	return each_token(s, r, write_token, &c);
}
