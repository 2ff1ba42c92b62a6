/*
 * tally.h - how often each principal caused each kind of line. Anybody with a key can cause such
 * lines without end: they are written at 1, 2, 4, 8 ...
 */
#ifndef HAVRE_BROKER_TALLY_H
#define HAVRE_BROKER_TALLY_H

#include <stdbool.h>
#include <stdint.h>

/* Beyond that many pairs (more than any registry gives) all others are counted as one. */
#define TALLIES_MOST 4096

struct tallies {
	void *tree;
	uint64_t n, others;
};

/* `{0}` is empty. */
void tallies_clear(struct tallies *t);
/* Counts it, of the principal. what: static. true: the line is to be written, with *ret_count. */
bool tally(struct tallies *t, const char *principal, const char *what, uint64_t *ret_count);
/* It is over: the next one is the first again. Not for what somebody can end at will. */
void tally_forget(struct tallies *t, const char *principal, const char *what);

#endif
