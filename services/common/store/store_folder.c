#include "services/common/store/store_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATA "data.mdb"
#define LOCK "lock"

enum err store_errno(int number)
{
	switch (number) {
	case ENOMEM:
		return ERR_NOMEM;
	case ENOSPC:
	case EDQUOT:
		return ERR_FULL;
	default:
		return ERR_IO;
	}
}

static enum err open_folder(const char *path, int *ret_dir)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return store_errno(errno);
	*ret_dir = dir;
	return OK;
}

static enum err take_lock(int dir, int *ret_lock)
{
	int fd = openat(dir, LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return store_errno(errno);
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		enum err e = errno == EWOULDBLOCK ? ERR_LOCKED : store_errno(errno);

		close(fd);
		return e;
	}
	*ret_lock = fd;
	return OK;
}

/* Anything but "there is none" counts as having it: then nothing is created. */
static bool has_data(const char *path)
{
	char file[PATH_MAX + sizeof("/" DATA)];
	struct stat st;

	snprintf(file, sizeof(file), "%s/" DATA, path);
	return stat(file, &st) == 0 || errno != ENOENT;
}

/* The locked folder was not renamed by its creator before the lock was free. */
static bool still_at(int dir, const char *path)
{
	struct stat a, b;

	return fstat(dir, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* Gives the new folder its name, for good. */
static enum err publish(int dir, const char *temporary, const char *path, const char *parent)
{
	int up = -1;
	enum err e;

	if (fsync(dir))
		return store_errno(errno);
	if (rename(temporary, path))
		return errno == ENOTEMPTY || errno == EEXIST ? ERR_CORRUPT : store_errno(errno);
	TRY(open_folder(parent, &up));
	e = fsync(up) ? store_errno(errno) : OK;
	close(up);
	return e;
}

static void sweep(int dir, const char *temporary)
{
	unlinkat(dir, DATA, 0);
	unlinkat(dir, LOCK, 0);
	rmdir(temporary);
}

static enum err create(const char *path, const char *temporary, const char *parent,
	store_folder_fill *fill, void *arg, int *ret_lock)
{
	int dir = -1, lock = -1;
	enum err e;

	if (mkdir(temporary, 0700) && errno != EEXIST)
		return store_errno(errno);
	TRY(open_folder(temporary, &dir));
	e = take_lock(dir, &lock);
	if (e != OK)
		goto close_dir;
	/* another process was quicker, from start to end */
	e = has_data(path) ? ERR_LOCKED : OK;
	if (e == OK && unlinkat(dir, DATA, 0) && errno != ENOENT)
		e = store_errno(errno);
	if (e == OK)
		e = fill(temporary, arg);
	if (e == OK)
		e = publish(dir, temporary, path, parent);
	if (e == OK) {
		*ret_lock = lock;
		goto close_dir;
	}
	if (still_at(dir, temporary)) /* else it is the other's, in use */
		sweep(dir, temporary);
	close(lock);
close_dir:
	close(dir);
	return e;
}

enum err store_folder_open(const char *path, store_folder_fill *fill, void *arg, int *ret_lock)
{
	char whole[PATH_MAX], temporary[PATH_MAX + 4], parent[PATH_MAX];
	size_t len = strlen(path);
	const char *slash;
	int dir = -1;
	enum err e;

	while (len > 1 && path[len - 1] == '/')
		len--;
	if (len == 0 || len >= sizeof(whole))
		return ERR_INVALID;
	snprintf(whole, sizeof(whole), "%.*s", (int)len, path);
	if (!has_data(whole)) {
		snprintf(temporary, sizeof(temporary), "%s.new", whole);
		slash = strrchr(whole, '/');
		snprintf(parent, sizeof(parent), "%.*s", slash ? (int)(slash - whole) + 1 : 1,
			slash ? whole : ".");
		return create(whole, temporary, parent, fill, arg, ret_lock);
	}
	TRY(open_folder(whole, &dir));
	e = take_lock(dir, ret_lock);
	close(dir);
	return e;
}
