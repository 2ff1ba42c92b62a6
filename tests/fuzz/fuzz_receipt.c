/* What a broker answers: receipts and refusals in a frame, checked against its key. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/people.h"

#include "proto/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct person b = broker();
	struct slice in = slice_of(data, size);
	ProtobufCMessage *m = UNTOUCHED;
	Frame *f;

	if (strict_unpack(&frame__descriptor, in, &m) != OK) {
		HOLDS(m == UNTOUCHED);
		return 0;
	}
	fuzz_same(m, in);
	f = (Frame *)m;
	if (f->what_case == FRAME__WHAT_RECEIPT)
		(void)!receipt_verify(f->receipt, slice_str("envelope"), "broker", b.sign_pk);
	if (f->what_case == FRAME__WHAT_REFUSAL)
		(void)!refusal_verify(f->refusal, b.sign_pk);
	frame__free_unpacked(f, NULL);
	return 0;
}
