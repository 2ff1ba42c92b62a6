/* Goal: the encoding, signatures, random streams and seals of proto/crypto.h, and how they fail. */
#include "wire_sample.h"

static void assert_hex(const void *data, size_t len, const char *hex)
{
	char *got = malloc(2 * len + 1);

	assert_non_null(got);
	hex_encode(got, data, len);
	assert_string_equal(got, hex);
	free(got);
}

static struct buf pae_of(const char *purpose, const struct slice *pieces, size_t n)
{
	struct buf out = {0};

	assert_int_equal(pae(&out, purpose, pieces, n), OK);
	return out;
}

static void pae_is_the_one_of_the_document(void **state)
{
	const struct slice pieces[] = {slice_str("ab"), slice_str("")};
	struct buf b = pae_of("test", pieces, 2);

	(void)state;
	assert_hex(b.data, b.len,
		"0000000000000002"
		"000000000000000c"
		"68617672652f312074657374"
		"0000000000000002"
		"6162"
		"0000000000000000");
	buf_free(&b);
}

static void no_two_lists_have_one_encoding(void **state)
{
	static const struct {
		const char *purpose, *pieces[3];
		size_t n;
	} lists[] = {
		{"a", {0}, 0},
		{"a", {""}, 1},
		{"a", {"", ""}, 2},
		{"a", {"bc"}, 1},
		{"a", {"b", "c"}, 2},
		{"a", {"", "bc"}, 2},
		{"a", {"bc", ""}, 2},
		{"ab", {"c"}, 1},
		{"", {"abc"}, 1},
		{"abc", {0}, 0},
	};
	struct buf encoded[N_OF(lists)];

	(void)state;
	for (size_t i = 0; i < N_OF(lists); i++) {
		struct slice pieces[3];

		for (size_t k = 0; k < lists[i].n; k++)
			pieces[k] = slice_str(lists[i].pieces[k]);
		encoded[i] = pae_of(lists[i].purpose, pieces, lists[i].n);
		for (size_t k = 0; k < i; k++)
			assert_false(slice_eq(slice_buf(&encoded[i]), slice_buf(&encoded[k])));
	}
	for (size_t i = 0; i < N_OF(lists); i++)
		buf_free(&encoded[i]);
}

static void a_signature_is_for_one_purpose_and_one_list(void **state)
{
	struct person p = person_make("partner-a", 1), other = person_make("partner-b", 2);
	const struct slice ab[] = {slice_str("a"), slice_str("b")};
	const struct slice ba[] = {slice_str("b"), slice_str("a")};
	uint8_t sig[SIG_LEN + 1] = {0};

	(void)state;
	assert_int_equal(crypto_sign_pieces(sig, "test", ab, 2, p.seed), OK);
	assert_int_equal(crypto_verify_pieces(sig, SIG_LEN, "test", ab, 2, p.sign_pk), OK);
	assert_int_equal(
		crypto_verify_pieces(sig, SIG_LEN, "tes", ab, 2, p.sign_pk), ERR_BAD_SIGNATURE);
	assert_int_equal(
		crypto_verify_pieces(sig, SIG_LEN, "test", ba, 2, p.sign_pk), ERR_BAD_SIGNATURE);
	assert_int_equal(
		crypto_verify_pieces(sig, SIG_LEN, "test", ab, 1, p.sign_pk), ERR_BAD_SIGNATURE);
	assert_int_equal(crypto_verify_pieces(sig, SIG_LEN, "test", ab, 2, other.sign_pk),
		ERR_BAD_SIGNATURE);
	assert_int_equal(crypto_verify_pieces(sig, SIG_LEN + 1, "test", ab, 2, p.sign_pk),
		ERR_BAD_SIGNATURE);
	assert_int_equal(
		crypto_verify_pieces(NULL, 0, "test", ab, 2, p.sign_pk), ERR_BAD_SIGNATURE);
	for (size_t i = 0; i < SIG_LEN; i++) {
		sig[i] ^= 1;
		assert_int_equal(crypto_verify_pieces(sig, SIG_LEN, "test", ab, 2, p.sign_pk),
			ERR_BAD_SIGNATURE);
		sig[i] ^= 1;
	}
}

