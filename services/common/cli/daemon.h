/*
 * daemon.h - the command line of a program that runs until a signal: the broker's, and every
 * service's. Its options are those of cli.h, --check-config and --example-config.
 */
#ifndef HAVRE_DAEMON_H
#define HAVRE_DAEMON_H

#include "services/common/cli/cli.h"

struct daemon {
	struct cli_program
		program;  /* its name, its words, whose configuration; the rest is filled in */
	const char *name; /* in the log */
	/* The configuration is right, the log is set up, and SIGTERM, SIGINT and SIGHUP are
	 * blocked, for the threads to come too. Runs until a signal ends it. c->program is this
	 * program. */
	enum err (*serve)(struct cli *c, const struct config *config);
};

/* Returns the exit code: 0 stopped in order, 64 usage, 65 bad configuration, else that of the
 * result of `serve`. */
int daemon_main(struct daemon *d, int argc, char **argv);
/* What `serve` returns when it had begun its work: says in the log how that ended. Whatever ended
 * it but a signal, the process failed (70). */
MUST_USE enum err daemon_stopped(enum err e);
/* These signals are read here, between two turns (signalfd). -1: none. close() it. */
int daemon_signals(void);

#endif
