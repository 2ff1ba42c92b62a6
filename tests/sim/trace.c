#include "tests/sim/sim.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>

uint64_t trace_bytes(struct slice bytes)
{
	static const uint8_t key[crypto_shorthash_KEYBYTES];
	uint8_t hash[crypto_shorthash_BYTES];

	crypto_shorthash(hash, bytes.data, bytes.len, key);
	return be64_get(hash);
}

void trace(struct sim *s, const char *fmt, ...)
{
	char line[600];
	uint64_t both[2];
	va_list args;
	int n;

	n = snprintf(line, sizeof(line), "%9" PRId64 " ", s->now);
	va_start(args, fmt);
	vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, args);
	va_end(args);
	both[0] = s->trace.hash;
	both[1] = trace_bytes(slice_str(line));
	s->trace.hash = trace_bytes(slice_of(both, sizeof(both)));
	s->trace.events++;
	if (s->trace.print)
		printf("%s\n", line);
}
