/* Goal: slices, growing buffers, keys and hexadecimal do what proto/bytes.h promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "proto/bytes.h"

static void slices_are_ordered_bytewise(void **state)
{
	/* in rising order; 0xff must not count as negative */
	static const char *const order[] = {"", "a", "aa", "ab", "b", "\x7f", "\xff", "\xff\x01"};
	const int n = sizeof(order) / sizeof(order[0]);

	(void)state;
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++) {
			int c = slice_cmp(slice_str(order[i]), slice_str(order[j]));

			assert_int_equal((c > 0) - (c < 0), (i > j) - (i < j));
			assert_int_equal(
				slice_eq(slice_str(order[i]), slice_str(order[j])), i == j);
		}
	assert_true(slice_eq((struct slice){0}, slice_str("")));
}

static void buf_grows_and_frees(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_int_equal(buf_append(&b, NULL, 0), OK);
	for (int i = 0; i < 1000; i++) {
		uint8_t piece[3] = {(uint8_t)i, (uint8_t)(i >> 8), 7};

		assert_int_equal(buf_append(&b, piece, sizeof(piece)), OK);
	}
	assert_int_equal(b.len, 3000);
	assert_true(b.cap >= b.len);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(b.data[3 * i], i & 255);
		assert_int_equal(b.data[3 * i + 1], i >> 8);
		assert_int_equal(b.data[3 * i + 2], 7);
	}
	assert_int_equal(buf_append(&b, b.data, SIZE_MAX), ERR_NOMEM);
	assert_int_equal(b.len, 3000);
	buf_free(&b);
	assert_null(b.data);
	assert_int_equal(b.len + b.cap, 0);
	buf_free(&b);
}

static void big_endian_order_is_numeric_order(void **state)
{
	static const uint64_t v[] = {0, 1, 255, 256, UINT32_MAX, (uint64_t)1 << 32, UINT64_MAX};
	uint8_t last[8] = {0}, now[8];

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		be64_put(now, v[i]);
		assert_true(be64_get(now) == v[i]);
		assert_true(i == 0 || memcmp(last, now, 8) < 0);
		memcpy(last, now, 8);
	}
	be64_put(now, 0x0102030405060708);
	assert_memory_equal(now, "\1\2\3\4\5\6\7\x08", 8);
}

static void keys_join_their_pieces(void **state)
{
	struct key k = {0}, short_name = {0}, long_name = {0};

	(void)state;
	key_u8(&k, 9);
	key_str(&k, "ab");
	key_u64(&k, 258);
	key_bytes(&k, "xy", 2);
	assert_int_equal(k.len, 1 + 3 + 8 + 2);
	assert_memory_equal(k.data,
		"\x09"
		"ab\0"
		"\0\0\0\0\0\0\1\2"
		"xy",
		k.len);

	key_str(&short_name, "ab");
	key_str(&long_name, "abc");
	assert_true(memcmp(short_name.data, long_name.data, short_name.len) != 0);
}

static void a_key_that_is_too_long_is_bad_for_good(void **state)
{
	static const uint8_t zeros[512];
	struct key full = {0}, bad = {0};

	(void)state;
	key_bytes(&full, zeros, 511);
	assert_false(full.bad);
	assert_int_equal(key_slice(&full).len, 511);
	key_u8(&full, 1);
	assert_true(full.bad);

	key_bytes(&bad, zeros, 512);
	key_u8(&bad, 1);
	assert_true(bad.bad);
	assert_true(key_slice(&bad).len == SIZE_MAX);
}

static void hex_goes_there_and_back(void **state)
{
	uint8_t all[256], back[256];
	char hex[513];

	(void)state;
	for (int i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	hex_encode(hex, all, sizeof(all));
	assert_int_equal(strlen(hex), 512);
	assert_memory_equal(hex + 2 * 0xa0, "a0a1", 4);
	assert_int_equal(hex_decode(back, sizeof(back), hex), OK);
	assert_memory_equal(all, back, sizeof(all));
}

static void hex_that_is_wrong_is_refused(void **state)
{
	static const char *const wrong[] = {
		"", "0", "012", "01234", "0G12", "0A12", "-112", " 112"};
	uint8_t out[2] = {77, 78};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(hex_decode(out, sizeof(out), wrong[i]), ERR_INVALID);
	assert_int_equal(out[0], 77);
	assert_int_equal(out[1], 78);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slices_are_ordered_bytewise),
		cmocka_unit_test(buf_grows_and_frees),
		cmocka_unit_test(big_endian_order_is_numeric_order),
		cmocka_unit_test(keys_join_their_pieces),
		cmocka_unit_test(a_key_that_is_too_long_is_bad_for_good),
		cmocka_unit_test(hex_goes_there_and_back),
		cmocka_unit_test(hex_that_is_wrong_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
