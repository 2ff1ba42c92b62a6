/*
 * service.h - a service is a table of handlers. The commands of partners and staff are services
 * too, with the same durable outbox and inbox, that run until their work is done.
 */
#ifndef HAVRE_SERVICE_H
#define HAVRE_SERVICE_H

#include "proto/frame.pb-c.h"
#include "services/common/base/config.h"
#include "services/common/engine/step.h"

struct metrics;
struct node;

typedef enum err message_handler(struct step *s, const ProtobufCMessage *m);
/* Reads only (a write ends the process). *ret_answer is freed by the caller. */
typedef enum err query_handler(
	struct step *s, const ProtobufCMessage *question, ProtobufCMessage **ret_answer);
typedef enum err timer_handler(struct step *s, struct slice key);
/* A message of the outbox was receipted or refused: runs as part of the step that removes it. */
typedef enum err posted_handler(struct step *s, const uint8_t id[MSG_ID_LEN], enum kind kind,
	struct slice envelope, const Receipt *receipt, enum err refused);

struct route {
	enum kind kind;
	message_handler *handle;
};
struct query_route {
	enum kind ask, tell;
	query_handler *handle;
};
struct timer_route {
	const char *name;
	timer_handler *handle;
};

/* All lists end with a zero row. */
struct service {
	const char *name;
	enum program program;
	const char *const *tables;
	const struct route *routes;
	const struct query_route *queries;
	const struct timer_route *timers;
	posted_handler *on_posted; /* may be NULL */
	/* Runs as a local step at every start, before anything else. May be NULL. */
	enum err (*on_start)(struct step *s);
	/* Runs after every turn, outside any step: for relays, which carry to the outside world. It
	 * says in *ret_again_at when it wants to run again (node_now's milliseconds). May be NULL.
	 */
	enum err (*on_turn)(struct node *n, int64_t *ret_again_at);
	/* Reads only: adds what this service counts to its metrics (metrics.h). May be NULL. */
	enum err (*on_report)(struct step *s, struct metrics *m);
	/* Turns the configuration into what step_context gives; may be NULL: the struct config. */
	const void *(*context)(const struct config *c);
};

/* Handlers take a ProtobufCMessage and cast it to the Body of their row in catalogue.def. */
#define ON(KIND, fn)                                                                               \
	{                                                                                          \
		KIND_##KIND, fn                                                                    \
	}
#define ON_QUERY(ASK, TELL, fn)                                                                    \
	{                                                                                          \
		KIND_##ASK, KIND_##TELL, fn                                                        \
	}

/*
 * The whole of a service's main: options (those of cli.h, --check-config, --example-config),
 * configuration, keys, registry, store, link; then steps until SIGTERM or SIGINT. SIGHUP loads
 * the registry again. Returns the exit code: 0 stopped in order, 64 usage, 65 bad configuration,
 * 70 a failed check or commit, 77 keys not readable.
 */
int service_main(const struct service *svc, int argc, char **argv);

#endif
