/* Goal: a key file gives its secrets back to its owner only, and any damage to it is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <sodium.h>

#include "proto/keyfile.pb-c.h"
#include "proto/registry.pb-c.h"
#include "proto/strict.h"
#include "services/common/base/file.h"
#include "services/common/keys/keyring.h"
#include "services/common/trust/registry_check.h"
#include "tests/unit/unlockable.h"

#define NOW INT64_C(1772366400000)

struct place {
	char folder[32], path[48], other[48];
	struct keyring *keys;
};

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	snprintf(p->folder, sizeof(p->folder), "/tmp/havre-keyring-XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	snprintf(p->path, sizeof(p->path), "%s/key", p->folder);
	snprintf(p->other, sizeof(p->other), "%s/other", p->folder);
	assert_int_equal(keyring_create("partner-a", &p->keys), OK);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	keyring_free(&p->keys);
	unlink(p->path);
	unlink(p->other);
	assert_int_equal(rmdir(p->folder), 0); /* nothing was left behind */
	free(p);
	return 0;
}

static void assert_same(const struct keyring *a, const struct keyring *b)
{
	assert_string_equal(keyring_principal(a), keyring_principal(b));
	assert_memory_equal(keyring_key_id(a), keyring_key_id(b), KEY_ID_LEN);
	assert_memory_equal(keyring_sign_seed(a), keyring_sign_seed(b), SIGN_SEED_LEN);
	assert_memory_equal(keyring_sign_pk(a), keyring_sign_pk(b), SIGN_PK_LEN);
	assert_memory_equal(keyring_transport_secret(a), keyring_transport_secret(b), 32);
	assert_memory_equal(keyring_transport_pk(a), keyring_transport_pk(b), 32);
	assert_memory_equal(keyring_step_key(a), keyring_step_key(b), 32);
	assert_memory_equal(keyring_store_key(a), keyring_store_key(b), 32);
	assert_memory_equal(keyring_box_secret(a, 1), keyring_box_secret(b, 1), BOX_SK_LEN);
}

static void every_secret_is_its_own(void **state)
{
	struct place *p = *state;
	struct keyring *other = NULL;
	const uint8_t *secrets[10];

	assert_int_equal(keyring_create("partner-a", &other), OK);
	for (int i = 0; i < 2; i++) {
		const struct keyring *k = i ? other : p->keys;

		secrets[5 * i] = keyring_sign_seed(k);
		secrets[5 * i + 1] = keyring_transport_secret(k);
		secrets[5 * i + 2] = keyring_step_key(k);
		secrets[5 * i + 3] = keyring_store_key(k);
		secrets[5 * i + 4] = keyring_box_secret(k, 1);
	}
	for (int i = 0; i < 10; i++)
		for (int j = 0; j < i; j++)
			assert_memory_not_equal(secrets[i], secrets[j], 32);
	assert_null(keyring_box_secret(p->keys, 0));
	assert_null(keyring_box_secret(p->keys, 2));
	keyring_free(&other);
	assert_null(other);
	keyring_free(&other);
}

static void bad_names_get_no_keys(void **state)
{
	static const char *const names[] = {"", "Partner", "a b", "a/b", "é",
		"0123456789012345678901234567890123456789012345678"};
	struct keyring *k = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(keyring_create(names[i], &k), ERR_INVALID);
	assert_null(k);
}

static void a_file_without_passphrase_comes_back(void **state)
{
	struct place *p = *state;
	struct keyring *k = NULL;
	struct stat st;
	bool needs = true;

	assert_int_equal(keyring_save(p->keys, p->path, (struct slice){0}), OK);
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(keyring_needs_passphrase(p->path, &needs), OK);
	assert_false(needs);
	assert_int_equal(keyring_load(p->path, (struct slice){0}, &k), OK);
	assert_same(p->keys, k);
	keyring_free(&k);
	assert_int_equal(keyring_save(p->keys, p->path, (struct slice){0}), ERR_EXISTS);
	assert_int_equal(keyring_load(p->other, (struct slice){0}, &k), ERR_NOT_FOUND);
}

