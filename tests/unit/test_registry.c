/* Goal: a registry counts only when enough roots signed it, it is new and it is sound; and it says
 * who may do what at what time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include <sodium.h>

#include "proto/strict.h"
#include "services/common/base/file.h"
#include "services/common/keys/keyring.h"
#include "services/common/trust/registry.h"
#include "services/common/trust/registry_check.h"

#define NOW   INT64_C(1772366400000)
#define DAY   INT64_C(86400000)
#define ROOTS 3

/* Invented: two organizations, an officer, a service. */
enum { PARTNER, OTHER, OFFICER_1, INTAKE_1, PEOPLE };
static const char *const names[PEOPLE] = {"partner-a", "partner-b", "officer-1", "intake"};
static const Role role_of[PEOPLE] = {ROLE__REFERRER, ROLE__REFERRER, ROLE__OFFICER, ROLE__INTAKE};

struct world {
	uint8_t seeds[ROOTS][32], roots[ROOTS][32];
	struct keyring *keys[PEOPLE];
	KeyRequest *requests[PEOPLE];
	Registry message;
	Principal people[PEOPLE], *refs[PEOPLE];
	Key *key_refs[PEOPLE];
	Role roles[PEOPLE];
	ProtobufCBinaryData root_refs[ROOTS];
	uint32_t suites[1];
};

static void add_person(struct world *w, int i)
{
	ProtobufCMessage *m = NULL;
	struct buf b = {0};

	assert_int_equal(keyring_create(names[i], &w->keys[i]), OK);
	assert_int_equal(keyring_request(w->keys[i], "", "", NOW - DAY, &b), OK);
	assert_int_equal(strict_unpack(&key_request__descriptor, slice_buf(&b), &m), OK);
	buf_free(&b);
	w->requests[i] = (KeyRequest *)m;
	principal__init(&w->people[i]);
	w->people[i].name = (char *)names[i];
	w->roles[i] = role_of[i];
	w->people[i].roles = &w->roles[i];
	w->people[i].n_roles = 1;
	w->people[i].not_before = NOW - 10 * DAY;
	w->key_refs[i] = w->requests[i]->key;
	w->people[i].keys = &w->key_refs[i];
	w->people[i].n_keys = 1;
	w->refs[i] = &w->people[i];
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	assert_true(sodium_init() >= 0);
	for (int i = 0; i < ROOTS; i++) {
		uint8_t sk[64];

		randombytes_buf(w->seeds[i], 32);
		crypto_sign_seed_keypair(w->roots[i], sk, w->seeds[i]);
		w->root_refs[i] = (ProtobufCBinaryData){32, w->roots[i]};
	}
	registry__init(&w->message);
	w->message.version = 7;
	w->message.issued_at = NOW - DAY;
	w->message.expires_at = NOW + 365 * DAY;
	w->message.threshold = 2;
	w->message.n_root_keys = ROOTS;
	w->message.root_keys = w->root_refs;
	w->suites[0] = 1;
	w->message.suites = w->suites;
	w->message.n_suites = 1;
	for (int i = 0; i < PEOPLE; i++)
		add_person(w, i);
	w->message.principals = w->refs;
	w->message.n_principals = PEOPLE;
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < PEOPLE; i++) {
		keyring_free(&w->keys[i]);
		key_request__free_unpacked(w->requests[i], NULL);
	}
	free(w);
	return 0;
}

/* Signed by these roots, in this order. */
static struct buf sign(struct world *w, const int *who, size_t n)
{
	SignedRegistry s = SIGNED_REGISTRY__INIT;
	RootSignature sigs[4], *refs[4];
	uint8_t bytes[4][SIG_LEN];
	struct buf registry = {0}, out = {0};

	assert_int_equal(strict_pack(&w->message.base, &registry), OK);
	for (size_t i = 0; i < n; i++) {
		root_signature__init(&sigs[i]);
		assert_int_equal(
			registry_sign_bytes(slice_buf(&registry), w->seeds[who[i]], bytes[i]), OK);
		sigs[i].root_key = (ProtobufCBinaryData){32, w->roots[who[i]]};
		sigs[i].signature = (ProtobufCBinaryData){SIG_LEN, bytes[i]};
		refs[i] = &sigs[i];
	}
	s.registry = (ProtobufCBinaryData){registry.len, registry.data};
	s.signatures = refs;
	s.n_signatures = n;
	assert_int_equal(strict_pack(&s.base, &out), OK);
	buf_free(&registry);
	return out;
}

