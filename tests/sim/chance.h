/*
 * chance.h - numbers that follow from a seed (splitmix64): for the simulator only, never for keys
 * of a real program.
 */
#ifndef HAVRE_TESTS_SIM_CHANCE_H
#define HAVRE_TESTS_SIM_CHANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chance {
	uint64_t state;
};

uint64_t chance_next(struct chance *c);
/* 0 .. n - 1; n > 0. */
uint64_t chance_below(struct chance *c, uint64_t n);
/* least .. most. */
int64_t chance_between(struct chance *c, int64_t least, int64_t most);
bool chance_one_in(struct chance *c, uint64_t n);

/* From now on libsodium's random bytes follow from this seed: what the programs draw from the
 * operating system is drawn from here. */
void chance_for_sodium(uint64_t seed);

#endif
