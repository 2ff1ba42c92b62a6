/* A body of any kind, a frame, a file: the first byte says of which type. What is decoded has
 * these bytes and no others. */
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size);
	ProtobufCMessage *m = UNTOUCHED;
	const ProtobufCMessageDescriptor *type = fuzz_type(fuzz_choice(&in) % fuzz_types());

	if (strict_unpack(type, in, &m) == OK) {
		HOLDS(m->descriptor == type);
		fuzz_same(m, in);
		protobuf_c_message_free_unpacked(m, NULL);
	} else {
		HOLDS(m == UNTOUCHED);
	}
	return 0;
}
