/* Goal: a registry counts only when enough roots signed it, it is new and it is sound. */
#include "tests/unit/registry_rig.h"

static void enough_different_roots_must_sign(void **state)
{
	struct world *w = *state;

	assert_int_equal(load_signed(w, (int[]){0, 1}, 2), OK);
	assert_int_equal(load_signed(w, (int[]){2, 0}, 2), OK);
	assert_int_equal(load_signed(w, (int[]){0, 1, 2}, 3), OK);
	assert_int_equal(load_signed(w, NULL, 0), ERR_NOT_ENOUGH_SIGNATURES);
	assert_int_equal(load_signed(w, (int[]){1}, 1), ERR_NOT_ENOUGH_SIGNATURES);
	assert_int_equal(load_signed(w, (int[]){1, 1, 1}, 3), ERR_NOT_ENOUGH_SIGNATURES);
}

/* What the reader's root file asks for counts, whatever the registry says of itself. */
static void the_registry_does_not_lower_the_threshold(void **state)
{
	struct world *w = *state;

	w->message.threshold = 1;
	assert_int_equal(load_signed(w, (int[]){1}, 1), ERR_NOT_ENOUGH_SIGNATURES);
	assert_int_equal(load_signed(w, (int[]){1, 2}, 2), OK);
}

static void a_root_listed_twice_counts_once(void **state)
{
	struct world *w = *state;
	struct registry *r = NULL;
	uint8_t roots[2][32];
	struct buf b;

	w->message.threshold = 1;
	b = sign(w, (int[]){0}, 1);
	memcpy(roots[0], w->roots[0], 32);
	memcpy(roots[1], w->roots[0], 32);
	assert_int_equal(
		registry_from_bytes(slice_buf(&b), (const uint8_t(*)[32])roots, 2, 2, 0, NOW, &r),
		ERR_NOT_ENOUGH_SIGNATURES);
	assert_int_equal(
		registry_from_bytes(slice_buf(&b), (const uint8_t(*)[32])roots, 2, 0, 0, NOW, &r),
		ERR_BAD_SIGNATURE);
	buf_free(&b);
}

static void new_roots_must_be_vouched_for_by_old_and_new(void **state)
{
	struct world *w = *state;
	struct registry *r = NULL;
	struct buf b;

	/* the new set is {0, 2}, both must sign; the old one is {1} */
	w->root_refs[1] = w->root_refs[2];
	w->message.n_root_keys = 2;
	b = sign(w, (int[]){0, 1}, 2);
	assert_int_equal(registry_from_bytes(slice_buf(&b), (const uint8_t(*)[32])w->roots[1], 1, 1,
				 0, NOW, &r),
		ERR_NOT_ENOUGH_SIGNATURES);
	buf_free(&b);
	b = sign(w, (int[]){0, 2}, 2);
	assert_int_equal(registry_from_bytes(slice_buf(&b), (const uint8_t(*)[32])w->roots[1], 1, 1,
				 0, NOW, &r),
		ERR_NOT_ENOUGH_SIGNATURES);
	buf_free(&b);
	b = sign(w, (int[]){0, 1, 2}, 3);
	assert_int_equal(registry_from_bytes(slice_buf(&b), (const uint8_t(*)[32])w->roots[1], 1, 1,
				 0, NOW, &r),
		OK);
	buf_free(&b);
	registry_free(&r);
}

static void an_altered_registry_is_refused(void **state)
{
	struct world *w = *state;
	struct buf b = sign(w, (int[]){0, 1}, 2);

	for (size_t i = 0; i < b.len; i++) {
		enum err e;

		b.data[i] ^= 4;
		e = load_at(w, slice_buf(&b), 0, NOW);
		assert_true(e == ERR_BAD_SIGNATURE || e == ERR_CORRUPT);
		b.data[i] ^= 4;
	}
	assert_int_equal(load_at(w, slice_buf(&b), 0, NOW), OK);
	buf_free(&b);
}

static void versions_only_rise(void **state)
{
	struct world *w = *state;
	struct buf b = sign(w, (int[]){0, 1}, 2);

	assert_int_equal(load_at(w, slice_buf(&b), 6, NOW), OK);
	assert_int_equal(load_at(w, slice_buf(&b), 7, NOW), OK);
	assert_int_equal(load_at(w, slice_buf(&b), 8, NOW), ERR_ROLLED_BACK);
	buf_free(&b);
}

static void after_expiry_it_goes_on_for_the_grace_period(void **state)
{
	struct world *w = *state;
	struct registry *r = NULL;
	struct buf b = sign(w, (int[]){0, 1}, 2);
	int64_t end = w->message.expires_at;

	assert_int_equal(load_at(w, slice_buf(&b), 0, end + REGISTRY_GRACE_MS), OK);
	assert_int_equal(
		load_at(w, slice_buf(&b), 0, end + REGISTRY_GRACE_MS + 1), ERR_REGISTRY_EXPIRED);
	assert_int_equal(registry_from_message(&w->message, &r), OK);
	assert_false(registry_expired(r, end - 1));
	assert_true(registry_expired(r, end));
	registry_free(&r);
	buf_free(&b);
}