static void entropy_repeats_for_one_context_only(void **state)
{
	static const uint8_t key[32] = {1};
	uint8_t a[200], b[200], c[200];
	struct entropy e;

	(void)state;
	entropy_from(&e, key, slice_str("mailbox 7"));
	entropy_bytes(&e, a, sizeof(a));
	entropy_from(&e, key, slice_str("mailbox 7"));
	entropy_bytes(&e, b, sizeof(b));
	assert_memory_equal(a, b, sizeof(a));
	entropy_bytes(&e, b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	for (size_t i = 32; i + 32 <= sizeof(a); i += 32)
		assert_memory_not_equal(a, a + i, 32);
	entropy_from(&e, key, slice_str("mailbox 8"));
	entropy_bytes(&e, c, sizeof(c));
	assert_memory_not_equal(a, c, sizeof(a));
	entropy_fresh(&e);
	entropy_bytes(&e, a, sizeof(a));
	entropy_fresh(&e);
	entropy_bytes(&e, b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
}

static struct buf seal(const char *plain, size_t padded, const char *context,
	const struct reader *readers, size_t n)
{
	struct entropy e = sample_entropy("seal");
	struct buf out = {0};

	assert_int_equal(
		crypto_seal(&out, slice_str(plain), padded, slice_str(context), readers, n, &e),
		OK);
	return out;
}

static enum err open_as(
	const struct person *p, const struct buf *sealed, const char *context, struct buf *ret)
{
	return crypto_open(slice_buf(sealed), slice_str(context), p->reader.key_id, p->box_sk, ret);
}

static void every_reader_opens_and_nobody_else(void **state)
{
	struct person people[READERS_MOST], other = person_make("stranger", 100);
	struct reader readers[READERS_MOST];

	(void)state;
	for (uint8_t i = 0; i < READERS_MOST; i++) {
		people[i] = person_make("reader", i + 1);
		readers[i] = people[i].reader;
	}
	for (size_t n = 1; n <= READERS_MOST; n++) {
		struct buf sealed = seal("some words", 64, "ctx", readers, n), plain = {0};

		assert_int_equal(sealed.len, crypto_sealed_size(64, n));
		assert_int_equal(crypto_sealed_check(slice_buf(&sealed)), OK);
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(open_as(&people[i], &sealed, "ctx", &plain), OK);
			assert_true(slice_eq(slice_buf(&plain), slice_str("some words")));
			buf_free(&plain);
		}
		assert_int_equal(open_as(&other, &sealed, "ctx", &plain), ERR_NOT_FOR_ME);
		/* the right key id does not help without the key */
		memcpy(other.reader.key_id, readers[0].key_id, KEY_ID_LEN);
		assert_int_equal(open_as(&other, &sealed, "ctx", &plain), ERR_NOT_FOR_ME);
		assert_int_equal(open_as(&people[0], &sealed, "ctX", &plain), ERR_NOT_FOR_ME);
		assert_null(plain.data);
		buf_free(&sealed);
	}
}

static void an_altered_seal_does_not_open(void **state)
{
	struct person p = person_make("reader", 1);
	struct buf sealed = seal("some words", 32, "ctx", &p.reader, 1), plain = {0};

	(void)state;
	for (size_t i = 0; i < 8 * sealed.len; i++) {
		sealed.data[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(open_as(&p, &sealed, "ctx", &plain), ERR_NOT_FOR_ME);
		sealed.data[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t n = 0; n < sealed.len; n++) {
		struct buf part = {sealed.data, n, n};

		assert_int_equal(open_as(&p, &part, "ctx", &plain), ERR_NOT_FOR_ME);
		assert_int_not_equal(crypto_sealed_check(slice_buf(&part)), OK);
	}
	buf_free(&sealed);
}

/* A Sealed of nothing but zeros, with n wraps and pieces of these lengths. */
static struct buf zeros(size_t ephemeral, size_t n, size_t key_id, size_t wrap, size_t box)
{
	static uint8_t zero[64];
	Wrap one = WRAP__INIT, *list[READERS_MOST + 1];
	Sealed s = SEALED__INIT;

	one.key_id = bytes_of(zero, key_id);
	one.box = bytes_of(zero, wrap);
	for (size_t i = 0; i < n; i++)
		list[i] = &one;
	s.ephemeral = bytes_of(zero, ephemeral);
	s.n_wraps = n;
	s.wraps = list;
	s.box = bytes_of(zero, box);
	return packed(&s.base);
}

static void each_length_in_a_seal_is_checked(void **state)
{
	static const size_t good[] = {32, 1, 8, 48, 17}, least[] = {32, 1, 8, 48, 17},
			    most[] = {32, READERS_MOST, 8, 48, 64};
	struct person p = person_make("reader", 1);
	struct buf plain = {0};

	(void)state;
	memset(p.reader.key_id, 0, KEY_ID_LEN);
	for (size_t i = 0; i < N_OF(good); i++)
		for (int step = 0; step < 4; step++) {
			const size_t values[] = {least[i], most[i], least[i] - 1, most[i] + 1};
			size_t l[] = {good[0], good[1], good[2], good[3], good[4]};
			struct buf sealed;

			l[i] = values[step];
			if (l[i] > 64) /* a box has no largest length */
				continue;
			sealed = zeros(l[0], l[1], l[2], l[3], l[4]);
			assert_int_equal(crypto_sealed_check(slice_buf(&sealed)),
				step < 2 ? OK : ERR_MALFORMED);
			assert_int_equal(open_as(&p, &sealed, "ctx", &plain), ERR_NOT_FOR_ME);
			buf_free(&sealed);
		}
}

static void padding_hides_the_length_and_comes_off(void **state)
{
	static const uint8_t tricky[] = {0x80, 0, 0, 0x80, 0, 0};
	struct person p = person_make("reader", 1);
	struct entropy e = sample_entropy("padding");

	(void)state;
	for (size_t n = 0; n <= sizeof(tricky); n++) {
		struct buf sealed = {0}, plain = {0};

		assert_int_equal(crypto_seal(&sealed, slice_of(tricky, n), 7, slice_str(""),
					 &p.reader, 1, &e),
			OK);
		assert_int_equal(sealed.len, crypto_sealed_size(7, 1));
		assert_int_equal(open_as(&p, &sealed, "", &plain), OK);
		assert_true(slice_eq(slice_buf(&plain), slice_of(tricky, n)));
		buf_free(&plain);
		buf_free(&sealed);
	}
}

static void what_cannot_be_sealed_is_refused(void **state)
{
	struct person p = person_make("reader", 1);
	struct reader readers[READERS_MOST + 1] = {p.reader}, low_order = p.reader;
	struct entropy e = sample_entropy("refused");
	struct buf out = {0};

	(void)state;
	memset(low_order.box_pk, 0, BOX_PK_LEN);
	assert_int_equal(crypto_seal(&out, slice_str("four"), 4, slice_str(""), readers, 1, &e),
		ERR_INVALID);
	assert_int_equal(crypto_seal(&out, slice_str("four"), 5, slice_str(""), readers, 0, &e),
		ERR_INVALID);
	assert_int_equal(crypto_seal(&out, slice_str("four"), 5, slice_str(""), readers,
				 READERS_MOST + 1, &e),
		ERR_INVALID);
	assert_int_equal(crypto_seal(&out, slice_str("four"), 5, slice_str(""), &low_order, 1, &e),
		ERR_INVALID);
	assert_int_equal(out.len, 0);
	buf_free(&out);
}

/* The same entropy with another text (a step done again from a backup) must not reuse a key. */
static void entropy_that_comes_again_does_not_reuse_a_key(void **state)
{
	struct person p = person_make("reader", 1);
	struct buf a = seal("some words", 64, "ctx", &p.reader, 1);
	struct buf again = seal("some words", 64, "ctx", &p.reader, 1);
	struct buf others[] = {seal("some worms", 64, "ctx", &p.reader, 1),
		seal("some words", 64, "ctX", &p.reader, 1),
		seal("some words", 63, "ctx", &p.reader, 1)};

	(void)state;
	assert_true(slice_eq(slice_buf(&a), slice_buf(&again)));
	for (size_t i = 0; i < N_OF(others); i++) {
		/* the ephemeral key stands first */
		assert_memory_not_equal(a.data + 2, others[i].data + 2, BOX_PK_LEN);
		buf_free(&others[i]);
	}
	buf_free(&a);
	buf_free(&again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pae_is_the_one_of_the_document),
		cmocka_unit_test(no_two_lists_have_one_encoding),
		cmocka_unit_test(a_signature_is_for_one_purpose_and_one_list),
		cmocka_unit_test(entropy_repeats_for_one_context_only),
		cmocka_unit_test(every_reader_opens_and_nobody_else),
		cmocka_unit_test(an_altered_seal_does_not_open),
		cmocka_unit_test(each_length_in_a_seal_is_checked),
		cmocka_unit_test(padding_hides_the_length_and_comes_off),
		cmocka_unit_test(what_cannot_be_sealed_is_refused),
		cmocka_unit_test(entropy_that_comes_again_does_not_reuse_a_key),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
