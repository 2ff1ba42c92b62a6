/* Names in any script: what is left of them are small Latin letters. */
#include "tests/fuzz/fuzz.h"

#include "services/intake/skeleton.h"

static void holds_letters(const char *text, size_t most)
{
	size_t n = strnlen(text, most);

	HOLDS(n < most && strspn(text, "abcdefghijklmnopqrstuvwxyz ") == n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char latin[256] = "", skeleton[SKELETON_SIZE];
	char *name = strndup((const char *)data, size);
	Identity id = IDENTITY__INIT;
	struct skeletons s;

	HOLDS(name);
	if (name_to_latin(name, latin, sizeof(latin)) == OK) {
		holds_letters(latin, sizeof(latin));
		skeleton_of_part(latin, skeleton);
		holds_letters(skeleton, sizeof(skeleton));
	}
	id.family_name = id.given_names = name;
	if (skeletons_of(&id, &s) == OK) {
		HOLDS(s.n_parts <= SKELETONS_MOST && s.n_wholes <= SKELETONS_MOST);
		for (size_t i = 0; i < s.n_parts; i++)
			holds_letters(s.part[i], SKELETON_SIZE);
	}
	free(name);
	return 0;
}
