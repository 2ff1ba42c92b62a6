/* `havre-admin restore`: puts the copy of a lost store back, where there is none. What was there
 * is never overwritten: who restores moves it away first. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/admin/admin.h"
#include "services/admin/homes.h"
#include "services/common/base/file.h"
#include "services/common/store/epoch.h"
#include "services/common/store/store_folder.h"

/* clang-format off */
const struct cli_option restore_options[] = {
	HOMES_OPTIONS,
	CLI_OPTION("from", "DIR", "the folder that the backup went to", "le dossier où est allée la sauvegarde"),
	CLI_END,
};
/* clang-format on */

struct restoring {
	const char *from;
	json_t *list;
};

static enum err write_whole(int to, const char *bytes, size_t n)
{
	while (n) {
		ssize_t w = write(to, bytes, n);

		if (w < 0 && errno != EINTR)
			return store_errno(errno);
		if (w > 0) {
			bytes += w;
			n -= (size_t)w;
		}
	}
	return OK;
}

static enum err copy_bytes(int from, int to)
{
	static char buffer[1 << 16];
	ssize_t n;

	while ((n = read(from, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno != EINTR)
			return store_errno(errno);
		if (n > 0)
			TRY(write_whole(to, buffer, (size_t)n));
	}
	return fsync(to) ? store_errno(errno) : OK;
}

/* What the administrator puts there is the process's, as its home is. */
static enum err give(int fd, const struct stat *owner)
{
	struct stat st;

	if (fstat(fd, &st))
		return store_errno(errno);
	if (st.st_uid == owner->st_uid && st.st_gid == owner->st_gid)
		return OK;
	return fchown(fd, owner->st_uid, owner->st_gid) ? ERR_PERMISSIONS : OK;
}

static enum err copy_file(const char *from, const char *to, const struct stat *owner)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out;
	enum err e;

	if (in < 0)
		return errno == ENOENT ? ERR_NOT_FOUND : store_errno(errno);
	(void)unlink(to); /* of a restore that was stopped; or a link, to have a file overwritten */
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	e = out < 0 ? store_errno(errno) : copy_bytes(in, out);
	if (e == OK)
		e = give(out, owner);
	if (out >= 0)
		close(out);
	close(in);
	return e;
}

/* It must say of itself that it is a copy: else a program would just go on with it. */
static enum err check_mark(const char *folder)
{
	static const char *const tables[] = {EPOCH_TABLE, NULL};
	const struct store_layout layout = {tables};
	struct store *s = NULL;
	struct txn *t;
	enum err e;

	TRY(store_open_lmdb_readonly(folder, &layout, &s));
	e = store_begin(s, TXN_READ, &t);
	if (e == OK) {
		e = epoch_check(t, 0) == ERR_RESTORED ? OK : ERR_INVALID;
		txn_abort(&t);
	}
	store_free(&s);
	return e;
}

static enum err give_folder(const char *path, const struct stat *owner)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	enum err e;

	if (fd < 0)
		return store_errno(errno);
	e = give(fd, owner);
	close(fd);
	return e;
}

/* The folder `path`.back, whole, then under its name. */
static enum err put_back(const char *from, const char *path, const struct stat *owner)
{
	char made[PATH_MAX], data[PATH_MAX], lock[PATH_MAX], *slash;

	TRY(snprintf(made, sizeof(made), "%s.back", path) < (int)sizeof(made) ? OK : ERR_INVALID);
	if (mkdir(made, 0700) && errno != EEXIST)
		return store_errno(errno);
	TRY(give_folder(made, owner));
	TRY(join_path(made, "data.mdb", data));
	TRY(join_path(made, "lock.mdb", lock));
	TRY(copy_file(from, data, owner));
	TRY(check_mark(made));
	(void)unlink(lock);
	TRY(sync_path(made));
	(void)rmdir(path); /* an empty one may be there */
	if (rename(made, path))
		return store_errno(errno);
	slash = strrchr(strcpy(made, path), '/');
	if (slash && slash != made)
		*slash = '\0';
	return sync_path(slash ? made : ".");
}

/* A program whose store was moved away goes on with it, until it ends. */
static enum err check_stopped(struct cli *c, const struct admin_home *h)
{
	int fd;
	enum err e = file_lock_folder(h->folder, &fd);

	if (e == OK)
		close(fd);
	return e == OK ? OK : cli_fail(c, e, h->folder);
}

static enum err restore_one(struct cli *c, const struct admin_home *h, void *arg)
{
	struct restoring *r = arg;
	char folder[PATH_MAX], from[PATH_MAX];
	struct stat owner;

	TRY(join_path(r->from, h->name, folder));
	TRY(join_path(folder, "data.mdb", from));
	if (access(from, F_OK) != 0)
		return cli_value(c, "only") ? cli_fail(c, ERR_NOT_FOUND, from) : OK;
	if (has_store(h->config.store_path))
		return cli_value(c, "only") ? cli_fail(c, ERR_STORE_THERE, h->config.store_path)
					    : OK;
	TRY(check_stopped(c, h));
	if (stat(h->folder, &owner))
		return store_errno(errno);
	TRY(put_back(from, h->config.store_path, &owner));
	cli_say(c, "%s: put back; next: havre-admin recover\n",
		"%s : remis en place; ensuite : havre-admin recover\n", h->name);
	json_array_append_new(r->list, json_string(h->name));
	return OK;
}

enum err admin_restore(struct cli *c)
{
	struct restoring r = {.list = json_array()};
	enum err e = cli_required(c, "from", &r.from);

	if (e == OK)
		e = homes_each(c, restore_one, &r);
	if (e == OK && json_array_size(r.list) == 0)
		e = cli_fail(c, ERR_NOT_FOUND, r.from);
	if (e == OK)
		cli_json(c, json_pack("{s:O}", "restored", r.list));
	json_decref(r.list);
	return e;
}
