/*
 * rules.h - the advice, from the table rules.def: what the facts say about each condition of the
 * stream, with the law that it comes from and the facts that were used. It is advice: it decides
 * nothing and changes no state. Pure functions: the same facts give the same advice.
 */
#ifndef HAVRE_SCREENING_RULES_H
#define HAVRE_SCREENING_RULES_H

#include "proto/case.pb-c.h"
#include "proto/err.h"

#define FINDINGS    5
#define INPUTS_MOST 6

struct rule {
	const char *id;
	unsigned version;
	const char *citation;
	const char *inputs[INPUTS_MOST + 1]; /* those that start with '.' are a member's */
	/* Exactly one is set. NO_FINDING: the rule has nothing to say. */
	Finding (*test)(const Facts *f);
	Finding (*test_member)(const Facts *f, const Member *m);
	struct {
		const char *en, *fr;
	} words[FINDINGS]; /* of each finding that the rule can have; NULL of others */
};

const struct rule *rules_all(size_t *ret_n);

/* Everything that the rules have to say, in the order of the table. The rows borrow from the table
 * and from `list`; advice_free frees them. */
struct advice {
	Advice **rows;
	size_t n;
	struct advice_row *list;
};

MUST_USE enum err rules_advise(const Facts *f, struct advice *ret);
void advice_free(struct advice *a);
/* Rows that ask for a person's attention: all but MET. */
unsigned advice_attention(const struct advice *a);

/* How many different heightened-risk markers the claim has. */
unsigned rules_markers(const Facts *f);

#endif
