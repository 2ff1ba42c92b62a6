#include "services/common/sandbox/sandbox.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "services/common/base/log.h"
#include "services/common/sandbox/sandbox_inside.h"

struct entering {
	const struct config *config;
	const struct sandbox_file *files;
	struct sandbox_plan plan;
	struct landlock landlock;
};

static const struct {
	unsigned need;
	enum place_access access;
	const char *path;
} places[] = {
#define PLACE(class, access, path) {class, access, path},
#include "services/common/sandbox/sandbox.def"
};

/* The paths of the configuration. */
static const size_t config_paths[] = {
#define FIELD_PATH(field) offsetof(struct config, field),
#define FIELD_STRING(field)
#define FIELD_LEVEL(field)
#define FIELD_NUMBER(field)
#define FIELD_SECONDS(field)
#define FIELD_SANDBOX(field)
#define CONFIG(programs, section, key, field, TYPE, def, least, most, en, fr) FIELD_##TYPE(field)
#include "services/common/base/config.def"
#undef CONFIG
};

/* Landlock and no_new_privs are of one thread and those that it starts. */
static enum err be_alone(struct entering *e)
{
	struct stat st;

	(void)e;
	if (stat("/proc/self/task", &st) != 0)
		return ERR_SANDBOX;
	errno = EBUSY;
	return st.st_nlink == 3 ? OK : ERR_SANDBOX; /* ".", "..", one thread */
}

static enum err drop_privileges(struct entering *e)
{
	if (!(e->plan.needs & PERSON)) /* who writes files for others decides for whom */
		umask(077);
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? OK : ERR_SANDBOX;
}

static enum err forbid_cores(struct entering *e)
{
	(void)e;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
		setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}) != 0)
		return ERR_SANDBOX;
	return OK;
}

static enum err open_landlock(struct entering *e)
{
	bool required = strcmp(e->config->sandbox, "required") == 0;

	TRY(landlock_open(LANDLOCK_NEWEST, &e->landlock));
	if (e->landlock.abi)
		return OK;
	errno = ENOSYS;
	if (required)
		return ERR_SANDBOX;
	log_warn("SANDBOX-NO-LANDLOCK", "files=open ports=open why=kernel");
	return OK;
}

static void folder_of(const char *path, char ret[PATH_MAX])
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		strcpy(ret, ".");
	else
		snprintf(ret, PATH_MAX, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

/* What is there already is used: a folder below itself, a file with the folder that it lies in.
 * What is not there is made. */
static enum err allow_config_path(struct landlock *l, const char *path)
{
	char real[PATH_MAX], folder[PATH_MAX];
	struct stat st;

	if (!realpath(path, real)) {
		folder_of(path, folder);
		return landlock_allow(l, folder, WRITE);
	}
	if (stat(real, &st) == 0 && S_ISDIR(st.st_mode))
		return landlock_allow(l, real, WRITE);
	folder_of(real, folder);
	return landlock_allow(l, folder, READ);
}

static enum err allow_place(struct landlock *l, const char *path, enum place_access access)
{
	char real[PATH_MAX], folder[PATH_MAX];

	if (access != FOLDER_OF)
		return landlock_allow(l, path, access);
	if (!realpath(path, real))
		return OK;
	folder_of(real, folder);
	return landlock_allow(l, folder, READ);
}

static enum err allow_files(struct entering *e)
{
	struct landlock *l = &e->landlock;
	const struct sandbox_file *f = e->files;
	char *path;

	TRY(allow_config_path(l, e->config->home));
	for (size_t i = 0; i < sizeof(config_paths) / sizeof(config_paths[0]); i++) {
		memcpy(&path, (const char *)e->config + config_paths[i], sizeof(path));
		TRY(allow_config_path(l, path));
	}
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (places[i].need & e->plan.needs)
			TRY(allow_place(l, places[i].path, places[i].access));
	for (; f && f->path; f++)
		TRY(landlock_allow(l, f->path, f->write ? WRITE : READ));
	return OK;
}

static enum err allow_ports(struct entering *e)
{
	for (size_t i = 0; i < e->plan.n_ports; i++)
		TRY(landlock_allow_port(&e->landlock, &e->plan.ports[i]));
	return OK;
}

static enum err enter_landlock(struct entering *e)
{
	return landlock_enter(&e->landlock);
}

/* Last: it allows none of the calls before. */
static enum err enter_seccomp(struct entering *e)
{
	return seccomp_enter(e->plan.needs);
}

static const struct {
	const char *name;
	enum err (*run)(struct entering *e);
} steps[] = {
	{"alone", be_alone},
	{"privileges", drop_privileges},
	{"cores", forbid_cores},
	{"landlock", open_landlock},
	{"files", allow_files},
	{"ports", allow_ports},
	{"restrict", enter_landlock},
	{"seccomp", enter_seccomp},
};

enum err sandbox_enter(
	enum program program, const struct config *c, const struct sandbox_file *files)
{
	struct entering in = {.config = c, .files = files, .landlock = {.fd = -1}};
	enum err e = sandbox_plan(program, c, &in.plan);

	if (e != OK)
		log_error("SANDBOX-FAILED", "step=endpoints why=\"%s\"", err_text(e, LANG_EN));
	for (size_t i = 0; e == OK && i < sizeof(steps) / sizeof(steps[0]); i++) {
		e = steps[i].run(&in);
		if (e != OK)
			log_error("SANDBOX-FAILED", "step=%s why=\"%s\"", steps[i].name,
				strerror(errno));
	}
	landlock_close(&in.landlock);
	if (e == OK)
		log_info("SANDBOXED", "landlock=%d ports=%zu names=%s", in.landlock.abi,
			in.plan.n_ports, in.plan.needs & RESOLVE ? "yes" : "no");
	return e;
}
