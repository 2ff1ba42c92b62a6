/* Goal: keys end and others begin: a key file has several, the registry says which is used, what
 * was destroyed opens nothing, and parts of the recovery key work together only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>
#include <sodium.h>

#include "proto/case.pb-c.h"
#include "proto/strict.h"
#include "services/common/keys/escrow.h"
#include "services/common/base/file.h"
#include "services/common/keys/keyring.h"
#include "tests/unit/fixture.h"
#include "tests/unit/unlockable.h"

static const struct slice NO_PHRASE = {0};

static struct keyring *made(const char *name)
{
	struct keyring *k = NULL;

	assert_int_equal(keyring_create(name, &k), OK);
	return k;
}

static struct keyring *rotated(struct keyring **k)
{
	struct keyring *next = NULL;

	assert_int_equal(keyring_rotate(*k, &next), OK);
	keyring_free(k);
	return next;
}

/* --- epochs --- */

static void an_epoch_is_added_and_the_old_ones_stay(void **state)
{
	struct keyring *k = made("intake"), *next = NULL;

	(void)state;
	assert_int_equal(keyring_rotate(k, &next), OK);
	assert_int_equal(keyring_newest_epoch(next, keyring_key_id(next)), 2);
	assert_memory_equal(keyring_key_id(k), keyring_key_id(next), KEY_ID_LEN);
	assert_memory_equal(keyring_box_secret(k, 1), keyring_box_secret(next, 1), BOX_SK_LEN);
	assert_memory_not_equal(
		keyring_box_secret(next, 1), keyring_box_secret(next, 2), BOX_SK_LEN);
	assert_memory_equal(keyring_store_key(k), keyring_store_key(next), 32);
	assert_null(keyring_box_secret(k, 2));
	keyring_free(&k);
	keyring_free(&next);
}

static void there_is_an_end_to_epochs_and_keys(void **state)
{
	struct keyring *k = made("intake"), *next = NULL;

	(void)state;
	for (int i = 1; i < 64; i++)
		k = rotated(&k);
	assert_int_equal(keyring_rotate(k, &next), ERR_FULL);
	for (int i = 1; i < 8; i++) {
		assert_int_equal(keyring_add_key(k, 64, &next), OK);
		keyring_free(&k);
		k = next;
		next = NULL;
	}
	assert_int_equal(keyring_add_key(k, 64, &next), ERR_FULL);
	assert_null(next);
	keyring_free(&k);
}

static bool keep_from(void *arg, const uint8_t key_id[KEY_ID_LEN], uint32_t epoch)
{
	(void)key_id;
	return epoch >= *(uint32_t *)arg;
}

static Outcome *outcome(void)
{
	static Outcome o;

	outcome__init(&o);
	o.case_number = "HV-1";
	o.partner = "partner-a";
	return &o;
}

/* A message to intake, sealed to this keyring's epoch. */
static struct buf sealed_to(struct fixture *f, const struct keyring *k, uint32_t epoch)
{
	struct reader reader;
	struct envelope_spec spec = {
		.kind = KIND_REPORT_OUTCOME, .readers = &reader, .n_readers = 1, .epoch = epoch};

	memcpy(reader.key_id, keyring_key_id(k), KEY_ID_LEN);
	crypto_scalarmult_base(reader.box_pk, keyring_box_secret(k, epoch));
	return fixture_envelope_of(f, "urgent", "notify", &spec, &outcome()->base);
}

/* What an old disk holds, with the key file of today. */
static enum err open_with(const struct buf *envelope, const struct keyring *k)
{
	enum err e = ERR_NOT_FOR_ME;
	ProtobufCMessage *m = NULL;
	struct envelope env;
	const uint8_t *id;

