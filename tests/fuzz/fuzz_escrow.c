/* A copy for the recovery key (first byte even), or two custodians' parts: the second byte says how
 * long the first one is. */
#include "tests/fuzz/fuzz.h"

#include <sodium.h>

#include "services/common/keys/escrow.h"

static void read_copy(struct slice in)
{
	static const uint8_t secret_key[RECOVERY_KEY_LEN] = {1};
	EscrowFile *f = UNTOUCHED;
	uint8_t *secret = UNTOUCHED;
	size_t len;

	if (escrow_unpack(in, &f) != OK) {
		HOLDS(f == UNTOUCHED);
		return;
	}
	if (escrow_open(f, secret_key, &secret, &len) == OK)
		sodium_free(secret);
	else
		HOLDS(secret == UNTOUCHED);
	escrow_file__free_unpacked(f, NULL);
}

static void join(struct slice in)
{
	size_t first = fuzz_choice(&in);
	uint8_t secret[RECOVERY_KEY_LEN];
	ProtobufCMessage *a, *b;

	first = first < in.len ? first : in.len;
	if (strict_unpack(&share__descriptor, slice_of(in.data, first), &a) != OK)
		return;
	if (strict_unpack(&share__descriptor, slice_of(in.data + first, in.len - first), &b) ==
		OK) {
		(void)!escrow_join((const Share *[]){(Share *)a, (Share *)b}, 2, secret);
		protobuf_c_message_free_unpacked(b, NULL);
	}
	protobuf_c_message_free_unpacked(a, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size);

	if (fuzz_choice(&in) & 1)
		join(in);
	else
		read_copy(in);
	return 0;
}
