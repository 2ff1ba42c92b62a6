/* An act of the suspension list: its form, and who signed it. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/people.h"

#include "services/common/trust/trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct registry *registry;
	ProtobufCMessage *m = UNTOUCHED;
	SuspensionAct *act = UNTOUCHED;
	unsigned n = 77;

	if (!registry)
		people_know(&registry);
	if (strict_unpack(&signed_act__descriptor, slice_of(data, size), &m) != OK) {
		HOLDS(m == UNTOUCHED);
		return 0;
	}
	if (act_open((const SignedAct *)m, &act) == OK)
		suspension_act__free_unpacked(act, NULL);
	else
		HOLDS(act == UNTOUCHED);
	if (act_signers((const SignedAct *)m, registry, SAMPLE_TIME, &n) != OK)
		HOLDS(n == 77);
	protobuf_c_message_free_unpacked(m, NULL);
	return 0;
}
