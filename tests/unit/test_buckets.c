/* Goal: an erased case is unreadable for ever, the others of its bucket stay readable, whatever
 * crashes and whichever store is put back; a bucket's file that is missing or foreign stops all. */
#include "tests/unit/buckets_rig.h"

static void an_erased_case_goes_and_the_others_stay(void **state)
{
	struct rig *r = *state;
	struct buf before, after;

	locally(r, put, "C-1");
	locally(r, put, "C-2");
	before = file_of(r, "000001");
	locally(r, erase, "C-1");
	after = file_of(r, "000001");
	assert_false(rig_same(&before, &after));
	assert_false(has_file(r, "000001.next"));
	assert_int_equal(readable(r, "C-1"), ERR_NOT_FOUND);
	assert_int_equal(readable(r, "C-2"), OK);
	rig_crash(r);
	assert_int_equal(resume(r), OK);
	assert_int_equal(readable(r, "C-1"), ERR_NOT_FOUND);
	assert_int_equal(readable(r, "C-2"), OK);
	buf_free(&before);
	buf_free(&after);
}

/* All that is on the disk now, with the store key, opens nothing of what was erased. */
static void nothing_on_the_disk_opens_it(void **state)
{
	struct rig *r = *state;
	BucketRest *rest = NULL;
	struct buckets *b = NULL;
	uint8_t key[BUCKET_KEY_LEN];

	locally(r, put, "C-1");
	locally(r, put, "C-2");
	locally(r, erase, "C-1");
	assert_int_equal(
		buckets_open(store_buckets(r->store), fixture_keys(r->f, "urgent"), &b), OK);
	assert_int_equal(bucket_key(b, 1, 1, key), ERR_ROLLED_BACK);
	assert_int_equal(bucket_key(b, 1, 2, key), OK);
	assert_int_equal(bucket_rest(b, 1, &rest), OK);
	assert_int_equal(rest->n_cases, 1);
	assert_string_equal(rest->cases[0]->case_number, "C-2");
	bucket_rest_free(&rest);
	buckets_free(&b);
}

static void two_erasures_of_one_batch_are_two_generations(void **state)
{
	struct rig *r = *state;
	uint64_t generation = 0;
	struct buckets *b = NULL;

	locally(r, put, "C-1");
	locally(r, put, "C-2");
	locally(r, put, "C-3");
	rig_begin(r);
	assert_int_equal(in_batch(r, erase, "C-1"), OK);
	assert_int_equal(in_batch(r, erase_and_fail, "C-3"), ERR_STALE); /* has no effect */
	assert_int_equal(in_batch(r, erase, "C-2"), OK);
	assert_int_equal(in_batch(r, put, "C-4"), OK);
	rig_commit(r);
	rig_crash(r);
	assert_int_equal(readable(r, "C-1"), ERR_NOT_FOUND);
	assert_int_equal(readable(r, "C-2"), ERR_NOT_FOUND);
	assert_int_equal(readable(r, "C-3"), OK);
	assert_int_equal(readable(r, "C-4"), OK);
	assert_int_equal(
		buckets_open(store_buckets(r->store), fixture_keys(r->f, "urgent"), &b), OK);
	assert_int_equal(bucket_present(b, 1, &generation), OK);
	assert_int_equal(generation, 3);
	buckets_free(&b);
}

static void an_erasure_that_fails_erases_nothing(void **state)
{
	struct rig *r = *state;

	locally(r, put, "C-1");
	rig_begin(r);
	assert_int_equal(in_batch(r, erase_and_fail, "C-1"), ERR_STALE);
	rig_commit(r);
	assert_int_equal(readable(r, "C-1"), OK);
	rig_crash(r);
	assert_int_equal(resume(r), OK);
	assert_int_equal(readable(r, "C-1"), OK);
}

