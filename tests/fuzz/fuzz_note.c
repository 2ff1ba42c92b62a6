/* A written reason: as it comes (first byte even), or any bytes that its sender sealed as one; and
 * the same bytes as the file that an officer writes it in. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/people.h"

#include "services/staff/note.h"

static void read_file(struct slice in)
{
	struct buf text = {0};

	if (note_read(fuzz_file("note", in), &text) == OK)
		HOLDS(text.len && !text.data[text.len - 1] &&
			strlen((char *)text.data) == text.len - 1);
	buf_free(&text);
}

static void read_it(struct slice sealed)
{
	const struct person to = intake();
	char *text = UNTOUCHED;

	if (note_open(sealed, "HV-2222-3333-4", to.reader.key_id, to.box_sk, &text) == OK)
		free(text);
	else
		HOLDS(text == UNTOUCHED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size), number = slice_str("HV-2222-3333-4");
	struct buf context = {0}, sealed = {0};
	const struct person to = intake();
	struct entropy e = sample_entropy("fuzz");

	uint8_t choice = fuzz_choice(&in);

	read_file(in);
	if (choice & 1) {
		HOLDS(pae(&context, "note", &number, 1) == OK);
		HOLDS(crypto_seal(&sealed, in, in.len + 1, slice_buf(&context), &to.reader, 1,
			      &e) == OK);
		in = slice_buf(&sealed);
	}
	read_it(in);
	buf_free(&sealed);
	buf_free(&context);
	return 0;
}
