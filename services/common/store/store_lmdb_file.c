#include "services/common/store/store_lmdb_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/common/store/store_folder.h"

enum err store_lmdb_err(int rc)
{
	switch (rc) {
	case MDB_SUCCESS:
		return OK;
	case MDB_NOTFOUND:
		return ERR_NOT_FOUND;
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
		return ERR_FULL;
	case MDB_PAGE_NOTFOUND:
	case MDB_CORRUPTED:
	case MDB_VERSION_MISMATCH:
	case MDB_INVALID:
	case MDB_CURSOR_FULL:
	case MDB_PAGE_FULL:
	case MDB_INCOMPATIBLE:
	case MDB_BAD_TXN:
		return ERR_CORRUPT;
	default:
		return store_errno(rc);
	}
}

/* --- the length --- */

struct length {
	int fd;
	size_t page;          /* bytes of one */
	size_t pages, wanted; /* that the file has; that the last commit knows */
};

static enum err measure(MDB_env *env, struct length *ret)
{
	MDB_envinfo info;
	MDB_stat st;
	struct stat file;
	int rc = mdb_env_get_fd(env, &ret->fd);

	if (rc == 0)
		rc = mdb_env_info(env, &info);
	if (rc == 0)
		rc = mdb_env_stat(env, &st);
	if (rc)
		return store_lmdb_err(rc);
	if (fstat(ret->fd, &file))
		return store_errno(errno);
	ret->page = st.ms_psize;
	ret->pages = (size_t)file.st_size / ret->page;
	ret->wanted = info.me_last_pgno + 1;
	return OK;
}

static enum err set_pages(const struct length *l, size_t pages)
{
	return ftruncate(l->fd, (off_t)(pages * l->page)) ? store_errno(errno) : OK;
}

/* A row of the list of free pages: how many, then their numbers. */
static size_t mark_free(const struct length *l, MDB_val row, uint8_t *seen)
{
	const size_t *list = row.mv_data;
	size_t n = row.mv_size / sizeof(*list), marked = 0;

	if (n > 0 && list[0] < n)
		n = list[0] + 1;
	for (size_t i = 1; i < n; i++)
		if (list[i] >= l->pages && list[i] < l->wanted && !seen[list[i] - l->pages]) {
			seen[list[i] - l->pages] = 1;
			marked++;
		}
	return marked;
}

/* Are all the missing pages free? The file is long enough by now, with zeros. */
static enum err tail_is_free(MDB_env *env, const struct length *l)
{
	size_t missing = l->wanted - l->pages, marked = 0;
	uint8_t *seen = calloc(missing, 1);
	MDB_cursor *c = NULL;
	MDB_txn *txn = NULL;
	MDB_val k, v;
	int rc = seen ? mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) : ENOMEM;

	if (rc == 0)
		rc = mdb_cursor_open(txn, 0, &c);
	while (rc == 0 && (rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) == 0)
		marked += mark_free(l, v, seen);
	if (c)
		mdb_cursor_close(c);
	mdb_txn_abort(txn);
	free(seen);
	if (rc != MDB_NOTFOUND)
		return store_lmdb_err(rc);
	return marked == missing ? OK : ERR_CORRUPT;
}

enum err store_lmdb_check(MDB_env *env, bool writes)
{
	struct length l;
	enum err e;

	TRY(measure(env, &l));
	if (l.pages >= l.wanted)
		return OK;
	if (!writes)
		return ERR_CORRUPT;
	TRY(set_pages(&l, l.wanted));
	e = tail_is_free(env, &l);
	if (e != OK && set_pages(&l, l.pages) != OK) /* the damage must stay to be seen */
		return ERR_IO;
	return e;
}

void store_lmdb_extend(MDB_env *env, size_t *last_page)
{
	MDB_envinfo info;
	struct length l;

	if (mdb_env_info(env, &info) || info.me_last_pgno <= *last_page)
		return;
	if (measure(env, &l) != OK || (l.pages < l.wanted && set_pages(&l, l.wanted) != OK))
		return; /* it is tried again after the next commit, and looked at when opened */
	*last_page = info.me_last_pgno;
}

/* --- copies --- */

static enum err sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum err e;

	if (fd < 0)
		return store_errno(errno);
	e = fsync(fd) ? store_errno(errno) : OK;
	close(fd);
	return e;
}

enum err store_lmdb_copy(MDB_env *env, const char *to)
{
	char path[PATH_MAX];
	enum err e;
	int fd;

	if (snprintf(path, sizeof(path), "%s/data.mdb", to) >= (int)sizeof(path))
		return ERR_INVALID;
	if (mkdir(to, 0700))
		return errno == EEXIST ? ERR_EXISTS : store_errno(errno);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return store_errno(errno);
	e = store_lmdb_err(mdb_env_copyfd2(env, fd, MDB_CP_COMPACT));
	if (e == OK && fsync(fd))
		e = store_errno(errno);
	if (close(fd) && e == OK)
		e = store_errno(errno);
	return e == OK ? sync_folder(to) : e;
}
