/* The signed word that a store was put back (first byte 0), any bytes that an administrator signed
 * as one (1), or what a home says of its last backup (2). */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/people.h"

#include "services/common/store/recover.h"

static struct buf sign(struct slice word)
{
	const struct person a = admin();
	SignedRecover s = SIGNED_RECOVER__INIT;
	uint8_t sig[SIG_LEN];

	HOLDS(crypto_sign_pieces(sig, "recover", &word, 1, a.seed) == OK);
	s.recover = bytes_of(word.data, word.len);
	s.signer = (char *)a.name;
	s.key_id = bytes_of(a.reader.key_id, KEY_ID_LEN);
	s.signature = bytes_of(sig, SIG_LEN);
	return packed(&s.base);
}

static void read_word(struct slice in)
{
	static struct registry *registry;
	Recover *signed_one = UNTOUCHED, *own = UNTOUCHED;
	struct epoch was, next;

	if (!registry)
		people_know(&registry);
	if (recover_open(in, registry, &signed_one) == OK) {
		recover_epochs(signed_one, &was, &next);
		HOLDS(next.number > was.number);
		recover__free_unpacked(signed_one, NULL);
	} else {
		HOLDS(signed_one == UNTOUCHED);
	}
	if (recover_read(in, &own) == OK)
		recover__free_unpacked(own, NULL);
	else
		HOLDS(own == UNTOUCHED);
}

static void read_safe(struct slice in)
{
	struct safe s = {.done = 77};

	fuzz_file(SAFE_FILE, in);
	HOLDS(safe_read(fuzz_folder(), &s) == OK || s.done == 77);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size);
	struct buf ours;

	switch (fuzz_choice(&in) % 3) {
	case 0:
		read_word(in);
		break;
	case 1:
		ours = sign(in);
		read_word(slice_buf(&ours));
		buf_free(&ours);
		break;
	default:
		read_safe(in);
	}
	return 0;
}
