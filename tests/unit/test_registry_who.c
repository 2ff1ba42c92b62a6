/* Goal: the registry says who may do what, with which key, at what time. */
#include "tests/unit/registry_rig.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keys_are_good_in_their_time_only),
		TEST(a_connection_has_one_owner),
		TEST(content_is_sealed_to_every_device),
		TEST(the_epoch_is_the_newest_that_all_have),
		TEST(a_row_is_the_whole_permission),
		TEST(principals_are_found_by_role),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
