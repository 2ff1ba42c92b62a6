#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "services/common/cli/cli.h"
#include "services/common/base/log.h"
#include "services/common/node/node.h"
#include "services/common/engine/service.h"

#define TURN_MS 60000

/* What cli_main is given: it hands the program on, and the service is behind it. */
struct service_program {
	struct cli_program program;
	const struct service *svc;
};

/* Everything that stops or reloads comes through one descriptor, between two turns; threads
 * inherit the mask. */
static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -1;
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* A registry that is not accepted is not the end; a failed commit is. */
static enum err reload(struct node *n)
{
	enum err e;

	TRY(node_reload_keys(n)); /* first: the registry says which is used */
	e = node_reload_registry(n);
	return e == ERR_IO || e == ERR_FULL || e == ERR_NOMEM ? e : OK;
}

static enum err read_signals(struct node *n, int fd, bool *ret_stop)
{
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			TRY(reload(n));
		else
			*ret_stop = true;
	}
	return OK;
}

/* The service's own work between two turns; the next turn waits no longer than it asks for. */
static enum err run_on_turn(struct node *n, const struct service *svc, int *wait_ms)
{
	int64_t again_at = INT64_MAX, left;

	TRY(svc->on_turn(n, &again_at));
	left = again_at == INT64_MAX ? TURN_MS : again_at - node_now();
	*wait_ms = left < 0 ? 0 : left < TURN_MS ? (int)left : TURN_MS;
	return OK;
}

static enum err turns(struct node *n, const struct service *svc, int signals)
{
	bool stop = false;
	int wait_ms = svc->on_turn ? 0 : TURN_MS, report_ms;
	enum err e = OK;

	node_wake_on(n, signals);
	while (e == OK && !stop) {
		node_report(n, &report_ms);
		e = node_turn(n, report_ms < wait_ms ? report_ms : wait_ms);
		wait_ms = TURN_MS;
		if (e == OK && svc->on_turn)
			e = run_on_turn(n, svc, &wait_ms);
		if (e == OK)
			e = read_signals(n, signals, &stop);
	}
	return e;
}

static enum err serve(struct cli *c, const struct service *svc, int signals)
{
	struct node_options o = {c->home, c->passphrase_file, c->lang, stderr, .sandboxed = true};
	struct node *n = NULL;
	enum err e = node_open(svc, &o, &n);

	if (e != OK) {
		c->told = true;
		log_error("NOT-STARTED", "why=%s", err_name(e));
		return e;
	}
	log_info("STARTED", "version=%s principal=%s registry=%llu", HAVRE_VERSION,
		keyring_principal(node_keys(n)),
		(unsigned long long)registry_message(node_registry(n))->version);
	e = turns(n, svc, signals);
	if (e == OK)
		log_info("STOPPED", "why=signal");
	else
		log_error("STOPPED", "why=%s", err_name(e));
	node_free(&n);
	/* Whatever ended it: the process failed (70). */
	return e == OK ? OK : ERR_IO;
}

static enum err run(struct cli *c)
{
	const struct service *svc = ((const struct service_program *)c->program)->svc;
	enum log_level level = LOG_INFO;
	struct config config;
	int signals;
	enum err e;

	if (cli_flag(c, "example-config")) {
		config_example(svc->program, c->lang, stdout);
		return OK;
	}
	/* The configuration is read here too: for the level of the log, and to check it alone. */
	e = config_load(c->home, svc->program, stderr, c->lang, &config);
	c->told = e != OK;
	TRY(e);
	e = log_level_find(config.log_level, &level);
	config_free(&config);
	TRY(e);
	log_setup(svc->name, level);
	if (cli_flag(c, "check-config")) {
		cli_say(c, "The configuration is right.\n", "La configuration est correcte.\n");
		return OK;
	}
	signals = open_signals();
	if (signals < 0)
		return ERR_IO;
	e = serve(c, svc, signals);
	close(signals);
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

int service_main(const struct service *svc, int argc, char **argv)
{
	char name[64];
	struct service_program p = {
		.program = {name, {"a service of Havre", "un service de Havre"}, commands},
		.svc = svc,
	};

	snprintf(name, sizeof(name), "havre-%s", svc->name);
	return cli_main(&p.program, argc, argv);
}
