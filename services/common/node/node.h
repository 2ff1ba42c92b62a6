/*
 * node.h - a service joined to the network: home folder, configuration, keys, registry, store,
 * engine and link. service_main runs one for ever; a command opens one, does its local steps, and
 * runs it until its work is done or the time it gives the network is over.
 */
#ifndef HAVRE_NODE_H
#define HAVRE_NODE_H

#include "services/common/engine/engine.h"

struct node;

struct node_options {
	const char *home;
	const char *passphrase_file; /* NULL: ask on the terminal when the key needs one */
	enum lang lang;
	FILE *errors;
	const void *context; /* what step_context gives; NULL: the service's own */
	bool sandboxed;      /* enter the sandbox once the keys are there */
};

/* ERR_PERMISSIONS, ERR_PASSPHRASE: keys; ERR_INVALID: configuration; ERR_LOCKED: another process
 * has the store. What is wrong is written to options->errors in words. */
MUST_USE enum err node_open(
	const struct service *svc, const struct node_options *options, struct node **ret);
void node_free(struct node **np);

struct engine *node_engine(struct node *n);
const struct config *node_config(const struct node *n);
const struct registry *node_registry(const struct node *n);
const struct keyring *node_keys(const struct node *n);
int64_t node_now(void);
/* node_turn returns when this descriptor is readable; the caller reads it. -1: none. */
void node_wake_on(struct node *n, int fd);
/* Loads the registry again. Any error: the old one stays in use, and the cause is logged; after
 * ERR_IO or ERR_FULL the process must end (a commit failed). */
MUST_USE enum err node_reload_registry(struct node *n);
/* Reads the key file again (unless it needs a passphrase), without losing a message: an epoch or a
 * key more, or without those that were destroyed. A file that is not right is logged and changes
 * nothing. Any error: the process must end. */
MUST_USE enum err node_reload_keys(struct node *n);

/* One committed local step. */
MUST_USE enum err node_local(struct node *n, enum err (*fn)(struct step *s, void *arg), void *arg);
/* Reads the store as a local step would, without writing. */
MUST_USE enum err node_read(struct node *n, enum err (*fn)(struct step *s, void *arg), void *arg);

/* Writes the metrics (metrics.h) when their time has come, or what they tell may have changed;
 * *ret_next_ms: until the next time. What fails is logged: no message waits for a number. */
void node_report(struct node *n, int *ret_next_ms);

/* One turn: network for at most timeout_ms, then one commit of all that came, then the outbox. */
MUST_USE enum err node_turn(struct node *n, int timeout_ms);
/* Turns until done(arg) or the time is over (ERR_TIMEOUT); progress is up to `done`. ERR_FENCED:
 * this store was put back and must be recovered first. */
MUST_USE enum err node_run(
	struct node *n, bool (*done)(struct node *n, void *arg), void *arg, int64_t within_ms);
/* OK, or why the broker's last welcome was not taken: ERR_FENCED (this store is older than what the
 * broker has seen of it), ERR_ROLLED_BACK (the broker's log is), ERR_BAD_SIGNATURE. */
enum err node_fenced(const struct node *n);
/* Both lanes welcomed? The outbox empty? Nothing waiting in the mailbox (as of the welcome)? */
bool node_connected(const struct node *n);
bool node_outbox_empty(struct node *n);
bool node_caught_up(const struct node *n);

/* Asks a question and waits for its answer. ERR_UNREACHABLE, ERR_TIMEOUT, or the refusal. *ret is
 * of the body type of the kind after `kind`; protobuf_c_message_free_unpacked. */
MUST_USE enum err node_ask(struct node *n, enum kind kind, const ProtobufCMessage *question,
	int64_t within_ms, ProtobufCMessage **ret);

#endif