static void a_case_that_comes_again_has_another_key(void **state)
{
	struct rig *r = *state;

	locally(r, put, "C-1");
	locally(r, erase, "C-1");
	locally(r, erase, "C-1");
	locally(r, put, "C-1");
	assert_int_equal(readable(r, "C-1"), OK);
}

static void a_bucket_has_room_for_1024_cases(void **state)
{
	struct rig *r = *state;
	char name[32];

	rig_begin(r);
	for (int i = 0; i < BUCKET_CASES_MOST; i++) {
		snprintf(name, sizeof(name), "C-%04d", i);
		assert_int_equal(in_batch(r, put, name), OK);
	}
	rig_commit(r);
	assert_false(has_file(r, "000002"));
	locally(r, put, "D-1");
	assert_true(has_file(r, "000002"));
	locally(r, erase, "C-0007");
	assert_int_equal(readable(r, "C-0007"), ERR_NOT_FOUND);
	assert_int_equal(readable(r, "C-1023"), OK);
	assert_int_equal(readable(r, "D-1"), OK);
}

/* --- crashes --- */

/* Between the files and the commit: nothing was erased. */
static void a_crash_before_the_commit_erases_nothing(void **state)
{
	struct rig *r = *state;

	locally(r, put, "C-1");
	locally(r, put, "C-2");
	rig_begin(r);
	assert_int_equal(in_batch(r, erase, "C-1"), OK);
	assert_int_equal(case_keys_prepare(r->engine), OK); /* what engine_commit does first */
	assert_true(has_file(r, "000001.next"));
	rig_crash(r);
	assert_int_equal(readable(r, "C-1"), OK);
	assert_int_equal(readable(r, "C-2"), OK);
	assert_int_equal(resume(r), OK);
	locally(r, erase, "C-1"); /* over what the crash left */
	assert_false(has_file(r, "000001.next"));
	rig_crash(r);
	assert_int_equal(readable(r, "C-1"), ERR_NOT_FOUND);
	assert_int_equal(readable(r, "C-2"), OK);
}

/* Between the commit and the new file's taking its place: both are kept until the next start. */
static void a_crash_after_the_commit_is_finished_at_the_start(void **state)
{
	struct rig *r = *state;
	struct buf old, new;

	locally(r, put, "C-1");
	locally(r, put, "C-2");
	old = file_of(r, "000001");
	locally(r, erase, "C-1");
	new = file_of(r, "000001");
	put_file(r, "000001", &old);
	put_file(r, "000001.next", &new);
	rig_crash(r);
	assert_int_equal(readable(r, "C-2"), OK);
	assert_int_equal(resume(r), OK);
	assert_false(has_file(r, "000001.next"));
	buf_free(&old);
	old = file_of(r, "000001");
	assert_true(rig_same(&old, &new));
	assert_int_equal(readable(r, "C-1"), ERR_NOT_FOUND);
	assert_int_equal(readable(r, "C-2"), OK);
	buf_free(&old);
	buf_free(&new);
}

static void the_old_bytes_are_overwritten(void **state)
{
	struct rig *r = *state;
	char path[128], other[128];
	struct buf b = {0};

	locally(r, put, "C-1");
	path_in(r, "000001", path);
	path_in(r, "kept-open", other);
	assert_int_equal(link(path, other), 0); /* the same bytes on the disk */
	locally(r, erase, "C-1");
	assert_int_equal(file_read(other, BUCKET_FILE_MOST, &b), OK);
	for (size_t i = 0; i < b.len; i++)
		assert_int_equal(b.data[i], 0);
	assert_true(b.len > 0);
	buf_free(&b);
}

/* --- stores that are put back --- */

static void copy_folder(const char *from, const char *to)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -rf %s && cp -r %s %s", to, from, to);
	assert_int_equal(system(command), 0);
}

