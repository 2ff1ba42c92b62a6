/*
 * trust_step.h - how a program comes to know of the suspension list and of a new registry: urgent
 * messages of the broker, applied by steps of the kit to the program's own store.
 *
 * A message whose sender is suspended was receipted before that: it is held, without a deadline,
 * and goes on in its order when the suspension is lifted.
 */
#ifndef HAVRE_TRUST_STEP_H
#define HAVRE_TRUST_STEP_H

#include "services/common/engine/engine_internal.h"
#include "services/common/trust/trust.h"

/* The kit's own handlers. */
extern const struct route trust_routes[];

/* The registry that this program was told of and has kept. ERR_NOT_FOUND. */
MUST_USE enum err trust_kept(struct store *store, int64_t now, struct registry **ret);
/* The engine goes by the newer of `given` (NULL: what it has) and of what is kept, without whom the
 * acts in force suspend. In the open batch, if there is one. */
MUST_USE enum err trust_use(struct engine *e, const struct registry *given);
/* After a step that handled a message of this kind: what it changed holds now. */
MUST_USE enum err trust_after(struct engine *e, enum kind kind);

/* Each act in force, lifts too, or each proposal, that this program was told of. */
MUST_USE enum err trust_each(struct step *s, enum act_list list, act_each_fn *each, void *arg);

#endif
