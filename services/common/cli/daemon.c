#include "services/common/cli/daemon.h"

#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>

#include "services/common/base/descriptors.h"
#include "services/common/base/file.h"
#include "services/common/base/log.h"

static sigset_t signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	return set;
}

static enum err block_signals(void)
{
	sigset_t set = signals();

	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return ERR_IO;
	return OK;
}

int daemon_signals(void)
{
	sigset_t set = signals();

	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

enum err daemon_stopped(enum err e)
{
	if (e == OK)
		log_info("STOPPED", "why=signal");
	else
		log_error("STOPPED", "why=%s", err_name(e));
	return e == OK ? OK : ERR_IO;
}

/* One program at a time lives in a home; who puts its store back sees that it does. */
static enum err live(struct cli *c, const struct daemon *d, const struct config *config)
{
	int home;
	enum err e = descriptors_ready();

	if (e == OK)
		e = file_lock_folder(c->home, &home);
	if (e == OK)
		e = block_signals();
	if (e == OK)
		return d->serve(c, config);
	log_error("NOT-STARTED", "why=%s", err_name(e));
	return e;
}

static enum err run(struct cli *c)
{
	const struct daemon *d = (const struct daemon *)c->program;
	enum log_level level = LOG_INFO;
	struct config config;
	enum err e;

	if (cli_flag(c, "example-config")) {
		config_example(d->program.program, c->lang, stdout);
		return OK;
	}
	e = config_load(c->home, d->program.program, stderr, c->lang, &config);
	c->told = e != OK;
	TRY(e);
	e = log_level_find(config.log_level, &level);
	log_setup(d->name, level);
	if (e == OK && cli_flag(c, "check-config")) {
		cli_say(c, "The configuration is right.\n", "La configuration est correcte.\n");
	} else if (e == OK) {
		e = live(c, d, &config);
	}
	config_free(&config);
	return e;
}

static const struct cli_option options[] = {
	CLI_FLAG("check-config", "say whether havre.conf is right, and stop",
		"dire si havre.conf est correct, puis s’arrêter"),
	CLI_FLAG("example-config", "print every configuration key with its default, and stop",
		"afficher chaque clé de configuration et sa valeur par défaut, puis s’arrêter"),
	CLI_END,
};

static const struct cli_command commands[] = {
	CLI_COMMAND("", "", 0, 0, options, run,
		"run until SIGTERM or SIGINT; SIGHUP reads the keys and the registry again",
		"fonctionner jusqu’à SIGTERM ou SIGINT; SIGHUP relit les clés et le registre"),
	CLI_END,
};

int daemon_main(struct daemon *d, int argc, char **argv)
{
	d->program.commands = commands;
	return cli_main(&d->program, argc, argv);
}