static void a_passphrase_is_needed_and_must_be_right(void **state)
{
	struct place *p = *state;
	struct keyring *k = NULL;
	bool needs = false;

	assert_int_equal(keyring_save(p->keys, p->path, slice_str("correct horse")), OK);
	assert_int_equal(keyring_needs_passphrase(p->path, &needs), OK);
	assert_true(needs);
	assert_int_equal(keyring_load(p->path, (struct slice){0}, &k), ERR_PASSPHRASE);
	assert_int_equal(keyring_load(p->path, slice_str("correct horsf"), &k), ERR_PASSPHRASE);
	assert_null(k);
	assert_int_equal(keyring_load(p->path, slice_str("correct horse"), &k), OK);
	assert_same(p->keys, k);
	keyring_free(&k);
}

static void a_file_that_others_can_read_is_refused(void **state)
{
	static const mode_t modes[] = {0640, 0604, 0620, 0602, 0610, 0666};
	struct place *p = *state;
	struct keyring *k = NULL;

	assert_int_equal(keyring_save(p->keys, p->path, (struct slice){0}), OK);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(chmod(p->path, modes[i]), 0);
		assert_int_equal(keyring_load(p->path, (struct slice){0}, &k), ERR_PERMISSIONS);
	}
	assert_int_equal(chmod(p->path, 0400), 0);
	assert_int_equal(keyring_load(p->path, (struct slice){0}, &k), OK);
	keyring_free(&k);
	if (geteuid() == 0) { /* root can give a file away, and reads everybody's */
		assert_int_equal(chown(p->path, 65534, 65534), 0);
		assert_int_equal(keyring_load(p->path, (struct slice){0}, &k), OK);
		keyring_free(&k);
	}
	assert_int_equal(keyring_load(p->folder, (struct slice){0}, &k), ERR_CORRUPT);
}

static enum err load_bytes(struct place *p, struct slice bytes, struct slice passphrase)
{
	struct keyring *k = NULL;
	enum err e;

	assert_int_equal(file_replace(p->other, bytes, 0600), OK);
	e = keyring_load(p->other, passphrase, &k);
	assert_true((e == OK) == (k != NULL));
	keyring_free(&k);
	return e;
}

static void damage_anywhere_is_found(void **state)
{
	struct place *p = *state;
	struct buf b = {0};

	assert_int_equal(keyring_save(p->keys, p->path, (struct slice){0}), OK);
	assert_int_equal(file_read(p->path, 65536, &b), OK);
	assert_int_equal(load_bytes(p, slice_buf(&b), (struct slice){0}), OK);
	for (size_t i = 0; i < b.len; i++) {
		enum err e;

		b.data[i] ^= 1;
		e = load_bytes(p, slice_buf(&b), (struct slice){0});
		assert_true(e == ERR_CORRUPT);
		b.data[i] ^= 1;
	}
	for (size_t len = 0; len < b.len; len++)
		assert_int_equal(
			load_bytes(p, slice_of(b.data, len), (struct slice){0}), ERR_CORRUPT);
	assert_int_equal(buf_append(&b, "", 1), OK);
	assert_int_equal(load_bytes(p, slice_buf(&b), (struct slice){0}), ERR_CORRUPT);
	buf_free(&b);
}

/* Changes one field of a key file and tries to load it. */
static enum err load_changed(
	struct place *p, void (*change)(KeyFile *f), struct slice original, struct slice passphrase)
{
	ProtobufCMessage *m = NULL;
	struct buf b = {0};
	enum err e;

	assert_int_equal(strict_unpack(&key_file__descriptor, original, &m), OK);
	change((KeyFile *)m);
	assert_int_equal(strict_pack(m, &b), OK);
	protobuf_c_message_free_unpacked(m, NULL);
	e = load_bytes(p, slice_buf(&b), passphrase);
	buf_free(&b);
	return e;
}

static void other_principal(KeyFile *f)
{
	f->principal[0] = 'q';
}

static void other_key_id(KeyFile *f)
{
	f->key_id.data[0] ^= 1;
}

static void other_salt(KeyFile *f)
{
	f->salt.data[0] ^= 1;
}

