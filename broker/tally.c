/* The counts of lines. */
#include "broker/tally.h"
#include "broker/tables.h"

#include <search.h>
#include <stdlib.h>

struct tally {
	char principal[NAME_SIZE];
	const char *what;
	uint64_t n;
};

static int compare(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;
	int c = strcmp(x->principal, y->principal);

	return c ? c : strcmp(x->what, y->what);
}

void tallies_clear(struct tallies *t)
{
	tdestroy(t->tree, free);
	*t = (struct tallies){0};
}

/* NULL: no more are kept. */
static struct tally *add(struct tallies *t, const struct tally *one)
{
	struct tally *copy;

	if (t->n >= TALLIES_MOST)
		return NULL;
	copy = malloc(sizeof *copy);
	if (!copy)
		return NULL;
	*copy = *one;
	if (!tsearch(copy, &t->tree, compare)) {
		free(copy);
		return NULL;
	}
	t->n++;
	return copy;
}

void tally_forget(struct tallies *t, const char *principal, const char *what)
{
	struct tally one = {.what = what}, *place;
	void *found;

	memcpy(one.principal, principal, strnlen(principal, NAME_SIZE - 1));
	found = tfind(&one, &t->tree, compare);
	if (!found)
		return;
	place = *(struct tally **)found;
	tdelete(&one, &t->tree, compare);
	free(place);
	t->n--;
}

bool tally(struct tallies *t, const char *principal, const char *what, uint64_t *ret_count)
{
	struct tally one = {.what = what}, *place;
	void *found;
	uint64_t n;

	memcpy(one.principal, principal, strnlen(principal, NAME_SIZE - 1));
	found = tfind(&one, &t->tree, compare);
	place = found ? *(struct tally **)found : add(t, &one);
	n = place ? ++place->n : ++t->others;
	if ((n & (n - 1)) != 0)
		return false;
	*ret_count = n;
	return true;
}
