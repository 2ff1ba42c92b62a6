#include "tests/sim/chance.h"

#include <sodium.h>

uint64_t chance_next(struct chance *c)
{
	uint64_t z = c->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint64_t chance_below(struct chance *c, uint64_t n)
{
	return chance_next(c) % n;
}

int64_t chance_between(struct chance *c, int64_t least, int64_t most)
{
	return least + (int64_t)chance_below(c, (uint64_t)(most - least) + 1);
}

bool chance_one_in(struct chance *c, uint64_t n)
{
	return chance_below(c, n) == 0;
}

/* libsodium asks through functions without an argument. */
static struct chance sodium;

static const char *seeded_name(void)
{
	return "simulation";
}

static uint32_t seeded_random(void)
{
	return (uint32_t)chance_next(&sodium);
}

static void seeded_buf(void *const buf, const size_t size)
{
	uint8_t *out = buf;

	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)(chance_next(&sodium) >> 56);
}

void chance_for_sodium(uint64_t seed)
{
	static randombytes_implementation seeded = {
		.implementation_name = seeded_name,
		.random = seeded_random,
		.buf = seeded_buf,
	};

	sodium = (struct chance){seed};
	randombytes_set_implementation(&seeded);
}
