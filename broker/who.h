/*
 * who.h - the present registry, for all threads: the verifiers and the handshake read it, the
 * main thread replaces it.
 */
#ifndef HAVRE_BROKER_WHO_H
#define HAVRE_BROKER_WHO_H

#include "services/common/trust/registry.h"

struct who;

/* Takes *registry and clears it, on success only. */
MUST_USE enum err who_open(struct registry **registry, struct who **ret);
void who_free(struct who **wp);

/* Between these two the registry stays: keep it short. */
const struct registry *who_lock(struct who *w);
void who_unlock(struct who *w);

/* Takes *registry and clears it; frees the old one as soon as nobody reads it. Called by the
 * thread that also calls who_now only. */
void who_replace(struct who *w, struct registry **registry);
/* For the thread that replaces: valid until it does. */
const struct registry *who_now(const struct who *w);

#endif
