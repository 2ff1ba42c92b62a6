/* Goal: every sample referral is of good form, every invalid one has exactly the fault it was made
 * for, every fault of a form has a sample, and the files are those that the script makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/json.h"
#include "services/common/referral/referral_check.h"

#define REFERRALS SOURCE_DIR "/tests/data/referrals"
#define SAMPLES   SOURCE_DIR "/tests/data/samples"

static json_t *manifest;
static int64_t now;

static json_t *load(const char *file)
{
	char path[512];
	json_t *json;

	snprintf(path, sizeof(path), REFERRALS "/%s", file);
	json = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	if (!json)
		fail_msg("%s is not there, or not JSON", file);
	return json;
}

/* The end of the day for which the samples were made. */
static int setup(void **state)
{
	char text[64];

	(void)state;
	manifest = load("manifest.json");
	snprintf(text, sizeof(text), "%sT23:00:00Z",
		json_string_value(json_object_get(manifest, "today")));
	assert_int_equal(time_parse(text, &now), OK);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	json_decref(manifest);
	return 0;
}

static enum err read_and_check(const json_t *json, struct faults *faults, Referral **ret)
{
	ProtobufCMessage *m;

	TRY(json_to_message(json, &referral__descriptor, faults, &m));
	if (referral_check((Referral *)m, now, faults) != OK) {
		protobuf_c_message_free_unpacked(m, NULL);
		return ERR_INVALID;
	}
	*ret = (Referral *)m;
	return OK;
}

/* What is told as JSON and read again is the same message. */
static void comes_back(const ProtobufCMessage *m, const char *file)
{
	size_t n = protobuf_c_message_get_packed_size(m);
	uint8_t *before = malloc(n), *after = malloc(n);
	struct faults faults = {0};
	ProtobufCMessage *again;
	json_t *json;

	assert_int_equal(message_to_json(m, &json), OK);
	assert_int_equal(json_to_message(json, m->descriptor, &faults, &again), OK);
	if (protobuf_c_message_get_packed_size(again) != n)
		fail_msg("%s comes back with another size", file);
	protobuf_c_message_pack(m, before);
	protobuf_c_message_pack(again, after);
	assert_memory_equal(before, after, n);
	protobuf_c_message_free_unpacked(again, NULL);
	json_decref(json);
	free(before);
	free(after);
}

static void every_sample_is_of_good_form(void **state)
{
	size_t i;
	json_t *entry;

	(void)state;
	json_array_foreach(json_object_get(manifest, "files"), i, entry)
	{
		const char *file = json_string_value(json_object_get(entry, "file"));
		struct faults faults = {0};
		json_t *json = load(file);
		Referral *r;

		if (read_and_check(json, &faults, &r) != OK) {
			fail_msg("%s: %s %s", file, faults.list[0].path,
				fault_name(faults.list[0].code));
			return;
		}
		assert_int_equal(
			r->n_persons, json_integer_value(json_object_get(entry, "persons")));
		assert_int_equal(
			r->protection != NULL, json_is_true(json_object_get(entry, "urgent")));
		comes_back(&r->base, file);
		protobuf_c_message_free_unpacked(&r->base, NULL);
		json_decref(json);
	}
}

/* Enough people that a year of 250 places fills and a waiting list forms. */
static void there_are_enough_of_them(void **state)
{
	size_t i;
	json_t *files = json_object_get(manifest, "files"), *entry;
	json_int_t persons = 0, recommended = 0, urgent = 0;

	(void)state;
	json_array_foreach(files, i, entry)
	{
		json_int_t n = json_integer_value(json_object_get(entry, "persons"));

		persons += n;
		if (json_is_true(json_object_get(entry, "recommend")))
			recommended += n;
		urgent += json_is_true(json_object_get(entry, "urgent"));
	}
	assert_in_range(json_array_size(files), 90, 1000);
	assert_in_range(persons, 301, 10000);
	assert_in_range(recommended, 270, 10000);
	assert_in_range(urgent, 8, 10);
	assert_int_equal(persons, json_integer_value(json_object_get(manifest, "persons")));
}

static void every_pair_is_there(void **state)
{
	json_t *pairs = load("duplicates.json");
	static const char *const lists[] = {"same", "different"};

	(void)state;
	assert_in_range(json_array_size(json_object_get(pairs, "same")), 5, 100);
	assert_in_range(json_array_size(json_object_get(pairs, "different")), 2, 100);
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < json_array_size(json_object_get(pairs, lists[k])); i++) {
			const json_t *pair = json_array_get(json_object_get(pairs, lists[k]), i);
			const json_t *files = json_object_get(pair, "files");

			assert_int_equal(json_array_size(files), 2);
			for (size_t f = 0; f < 2; f++)
				json_decref(load(json_string_value(json_array_get(files, f))));
		}
	json_decref(pairs);
}