	assert_int_equal(envelope_parse(slice_buf(envelope), &env), OK);
	for (size_t i = 0; e != OK && (id = keyring_id_at(k, i)); i++)
		for (uint32_t epoch = 0; e != OK && epoch < 70; epoch++) {
			const uint8_t *secret = keyring_box_secret_of(k, id, epoch);

			if (secret)
				e = envelope_open(&env, id, secret, &m);
		}
	envelope_free(&env);
	if (m)
		protobuf_c_message_free_unpacked(m, NULL);
	return e;
}

static void what_was_destroyed_opens_nothing(void **state)
{
	struct fixture *f = fixture_make();
	struct keyring *k = made("notify"), *less = NULL, *loaded = NULL;
	uint32_t from_two = 2, nothing = 9;
	struct buf old, new, file = {0};
	char path[] = "/tmp/havre-years-XXXXXX";
	int fd = mkstemp(path);
	uint8_t secret[BOX_SK_LEN];

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	k = rotated(&k);
	memcpy(secret, keyring_box_secret(k, 1), sizeof(secret));
	old = sealed_to(f, k, 1);
	new = sealed_to(f, k, 2);
	assert_int_equal(keyring_replace(k, path, NO_PHRASE), OK);
	assert_int_equal(keyring_without(k, keep_from, &from_two, &less), OK);
	assert_int_equal(keyring_replace(less, path, NO_PHRASE), OK);
	assert_int_equal(keyring_load(path, NO_PHRASE, &loaded), OK);
	assert_int_equal(open_with(&old, k), OK);
	assert_int_equal(open_with(&old, loaded), ERR_NOT_FOR_ME);
	assert_int_equal(open_with(&new, loaded), OK);
	assert_int_equal(file_read(path, 65536, &file), OK);
	assert_null(memmem(file.data, file.len, secret, sizeof(secret)));
	keyring_free(&less);
	assert_int_equal(keyring_without(k, keep_from, &nothing, &less), ERR_INVALID);
	assert_null(less);
	buf_free(&old);
	buf_free(&new);
	buf_free(&file);
	unlink(path);
	keyring_free(&loaded);
	keyring_free(&k);
	fixture_free(&f);
}

static void the_file_that_was_replaced_is_overwritten(void **state)
{
	struct keyring *k = made("intake");
	char folder[] = "/tmp/havre-years-XXXXXX", path[64], other[64];
	struct buf b = {0};

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/key", folder);
	snprintf(other, sizeof(other), "%s/other", folder);
	assert_int_equal(keyring_save(k, path, NO_PHRASE), OK);
	assert_int_equal(link(path, other), 0); /* the same bytes on the disk */
	k = rotated(&k);
	assert_int_equal(keyring_replace(k, path, NO_PHRASE), OK);
	assert_int_equal(file_read(other, 65536, &b), OK);
	assert_true(b.len > 100);
	for (size_t i = 0; i < b.len; i++)
		assert_int_equal(b.data[i], 0);
	buf_free(&b);
	unlink(path);
	unlink(other);
	assert_int_equal(rmdir(folder), 0);
	keyring_free(&k);
}

/* The disk takes a few bytes and no more: the file is what it was. */
static void a_full_disk_leaves_the_old_keys(void **state)
{
	struct keyring *k = made("intake"), *next = NULL, *now = NULL;
	char folder[] = "/tmp/havre-years-XXXXXX", path[64];
	struct rlimit before, small;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/key", folder);
	assert_int_equal(keyring_save(k, path, NO_PHRASE), OK);
	assert_int_equal(keyring_rotate(k, &next), OK);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(keyring_replace(next, path, NO_PHRASE), ERR_IO);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(keyring_load(path, NO_PHRASE, &now), OK);
	assert_non_null(keyring_box_secret(now, 1));
	assert_null(keyring_box_secret(now, 2));
	unlink(path);
	assert_int_equal(rmdir(folder), 0); /* nothing half written is left */
	keyring_free(&k);
	keyring_free(&next);
	keyring_free(&now);
}

/* --- several keys --- */