static void other_box(KeyFile *f)
{
	f->box.data[f->box.len / 2] ^= 1;
}

static void cheaper(KeyFile *f)
{
	f->opslimit = crypto_pwhash_argon2id_OPSLIMIT_INTERACTIVE;
	f->memlimit = crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE;
}

static void too_cheap(KeyFile *f)
{
	f->opslimit = crypto_pwhash_argon2id_OPSLIMIT_MIN;
}

static void too_small(KeyFile *f)
{
	f->memlimit = crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE - 1;
}

static void too_dear(KeyFile *f)
{
	f->opslimit = UINT64_MAX;
}

static void too_large(KeyFile *f)
{
	f->memlimit = (uint64_t)1 << 40;
}

static void other_version(KeyFile *f)
{
	f->version = 2;
}

static void the_header_is_bound_to_the_box(void **state)
{
	static void (*const altered[])(KeyFile *) = {
		other_principal, other_key_id, other_salt, other_box, cheaper};
	static void (*const unsound[])(KeyFile *) = {
		too_cheap, too_small, too_dear, too_large, other_version};
	struct place *p = *state;
	struct slice passphrase = slice_str("correct horse");
	struct buf b = {0};

	assert_int_equal(keyring_save(p->keys, p->path, passphrase), OK);
	assert_int_equal(file_read(p->path, 65536, &b), OK);
	for (size_t i = 0; i < sizeof(altered) / sizeof(altered[0]); i++)
		assert_int_equal(
			load_changed(p, altered[i], slice_buf(&b), passphrase), ERR_PASSPHRASE);
	for (size_t i = 0; i < sizeof(unsound) / sizeof(unsound[0]); i++)
		assert_int_equal(
			load_changed(p, unsound[i], slice_buf(&b), passphrase), ERR_CORRUPT);
	buf_free(&b);
}

static void memory_that_is_not_locked_is_refused(void **state)
{
	struct unlockable u;
	struct keyring *k = NULL;
	enum err e;

	(void)state;
	unlockable_begin(&u);
	e = keyring_create("partner-a", &k);
	unlockable_end(&u);
	assert_int_equal(e, ERR_NOMEM);
	assert_null(k);
}

static void a_request_proves_possession(void **state)
{
	struct place *p = *state;
	ProtobufCMessage *m = NULL;
	struct buf b = {0};
	KeyRequest *r;

	assert_int_equal(keyring_request(p->keys, "CW-07", "laptop-1", NOW, &b), OK);
	assert_int_equal(strict_unpack(&key_request__descriptor, slice_buf(&b), &m), OK);
	r = (KeyRequest *)m;
	assert_string_equal(r->principal, "partner-a");
	assert_string_equal(r->key->holder, "CW-07");
	assert_string_equal(r->key->device, "laptop-1");
	assert_true(r->key->not_before == NOW);
	assert_int_equal(r->key->n_box_keys, 1);
	assert_int_equal(registry_check_request(r), OK);

	r->principal[8] = 'b';
	assert_int_equal(registry_check_request(r), ERR_BAD_SIGNATURE);
	r->principal[8] = 'a';
	r->key->transport_key.data[3] ^= 1;
	assert_int_equal(registry_check_request(r), ERR_BAD_SIGNATURE);
	r->key->transport_key.data[3] ^= 1;
	r->key->not_after = NOW + 1;
	assert_int_equal(registry_check_request(r), ERR_BAD_SIGNATURE);
	r->key->not_after = 0;
	r->key->sign_key.data[0] ^= 1;
	assert_int_equal(registry_check_request(r), ERR_CORRUPT);
	protobuf_c_message_free_unpacked(m, NULL);
	buf_free(&b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_secret_is_its_own),
		TEST(bad_names_get_no_keys),
		TEST(a_file_without_passphrase_comes_back),
		TEST(a_passphrase_is_needed_and_must_be_right),
		TEST(a_file_that_others_can_read_is_refused),
		TEST(damage_anywhere_is_found),
		TEST(the_header_is_bound_to_the_box),
		TEST(memory_that_is_not_locked_is_refused),
		TEST(a_request_proves_possession),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
