/*
 * timing.h - a clock, and what many measured times come to.
 */
#ifndef HAVRE_BENCH_TIMING_H
#define HAVRE_BENCH_TIMING_H

#include <stddef.h>
#include <stdint.h>

/* Nanoseconds of the clock that only runs forward; the same in every process of the machine. */
int64_t clock_ns(void);

struct timing {
	double p50_us, p99_us, most_us;
};

/* Sorts the list, which is not empty. */
void timing_of(int64_t *ns, size_t n, struct timing *ret);

#endif
