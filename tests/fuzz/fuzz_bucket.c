/* The file of a bucket's key, as somebody with the disk may have changed it. */
#include "tests/fuzz/fuzz.h"

#include "services/common/keys/bucket_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t store_key[32] = {1};
	uint8_t key[BUCKET_KEY_LEN] = {9}, before[BUCKET_KEY_LEN] = {9};
	struct slice in = slice_of(data, size);
	BucketRest *rest = UNTOUCHED;
	uint64_t generation = 77;

	if (bucket_file_open(in, store_key, 1, &generation, key) != OK)
		HOLDS(generation == 77 && memcmp(key, before, sizeof(key)) == 0);
	if (bucket_file_rest(in, store_key, 1, &rest) == OK)
		bucket_rest_free(&rest);
	else
		HOLDS(rest == UNTOUCHED);
	return 0;
}
