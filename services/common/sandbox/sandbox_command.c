/* The sandbox of commands: the files that their words name may be read, too. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "services/common/cli/cli.h"
#include "services/common/base/log.h"
#include "services/common/sandbox/sandbox.h"

/* The option of every command that names a file to be made. */
#define OUT "out"

/* Which words are names of files only the command knows: all that are, count. */
static void add(struct sandbox_file *list, size_t *n, const char *path, bool write)
{
	struct stat st;

	if (path && (write || (stat(path, &st) == 0 && S_ISREG(st.st_mode))))
		list[(*n)++] = (struct sandbox_file){path, write};
}

static enum err with_files(struct cli *c, const struct config *config)
{
	size_t most = (size_t)c->n_operands + c->n_given + 2, n = 0;
	struct sandbox_file *list = calloc(most + 1, sizeof(*list));
	const char *out = cli_value(c, OUT), *slash = out ? strrchr(out, '/') : NULL;
	char folder[PATH_MAX] = ".";
	enum err e;

	if (!list)
		return ERR_NOMEM;
	for (int i = 0; i < c->n_operands; i++)
		add(list, &n, c->operands[i], false);
	for (size_t i = 0; i < c->n_given; i++)
		add(list, &n, c->given[i].value, false);
	add(list, &n, c->passphrase_file, false);
	if (slash)
		snprintf(folder, sizeof(folder), "%.*s", (int)(slash - out) + 1, out);
	add(list, &n, out ? folder : NULL, true);
	e = sandbox_enter(c->program->program, config, list);
	free(list);
	return e;
}

enum err sandbox_command(struct cli *c)
{
	struct config config;
	enum err e;

	log_setup(c->program->name, LOG_ERROR); /* a person reads it */
	e = config_load(c->home, c->program->program, stderr, c->lang, &config);
	if (e != OK)
		return cli_fail(c, e, c->home);
	e = with_files(c, &config);
	config_free(&config);
	return e == OK ? OK : cli_fail(c, e, c->home);
}
