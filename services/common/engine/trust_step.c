/* What the broker tells every program: the suspension list and the registry. Steps of the kit, in
 * the store of each; what they change holds from the next message on. */
#include "services/common/engine/trust_step.h"

#include "proto/strict.h"
#include "services/common/base/log.h"

static const char kept_registry[] = "r";

/* --- the handlers --- */

static enum err take_act(struct step *s, const SignedAct *said, const SuspensionAct *act)
{
	const Principal *target = registry_find(s->engine->registry, act->principal);
	struct act_standing now;
	unsigned officers = 0;

	if (target && roles_of(target) & ROLE_BIT(ROLE__BROKER))
		return ERR_NOT_SUSPENDABLE;
	TRY(act_signers_ever(said, s->engine->registry, &officers));
	TRY(act_standing(s->txn, T_TRUST, act, &now));
	if (!act_is_news(act, &now)) /* told again, or by a broker whose store was put back */
		return OK;
	if (officers < 2)
		return act_put(s->txn, T_TRUST, ACTS_PROPOSED, act, said, 0);
	log_warn("SUSPENSION-TAKEN", "principal=%s lift=%d serial=%llu", act->principal,
		(int)act->lift, (unsigned long long)act->serial);
	TRY(act_forget_proposals(s->txn, T_TRUST, act));
	return act_put(s->txn, T_TRUST, ACTS_IN_FORCE, act, said, 0);
}

static enum err on_suspension(struct step *s, const ProtobufCMessage *m)
{
	const SignedAct *said = (const SignedAct *)m;
	SuspensionAct *act;
	enum err e;

	TRY(act_open(said, &act));
	e = take_act(s, said, act);
	suspension_act__free_unpacked(act, NULL);
	return e;
}

/* The roots of the registry that is in use must have signed it, and its own. */
static enum err on_spread(struct step *s, const ProtobufCMessage *m)
{
	struct registry *next = NULL;
	struct buf bytes = {0};
	enum err e = strict_pack(m, &bytes);

	if (e == OK)
		e = registry_next(s->engine->base, slice_buf(&bytes), s->now, &next);
	if (e == OK)
		e = txn_put(s->txn, T_TRUST, slice_str(kept_registry), slice_buf(&bytes));
	if (e == OK)
		e = state_put(s->txn, "registry", LANE_ROUTINE, registry_message(next)->version);
	if (e == OK)
		log_info("REGISTRY-TAKEN", "version=%llu",
			(unsigned long long)registry_message(next)->version);
	registry_free(&next);
	buf_free(&bytes);
	if (e == ERR_ROLLED_BACK) /* it came by another way, or a newer one did */
		return OK;
	return e == ERR_CORRUPT ? ERR_MALFORMED : e;
}

const struct route trust_routes[] = {
	ON(TELL_SUSPENSION, on_suspension),
	ON(SPREAD_REGISTRY, on_spread),
	{0},
};

/* --- the registry that is in use --- */

static enum err load_kept(struct txn *t, int64_t now, struct registry **ret)
{
	struct slice bytes;
	enum err e = txn_get(t, T_TRUST, slice_str(kept_registry), &bytes);

	return e == OK ? registry_kept(bytes, now, ret) : e;
}

enum err trust_kept(struct store *store, int64_t now, struct registry **ret)
{
	struct txn *t = NULL;
	enum err e;

	TRY(store_begin(store, TXN_READ, &t));
	e = load_kept(t, now, ret);
	txn_abort(&t);
	return e;
}

enum err trust_use(struct engine *e, const struct registry *given)
{
	const struct registry *now = given ? given : e->base;
	struct registry *base = NULL, *effective = NULL;
	struct txn *t, *own;
	enum err err;

	TRY(engine_reading(e, &t, &own));
	/* whether it has expired is looked at when it is used */
	err = load_kept(t, registry_message(now)->issued_at, &base);
	if (err == ERR_NOT_FOUND ||
		(err == OK && registry_message(base)->version <= registry_message(now)->version)) {
		registry_free(&base);
		base = registry_ref(now);
		err = OK;
	}
	if (err == OK)
		err = act_apply(t, T_TRUST, base, &effective);
	txn_abort(&own);
	if (err != OK) {
		registry_free(&base);
		return err;
	}
	registry_free(&e->base);
	registry_free(&e->registry);
	e->base = base;
	e->registry = effective;
	return OK;
}

enum err trust_after(struct engine *e, enum kind kind)
{
	if (kind != KIND_TELL_SUSPENSION && kind != KIND_SPREAD_REGISTRY)
		return OK;
	TRY(trust_use(e, NULL));
	return parked_let_go(e);
}

enum err trust_each(struct step *s, enum act_list list, act_each_fn *each, void *arg)
{
	return act_each(s->txn, T_TRUST, list, each, arg);
}
