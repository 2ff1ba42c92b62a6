/* Goal: a bucket file that is missing, damaged, foreign or readable by others stops everything, and
 * a full disk commits nothing. */
#include "tests/unit/buckets_rig.h"

static void a_missing_file_stops_all(void **state)
{
	struct rig *r = *state;

	locally(r, put, "C-1");
	remove_file(r, "000001");
	rig_crash(r);
	assert_int_equal(readable(r, "C-1"), ERR_CORRUPT);
	assert_int_equal(resume(r), ERR_CORRUPT);
	rig_crash(r);
	rig_begin(r);
	assert_int_equal(in_batch(r, put, "C-1"), ERR_CORRUPT); /* no new key over the old one */
	assert_int_equal(in_batch(r, put, "C-9"), ERR_CORRUPT);
}

static void a_foreign_or_damaged_file_stops_all(void **state)
{
	struct rig *r = *state, other;
	struct buf right, foreign;

	rig_open(&other, fixture_make(), true);
	locally(&other, put, "C-1");
	foreign = file_of(&other, "000001");
	locally(r, put, "C-1");
	right = file_of(r, "000001");
	put_file(r, "000001", &foreign);
	rig_crash(r);
	assert_int_equal(resume(r), ERR_CORRUPT);
	for (size_t i = 0; i < right.len; i += 7) {
		right.data[i] ^= 1;
		put_file(r, "000001", &right);
		right.data[i] ^= 1;
		rig_crash(r);
		assert_int_equal(resume(r), ERR_CORRUPT);
	}
	put_file(r, "000001", &right);
	rig_crash(r);
	assert_int_equal(resume(r), OK);
	assert_int_equal(readable(r, "C-1"), OK);
	buf_free(&right);
	buf_free(&foreign);
	{
		struct fixture *f = other.f;

		rig_close(&other);
		fixture_free(&f);
	}
}

static void a_file_that_others_can_read_stops_all(void **state)
{
	struct rig *r = *state;
	char path[128];

	locally(r, put, "C-1");
	path_in(r, "000001", path);
	assert_int_equal(chmod(path, 0640), 0);
	rig_crash(r);
	assert_int_equal(resume(r), ERR_PERMISSIONS);
}

/* --- the seam's faults: what cannot be written is not committed --- */

static struct {
	const struct bucket_files_ops *real;
	enum err write, move;
} fault;

static enum err faulty_write(struct bucket_files *f, const char *name, struct slice bytes)
{
	return fault.write != OK ? fault.write : fault.real->write(f, name, bytes);
}

static enum err faulty_move(struct bucket_files *f, const char *from, const char *to)
{
	return fault.move != OK ? fault.move : fault.real->move(f, from, to);
}

static void make_faulty(struct rig *r, enum err write, enum err move)
{
	static struct bucket_files_ops ops;
	struct bucket_files *f = store_buckets(r->store);

	fault.real = f->ops;
	fault.write = write;
	fault.move = move;
	ops = *f->ops;
	ops.write = faulty_write;
	ops.move = faulty_move;
	f->ops = &ops;
}

static void a_full_disk_commits_nothing(void **state)
{
	struct rig *r = *state;

	locally(r, put, "C-1");
	make_faulty(r, ERR_FULL, OK);
	rig_begin(r);
	assert_int_equal(in_batch(r, erase, "C-1"), OK);
	assert_int_equal(engine_commit(r->engine), ERR_FULL);
	assert_int_equal(engine_begin(r->engine), ERR_FULL); /* the process must end */
	store_buckets(r->store)->ops = fault.real;
	rig_crash(r);
	assert_int_equal(resume(r), OK);
	assert_int_equal(readable(r, "C-1"), OK);
}

static void what_was_committed_is_finished_later(void **state)
{
	struct rig *r = *state;

	locally(r, put, "C-1");
	locally(r, put, "C-2");
	make_faulty(r, OK, ERR_IO);
	rig_begin(r);
	assert_int_equal(in_batch(r, erase, "C-1"), OK);
	assert_int_equal(engine_commit(r->engine), ERR_IO);
	store_buckets(r->store)->ops = fault.real;
	rig_crash(r);
	assert_int_equal(resume(r), OK);
	assert_int_equal(readable(r, "C-1"), ERR_NOT_FOUND);
	assert_int_equal(readable(r, "C-2"), OK);
	assert_false(has_file(r, "000001.next"));
}

/* --- what verify says --- */

int main(void)
{
	const struct CMUnitTest tests[] = {
		DISK_TEST(a_missing_file_stops_all),
		DISK_TEST(a_foreign_or_damaged_file_stops_all),
		DISK_TEST(a_file_that_others_can_read_stops_all),
		DISK_TEST(a_full_disk_commits_nothing),
		DISK_TEST(what_was_committed_is_finished_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