/* Last night's store, and the bucket files of today: nothing is lost, and nothing comes back. */
static void what_was_erased_stays_erased_in_an_older_store(void **state)
{
	struct rig *r = *state;
	char store[64], backup[64];

	snprintf(store, sizeof(store), "%s/store", r->folder);
	snprintf(backup, sizeof(backup), "%s/backup", r->folder);
	locally(r, put, "C-1");
	locally(r, put, "C-2");
	copy_folder(store, backup);
	locally(r, erase, "C-1");
	locally(r, put, "C-3");
	engine_free(&r->engine);
	store_free(&r->store);
	copy_folder(backup, store);
	rig_crash(r);
	assert_int_equal(resume(r), OK);
	assert_int_equal(readable(r, "C-1"), ERR_NOT_FOUND);
	assert_int_equal(readable(r, "C-2"), OK);
	locally(r, put, "C-3"); /* it comes again from the broker */
	rig_crash(r);
	assert_int_equal(resume(r), OK);
	assert_int_equal(readable(r, "C-2"), OK);
	assert_int_equal(readable(r, "C-3"), OK);
}

/* --- files that are not right --- */

static struct case_key_counts counted(struct rig *r)
{
	struct case_key_counts n = {0};
	struct txn *t = NULL;

	assert_int_equal(store_begin(r->store, TXN_READ, &t), OK);
	assert_int_equal(case_keys_count(r->engine, t, &n), OK);
	txn_abort(&t);
	return n;
}

/* A file of the same bucket and generation that still has the erased case. */
static void bring_back(struct rig *r, const char *name)
{
	const uint8_t *store_key = keyring_store_key(fixture_keys(r->f, "urgent"));
	struct buf now = file_of(r, "000001"), forged = {0};
	uint8_t key[BUCKET_KEY_LEN], case_key[CASE_KEY_LEN] = {0};
	CaseKey one = CASE_KEY__INIT, *list = &one;
	BucketRest rest = BUCKET_REST__INIT;
	uint64_t generation;

	assert_int_equal(bucket_file_open(slice_buf(&now), store_key, 1, &generation, key), OK);
	one.case_number = (char *)name;
	one.key = (ProtobufCBinaryData){CASE_KEY_LEN, case_key};
	rest.cases = &list;
	rest.n_cases = 1;
	assert_int_equal(bucket_file_make(store_key, 1, generation, key, &rest, &forged), OK);
	put_file(r, "000001", &forged);
	buf_free(&now);
	buf_free(&forged);
}

static void verify_finds_what_was_not_erased(void **state)
{
	struct case_key_counts n;
	struct rig *r = *state;

	locally(r, put, "C-1");
	locally(r, put, "C-2");
	locally(r, erase, "C-1");
	n = counted(r);
	assert_int_equal(n.keys, 1);
	assert_int_equal(n.erased, 1);
	assert_int_equal(n.kept, 0);
	assert_int_equal(n.lost, 0);
	bring_back(r, "C-1");
	rig_crash(r);
	assert_int_equal(counted(r).kept, 1);
	assert_int_equal(counted(r).lost, 0);
	remove_file(r, "000001");
	rig_crash(r);
	{
		struct txn *t = NULL;

		assert_int_equal(store_begin(r->store, TXN_READ, &t), OK);
		assert_int_not_equal(case_keys_count(r->engine, t, &n), ERR_NOMEM);
		txn_abort(&t);
	}
	assert_true(n.lost >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DISK_TEST(an_erased_case_goes_and_the_others_stay),
		DISK_TEST(nothing_on_the_disk_opens_it),
		DISK_TEST(two_erasures_of_one_batch_are_two_generations),
		DISK_TEST(an_erasure_that_fails_erases_nothing),
		DISK_TEST(a_case_that_comes_again_has_another_key),
		DISK_TEST(a_bucket_has_room_for_1024_cases),
		DISK_TEST(a_crash_before_the_commit_erases_nothing),
		DISK_TEST(a_crash_after_the_commit_is_finished_at_the_start),
		DISK_TEST(the_old_bytes_are_overwritten),
		DISK_TEST(what_was_erased_stays_erased_in_an_older_store),
		DISK_TEST(verify_finds_what_was_not_erased),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