static enum err load_at(struct world *w, struct slice bytes, uint64_t seen, int64_t now)
{
	struct registry *r = NULL;
	enum err e =
		registry_from_bytes(bytes, (const uint8_t(*)[32])w->roots, ROOTS, 2, seen, now, &r);

	assert_true((e == OK) == (r != NULL));
	registry_free(&r);
	assert_null(r);
	return e;
}

static enum err load_signed(struct world *w, const int *who, size_t n)
{
	struct buf b = sign(w, who, n);
	enum err e = load_at(w, slice_buf(&b), 0, NOW);

	buf_free(&b);
	return e;
}

static void enough_different_roots_must_sign(void **state)
{
	struct world *w = *state;

	assert_int_equal(load_signed(w, (int[]){0, 1}, 2), OK);
	assert_int_equal(load_signed(w, (int[]){2, 0}, 2), OK);
	assert_int_equal(load_signed(w, (int[]){0, 1, 2}, 3), OK);
	assert_int_equal(load_signed(w, NULL, 0), ERR_BAD_SIGNATURE);
	assert_int_equal(load_signed(w, (int[]){1}, 1), ERR_BAD_SIGNATURE);
	assert_int_equal(load_signed(w, (int[]){1, 1, 1}, 3), ERR_BAD_SIGNATURE);
}

/* What the reader's root file asks for counts, whatever the registry says of itself. */
static void the_registry_does_not_lower_the_threshold(void **state)
{
	struct world *w = *state;

	w->message.threshold = 1;
	assert_int_equal(load_signed(w, (int[]){1}, 1), ERR_BAD_SIGNATURE);
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
		ERR_BAD_SIGNATURE);
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
		ERR_BAD_SIGNATURE);
	buf_free(&b);
	b = sign(w, (int[]){0, 2}, 2);
	assert_int_equal(registry_from_bytes(slice_buf(&b), (const uint8_t(*)[32])w->roots[1], 1, 1,
				 0, NOW, &r),
		ERR_BAD_SIGNATURE);
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

static enum err from_message(struct world *w)
{
	struct registry *r = NULL;
	enum err e = registry_from_message(&w->message, &r);

	registry_free(&r);
	return e;
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

static enum err key_at(struct world *w, int person, int whose_key, int64_t at)
{
	struct registry *r = NULL;
	const Key *k = NULL;
	enum err e;

	assert_int_equal(registry_from_message(&w->message, &r), OK);
	e = registry_key(r, names[person], keyring_key_id(w->keys[whose_key]), at, &k);
	assert_true((e == OK) == (k != NULL));
	if (k)
		assert_memory_equal(
			k->sign_key.data, keyring_sign_pk(w->keys[whose_key]), SIGN_PK_LEN);
	registry_free(&r);
	return e;
}

static void keys_are_good_in_their_time_only(void **state)
{
	struct world *w = *state;
	Key *k = w->key_refs[PARTNER];

	assert_int_equal(key_at(w, PARTNER, PARTNER, NOW), OK);
	assert_int_equal(key_at(w, PARTNER, OTHER, NOW), ERR_UNKNOWN_KEY);
	assert_int_equal(key_at(w, PARTNER, PARTNER, k->not_before), OK);
	assert_int_equal(key_at(w, PARTNER, PARTNER, k->not_before - 1), ERR_UNKNOWN_KEY);
	k->not_after = NOW + DAY;
	assert_int_equal(key_at(w, PARTNER, PARTNER, NOW + DAY - 1), OK);
	assert_int_equal(key_at(w, PARTNER, PARTNER, NOW + DAY), ERR_UNKNOWN_KEY);
	k->retired = true;
	assert_int_equal(key_at(w, PARTNER, PARTNER, NOW), OK); /* what it sent before */
	k->not_after = 0;
	assert_int_equal(key_at(w, PARTNER, PARTNER, NOW), ERR_UNKNOWN_KEY);
	k->retired = false;

	w->people[PARTNER].not_after = NOW + DAY;
	assert_int_equal(key_at(w, PARTNER, PARTNER, NOW + DAY - 1), OK);
	assert_int_equal(key_at(w, PARTNER, PARTNER, NOW + DAY), ERR_UNKNOWN_SENDER);
	w->people[PARTNER].suspended = true;
	assert_int_equal(key_at(w, PARTNER, PARTNER, NOW), ERR_SUSPENDED);
	assert_int_equal(key_at(w, OTHER, OTHER, NOW), OK);
}

static enum err connect_as(struct world *w, int i, int64_t at)
{
	struct registry *r = NULL;
	const Principal *p = NULL;
	const Key *k = NULL;
	enum err e;

