/*
 * options.h - what tests/bench/run tells the bench's programs. Every program takes all of them, and
 * looks at those that it needs.
 */
#ifndef HAVRE_BENCH_OPTIONS_H
#define HAVRE_BENCH_OPTIONS_H

#include "proto/err.h"

struct options {
	const char *home;    /* of a cluster: a folder for each principal */
	const char *carrier; /* carrier.h */
	const char *port;    /* of a carrier other than Havre */
	const char *pack;    /* the file of envelopes (pack.h) */
	const char *body;    /* a referral as JSON */
	const char *as, *to; /* principals */
	const char *after;   /* a reader's position, as it told it; NULL: from the start */
	const char *kind;    /* of the catalogue */
	unsigned partners;   /* bench-1, bench-2 ... */
	unsigned count;      /* messages */
};

/* Ends the program (64) with words on standard error when it does not understand. */
void options_read(int argc, char **argv, struct options *ret);

/* Ends the program (70) unless it went well: says what was tried and why it failed. */
#define MUST(call)                                                                                 \
	do {                                                                                       \
		enum err result_ = (call);                                                         \
		if (result_ != OK)                                                                 \
			give_up(result_, #call);                                                   \
	} while (0)
_Noreturn void give_up(enum err e, const char *what);

#endif