/* The newest key takes the place of the only one that the registry has of the principal. */
static Key *announce(struct fixture *f, const struct keyring *k)
{
	Principal *p = fixture_principal(f, "intake");
	ProtobufCMessage *m = NULL;
	KeyRequest *request;
	struct buf b = {0};

	assert_int_equal(keyring_request(k, "", "", FIXTURE_NOW - 1, &b), OK);
	assert_int_equal(strict_unpack(&key_request__descriptor, slice_buf(&b), &m), OK);
	request = (KeyRequest *)m;
	key__free_unpacked(p->keys[0], NULL);
	p->keys[0] = request->key;
	request->key = NULL;
	protobuf_c_message_free_unpacked(m, NULL);
	buf_free(&b);
	fixture_rebuild(f);
	return p->keys[0];
}

static void the_registry_says_which_key_is_used(void **state)
{
	struct fixture *f = fixture_make();
	struct keyring *k = made("intake"), *both = NULL;
	uint8_t first[KEY_ID_LEN], second[KEY_ID_LEN];

	(void)state;
	assert_int_equal(keyring_add_key(k, 1, &both), OK);
	memcpy(second, keyring_id_at(both, 0), KEY_ID_LEN);
	memcpy(first, keyring_id_at(both, 1), KEY_ID_LEN);
	assert_memory_equal(first, keyring_key_id(k), KEY_ID_LEN);
	assert_memory_equal(keyring_key_id(both), second, KEY_ID_LEN);
	/* it has neither: the older is what others may know */
	assert_true(keyring_choose(both, fixture_registry(f), FIXTURE_NOW));
	assert_memory_equal(keyring_key_id(both), first, KEY_ID_LEN);
	assert_memory_equal(keyring_sign_pk(both), keyring_sign_pk(k), SIGN_PK_LEN);
	assert_false(keyring_choose(both, fixture_registry(f), FIXTURE_NOW));
	keyring_free(&both);
	keyring_free(&k);
	fixture_free(&f);
}

static void a_retired_key_is_not_used(void **state)
{
	struct fixture *f = fixture_make();
	const struct keyring *old = fixture_keys(f, "intake");
	struct keyring *both = NULL;
	uint8_t first[KEY_ID_LEN];
	Key *known;

	(void)state;
	assert_int_equal(keyring_add_key(old, 1, &both), OK);
	memcpy(first, keyring_key_id(old), KEY_ID_LEN);
	keyring_choose(both, fixture_registry(f), FIXTURE_NOW);
	assert_memory_equal(keyring_key_id(both), first, KEY_ID_LEN);
	known = announce(f, both);
	assert_true(keyring_choose(both, fixture_registry(f), FIXTURE_NOW));
	assert_memory_equal(keyring_key_id(both), keyring_id_at(both, 0), KEY_ID_LEN);
	known->retired = true;
	known->not_after = FIXTURE_NOW - 1;
	fixture_rebuild(f);
	assert_true(keyring_choose(both, fixture_registry(f), FIXTURE_NOW));
	assert_memory_equal(keyring_key_id(both), first, KEY_ID_LEN);
	keyring_free(&both);
	fixture_free(&f);
}

static void a_key_file_is_read_again_in_its_place(void **state)
{
	struct keyring *k = made("intake"), *next = NULL, *other = made("intake");
	char folder[] = "/tmp/havre-years-XXXXXX", path[64];
	const uint8_t *address = keyring_sign_seed(k);

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/key", folder);
	assert_int_equal(keyring_rotate(k, &next), OK);
	assert_int_equal(keyring_save(next, path, NO_PHRASE), OK);
	assert_int_equal(keyring_reload(k, path, true), OK);
	assert_non_null(keyring_box_secret(k, 2));
	assert_ptr_equal(keyring_sign_seed(k), address);
	keyring_free(&next);
	/* another store's: nothing changes */
	assert_int_equal(keyring_replace(other, path, NO_PHRASE), OK);
	assert_int_equal(keyring_reload(k, path, false), ERR_INVALID);
	assert_non_null(keyring_box_secret(k, 2));
	unlink(path);
	assert_int_equal(keyring_reload(k, path, false), ERR_NOT_FOUND);
	rmdir(folder);
	keyring_free(&k);
	keyring_free(&other);
}

