/* root.json: the file that says which root keys are believed. */
#include "tests/fuzz/fuzz.h"

#include "services/admin/draft.h"
#include "services/common/trust/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *path = fuzz_file("root.json", slice_of(data, size));
	struct registry *r = UNTOUCHED;
	json_t *roots = UNTOUCHED;

	HOLDS(registry_load("/nonexistent", path, 0, 0, &r) != OK);
	HOLDS(r == UNTOUCHED);
	if (roots_load(path, &roots) == OK)
		json_decref(roots);
	else
		HOLDS(roots == UNTOUCHED);
	return 0;
}
