/*
 * Goal: the folder of an LMDB store is locked, is made as a whole or not at all, and what is not
 * ours in it is refused. The calls that make things durable are replaced by ones that write down
 * what they do, or end the process, or let another process go first.
 */
#include "tests/unit/store_place.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* ---- the calls that make things durable ---- */

static struct {
	char log[512];             /* "sync data.mdb, rename, ..." */
	int left;                  /* calls until the process ends; 0: it does not */
	const struct place *racer; /* made by another process before the next mkdir, */
	bool at_flock;             /* or rather before the next flock */
} durable;

static void note(const char *what, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = strlen(durable.log);

	if (durable.left && --durable.left == 0)
		_exit(99);
	snprintf(durable.log + len, sizeof(durable.log) - len, "%s%s %s", len ? ", " : "", what,
		slash ? slash + 1 : path);
}

static void note_fd(int fd)
{
	char link[32], path[256];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	path[n < 0 ? 0 : n] = 0;
	note("sync", path);
}

int fdatasync(int fd)
{
	note_fd(fd);
	return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	note_fd(fd);
	return (int)syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to)
{
	note("rename", from);
	return (int)syscall(SYS_rename, from, to);
}

static int child_opens(const struct place *p)
{
	struct store *s = NULL;
	enum err e = try_open(p, &s);

	store_free(&s);
	return e;
}

static void race(void)
{
	const struct place *p = durable.racer;

	durable.racer = NULL;
	if (p)
		assert_int_equal(in_child(child_opens, p), OK);
}

int mkdir(const char *path, mode_t mode)
{
	if (!durable.at_flock)
		race();
	return (int)syscall(SYS_mkdir, path, mode);
}

int flock(int fd, int operation)
{
	race();
	return (int)syscall(SYS_flock, fd, operation);
}

/* ---- tests ---- */

static void write_file(const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

static void a_second_opener_is_locked_out(void **state)
{
	struct store *s = open_store(*state), *second = NULL;

	assert_int_equal(try_open(*state, &second), ERR_LOCKED);
	assert_null(second);
	assert_int_equal(in_child(child_opens, *state), ERR_LOCKED);
	store_free(&s);
	assert_null(s);
	assert_int_equal(in_child(child_opens, *state), OK);
	s = open_store(*state);
	store_free(&s);
}

static void only_the_owner_can_read(void **state)
{
	static const char *const files[] = {"", "/data.mdb", "/lock.mdb", "/lock"};
	const struct place *p = *state;
	mode_t old = umask(0);
	struct store *s = open_store(p);
	struct stat st;
	char path[96];

	umask(old);
	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s%s", p->store, files[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, i ? 0600 : 0700);
	}
	store_free(&s);
}

