/* Goal: a new registry goes to everybody, once for each epoch of the log, and with it the acts in
 * force; a broker whose key is over signs nothing. */
#include "tests/unit/own_rig.h"
#include "tests/unit/recover_rig.h"

static void use_signed(struct rig *r)
{
	SignedRegistry *s = sample_registry(r->f, 1, 0);
	struct registry *reg = NULL;
	struct buf bytes = {0};

	assert_ok(strict_pack(&s->base, &bytes));
	assert_ok(registry_kept(slice_buf(&bytes), r->now, &reg));
	assert_ok(core_use_registry(r->core, reg, r->now));
	rig_commit(r);
	own_skip_all(r);
	registry_free(&reg);
	buf_free(&bytes);
	signed_registry__free_unpacked(s, NULL);
}

static void a_new_registry_goes_to_everybody_once(void **state)
{
	struct rig *r = *state;
	uint64_t before;

	sample_root(r->f, 1);
	use_signed(r);
	assert_int_equal(own_logged(r, KIND_SPREAD_REGISTRY, NULL, 0), PEOPLE);
	use_signed(r);
	own_watch_later(r, 1000);
	rig_crash(r);
	own_watch_later(r, 1000);
	assert_int_equal(own_logged(r, KIND_SPREAD_REGISTRY, NULL, 0), PEOPLE);
	own_suspend(r, "partner-a", false, 1);
	own_suspend(r, "partner-b", false, 1);
	own_suspend(r, "partner-b", true, 2);
	/* with it come the acts in force, and not to the suspended, who hears all with the lift */
	before = core_size(r->core);
	fixture_rebuild(r->f);
	use_signed(r);
	assert_int_equal(own_logged(r, KIND_SPREAD_REGISTRY, NULL, before), PEOPLE - 1);
	assert_int_equal(own_logged(r, KIND_TELL_SUSPENSION, NULL, before), PEOPLE - 1);
	own_suspend(r, "intake", false, 1);
	before = core_size(r->core);
	own_suspend(r, "partner-a", true, 2);
	assert_int_equal(own_logged(r, KIND_SPREAD_REGISTRY, "partner-a", before), 1);
	assert_int_equal(own_logged(r, KIND_TELL_SUSPENSION, "partner-a", before), 2);
}

/* Who heard of it from the part of the log that was lost hears it once more. */
static void all_is_told_again_after_a_recovery(void **state)
{
	struct rig *r = *state;
	uint64_t before;

	sample_root(r->f, 1);
	rig_admin(r, "partner-b"); /* who hears nothing then */
	use_signed(r);
	own_suspend(r, "partner-a", false, 1);
	before = core_size(r->core);
	rig_recover(r, "partner-b", 2);
	use_signed(r);
	assert_int_equal(own_logged(r, KIND_SPREAD_REGISTRY, NULL, before), PEOPLE - 2);
	assert_int_equal(own_logged(r, KIND_TELL_SUSPENSION, NULL, before), PEOPLE - 2);
	before = core_size(r->core);
	own_watch_later(r, 1000);
	use_signed(r);
	assert_int_equal(core_size(r->core), before);
}

static void a_key_whose_time_is_over_signs_nothing(void **state)
{
	struct rig *r = *state;
	Key *key = fixture_principal(r->f, "broker")->keys[0];

	sample_root(r->f, 1);
	key->not_after = r->now + 1000;
	use_signed(r);
	assert_int_equal(own_logged(r, KIND_SPREAD_REGISTRY, NULL, 0), PEOPLE);
	own_watch_later(r, 999);
	r->now++;
	assert_int_equal(core_watch(r->core, r->now), ERR_UNKNOWN_KEY);
	/* the registry that retires it is spread by its next key, which all know */
	r->now--;
	key->retired = true;
	fixture_rebuild(r->f);
	use_signed(r);
	assert_int_equal(own_logged(r, KIND_SPREAD_REGISTRY, NULL, 0), PEOPLE);
	assert_int_equal(core_watch(r->core, r->now), ERR_UNKNOWN_KEY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OWN_TEST(a_new_registry_goes_to_everybody_once),
		OWN_TEST(all_is_told_again_after_a_recovery),
		OWN_TEST(a_key_whose_time_is_over_signs_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
