/* A seal for intake: taken from outside, or made here around any plain bytes (first byte odd). */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/people.h"

static void open_it(struct slice sealed, struct slice context, struct buf *plain)
{
	const struct person to = intake();
	struct buf out = {.data = UNTOUCHED};

	if (crypto_open(sealed, context, to.reader.key_id, to.box_sk, &out) == OK)
		*plain = out;
	else
		HOLDS(out.data == UNTOUCHED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size), context = slice_str("context");
	struct buf sealed = {0}, plain = {0};
	bool ours = fuzz_choice(&in) & 1;

	if (ours) {
		const struct person to = intake();
		struct entropy e = sample_entropy("fuzz");

		HOLDS(crypto_seal(&sealed, in, in.len + 1, context, &to.reader, 1, &e) == OK);
		HOLDS(crypto_sealed_check(slice_buf(&sealed)) == OK);
		open_it(slice_buf(&sealed), context, &plain);
		HOLDS(slice_eq(slice_buf(&plain), in));
	} else {
		(void)!crypto_sealed_check(in);
		open_it(in, context, &plain);
	}
	buf_free(&plain);
	buf_free(&sealed);
	return 0;
}