static void what_is_foreign_is_refused(void **state)
{
	static const uint8_t zeros[20000], words[] = "not a store of any kind";
	const struct place *p = *state;
	struct store *s = NULL;
	uint8_t bytes[8192];
	int fd;

	assert_int_equal(mkdir(p->store, 0700), 0);
	write_file(p->data, words, sizeof(words));
	assert_int_equal(try_open(p, &s), ERR_CORRUPT);
	write_file(p->data, zeros, sizeof(zeros));
	assert_int_equal(try_open(p, &s), ERR_CORRUPT);
	write_file(p->data, zeros, 0);
	assert_int_equal(try_open(p, &s), ERR_CORRUPT);
	assert_int_equal(store_open_lmdb_readonly(p->store, &stack_layout, &s), ERR_CORRUPT);
	assert_int_equal(unlink(p->data), 0);
	/* the lock alone is left: this was a store, and is no place for a new one */
	assert_int_equal(try_open(p, &s), ERR_CORRUPT);
	assert_int_equal(store_open_lmdb_readonly(p->store, &stack_layout, &s), ERR_IO);
	assert_int_not_equal(access(p->temporary, F_OK), 0);
	stack_remove_folder(p->folder);
	assert_int_equal(mkdir(p->folder, 0700), 0);

	s = open_store(p);
	store_free(&s);
	fd = open(p->data, O_RDWR | O_CLOEXEC); /* a torn first page, then both */
	assert_int_equal(pread(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
	assert_int_equal(pwrite(fd, zeros, 64, 0), 64);
	close(fd);
	assert_int_equal(try_open(p, &s), ERR_CORRUPT);
	assert_null(s);
	write_file(p->data, bytes, 4096);
	assert_int_equal(try_open(p, &s), ERR_CORRUPT);
}

/* Replaces the byte at `at` after our entry's key. */
static void patch_entry(const struct place *p, int at, char byte)
{
	static const char mark[] = "havre store";
	static uint8_t bytes[1 << 16];
	const ssize_t len = sizeof(mark) - 1;
	int fd = open(p->data, O_RDWR | O_CLOEXEC), found = 0;
	ssize_t n = pread(fd, bytes, sizeof(bytes), 0);

	for (ssize_t i = 0; i + len <= n; i++)
		if (memcmp(bytes + i, mark, (size_t)len) == 0) {
			assert_int_equal(pwrite(fd, &byte, 1, i + len + at), 1);
			found++;
		}
	close(fd);
	assert_int_equal(found, 1);
}

/* An LMDB file, but of another program or another format. */
static void a_foreign_lmdb_file_is_refused(void **state)
{
	struct store *s = open_store(*state);

	store_free(&s);
	patch_entry(*state, 0, '2');
	assert_int_equal(try_open(*state, &s), ERR_CORRUPT);
	patch_entry(*state, 0, '1');
	s = open_store(*state);
	store_free(&s);
	patch_entry(*state, -1, 'x');
	assert_int_equal(try_open(*state, &s), ERR_CORRUPT);
	assert_int_equal(
		store_open_lmdb_readonly(((struct place *)*state)->store, &stack_layout, &s),
		ERR_CORRUPT);
}

static void creation_is_synced_in_order(void **state)
{
	const struct place *p = *state;
	char want[128];
	struct store *s = NULL;

	durable.log[0] = 0;
	s = open_store(p);
	snprintf(want, sizeof(want), "sync data.mdb, sync store.new, rename store.new, sync %s",
		strrchr(p->folder, '/') + 1);
	assert_non_null(strstr(durable.log, want));
	durable.log[0] = 0;
	assert_int_equal(write_one(s, "a", "1"), OK);
	assert_non_null(strstr(durable.log, "sync data.mdb"));
	store_free(&s);
}

static int child_dies_creating(const struct place *p)
{
	struct store *s = NULL;

	return try_open(p, &s) == OK ? 0 : 1;
}

static void an_interrupted_creation_is_swept(void **state)
{
	const struct place *p = *state;
	int code = 99, deaths = 0, before = 0;

	for (int at = 1; code == 99; at++) {
		struct store *s;

		durable.left = at;
		code = in_child(child_dies_creating, p);
		durable.left = 0;
		deaths += code == 99;
		before += access(p->store, F_OK) != 0;
		s = open_store(p);
		assert_int_equal(count(s), 0);
		assert_int_equal(write_one(s, "a", "1"), OK);
		store_free(&s);
		assert_int_not_equal(access(p->temporary, F_OK), 0);
		stack_remove_folder(p->folder);
		assert_int_equal(mkdir(p->folder, 0700), 0);
	}
	assert_int_equal(code, 0);
	assert_true(deaths >= 4);
	assert_true(before >= 3 && before < deaths);
}

/* While somebody else creates it, or has just done so. */
static void creators_do_not_meet(void **state)
{
	const struct place *p = *state;
	struct store *s = NULL;
	char lock[80];
	int fd;

	assert_int_equal(mkdir(p->temporary, 0700), 0);
	snprintf(lock, sizeof(lock), "%s/lock", p->temporary);
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(try_open(p, &s), ERR_LOCKED);
	assert_null(s);
	close(fd);
	for (int i = 0; i < 2; i++) {
		durable.racer = p;
		durable.at_flock = i;
		assert_int_equal(try_open(p, &s), ERR_LOCKED);
		assert_null(s);
		assert_int_not_equal(access(p->temporary, F_OK), 0);
		s = open_store(p);
		store_free(&s);
		stack_remove_folder(p->folder);
		assert_int_equal(mkdir(p->folder, 0700), 0);
		assert_int_equal(mkdir(p->temporary, 0700), 0);
	}
}

/* Whatever is in it. */
static void a_torn_leftover_is_swept(void **state)
{
	const struct place *p = *state;
	struct store *s;
	char file[80];

	assert_int_equal(mkdir(p->temporary, 0700), 0);
	snprintf(file, sizeof(file), "%s/data.mdb", p->temporary);
	write_file(file, "torn", 4);
	s = open_store(p);
	store_free(&s);
	assert_int_not_equal(access(p->temporary, F_OK), 0);
}

static void paths_may_be_odd(void **state)
{
	const struct place *p = *state;
	struct store *s = NULL;
	char path[96];

	snprintf(path, sizeof(path), "%s//", p->store);
	assert_int_equal(mkdir(p->store, 0755), 0); /* empty: is used */
	assert_int_equal(store_open_lmdb(path, &stack_layout, megabyte, &s), OK);
	store_free(&s);
	snprintf(path, sizeof(path), "%s/missing/store", p->folder);
	assert_int_equal(store_open_lmdb(path, &stack_layout, megabyte, &s), ERR_IO);
	assert_int_equal(store_open_lmdb("", &stack_layout, megabyte, &s), ERR_INVALID);
	assert_int_equal(store_open_lmdb(p->data, &stack_layout, megabyte, &s), ERR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_TEST(a_second_opener_is_locked_out),
		PLACE_TEST(only_the_owner_can_read),
		PLACE_TEST(what_is_foreign_is_refused),
		PLACE_TEST(a_foreign_lmdb_file_is_refused),
		PLACE_TEST(creation_is_synced_in_order),
		PLACE_TEST(an_interrupted_creation_is_swept),
		PLACE_TEST(a_torn_leftover_is_swept),
		PLACE_TEST(creators_do_not_meet),
		PLACE_TEST(paths_may_be_odd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