/* --- escrow --- */

#define SHARES    5
#define THRESHOLD 3

static void parts_work_together_only(void **state)
{
	uint8_t parts[SHARES][RECOVERY_KEY_LEN], key[RECOVERY_KEY_LEN], secret[RECOVERY_KEY_LEN];
	uint8_t pk[RECOVERY_KEY_LEN], untouched[RECOVERY_KEY_LEN] = {7};
	Share shares[SHARES];

	(void)state;
	assert_int_equal(escrow_split(SHARES, THRESHOLD, shares, parts, key), OK);
	for (unsigned chosen = 0; chosen < 1u << SHARES; chosen++) {
		const Share *some[2 * SHARES];
		size_t n = 0;
		enum err e;

		for (unsigned i = 0; i < SHARES; i++)
			if (chosen & 1u << i)
				some[n++] = &shares[i];
		memcpy(secret, untouched, sizeof(secret));
		if (!n)
			continue;
		e = escrow_join(some, n, secret);
		if (n < THRESHOLD) {
			assert_int_equal(e, ERR_NOT_PERMITTED);
			assert_memory_equal(secret, untouched, sizeof(secret));
			continue;
		}
		assert_int_equal(e, OK);
		crypto_scalarmult_base(pk, secret);
		assert_memory_equal(pk, key, sizeof(key));
	}
}

static void without_locked_memory_there_is_no_recovery_key(void **state)
{
	uint8_t parts[2][RECOVERY_KEY_LEN], key[RECOVERY_KEY_LEN], secret[RECOVERY_KEY_LEN];
	struct unlockable u;
	const Share *both[2];
	enum err split, join;
	Share shares[2];

	(void)state;
	assert_int_equal(escrow_split(2, 2, shares, parts, key), OK);
	both[0] = &shares[0];
	both[1] = &shares[1];
	unlockable_begin(&u);
	join = escrow_join(both, 2, secret);
	split = escrow_split(2, 2, shares, parts, key);
	unlockable_end(&u);
	assert_int_equal(split, ERR_NOMEM);
	assert_int_equal(join, ERR_NOMEM);
}

static void a_wrong_part_is_found(void **state)
{
	uint8_t parts[2][2][RECOVERY_KEY_LEN], key[2][RECOVERY_KEY_LEN], secret[RECOVERY_KEY_LEN];
	const Share *mixed[2], *twice[2];
	Share a[2], b[2];

	(void)state;
	assert_int_equal(escrow_split(2, 2, a, parts[0], key[0]), OK);
	assert_int_equal(escrow_split(2, 2, b, parts[1], key[1]), OK);
	mixed[0] = &a[0];
	mixed[1] = &b[1];
	assert_int_equal(escrow_join(mixed, 2, secret), ERR_INVALID);
	twice[0] = twice[1] = &a[0];
	assert_int_equal(escrow_join(twice, 2, secret), ERR_NOT_PERMITTED);
	mixed[1] = &a[1];
	assert_int_equal(escrow_join(mixed, 2, secret), OK);
	parts[0][1][5] ^= 1;
	assert_int_equal(escrow_join(mixed, 2, secret), ERR_CORRUPT);
	parts[0][1][5] ^= 1;
	a[1].threshold = 1; /* a custodian cannot lower it alone: the key is not right then */
	mixed[0] = &a[1];
	assert_int_equal(escrow_join(mixed, 1, secret), ERR_CORRUPT);
	assert_int_equal(escrow_split(2, 1, a, parts[0], key[0]), ERR_INVALID);
	assert_int_equal(escrow_split(17, 2, a, parts[0], key[0]), ERR_INVALID);
}