static void an_unsound_head_is_refused(void **state)
{
	struct world *w = *state;

	w->message.threshold = 4;
	assert_int_equal(load_signed(w, (int[]){0, 1, 2}, 3), ERR_CORRUPT);
	w->message.threshold = 0;
	assert_int_equal(load_signed(w, (int[]){0, 1, 2}, 3), ERR_CORRUPT);
	w->message.threshold = 2;
	w->message.expires_at = w->message.issued_at;
	assert_int_equal(load_signed(w, (int[]){0, 1}, 2), ERR_CORRUPT);
	w->message.expires_at = NOW + DAY;
	w->root_refs[2] = w->root_refs[1];
	assert_int_equal(load_signed(w, (int[]){0, 1}, 2), ERR_CORRUPT);
}

static void unsound_principals_are_refused(void **state)
{
	struct world *w = *state;
	Key *own = w->key_refs[OTHER];
	BoxKey second = BOX_KEY__INIT, *boxes[2], **before = own->box_keys;

	assert_int_equal(from_message(w), OK);
	w->people[OTHER].name = (char *)names[PARTNER];
	assert_int_equal(from_message(w), ERR_CORRUPT);
	w->people[OTHER].name = "Partner";
	assert_int_equal(from_message(w), ERR_CORRUPT);
	w->people[OTHER].name = (char *)names[OTHER];

	w->key_refs[OTHER] = w->key_refs[PARTNER];
	assert_int_equal(from_message(w), ERR_CORRUPT);
	w->key_refs[OTHER] = own;

	own->id.data[0] ^= 1;
	assert_int_equal(from_message(w), ERR_CORRUPT);
	own->id.data[0] ^= 1;
	own->transport_key.len = 31;
	assert_int_equal(from_message(w), ERR_CORRUPT);
	own->transport_key.len = 32;

	second = *own->box_keys[0];
	boxes[0] = own->box_keys[0];
	boxes[1] = &second;
	own->box_keys = boxes;
	own->n_box_keys = 2;
	assert_int_equal(from_message(w), ERR_CORRUPT);
	second.epoch = 2;
	assert_int_equal(from_message(w), OK);
	own->box_keys = before;
	own->n_box_keys = 1;
}

/* The first 2 * key_len digits of two roots. */
static void write_root_file(struct world *w, const char *path, int threshold, int key_len)
{
	char a[65], b[65], text[512];

	hex_encode(a, w->roots[0], 32);
	hex_encode(b, w->roots[1], 32);
	snprintf(text, sizeof(text), "{\"threshold\": %d, \"keys\": [\"%.*s\", \"%s\"]}", threshold,
		2 * key_len, a, b);
	assert_int_equal(file_replace(path, slice_str(text), 0644), OK);
}

static void files_are_loaded_and_checked(void **state)
{
	static const char *const wrong[] = {"", "[]", "{\"threshold\":1}",
		"{\"threshold\":1,\"keys\":[7]}", "{\"threshold\":1,\"keys\":{}}",
		"{\"threshold\":1,\"threshold\":1,\"keys\":[]}"};
	char folder[] = "/tmp/havre-registry-XXXXXX", file[64], root[64];
	struct world *w = *state;
	struct registry *r = NULL;
	struct buf b = sign(w, (int[]){0, 1}, 2);

	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/registry", folder);
	snprintf(root, sizeof(root), "%s/root.json", folder);
	write_root_file(w, root, 2, 32);
	assert_int_equal(registry_load(file, root, 0, NOW, &r), ERR_NOT_FOUND);
	assert_int_equal(file_create(file, slice_buf(&b), 0644), OK);
	assert_int_equal(registry_load(file, root, 0, NOW, &r), OK);
	assert_true(registry_message(r)->version == 7);
	registry_free(&r);
	write_root_file(w, root, 3, 32);
	assert_int_equal(registry_load(file, root, 0, NOW, &r), ERR_CORRUPT);
	write_root_file(w, root, 0, 32);
	assert_int_equal(registry_load(file, root, 0, NOW, &r), ERR_CORRUPT);
	write_root_file(w, root, 1, 31);
	assert_int_equal(registry_load(file, root, 0, NOW, &r), ERR_CORRUPT);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(file_replace(root, slice_str(wrong[i]), 0644), OK);
		assert_int_equal(registry_load(file, root, 0, NOW, &r), ERR_CORRUPT);
	}
	buf_free(&b);
	unlink(file);
	unlink(root);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(enough_different_roots_must_sign),
		TEST(the_registry_does_not_lower_the_threshold),
		TEST(a_root_listed_twice_counts_once),
		TEST(new_roots_must_be_vouched_for_by_old_and_new),
		TEST(an_altered_registry_is_refused),
		TEST(versions_only_rise),
		TEST(after_expiry_it_goes_on_for_the_grace_period),
		TEST(an_unsound_head_is_refused),
		TEST(unsound_principals_are_refused),
		TEST(files_are_loaded_and_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
