#include "tests/bench/timing.h"

#include <stdlib.h>
#include <time.h>

int64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The smallest time that at least so many percent of all do not exceed. */
static double percentile(const int64_t *sorted, size_t n, size_t percent)
{
	size_t rank = (n * percent + 99) / 100;

	return (double)sorted[rank - 1] / 1000;
}

void timing_of(int64_t *ns, size_t n, struct timing *ret)
{
	qsort(ns, n, sizeof(*ns), compare);
	ret->p50_us = percentile(ns, n, 50);
	ret->p99_us = percentile(ns, n, 99);
	ret->most_us = percentile(ns, n, 100);
}
