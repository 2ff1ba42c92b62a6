/* Goal: every envelope has one of few sizes, whatever its body and its readers, and no other size
 * is taken. */
#include "wire_sample.h"

#include "proto/case.pb-c.h"
#include "proto/referral.pb-c.h"

static const size_t sizes[] = ENVELOPE_SIZES;
static struct person alice, bob;
static struct reader readers[READERS_MOST];
static char *text; /* x, cut where needed */

#define TEXT_MOST (1024 * 1024)

static int make_people(void **state)
{
	(void)state;
	if (sodium_init() < 0)
		return -1;
	alice = person_make("partner-a", 1);
	bob = person_make("intake", 2);
	for (uint8_t i = 0; i < READERS_MOST; i++)
		readers[i] = person_make("reader", i + 10).reader;
	text = malloc(ENVELOPE_MOST + 1);
	if (!text)
		return -1;
	memset(text, 'x', ENVELOPE_MOST + 1);
	return 0;
}

static int free_text(void **state)
{
	(void)state;
	free(text);
	return 0;
}

/* The size of an envelope for n readers around a body of exactly `len` bytes, len > 4. */
static size_t size_for(size_t len, size_t n, size_t *ret_padded)
{
	struct envelope_spec spec = sample_spec(KIND_SUBMIT_REFERRAL, &alice, &bob);
	struct entropy e = sample_entropy("size");
	struct envelope env;
	Referral r = REFERRAL__INIT;
	struct buf out = {0};
	size_t end = len;

	/* the field's length takes 1 to 3 bytes; where no text fits exactly, a flag of 2 bytes
	 * helps */
	while (end && field_size(end) > len)
		end--;
	if (field_size(end) < len) {
		r.case_size = 1;
		while (field_size(end) + 2 > len)
			end--;
	}
	text[end] = 0;
	r.reference = text;
	assert_int_equal(protobuf_c_message_get_packed_size(&r.base), len);
	spec.readers = readers;
	spec.n_readers = n;
	assert_int_equal(envelope_make(&spec, &r.base, &e, &out), OK);
	text[end] = 'x';
	assert_int_equal(envelope_parse(slice_buf(&out), &env), OK);
	*ret_padded = env.outer->sealed.len - (crypto_sealed_size(1000000, n) - 1000000);
	while (crypto_sealed_size(*ret_padded, n) < env.outer->sealed.len)
		++*ret_padded;
	envelope_free(&env);
	end = out.len;
	buf_free(&out);
	return end;
}

/* All bodies within `around` bytes of the largest that fits size number i. */
static void check_boundary(size_t i, size_t n, size_t around)
{
	size_t padded, largest;

	/* what nearly fills the size before is too large for it */
	assert_int_equal(size_for(i ? sizes[i - 1] : 10, n, &padded), sizes[i]);
	largest = padded - 1;
	for (size_t len = largest - around; len <= largest + around; len++)
		assert_int_equal(
			size_for(len, n, &padded), len <= largest ? sizes[i] : sizes[i + 1]);
}

static void small_sizes_are_exact_for_all_readers(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++)
		for (size_t n = 1; n <= READERS_MOST; n++)
			check_boundary(i, n, 6);
}

static void large_sizes_are_exact(void **state)
{
	(void)state;
	for (size_t i = 4; i + 1 < N_OF(sizes); i++) {
		check_boundary(i, 1, i < 7 ? 6 : 1);
		check_boundary(i, READERS_MOST, 1);
	}
}

static void every_small_body_gives_a_size(void **state)
{
	size_t padded, before = 0;

	(void)state;
	for (size_t len = 5; len < 4500; len++) {
		size_t size = size_for(len, 1, &padded);

		assert_true(size == sizes[0] || size == sizes[1] || size == sizes[2]);
		assert_true(size >= before);
		assert_true(padded > len);
		before = size;
	}
	assert_int_equal(before, sizes[2]);
}