static char *read_whole(const char *file, size_t *ret_len)
{
	char path[512], *text = malloc(1 << 20);
	FILE *f;

	snprintf(path, sizeof(path), REFERRALS "/invalid/%s", file);
	f = fopen(path, "rb");
	assert_non_null(f);
	*ret_len = fread(text, 1, 1 << 20, f);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void check_invalid(const char *file, bool seen[FAULT_COUNT])
{
	char expected_file[300];
	size_t len;
	char *text = read_whole(file, &len);
	struct faults faults = {0};
	ProtobufCMessage *m;
	json_t *expected;

	snprintf(expected_file, sizeof(expected_file), "invalid/%.*s.expected.json",
		(int)(strlen(file) - strlen(".json")), file);
	expected = load(expected_file);
	if (json_text_to_message(slice_of(text, len), &referral__descriptor, &faults, &m) == OK) {
		assert_int_equal(referral_check((Referral *)m, now, &faults), ERR_INVALID);
		protobuf_c_message_free_unpacked(m, NULL);
	}
	if (faults.n != json_array_size(expected))
		fail_msg("%s: %zu faults", file, faults.n);
	for (size_t i = 0; i < faults.n; i++) {
		const json_t *e = json_array_get(expected, i);
		const char *code = json_string_value(json_object_get(e, "code"));

		if (strcmp(fault_name(faults.list[i].code), code) != 0)
			fail_msg("%s: %s", file, fault_name(faults.list[i].code));
		assert_string_equal(
			faults.list[i].path, json_string_value(json_object_get(e, "path")));
		seen[faults.list[i].code] = true;
	}
	json_decref(expected);
	free(text);
}

static bool ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), e = strlen(end);

	return n > e && strcmp(name + n - e, end) == 0;
}

static void every_invalid_one_has_its_fault(void **state)
{
	bool seen[FAULT_COUNT] = {false};
	DIR *folder = opendir(REFERRALS "/invalid");
	const struct dirent *entry;
	unsigned n = 0;

	(void)state;
	assert_non_null(folder);
	while ((entry = readdir(folder)))
		if (ends_with(entry->d_name, ".json") &&
			!ends_with(entry->d_name, ".expected.json")) {
			check_invalid(entry->d_name, seen);
			n++;
		}
	closedir(folder);
	assert_in_range(n, 40, 1000);
	/* A referral has no bytes in hexadecimal. */
	seen[FAULT_NOT_HEX] = true;
	for (int code = 0; code <= FAULT_NOT_INTERVIEWED; code++)
		if (!seen[code])
			fail_msg("no sample has the fault %s", fault_name(code));
}

static void the_script_makes_these_files(void **state)
{
	char folder[] = "/tmp/havre-samples-XXXXXX", command[1024];
	int result;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(command, sizeof(command),
		"/usr/bin/python3 -B " SOURCE_DIR
		"/tests/data/make_samples.py --today %s --out %s && "
		"cp " REFERRALS "/README.md %s && diff -r " REFERRALS " %s",
		json_string_value(json_object_get(manifest, "today")), folder, folder, folder);
	result = system(command);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
	assert_int_equal(result, 0);
}

static ProtobufCMessage *other_sample(const char *file, const ProtobufCMessageDescriptor *type)
{
	struct faults faults = {0};
	ProtobufCMessage *m;
	json_t *json = json_load_file(file, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(json);
	assert_int_equal(json_to_message(json, type, &faults, &m), OK);
	json_decref(json);
	return m;
}

static void the_other_samples_are_of_good_form(void **state)
{
	struct faults faults = {0};
	ProtobufCMessage *m;

	(void)state;
	m = other_sample(SAMPLES "/risk-report.json", &risk_report__descriptor);
	assert_int_equal(risk_report_check((RiskReport *)m, now, &faults), OK);
	protobuf_c_message_free_unpacked(m, NULL);
	m = other_sample(SAMPLES "/withdrawal.json", &withdrawal__descriptor);
	assert_int_equal(withdrawal_check((Withdrawal *)m, now, &faults), OK);
	protobuf_c_message_free_unpacked(m, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_other_samples_are_of_good_form),
		cmocka_unit_test(every_sample_is_of_good_form),
		cmocka_unit_test(there_are_enough_of_them),
		cmocka_unit_test(every_pair_is_there),
		cmocka_unit_test(every_invalid_one_has_its_fault),
		cmocka_unit_test(the_script_makes_these_files),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
