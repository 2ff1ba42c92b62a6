#include "tests/bench/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const struct option names[] = {
	{"home", required_argument, NULL, 'h'},
	{"carrier", required_argument, NULL, 'c'},
	{"port", required_argument, NULL, 'p'},
	{"pack", required_argument, NULL, 'e'},
	{"body", required_argument, NULL, 'b'},
	{"as", required_argument, NULL, 'a'},
	{"to", required_argument, NULL, 't'},
	{"after", required_argument, NULL, 'f'},
	{"kind", required_argument, NULL, 'k'},
	{"partners", required_argument, NULL, 'n'},
	{"count", required_argument, NULL, 'm'},
	{NULL, 0, NULL, 0},
};

static unsigned number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || n == 0 || n > 10000000) {
		fprintf(stderr, "not a number from 1 on: %s\n", text);
		exit(64);
	}
	return (unsigned)n;
}

void options_read(int argc, char **argv, struct options *ret)
{
	struct options o = {.partners = 1, .count = 1};
	const char **texts[256] = {['h'] = &o.home,
		['c'] = &o.carrier,
		['p'] = &o.port,
		['e'] = &o.pack,
		['b'] = &o.body,
		['a'] = &o.as,
		['t'] = &o.to,
		['f'] = &o.after,
		['k'] = &o.kind};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == 'n')
			o.partners = number(optarg);
		else if (c == 'm')
			o.count = number(optarg);
		else if (c != '?' && texts[c])
			*texts[c] = optarg;
		else
			exit(64);
	}
	*ret = o;
}

void give_up(enum err e, const char *what)
{
	fprintf(stderr, "%s: %s\n", err_name(e), what);
	exit(70);
}
