#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "services/common/cli/daemon.h"
#include "services/common/base/log.h"
#include "services/common/node/node.h"
#include "services/common/engine/service.h"

#define TURN_MS 60000

/* The service is behind its program. */
struct service_program {
	struct daemon daemon;
	const struct service *svc;
};

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

static enum err serve_with(struct cli *c, const struct service *svc, int signals)
{
	struct node_options o = {c->home, c->passphrase_file, c->lang, stderr, .sandboxed = true};
	struct node *n = NULL;
	enum err e = node_open(svc, &o, &n);

	c->told = e != OK;
	if (e != OK) {
		log_error("NOT-STARTED", "why=%s", err_name(e));
		return e;
	}
	log_info("STARTED", "version=%s principal=%s registry=%llu", HAVRE_VERSION,
		keyring_principal(node_keys(n)),
		(unsigned long long)registry_message(node_registry(n))->version);
	e = daemon_stopped(turns(n, svc, signals));
	node_free(&n);
	return e;
}

static enum err serve(struct cli *c, const struct config *config)
{
	int signals = daemon_signals();
	enum err e;

	(void)config; /* the node reads its own */
	if (signals < 0)
		return ERR_IO;
	e = serve_with(c, ((const struct service_program *)c->program)->svc, signals);
	close(signals);
	return e;
}

int service_main(const struct service *svc, int argc, char **argv)
{
	char name[64];
	struct service_program p = {
		.daemon = {.program = {.name = name,
				   .words = {"a service of Havre", "un service de Havre"},
				   .program = svc->program},
			.name = svc->name,
			.serve = serve},
		.svc = svc,
	};

	snprintf(name, sizeof(name), "havre-%s", svc->name);
	return daemon_main(&p.daemon, argc, argv);
}
