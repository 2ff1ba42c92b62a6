#include "services/admin/homes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/keyfile.pb-c.h"
#include "proto/strict.h"
#include "services/common/base/file.h"
#include "services/common/store/store_folder.h"

#define KEY_FILE_MOST (64u << 10)

enum err join_path(const char *path, const char *name, char ret[PATH_MAX])
{
	return snprintf(ret, PATH_MAX, "%s/%s", path, name) < PATH_MAX ? OK : ERR_INVALID;
}

bool has_store(const char *folder)
{
	char path[PATH_MAX];
	struct stat st;

	return join_path(folder, "data.mdb", path) != OK || stat(path, &st) == 0 || errno != ENOENT;
}

enum err sync_path(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum err e;

	if (fd < 0)
		return store_errno(errno);
	e = fsync(fd) ? store_errno(errno) : OK;
	close(fd);
	return e;
}

static enum err read_principal(struct admin_home *h)
{
	ProtobufCMessage *m;
	struct buf bytes = {0};
	enum err e;

	TRY(file_read(h->config.key_file, KEY_FILE_MOST, &bytes));
	e = strict_unpack(&key_file__descriptor, slice_buf(&bytes), &m);
	buf_free(&bytes);
	if (e != OK)
		return ERR_CORRUPT;
	snprintf(h->principal, sizeof(h->principal), "%s", ((const KeyFile *)m)->principal);
	protobuf_c_message_free_unpacked(m, NULL);
	return OK;
}

static bool is_asked_for(const struct cli *c, const char *name)
{
	const char *only;

	if (!cli_value(c, "only"))
		return true;
	for (size_t i = 0; (only = cli_value_at(c, "only", i)); i++)
		if (strcmp(only, name) == 0)
			return true;
	return false;
}

/* *ret_known: it is a home. */
static enum err one_home(struct cli *c, const char *homes, const char *name, homes_fn *fn,
	void *arg, bool *ret_known)
{
	struct admin_home h = {.name = name};
	enum err e = join_path(homes, name, h.folder);
	struct stat st;

	if (e == OK && stat(h.folder, &st) == 0 && !S_ISDIR(st.st_mode))
		return OK;
	if (e != OK || config_load(h.folder, PROGRAM_ADMIN, stderr, c->lang, &h.config) != OK)
		return cli_fail(c, ERR_INVALID, h.folder);
	*ret_known = access(h.config.key_file, F_OK) == 0;
	if (*ret_known || cli_value(c, "only")) {
		*ret_known = true;
		e = read_principal(&h);
		if (e != OK)
			e = cli_fail(c, e, h.config.key_file);
		else if ((e = fn(c, &h, arg)) != OK && !c->told)
			e = cli_fail(c, e, h.folder);
	}
	config_free(&h.config);
	return e;
}

/* Every home that --only names is there. */
static enum err check_named(struct cli *c, const char *homes)
{
	char path[PATH_MAX];
	const char *only;

	for (size_t i = 0; (only = cli_value_at(c, "only", i)); i++) {
		TRY(join_path(homes, only, path));
		if (access(path, F_OK) != 0)
			return cli_fail(c, ERR_NOT_FOUND, path);
	}
	return OK;
}

enum err homes_each(struct cli *c, homes_fn *fn, void *arg)
{
	const char *homes;
	struct dirent **entries;
	bool known, any = false;
	enum err e;
	int n;

	TRY(cli_required(c, "homes", &homes));
	TRY(check_named(c, homes));
	n = scandir(homes, &entries, NULL, alphasort);
	if (n < 0)
		return cli_fail(c, ERR_NOT_FOUND, homes);
	e = OK;
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;

		known = false;
		if (e == OK && *name != '.' && is_asked_for(c, name))
			e = one_home(c, homes, name, fn, arg, &known);
		any = any || known;
		free(entries[i]);
	}
	free(entries);
	return e == OK && !any ? cli_fail(c, ERR_NOT_FOUND, homes) : e;
}