	assert_int_equal(registry_from_message(&w->message, &r), OK);
	e = registry_by_transport(r, keyring_transport_pk(w->keys[i]), at, &p, &k);
	if (e == OK) {
		assert_string_equal(p->name, names[i]);
		assert_memory_equal(k->id.data, keyring_key_id(w->keys[i]), KEY_ID_LEN);
	}
	registry_free(&r);
	return e;
}

static void a_connection_has_one_owner(void **state)
{
	struct world *w = *state;
	const Principal *p = NULL;
	struct registry *r = NULL;
	const Key *k = NULL;

	for (int i = 0; i < PEOPLE; i++)
		assert_int_equal(connect_as(w, i, NOW), OK);
	assert_int_equal(registry_from_message(&w->message, &r), OK);
	assert_int_equal(registry_by_transport(r, w->roots[0], NOW, &p, &k), ERR_UNKNOWN_KEY);
	registry_free(&r);
	w->key_refs[OTHER]->retired = true;
	w->key_refs[OTHER]->not_after = NOW + DAY;
	assert_int_equal(connect_as(w, OTHER, NOW), ERR_UNKNOWN_KEY);
	w->people[PARTNER].suspended = true;
	assert_int_equal(connect_as(w, PARTNER, NOW), ERR_SUSPENDED);
	w->people[PARTNER].suspended = false;
	w->people[PARTNER].not_after = NOW;
	assert_int_equal(connect_as(w, PARTNER, NOW), ERR_UNKNOWN_SENDER);
}

/* partner-a gets partner-b's device as a second one of its own. */
static void merge_devices(struct world *w, Key *both[2])
{
	both[0] = w->key_refs[PARTNER];
	both[1] = w->key_refs[OTHER];
	w->people[PARTNER].keys = both;
	w->people[PARTNER].n_keys = 2;
	w->people[OTHER].n_keys = 0;
}

static void content_is_sealed_to_every_device(void **state)
{
	struct world *w = *state;
	struct reader readers[READERS_MOST];
	struct registry *r = NULL;
	uint32_t epoch = 0;
	Key *both[2];
	size_t n = 0;

	merge_devices(w, both);
	assert_int_equal(registry_from_message(&w->message, &r), OK);
	assert_int_equal(registry_readers(r, "partner-a", NOW, readers, &n, &epoch), OK);
	assert_int_equal(n, 2);
	assert_int_equal(epoch, 1);
	for (int i = 0; i < 2; i++) {
		assert_memory_equal(readers[i].key_id, both[i]->id.data, KEY_ID_LEN);
		assert_memory_equal(
			readers[i].box_pk, both[i]->box_keys[0]->box_key.data, BOX_PK_LEN);
	}
	assert_int_equal(
		registry_readers(r, "partner-b", NOW, readers, &n, &epoch), ERR_UNKNOWN_RECIPIENT);
	assert_int_equal(
		registry_readers(r, "nobody", NOW, readers, &n, &epoch), ERR_UNKNOWN_RECIPIENT);
	registry_free(&r);

	both[0]->retired = true;
	assert_int_equal(registry_from_message(&w->message, &r), OK);
	assert_int_equal(registry_readers(r, "partner-a", NOW, readers, &n, &epoch), OK);
	assert_int_equal(n, 1);
	assert_memory_equal(readers[0].key_id, both[1]->id.data, KEY_ID_LEN);
	registry_free(&r);
}

static void the_epoch_is_the_newest_that_all_have(void **state)
{
	struct world *w = *state;
	struct reader readers[READERS_MOST];
	struct registry *r = NULL;
	BoxKey newer = BOX_KEY__INIT, *two[2], **one;
	uint32_t epoch = 0;
	Key *both[2];
	size_t n = 0;

	merge_devices(w, both);
	one = both[0]->box_keys;
	newer.epoch = 2;
	newer.box_key = (ProtobufCBinaryData){32, w->roots[0]};
	two[0] = one[0];
	two[1] = &newer;
	both[0]->box_keys = two;
	both[0]->n_box_keys = 2;
	assert_int_equal(registry_from_message(&w->message, &r), OK);
	assert_int_equal(registry_readers(r, "partner-a", NOW, readers, &n, &epoch), OK);
	assert_int_equal(epoch, 1);
	registry_free(&r);
	w->people[PARTNER].n_keys = 1;
	assert_int_equal(registry_from_message(&w->message, &r), OK);
	assert_int_equal(registry_readers(r, "partner-a", NOW, readers, &n, &epoch), OK);
	assert_int_equal(epoch, 2);
	assert_memory_equal(readers[0].box_pk, w->roots[0], 32);
	registry_free(&r);
	both[0]->box_keys = one;
	both[0]->n_box_keys = 1;
}

static enum err permits(struct world *w, const char *kind, const char *from, const char *to)
{
	struct registry *r = NULL;
	enum err e;

