/*
 * fault.c - for tests, preloaded into the real programs: calls that fail and a clock that is wrong,
 * as the file HAVRE_FAULT says at this moment. The file holds lines; without it nothing changes.
 *
 *   sync         fdatasync and fsync fail with EIO
 *   full         writing to a store fails with ENOSPC
 *   clock N      CLOCK_REALTIME is N seconds ahead (or behind)
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* What the file says of this fault; NULL: nothing. */
static const char *fault(const char *name, char line[64])
{
	const char *path = getenv("HAVRE_FAULT"), *found = NULL;
	size_t len = strlen(name);
	FILE *f = path ? fopen(path, "re") : NULL;

	while (f && !found && fgets(line, 64, f))
		if (strncmp(line, name, len) == 0)
			found = line + len;
	if (f)
		fclose(f);
	return found;
}

static bool is_on(const char *name)
{
	char line[64];
	int before = errno;
	bool on = fault(name, line) != NULL;

	errno = before;
	return on;
}

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))

typedef int sync_fn(int fd);

int fdatasync(int fd)
{
	if (is_on("sync")) {
		errno = EIO;
		return -1;
	}
	return REAL("fdatasync", sync_fn *)(fd);
}

int fsync(int fd)
{
	if (is_on("sync")) {
		errno = EIO;
		return -1;
	}
	return REAL("fsync", sync_fn *)(fd);
}

typedef ssize_t pwrite_fn(int fd, const void *data, size_t len, off_t at);
typedef ssize_t pwritev_fn(int fd, const struct iovec *list, int n, off_t at);

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
	if (is_on("full")) {
		errno = ENOSPC;
		return -1;
	}
	return REAL("pwrite", pwrite_fn *)(fd, data, len, at);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
	return pwrite(fd, data, len, at);
}

ssize_t pwritev(int fd, const struct iovec *list, int n, off_t at)
{
	if (is_on("full")) {
		errno = ENOSPC;
		return -1;
	}
	return REAL("pwritev", pwritev_fn *)(fd, list, n, at);
}

ssize_t pwritev64(int fd, const struct iovec *list, int n, off64_t at)
{
	return pwritev(fd, list, n, at);
}

static long shift(void)
{
	char line[64];
	const char *said = fault("clock", line);

	return said ? strtol(said, NULL, 10) : 0;
}

typedef int clock_fn(clockid_t clock, struct timespec *ret);

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int rc = REAL("clock_gettime", clock_fn *)(clock, ret);

	if (rc == 0 && clock == CLOCK_REALTIME)
		ret->tv_sec += shift();
	return rc;
}

time_t time(time_t *ret)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (ret)
		*ret = now.tv_sec;
	return now.tv_sec;
}
