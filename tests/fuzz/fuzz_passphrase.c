/* A file with a passphrase: its first line. */
#include "tests/fuzz/fuzz.h"

#include "services/common/keys/passphrase.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct passphrase *p = UNTOUCHED;

	if (passphrase_from_file(fuzz_file("passphrase", slice_of(data, size)), &p) == OK) {
		struct slice text = passphrase_slice(p);

		HOLDS(text.len >= 1 && text.len <= PASSPHRASE_MOST && text.len <= size);
		HOLDS(memcmp(text.data, data, text.len) == 0 && !memchr(text.data, '\n', text.len));
		passphrase_free(&p);
	} else {
		HOLDS(p == UNTOUCHED);
	}
	return 0;
}
