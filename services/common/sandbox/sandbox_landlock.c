/* Landlock by its raw calls. The header of the system may be older than the kernel: what it lacks
 * is named here. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "services/common/sandbox/sandbox_inside.h"

#define FS_EXECUTE     (1u << 0)
#define FS_WRITE_FILE  (1u << 1)
#define FS_READ_FILE   (1u << 2)
#define FS_READ_DIR    (1u << 3)
#define FS_REMOVE_DIR  (1u << 4)
#define FS_REMOVE_FILE (1u << 5)
#define FS_MAKE_DIR    (1u << 7)
#define FS_MAKE_REG    (1u << 8)
#define FS_REFER       (1u << 13)
#define FS_TRUNCATE    (1u << 14)
#define FS_IOCTL_DEV   (1u << 15)
#define NET_BIND       (1u << 0)
#define NET_CONNECT    (1u << 1)
#define SCOPE_ABSTRACT (1u << 0)
#define SCOPE_SIGNAL   (1u << 1)
#define RULE_PATH      1
#define RULE_PORT      2

#define OF_A_FILE (FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE | FS_IOCTL_DEV)
#define TO_READ   (FS_READ_FILE | FS_READ_DIR)
#define TO_WRITE                                                                                   \
	(TO_READ | FS_WRITE_FILE | FS_TRUNCATE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR |    \
		FS_MAKE_REG | FS_REFER)

struct ruleset_attr {
	uint64_t fs, net, scoped;
};
struct port_attr {
	uint64_t access, port;
};

/* What each version of the kernel's interface added, and how long its attribute is. */
static const struct {
	size_t size;
	struct ruleset_attr adds;
} versions[LANDLOCK_NEWEST] = {
	{8, {.fs = 0x1fff}},
	{8, {.fs = FS_REFER}},
	{8, {.fs = FS_TRUNCATE}},
	{16, {.net = NET_BIND | NET_CONNECT}},
	{16, {.fs = FS_IOCTL_DEV}},
	{24, {.scoped = SCOPE_ABSTRACT | SCOPE_SIGNAL}},
};

static struct ruleset_attr handled(int abi)
{
	struct ruleset_attr a = {0};

	for (int i = 0; i < abi; i++) {
		a.fs |= versions[i].adds.fs;
		a.net |= versions[i].adds.net;
		a.scoped |= versions[i].adds.scoped;
	}
	return a;
}

static long create_ruleset(const struct ruleset_attr *attr, size_t size, unsigned flags)
{
	return syscall(SYS_landlock_create_ruleset, attr, size, flags);
}

enum err landlock_open(int newest, struct landlock *ret)
{
	long abi = create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock l = {.fd = -1};
	struct ruleset_attr attr;

	if (abi < 0 && errno != ENOSYS && errno != EOPNOTSUPP)
		return ERR_SANDBOX;
	if (abi > 0) {
		l.abi = abi < newest ? (int)abi : newest;
		attr = handled(l.abi);
		l.fd = (int)create_ruleset(&attr, versions[l.abi - 1].size, 0);
		if (l.fd < 0)
			return ERR_SANDBOX;
	}
	*ret = l;
	return OK;
}

static enum err add_path(const struct landlock *l, int fd, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {.parent_fd = fd};
	struct stat st;

	if (fstat(fd, &st) != 0)
		return ERR_SANDBOX;
	if (!S_ISDIR(st.st_mode))
		access &= OF_A_FILE;
	if (S_ISCHR(st.st_mode))
		access |= FS_IOCTL_DEV;
	rule.allowed_access = access & handled(l->abi).fs;
	if (syscall(SYS_landlock_add_rule, l->fd, RULE_PATH, &rule, 0) != 0)
		return ERR_SANDBOX;
	return OK;
}

enum err landlock_allow(struct landlock *l, const char *path, enum place_access access)
{
	enum err e;
	int fd;

	if (!l->abi)
		return OK;
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? OK : ERR_SANDBOX;
	e = add_path(l, fd, access == WRITE ? TO_WRITE : TO_READ);
	close(fd);
	return e;
}

enum err landlock_allow_port(struct landlock *l, const struct sandbox_port *port)
{
	struct port_attr rule = {port->use == BIND ? NET_BIND : NET_CONNECT, port->number};

	if (!handled(l->abi).net)
		return OK;
	if (syscall(SYS_landlock_add_rule, l->fd, RULE_PORT, &rule, 0) != 0)
		return ERR_SANDBOX;
	return OK;
}

enum err landlock_enter(const struct landlock *l)
{
	if (l->abi && syscall(SYS_landlock_restrict_self, l->fd, 0) != 0)
		return ERR_SANDBOX;
	return OK;
}

void landlock_close(struct landlock *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}