	assert_int_equal(registry_from_message(&w->message, &r), OK);
	e = registry_permits(r, catalogue_find_name(kind), from, to, NOW);
	registry_free(&r);
	return e;
}

static void a_row_is_the_whole_permission(void **state)
{
	struct world *w = *state;

	assert_int_equal(permits(w, "SUBMIT_REFERRAL", "partner-a", "intake"), OK);
	assert_int_equal(
		permits(w, "SUBMIT_REFERRAL", "partner-a", "officer-1"), ERR_NOT_PERMITTED);
	assert_int_equal(permits(w, "SUBMIT_REFERRAL", "officer-1", "intake"), ERR_NOT_PERMITTED);
	assert_int_equal(permits(w, "SUBMIT_REFERRAL", "nobody", "intake"), ERR_UNKNOWN_SENDER);
	assert_int_equal(
		permits(w, "SUBMIT_REFERRAL", "partner-a", "nobody"), ERR_UNKNOWN_RECIPIENT);
	assert_int_equal(permits(w, "OPEN_IDENTITY", "officer-1", "intake"), OK);
	w->people[INTAKE_1].not_before = NOW + 1;
	assert_int_equal(
		permits(w, "SUBMIT_REFERRAL", "partner-a", "intake"), ERR_UNKNOWN_RECIPIENT);
	w->people[INTAKE_1].not_before = 0;
	w->people[PARTNER].suspended = true;
	assert_int_equal(permits(w, "SUBMIT_REFERRAL", "partner-a", "intake"), ERR_SUSPENDED);
	w->people[OFFICER_1].not_after = NOW;
	assert_int_equal(permits(w, "OPEN_IDENTITY", "officer-1", "intake"), ERR_UNKNOWN_SENDER);
}

static void principals_are_found_by_role(void **state)
{
	role_set referrers = ROLE_BIT(ROLE__REFERRER);
	struct world *w = *state;
	struct registry *r = NULL;

	assert_int_equal(registry_from_message(&w->message, &r), OK);
	assert_string_equal(registry_with_roles(r, referrers, NOW, 0)->name, "partner-a");
	assert_string_equal(registry_with_roles(r, referrers, NOW, 1)->name, "partner-b");
	assert_null(registry_with_roles(r, referrers, NOW, 2));
	assert_null(registry_with_roles(r, ROLE_BIT(ROLE__NOTIFY), NOW, 0));
	assert_string_equal(
		registry_with_roles(r, referrers | ROLE_BIT(ROLE__INTAKE), NOW, 0)->name, "intake");
	for (int i = 0; i < PEOPLE; i++)
		assert_string_equal(registry_find(r, names[i])->name, names[i]);
	assert_null(registry_find(r, "partner-"));
	assert_true(registry_allows_suite(r, 1));
	assert_false(registry_allows_suite(r, 2));
	registry_free(&r);
	w->people[PARTNER].suspended = true;
	assert_int_equal(registry_from_message(&w->message, &r), OK);
	assert_string_equal(registry_with_roles(r, referrers, NOW, 0)->name, "partner-b");
	registry_free(&r);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

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
		TEST(keys_are_good_in_their_time_only),
		TEST(a_connection_has_one_owner),
		TEST(content_is_sealed_to_every_device),
		TEST(the_epoch_is_the_newest_that_all_have),
		TEST(a_row_is_the_whole_permission),
		TEST(principals_are_found_by_role),
		TEST(files_are_loaded_and_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
