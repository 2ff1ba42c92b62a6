#include "services/common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err from_errno(void)
{
	switch (errno) {
	case ENOENT:
	case ENOTDIR:
		return ERR_NOT_FOUND;
	case EEXIST:
		return ERR_EXISTS;
	case ENOSPC:
	case EDQUOT:
		return ERR_FULL;
	case ENOMEM:
		return ERR_NOMEM;
	default:
		return ERR_IO;
	}
}

/* Asked of the opened file: a name could mean another file a moment later. */
static enum err check_open(int fd, bool secret)
{
	struct stat st;

	if (fstat(fd, &st))
		return ERR_IO;
	if (!S_ISREG(st.st_mode))
		return ERR_CORRUPT;
	/* root looks after the homes of all services */
	if (secret && (st.st_mode & 077 || (st.st_uid != geteuid() && geteuid() != 0)))
		return ERR_PERMISSIONS;
	return OK;
}

static enum err read_all(int fd, size_t most, struct buf *out)
{
	uint8_t piece[4096];
	enum err e = OK;
	ssize_t n;

	while (e == OK && (n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0)
			e = errno == EINTR ? OK : ERR_IO;
		else if (out->len + (size_t)n > most)
			e = ERR_CORRUPT;
		else
			e = buf_append(out, piece, (size_t)n);
	}
	explicit_bzero(piece, sizeof(piece));
	return e;
}

static enum err read_file(const char *path, size_t most, bool secret, struct buf *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct buf b = {0};
	enum err e;

	if (fd < 0)
		return from_errno();
	e = check_open(fd, secret);
	if (e == OK)
		e = read_all(fd, most, &b);
	close(fd);
	if (e != OK)
		buf_free(&b);
	else
		*ret = b;
	return e;
}

enum err file_read(const char *path, size_t most, struct buf *ret)
{
	return read_file(path, most, false, ret);
}

enum err file_read_secret(const char *path, size_t most, struct buf *ret)
{
	return read_file(path, most, true, ret);
}

static enum err write_all(int fd, struct slice bytes)
{
	while (bytes.len) {
		ssize_t n = write(fd, bytes.data, bytes.len);

		if (n < 0 && errno != EINTR)
			return from_errno();
		if (n > 0)
			bytes = slice_of(bytes.data + n, bytes.len - (size_t)n);
	}
	return fsync(fd) ? from_errno() : OK;
}

static enum err write_temporary(const char *path, struct slice bytes, mode_t mode)
{
	int fd;
	enum err e;

	if (unlink(path) && errno != ENOENT) /* of a writer that was stopped */
		return from_errno();
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return from_errno();
	e = write_all(fd, bytes);
	if (close(fd) && e == OK)
		e = from_errno();
	if (e != OK)
		unlink(path);
	return e;
}

static enum err sync_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	enum err e;
	int fd;

	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1,
		slash ? path : ".");
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return from_errno();
	e = fsync(fd) ? from_errno() : OK;
	close(fd);
	return e;
}

enum err file_create(const char *path, struct slice bytes, mode_t mode)
{
	char temporary[PATH_MAX];
	enum err e;

	if (snprintf(temporary, sizeof(temporary), "%s.tmp", path) >= (int)sizeof(temporary))
		return ERR_INVALID;
	if (access(path, F_OK) == 0)
		return ERR_EXISTS;
	TRY(write_temporary(temporary, bytes, mode));
	/* a rename would take the place of a file that came meanwhile; a link does not */
	e = link(temporary, path) ? from_errno() : OK;
	unlink(temporary);
	return e == OK ? sync_folder_of(path) : e;
}

enum err file_replace(const char *path, struct slice bytes, mode_t mode)
{
	char temporary[PATH_MAX];

	if (snprintf(temporary, sizeof(temporary), "%s.tmp", path) >= (int)sizeof(temporary))
		return ERR_INVALID;
	TRY(write_temporary(temporary, bytes, mode));
	if (rename(temporary, path)) {
		enum err e = from_errno();

		unlink(temporary);
		return e;
	}
	return sync_folder_of(path);
}

enum err file_rename(const char *from, const char *path)
{
	return rename(from, path) ? from_errno() : sync_folder_of(path);
}

/* Zeros over all of it. */
static enum err overwrite(int fd)
{
	static const uint8_t zeros[4096];
	struct stat st;

	if (fstat(fd, &st))
		return from_errno();
	for (off_t left = st.st_size; left > 0;) {
		size_t most = left < (off_t)sizeof(zeros) ? (size_t)left : sizeof(zeros);
		ssize_t n = write(fd, zeros, most);

		if (n < 0 && errno != EINTR)
			return from_errno();
		left -= n > 0 ? n : 0;
	}
	return fsync(fd) ? from_errno() : OK;
}

/* The old file is wiped when the new one is safely in its place, never before. */
enum err file_take_place(const char *from, const char *path)
{
	int old = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	enum err e;

	if (old < 0 && errno != ENOENT)
		return from_errno();
	e = file_rename(from, path);
	if (e == OK && old >= 0)
		e = overwrite(old);
	if (old >= 0)
		close(old);
	return e;
}

enum err file_replace_wiping(const char *path, struct slice bytes, mode_t mode)
{
	char temporary[PATH_MAX];
	enum err e;

	if (snprintf(temporary, sizeof(temporary), "%s.tmp", path) >= (int)sizeof(temporary))
		return ERR_INVALID;
	TRY(write_temporary(temporary, bytes, mode));
	e = file_take_place(temporary, path);
	if (e != OK)
		unlink(temporary);
	return e;
}

enum err file_lock_folder(const char *path, int *ret_fd)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum err e;

	if (fd < 0)
		return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		*ret_fd = fd;
		return OK;
	}
	e = errno == EWOULDBLOCK ? ERR_LOCKED : ERR_IO;
	close(fd);
	return e;
}