static void a_copy_opens_with_the_recovery_key_only(void **state)
{
	uint8_t parts[2][RECOVERY_KEY_LEN], key[RECOVERY_KEY_LEN], secret[RECOVERY_KEY_LEN];
	uint8_t store_key[32] = {1}, *plain = NULL;
	struct slice text = slice_str("what only custodians open");
	const Share *both[2];
	struct buf b = {0};
	EscrowFile *f = NULL;
	Share shares[2];
	size_t len = 0;

	(void)state;
	assert_int_equal(escrow_split(2, 2, shares, parts, key), OK);
	both[0] = &shares[0];
	both[1] = &shares[1];
	assert_int_equal(escrow_join(both, 2, secret), OK);
	assert_int_equal(escrow_seal("intake", "000001", text, key, store_key, &b), OK);
	assert_null(memmem(b.data, b.len, text.data, text.len));
	assert_true(escrow_is_of(slice_buf(&b), "intake", "000001", text, key, store_key));
	assert_false(escrow_is_of(
		slice_buf(&b), "intake", "000001", slice_str("later"), key, store_key));
	assert_int_equal(escrow_unpack(slice_buf(&b), &f), OK);
	assert_int_equal(escrow_open(f, secret, &plain, &len), OK);
	assert_int_equal(len, text.len);
	assert_memory_equal(plain, text.data, len);
	sodium_free(plain);
	secret[0] ^= 8;
	assert_int_equal(escrow_open(f, secret, &plain, &len), ERR_BAD_SIGNATURE);
	secret[0] ^= 8;
	f->box.data[40] ^= 1;
	assert_int_equal(escrow_open(f, secret, &plain, &len), ERR_CORRUPT);
	escrow_file__free_unpacked(f, NULL);
	buf_free(&b);
}

/* What was sealed to a lost key opens; nothing is signed with it. */
static void a_lost_machine_reads_again(void **state)
{
	struct fixture *f = fixture_make();
	struct keyring *k = made("notify"), *again = NULL;
	uint8_t *packed = NULL;
	size_t len = 0;
	struct buf old;

	(void)state;
	k = rotated(&k);
	old = sealed_to(f, k, 1);
	assert_int_equal(keyring_pack_readers(k, &packed, &len), OK);
	assert_null(memmem(packed, len, keyring_sign_seed(k), SIGN_SEED_LEN));
	assert_null(memmem(packed, len, keyring_transport_secret(k), 32));
	assert_int_equal(keyring_recover("notify", slice_of(packed, len), 2, &again), OK);
	assert_memory_equal(keyring_store_key(k), keyring_store_key(again), 32);
	assert_memory_equal(keyring_step_key(k), keyring_step_key(again), 32);
	assert_memory_not_equal(keyring_key_id(k), keyring_key_id(again), KEY_ID_LEN);
	assert_int_equal(open_with(&old, again), OK);
	sodium_free(packed);
	buf_free(&old);
	keyring_free(&k);
	keyring_free(&again);
	fixture_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_epoch_is_added_and_the_old_ones_stay),
		cmocka_unit_test(there_is_an_end_to_epochs_and_keys),
		cmocka_unit_test(what_was_destroyed_opens_nothing),
		cmocka_unit_test(the_file_that_was_replaced_is_overwritten),
		cmocka_unit_test(a_full_disk_leaves_the_old_keys),
		cmocka_unit_test(the_registry_says_which_key_is_used),
		cmocka_unit_test(a_retired_key_is_not_used),
		cmocka_unit_test(a_key_file_is_read_again_in_its_place),
		cmocka_unit_test(parts_work_together_only),
		cmocka_unit_test(without_locked_memory_there_is_no_recovery_key),
		cmocka_unit_test(a_wrong_part_is_found),
		cmocka_unit_test(a_copy_opens_with_the_recovery_key_only),
		cmocka_unit_test(a_lost_machine_reads_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
