/* Goal: the same invented person under other spellings is proposed; strangers are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/json.h"
#include "services/intake/intake.h"
#include "services/intake/skeleton.h"

static json_t *load(const char *name)
{
	char path[512];
	json_t *json;

	snprintf(path, sizeof(path), SOURCE_DIR "/tests/data/%s", name);
	json = json_load_file(path, 0, NULL);
	if (!json)
		fail_msg("%s", path);
	return json;
}

static void parts_have_their_skeletons(void **state)
{
	json_t *vectors = load("name-vectors.json"), *row;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(vectors, "parts"), i, row)
	{
		char out[SKELETON_SIZE];

		skeleton_of_part(json_string_value(json_array_get(row, 0)), out);
		assert_string_equal(out, json_string_value(json_array_get(row, 1)));
	}
	json_decref(vectors);
}

static bool share_one(const char *a, const char *b)
{
	struct skeletons sa, sb;
	Identity ia = IDENTITY__INIT, ib = IDENTITY__INIT;

	ia.family_name = (char *)a;
	ib.family_name = (char *)b;
	assert_int_equal(skeletons_of(&ia, &sa), OK);
	assert_int_equal(skeletons_of(&ib, &sb), OK);
	for (size_t i = 0; i < sa.n_parts; i++)
		for (size_t k = 0; k < sb.n_parts; k++)
			if (strcmp(sa.part[i], sb.part[k]) == 0)
				return true;
	return false;
}

/* One character that stands for a phrase, as often as a name has room for it. */
static void a_name_that_grows_is_no_fault(void **state)
{
	char name[201] = "", latin[512];

	(void)state;
	for (int i = 0; i < 66; i++)
		memcpy(name + i * 3, "\xef\xb7\xba", 3);
	assert_int_equal(name_to_latin(name, latin, sizeof(latin)), OK);
	assert_true(*latin);
}

static void other_spellings_share_a_skeleton(void **state)
{
	json_t *vectors = load("name-vectors.json"), *row, *name;
	size_t i, k;

	(void)state;
	json_array_foreach(json_object_get(vectors, "spellings"), i, row)
	{
		const char *first = json_string_value(json_array_get(row, 0));

		json_array_foreach(row, k, name)
		{
			if (!share_one(first, json_string_value(name)))
				fail_msg("%s / %s", first, json_string_value(name));
		}
	}
	json_array_foreach(json_object_get(vectors, "different"), i, row)
	{
		assert_false(share_one(json_string_value(json_array_get(row, 0)),
			json_string_value(json_array_get(row, 1))));
	}
	json_decref(vectors);
}

static Referral *referral(const char *file)
{
	char path[600];
	struct faults faults = {0};
	ProtobufCMessage *m;
	json_t *json;

	snprintf(path, sizeof(path), "referrals/%s", file);
	json = load(path);
	assert_int_equal(json_to_message(json, &referral__descriptor, &faults, &m), OK);
	json_decref(json);
	return (Referral *)m;
}

static bool pair_is_likely(const json_t *pair)
{
	const json_t *files = json_object_get(pair, "files");
	Referral *a = referral(json_string_value(json_array_get(files, 0)));
	Referral *b = referral(json_string_value(json_array_get(files, 1)));
	bool likely;

	assert_int_equal(duplicates_likely(a, b, &likely), OK);
	referral__free_unpacked(a, NULL);
	referral__free_unpacked(b, NULL);
	return likely;
}

static void sample_pairs(void **state)
{
	json_t *pairs = load("referrals/duplicates.json"), *pair;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(pairs, "same"), i, pair)
	{
		if (!pair_is_likely(pair))
			fail_msg("not found: %s", json_string_value(json_object_get(pair, "how")));
	}
	json_decref(pairs);
}

/* Among all samples, few pairs are proposed that are not the same: a person has to look at each. */
static void few_strangers_are_proposed(void **state)
{
	json_t *manifest = load("referrals/manifest.json"), *list, *one;
	Referral *all[400];
	size_t i, n = 0, proposed = 0;

	(void)state;
	list = json_object_get(manifest, "files");
	json_array_foreach(list, i, one)
	{
		all[n++] = referral(json_string_value(json_object_get(one, "file")));
	}
	for (i = 0; i < n; i++)
		for (size_t k = i + 1; k < n; k++) {
			bool likely;

			assert_int_equal(duplicates_likely(all[i], all[k], &likely), OK);
			proposed += likely;
		}
	for (i = 0; i < n; i++)
		referral__free_unpacked(all[i], NULL);
	json_decref(manifest);
	print_message("proposed: %zu pairs\n", proposed);
	assert_in_range(proposed, 6, 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_have_their_skeletons),
		cmocka_unit_test(other_spellings_share_a_skeleton),
		cmocka_unit_test(a_name_that_grows_is_no_fault),
		cmocka_unit_test(sample_pairs),
		cmocka_unit_test(few_strangers_are_proposed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
