/* An envelope of anybody, verified and opened as one of partner-a to intake. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/people.h"

static void read_one(const struct envelope *e, struct slice in)
{
	const struct person from = partner(), to = intake();
	ProtobufCMessage *body = UNTOUCHED;

	fuzz_same(&e->outer->base, in);
	fuzz_same(&e->header->base, slice_of(e->outer->header.data, e->outer->header.len));
	HOLDS(e->row && e->row->kind == e->header->kind);
	(void)!envelope_verify(e, from.sign_pk);
	if (envelope_open(e, to.reader.key_id, to.box_sk, &body) == OK)
		protobuf_c_message_free_unpacked(body, NULL);
	else
		HOLDS(body == UNTOUCHED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct envelope e = {.row = UNTOUCHED};

	if (envelope_parse(slice_of(data, size), &e) == OK) {
		read_one(&e, slice_of(data, size));
		envelope_free(&e);
	} else {
		HOLDS(e.row == UNTOUCHED && !e.outer && !e.header);
	}
	return 0;
}
