/* The signed head of a log. What verifies is what the broker would write, byte by byte. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/people.h"

#include "proto/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct checkpoint c = {.size = 77}, before = c;
	const struct person b = broker();
	struct slice in = slice_of(data, size);
	struct buf again = {0};

	if (checkpoint_verify(in, "broker", b.sign_pk, &c) == OK) {
		HOLDS(checkpoint_sign(&c, "broker", b.seed, &again) == OK);
		HOLDS(slice_eq(slice_buf(&again), in));
		buf_free(&again);
	} else {
		HOLDS(memcmp(&c, &before, sizeof(c)) == 0);
	}
	return 0;
}
