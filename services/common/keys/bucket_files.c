#include "services/common/keys/bucket_files.h"

#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "services/common/base/file.h"
#include "services/common/store/omap.h"

/* --- folders --- */

struct folder {
	struct bucket_files base;
	char home[PATH_MAX];
};

static enum err path_of(const struct bucket_files *f, const char *name, char ret[PATH_MAX])
{
	int n = snprintf(ret, PATH_MAX, "%s/%s", ((const struct folder *)f)->home, name);

	return n < PATH_MAX ? OK : ERR_INVALID;
}

static enum err folder_read(struct bucket_files *f, const char *name, struct buf *ret)
{
	char path[PATH_MAX];

	TRY(path_of(f, name, path));
	return file_read_secret(path, BUCKET_FILE_MOST, ret);
}

static enum err folder_write(struct bucket_files *f, const char *name, struct slice bytes)
{
	char path[PATH_MAX];

	TRY(path_of(f, name, path));
	return file_replace_wiping(path, bytes, 0600);
}

static enum err folder_move(struct bucket_files *f, const char *from, const char *to)
{
	char a[PATH_MAX], b[PATH_MAX];

	TRY(path_of(f, from, a));
	TRY(path_of(f, to, b));
	return file_take_place(a, b);
}

static void folder_fresh(
	struct bucket_files *f, const char *name, uint64_t generation, uint8_t ret[32])
{
	(void)f, (void)name, (void)generation;
	randombytes_buf(ret, 32);
}

static void folder_free(struct bucket_files *f)
{
	free(f);
}

static enum err make_folder(const struct bucket_files *f, const char *name)
{
	char path[PATH_MAX];

	TRY(path_of(f, name, path));
	if (mkdir(path, 0700) && errno != EEXIST)
		return errno == ENOSPC ? ERR_FULL : ERR_IO;
	return OK;
}

enum err bucket_files_open(const char *home, bool readonly, struct bucket_files **ret)
{
	static const struct bucket_files_ops ops = {
		folder_read, folder_write, folder_move, folder_fresh, folder_free};
	struct folder *f;
	enum err e = OK;

	if (strlen(home) >= sizeof(f->home))
		return ERR_INVALID;
	f = calloc(1, sizeof(*f));
	if (!f)
		return ERR_NOMEM;
	f->base.ops = &ops;
	memcpy(f->home, home, strlen(home) + 1);
	if (!readonly)
		e = make_folder(&f->base, "buckets");
	if (e == OK && !readonly)
		e = make_folder(&f->base, "escrow");
	if (e != OK)
		free(f);
	else
		*ret = &f->base;
	return e;
}

/* --- memory --- */

struct memory {
	struct bucket_files base;
	struct omap files;
};

static enum err memory_read(struct bucket_files *f, const char *name, struct buf *ret)
{
	const struct omap_entry *entry = omap_get(&((struct memory *)f)->files, slice_str(name));

	if (!entry)
		return ERR_NOT_FOUND;
	return buf_append(ret, entry->value.data, entry->value.len);
}

static enum err memory_write(struct bucket_files *f, const char *name, struct slice bytes)
{
	return omap_set(&((struct memory *)f)->files, slice_str(name), bytes, 0);
}

static enum err memory_move(struct bucket_files *f, const char *from, const char *to)
{
	struct buf b = {0};
	enum err e = memory_read(f, from, &b);

	if (e == OK)
		e = memory_write(f, to, slice_buf(&b));
	if (e == OK)
		e = omap_remove(&((struct memory *)f)->files, slice_str(from));
	buf_free(&b);
	return e;
}

static void memory_fresh(
	struct bucket_files *f, const char *name, uint64_t generation, uint8_t ret[32])
{
	uint8_t g[8];

	(void)f;
	be64_put(g, generation);
	crypto_generichash(ret, 32, (const uint8_t *)name, strlen(name), g, sizeof(g));
}

static void memory_free(struct bucket_files *f)
{
	omap_clear(&((struct memory *)f)->files);
	free(f);
}

enum err bucket_files_memory(struct bucket_files **ret)
{
	static const struct bucket_files_ops ops = {
		memory_read, memory_write, memory_move, memory_fresh, memory_free};
	struct memory *m = calloc(1, sizeof(*m));

	if (!m)
		return ERR_NOMEM;
	m->base.ops = &ops;
	*ret = &m->base;
	return OK;
}

void bucket_files_free(struct bucket_files **fp)
{
	if (*fp)
		(*fp)->ops->free(*fp);
	*fp = NULL;
}