static void the_largest_body_fits_and_one_byte_more_does_not(void **state)
{
	struct envelope_spec spec = sample_spec(KIND_SUBMIT_REFERRAL, &alice, &bob);
	struct entropy e = sample_entropy("largest");
	Referral r = REFERRAL__INIT;
	struct buf out = {0};
	size_t padded;

	(void)state;
	assert_int_equal(size_for(TEXT_MOST, READERS_MOST, &padded), sizes[N_OF(sizes) - 1]);
	assert_true(sizes[N_OF(sizes) - 1] <= ENVELOPE_MOST);
	text[TEXT_MOST - 3] = 0;
	r.reference = text;
	assert_int_equal(protobuf_c_message_get_packed_size(&r.base), TEXT_MOST + 1);
	assert_int_equal(envelope_make(&spec, &r.base, &e, &out), ERR_TOO_LARGE);
	text[TEXT_MOST - 3] = 'x';
	assert_null(out.data);
}

static enum err parse_of(enum kind kind, size_t total)
{
	Header h = sample_header(kind, &alice, &bob);
	struct buf bytes = hand_envelope(&h, slice_str(""), total, &alice, &bob);
	struct envelope env = {0};
	enum err e = envelope_parse(slice_buf(&bytes), &env);

	envelope_free(&env);
	buf_free(&bytes);
	return e;
}

static void another_size_is_refused(void **state)
{
	struct envelope env;

	(void)state;
	/* nothing is decoded that is larger than all envelopes */
	assert_int_equal(envelope_parse(slice_of(text, ENVELOPE_MOST + 1), &env), ERR_TOO_LARGE);
	assert_int_equal(envelope_parse(slice_of(text, ENVELOPE_MOST), &env), ERR_NOT_CANONICAL);
	assert_int_equal(parse_of(KIND_SUBMIT_REFERRAL, 2000), OK);
	assert_int_equal(parse_of(KIND_SUBMIT_REFERRAL, 1999), ERR_NOT_CANONICAL);
	assert_int_equal(parse_of(KIND_SUBMIT_REFERRAL, 2001), ERR_NOT_CANONICAL);
	assert_int_equal(parse_of(KIND_SUBMIT_REFERRAL, 500), ERR_NOT_CANONICAL);
	assert_int_equal(parse_of(KIND_SUBMIT_REFERRAL, 1310000), ERR_NOT_CANONICAL);
	assert_int_equal(parse_of(KIND_SUBMIT_REFERRAL, 1310704), OK);
	assert_int_equal(parse_of(KIND_SUBMIT_REFERRAL, 1310705), ERR_TOO_LARGE);
	assert_int_equal(parse_of(KIND_SUBMIT_REFERRAL, ENVELOPE_MOST + 1), ERR_TOO_LARGE);
}

/* No kind may be sent in more bytes than its largest body needs. */
static void each_kind_has_its_limit(void **state)
{
	unsigned n;
	const struct kind_row *row = catalogue_rows(&n);

	(void)state;
	for (unsigned k = 0; k < n; k++)
		for (size_t i = 0; i < N_OF(sizes); i++) {
			bool needed = i == 0 || sizes[i - 1] < row[k].most + 3600;

			if (sizes[i] <= 300000 || row[k].most >= 256 * 1024)
				assert_int_equal(parse_of(row[k].kind, sizes[i]),
					needed ? OK : ERR_TOO_LARGE);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_sizes_are_exact_for_all_readers),
		cmocka_unit_test(large_sizes_are_exact),
		cmocka_unit_test(every_small_body_gives_a_size),
		cmocka_unit_test(the_largest_body_fits_and_one_byte_more_does_not),
		cmocka_unit_test(another_size_is_refused),
		cmocka_unit_test(each_kind_has_its_limit),
	};

	return cmocka_run_group_tests(tests, make_people, free_text);
}
