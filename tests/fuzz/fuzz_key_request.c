/* A key request, as `havre-admin registry add` takes it. */
#include "tests/fuzz/fuzz.h"

#include "services/common/trust/registry_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size);
	ProtobufCMessage *m = UNTOUCHED;

	if (strict_unpack(&key_request__descriptor, in, &m) != OK) {
		HOLDS(m == UNTOUCHED);
		return 0;
	}
	fuzz_same(m, in);
	(void)!registry_check_request((const KeyRequest *)m);
	protobuf_c_message_free_unpacked(m, NULL);
	return 0;
}
