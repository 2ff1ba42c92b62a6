/* Every folder that a test makes under /tmp goes with its process, also when the test has failed in
 * the middle of it: the linker puts this in the place of mkdtemp (tests/CMakeLists.txt). */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *__real_mkdtemp(char *path);
char *__wrap_mkdtemp(char *path);

static struct folder {
	struct folder *next;
	pid_t owner; /* not the processes that it starts */
	char path[64];
} * made;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

static void remove_all(void)
{
	while (made) {
		struct folder *f = made;

		made = f->next;
		if (f->owner == getpid())
			nftw(f->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
		free(f);
	}
}

char *__wrap_mkdtemp(char *path)
{
	struct folder *f = malloc(sizeof(*f));

	if (!f || !__real_mkdtemp(path)) {
		free(f);
		return NULL;
	}
	if (!made)
		atexit(remove_all);
	*f = (struct folder){.next = made, .owner = getpid()};
	snprintf(f->path, sizeof(f->path), "%s", path);
	made = f;
	return path;
}
