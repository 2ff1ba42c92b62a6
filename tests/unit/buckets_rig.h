/* buckets_rig.h - for the tests of bucket keys: what happens to cases, and the files on a disk. */
#ifndef HAVRE_TESTS_BUCKETS_RIG_H
#define HAVRE_TESTS_BUCKETS_RIG_H

#include "services/common/keys/bucket_files.h"
#include "services/common/keys/case_keys.h"
#include "tests/unit/engine_rig.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/common/base/file.h"

static inline enum err put(struct step *s, void *name)
{
	Threat t = THREAT__INIT;

	t.case_number = name;
	t.partner = "partner-a";
	return case_put(s, RIG_THREATS, slice_str(name), name, &t.base);
}

static inline enum err get(struct step *s, void *name)
{
	ProtobufCMessage *m;

	TRY(case_get(s, RIG_THREATS, slice_str(name), name, &threat__descriptor, &m));
	assert_string_equal(((Threat *)m)->case_number, name);
	protobuf_c_message_free_unpacked(m, NULL);
	return OK;
}

static inline enum err erase(struct step *s, void *name)
{
	return case_erase(s, name);
}

static inline enum err erase_and_fail(struct step *s, void *name)
{
	TRY(case_erase(s, name));
	return ERR_STALE;
}

static inline enum err in_batch(
	struct rig *r, enum err (*fn)(struct step *s, void *arg), const char *name)
{
	return engine_local(r->engine, FIXTURE_NOW, fn, (void *)name);
}

static inline void locally(
	struct rig *r, enum err (*fn)(struct step *s, void *arg), const char *name)
{
	rig_begin(r);
	assert_int_equal(in_batch(r, fn, name), OK);
	rig_commit(r);
}

static inline enum err readable(struct rig *r, const char *name)
{
	return engine_read(r->engine, FIXTURE_NOW, get, (void *)name);
}

static inline enum err resume(struct rig *r)
{
	enum err e;

	rig_begin(r);
	e = engine_resume(r->engine);
	if (e == OK)
		rig_commit(r);
	return e;
}

/* A rig whose store is on disk. */
static inline int disk_setup(void **state)
{
	static struct rig r;

	rig_open(&r, fixture_make(), true);
	*state = &r;
	return 0;
}
#define DISK_TEST(name) cmocka_unit_test_setup_teardown(name, disk_setup, rig_teardown)

static inline void path_in(const struct rig *r, const char *name, char ret[128])
{
	snprintf(ret, 128, "%s/buckets/%s", r->folder, name);
}

static inline struct buf file_of(const struct rig *r, const char *name)
{
	struct buf b = {0};
	char path[128];

	path_in(r, name, path);
	assert_int_equal(file_read_secret(path, BUCKET_FILE_MOST, &b), OK);
	return b;
}

static inline void put_file(const struct rig *r, const char *name, const struct buf *b)
{
	char path[128];

	path_in(r, name, path);
	assert_int_equal(file_replace(path, slice_buf(b), 0600), OK);
}

static inline bool has_file(const struct rig *r, const char *name)
{
	char path[128];

	path_in(r, name, path);
	return access(path, F_OK) == 0;
}

static inline void remove_file(const struct rig *r, const char *name)
{
	char path[128];

	path_in(r, name, path);
	assert_int_equal(unlink(path), 0);
}

/* --- what an erasure does --- */

#endif
