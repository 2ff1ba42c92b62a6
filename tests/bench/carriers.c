#include "tests/bench/carrier.h"

#include <stdio.h>
#include <stdlib.h>

static const struct carrier *const carriers[] = {&carrier_havre, &carrier_redis};

const struct carrier *carrier_find(const char *name)
{
	for (size_t i = 0; name && i < sizeof(carriers) / sizeof(carriers[0]); i++)
		if (strcmp(carriers[i]->name, name) == 0)
			return carriers[i];
	fprintf(stderr, "no such carrier: %s\n", name ? name : "(none)");
	exit(64);
}
