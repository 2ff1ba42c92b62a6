/* The signed word that a store was put back, of an operator or of nobody. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/people.h"

#include "services/common/store/recover.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct registry *registry;
	struct slice in = slice_of(data, size);
	Recover *signed_one = UNTOUCHED, *own = UNTOUCHED;

	if (!registry)
		people_know(&registry);
	if (recover_open(in, registry, &signed_one) == OK)
		recover__free_unpacked(signed_one, NULL);
	else
		HOLDS(signed_one == UNTOUCHED);
	if (recover_read(in, &own) == OK)
		recover__free_unpacked(own, NULL);
	else
		HOLDS(own == UNTOUCHED);
	return 0;
}
