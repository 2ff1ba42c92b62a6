/* Goal: what a message and its JSON held is not left on the heap when they are freed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "proto/case.pb-c.h"
#include "proto/json.h"
#include "proto/strict.h"
#include "proto/wipe.h"

#define SECRET "An invented secret of an invented person who is in an invented danger"
#define START  16 /* what the heap itself writes into a piece that is free */

/* Freed memory is read on purpose. */
__attribute__((no_sanitize("address"))) static bool is_left(const volatile char *p)
{
	for (size_t i = START; i < sizeof(SECRET) - 1; i++)
		if (p[i] != SECRET[i])
			return false;
	return true;
}

static ProtobufCMessage *secret_note(const char *volatile *ret_at)
{
	Note note = NOTE__INIT;
	struct buf packed = {0};
	ProtobufCMessage *m;

	note.text = SECRET;
	assert_int_equal(strict_pack(&note.base, &packed), OK);
	assert_int_equal(strict_unpack(&note__descriptor, slice_buf(&packed), &m), OK);
	buf_free(&packed);
	*ret_at = ((Note *)m)->text;
	assert_true(is_left(*ret_at));
	return m;
}

static void a_message_is_wiped(void **state)
{
	const char *volatile at;

	(void)state;
	protobuf_c_message_free_unpacked(secret_note(&at), NULL);
	assert_true(is_left(at)); /* this is how it would be found */
	message_wipe(secret_note(&at));
	assert_false(is_left(at));
	message_wipe(NULL);
}

static void json_is_wiped(void **state)
{
	json_t *json;
	const char *volatile at;

	(void)state;
	json_wipe_frees();
	json = json_string(SECRET);
	assert_non_null(json);
	at = json_string_value(json);
	assert_true(is_left(at));
	json_decref(json);
	assert_false(is_left(at));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_wiped),
		cmocka_unit_test(json_is_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
