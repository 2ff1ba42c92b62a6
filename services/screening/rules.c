#include "services/screening/rules.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/screening/rule_tests.h"

#define INPUTS(...)                                                                                \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define SAYS(f, en, fr) [FINDING__##f] = {en, fr},
#define TEST_CASE(fn)   .test = rule_##fn
#define TEST_MEMBER(fn) .test_member = rule_##fn

static const struct rule rules[] = {
#define RULE(name, number, law, scope, check, from, says)                                          \
	{.id = #name,                                                                              \
		.version = (number),                                                               \
		.citation = (law),                                                                 \
		.inputs = from,                                                                    \
		TEST_##scope(check),                                                               \
		.words = {says}},
#include "services/screening/rules.def"
#undef RULE
};
#define RULES (sizeof(rules) / sizeof(rules[0]))

const struct rule *rules_all(size_t *ret_n)
{
	*ret_n = RULES;
	return rules;
}

struct advice_row {
	Advice advice;
	Text words;
	char *inputs[INPUTS_MOST];
	char paths[INPUTS_MOST][48];
};

/* "members[2].age_at_lock" for a member's input, the path itself for others. */
static void name_inputs(struct advice_row *row, const struct rule *r, size_t member)
{
	for (size_t i = 0; i < INPUTS_MOST && r->inputs[i]; i++) {
		if (r->inputs[i][0] == '.')
			snprintf(row->paths[i], sizeof(row->paths[i]), "members[%zu]%s", member,
				r->inputs[i]);
		else
			snprintf(row->paths[i], sizeof(row->paths[i]), "%s", r->inputs[i]);
		row->inputs[i] = row->paths[i];
		row->advice.n_inputs = i + 1;
	}
	row->advice.inputs = row->inputs;
}

static void add(struct advice *a, const struct rule *r, Finding finding, size_t member)
{
	struct advice_row *row = &a->list[a->n];

	if (finding == FINDING__NO_FINDING)
		return;
	assert(r->words[finding].en && r->words[finding].fr);
	advice__init(&row->advice);
	text__init(&row->words);
	row->words.en = (char *)r->words[finding].en;
	row->words.fr = (char *)r->words[finding].fr;
	row->advice.rule = (char *)r->id;
	row->advice.rule_version = r->version;
	row->advice.citation = (char *)r->citation;
	row->advice.finding = finding;
	row->advice.words = &row->words;
	name_inputs(row, r, member);
	a->rows[a->n++] = &row->advice;
}

enum err rules_advise(const Facts *f, struct advice *ret)
{
	size_t most = RULES * (f->n_members + 1);
	struct advice a = {0};

	a.list = calloc(most, sizeof(*a.list));
	a.rows = calloc(most, sizeof(Advice *));
	if (!a.list || !a.rows) {
		advice_free(&a);
		return ERR_NOMEM;
	}
	for (const struct rule *r = rules; r < rules + RULES; r++) {
		if (r->test)
			add(&a, r, r->test(f), 0);
		for (size_t m = 0; r->test_member && m < f->n_members; m++)
			add(&a, r, r->test_member(f, f->members[m]), m);
	}
	*ret = a;
	return OK;
}

void advice_free(struct advice *a)
{
	free(a->list);
	free(a->rows);
	*a = (struct advice){0};
}

unsigned advice_attention(const struct advice *a)
{
	unsigned n = 0;

	for (size_t i = 0; i < a->n; i++)
		n += a->rows[i]->finding != FINDING__MET;
	return n;
}

unsigned rules_markers(const Facts *f)
{
	uint32_t seen = 0;

	for (size_t i = 0; f->claim && i < f->claim->n_risk_markers; i++)
		seen |= UINT32_C(1) << f->claim->risk_markers[i];
	return (unsigned)__builtin_popcount(seen & ~UINT32_C(1)); /* bit 0 is NO_MARKER */
}
