/* Goal: a written reason is read by the keys that it was sealed to, for its case only. */
#include "wire_sample.h"

static struct person partner, vault, officer;

static int make_people(void **state)
{
	(void)state;
	if (sodium_init() < 0)
		return -1;
	partner = person_make("partner-a", 1);
	vault = person_make("intake", 2);
	officer = person_make("officer-x", 3);
	return 0;
}

static struct buf seal(const char *text, const char *case_number)
{
	struct reader readers[] = {partner.reader, vault.reader};
	struct entropy e = sample_entropy("note");
	struct buf sealed = {0};

	assert_int_equal(note_seal(text, case_number, readers, 2, &e, &sealed), OK);
	return sealed;
}

static enum err open_as(
	const struct person *p, const struct buf *sealed, const char *case_number, char **ret)
{
	return note_open(slice_buf(sealed), case_number, p->reader.key_id, p->box_sk, ret);
}

static void both_readers_read_it(void **state)
{
	static const char *const texts[] = {"", "why", "pas encore d\xc3\xa9montr\xc3\xa9"};

	(void)state;
	for (size_t i = 0; i < N_OF(texts); i++) {
		struct buf sealed = seal(texts[i], "CASE-1");
		char *text = NULL;

		assert_int_equal(open_as(&partner, &sealed, "CASE-1", &text), OK);
		assert_string_equal(text, texts[i]);
		free(text);
		assert_int_equal(open_as(&vault, &sealed, "CASE-1", &text), OK);
		assert_string_equal(text, texts[i]);
		free(text);
		buf_free(&sealed);
	}
}

static void nobody_else_and_for_no_other_case(void **state)
{
	struct buf sealed = seal("why", "CASE-1");
	char *text = NULL;

	(void)state;
	assert_int_equal(open_as(&officer, &sealed, "CASE-1", &text), ERR_NOT_FOR_ME);
	assert_int_equal(open_as(&partner, &sealed, "CASE-2", &text), ERR_NOT_FOR_ME);
	for (size_t i = 0; i < sealed.len; i++) {
		sealed.data[i] ^= 1;
		/* the other reader's wrap (after the key, 34 bytes, and one wrap of 62) is not ours
		 */
		if (i < 34 + 62 || i >= 34 + 2 * 62)
			assert_int_equal(
				open_as(&partner, &sealed, "CASE-1", &text), ERR_NOT_FOR_ME);
		sealed.data[i] ^= 1;
	}
	assert_null(text);
	buf_free(&sealed);
}

static void its_length_does_not_show(void **state)
{
	struct buf one = seal("no", "CASE-1");
	struct buf other = seal("a much longer text of a reason than the other", "CASE-1");

	(void)state;
	assert_int_equal(one.len, other.len);
	buf_free(&one);
	buf_free(&other);
}

static void a_long_one_is_padded_to_a_power_of_two(void **state)
{
	static const size_t lengths[] = {508, 509, 5000, 32763};
	static const size_t padded[] = {512, 1024, 8192, 32768};
	char text[32764];

	(void)state;
	for (size_t i = 0; i < N_OF(lengths); i++) {
		struct buf sealed;
		char *back = NULL;

		memset(text, 'x', lengths[i]);
		text[lengths[i]] = 0;
		sealed = seal(text, "CASE-1");
		assert_int_equal(sealed.len, crypto_sealed_size(padded[i], 2));
		assert_int_equal(open_as(&vault, &sealed, "CASE-1", &back), OK);
		assert_string_equal(back, text);
		free(back);
		buf_free(&sealed);
	}
}

static void what_is_no_note_is_refused(void **state)
{
	const struct slice piece = slice_str("CASE-1");
	struct reader readers[] = {partner.reader};
	struct entropy e = sample_entropy("no note");
	struct buf sealed = {0}, context = {0};
	char *text = NULL, *large = calloc(1, 40000);

	(void)state;
	assert_non_null(large);
	memset(large, 'x', 39999);
	assert_int_equal(note_seal(large, "CASE-1", readers, 1, &e, &sealed), ERR_TOO_LARGE);
	assert_int_equal(note_seal("\xff", "CASE-1", readers, 1, &e, &sealed), ERR_NOT_CANONICAL);
	assert_int_equal(note_seal("why", "CASE-1", readers, 0, &e, &sealed), ERR_INVALID);
	assert_null(sealed.data);
	/* sealed as it should be, but not a Note */
	assert_int_equal(pae(&context, "note", &piece, 1), OK);
	assert_int_equal(crypto_seal(&sealed, slice_str("\x12\x01\x61"), 512, slice_buf(&context),
				 readers, 1, &e),
		OK);
	assert_int_equal(open_as(&partner, &sealed, "CASE-1", &text), ERR_NOT_CANONICAL);
	assert_null(text);
	buf_free(&sealed);
	buf_free(&context);
	free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_readers_read_it),
		cmocka_unit_test(nobody_else_and_for_no_other_case),
		cmocka_unit_test(its_length_does_not_show),
		cmocka_unit_test(a_long_one_is_padded_to_a_power_of_two),
		cmocka_unit_test(what_is_no_note_is_refused),
	};

	return cmocka_run_group_tests(tests, make_people, NULL);
}
