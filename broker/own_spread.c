/* What everybody is told of who is trusted: the registry, and the acts in force. */
#include "broker/own.h"
#include "proto/strict.h"
#include "services/common/base/log.h"

#include <stdlib.h>

role_set own_everyone(void)
{
	return catalogue_find(KIND_TELL_SUSPENSION)->to;
}

/* Who has no key to be sealed to hears all when there is one: with the next registry. */
static enum err nobody_is_ok(enum err e)
{
	return e == ERR_UNKNOWN_RECIPIENT ? OK : e;
}

enum err own_tell_act(
	struct core *c, struct txn *t, role_set roles, const SignedAct *act, int64_t now)
{
	return nobody_is_ok(own_send_all(c, t, KIND_TELL_SUSPENSION, roles, NULL, &act->base, now));
}

struct in_force {
	StoredAct **list;
	size_t n;
};

static enum err keep_act(void *arg, const StoredAct *stored, const SuspensionAct *act)
{
	struct in_force *f = arg;
	ProtobufCMessage *copy = NULL;
	struct buf packed = {0};
	StoredAct **more;
	enum err e;

	if (act->lift)
		return OK;
	more = realloc(f->list, (f->n + 1) * sizeof(StoredAct *));
	if (!more)
		return ERR_NOMEM;
	f->list = more;
	e = strict_pack(&stored->base, &packed);
	if (e == OK)
		e = strict_unpack(&stored_act__descriptor, slice_buf(&packed), &copy);
	buf_free(&packed);
	if (e == OK)
		f->list[f->n++] = (StoredAct *)copy;
	return e;
}

static int by_index(const void *a, const void *b)
{
	const StoredAct *x = *(const StoredAct *const *)a, *y = *(const StoredAct *const *)b;

	return (x->index > y->index) - (x->index < y->index);
}

/* In the order in which they took effect: who signed an act may be suspended by a later one. */
static enum err acts_in_force(struct txn *t, struct in_force *ret)
{
	TRY(act_each(t, TABLE_TRUST, ACTS_IN_FORCE, keep_act, ret));
	if (ret->n)
		qsort(ret->list, ret->n, sizeof(StoredAct *), by_index);
	return OK;
}

static void in_force_free(struct in_force *f)
{
	for (size_t i = 0; i < f->n; i++)
		stored_act__free_unpacked(f->list[i], NULL);
	free(f->list);
}

/* ERR_NOT_FOUND: an unsigned registry, which nobody would take. */
static enum err signed_registry(const struct core *c, ProtobufCMessage **ret)
{
	struct slice bytes = registry_bytes(c->o.registry);

	return bytes.len ? strict_unpack(&signed_registry__descriptor, bytes, ret) : ERR_NOT_FOUND;
}

static enum err tell_all(struct core *c, struct txn *t, const char *name,
	const ProtobufCMessage *registry, int64_t now)
{
	struct in_force f = {NULL, 0};
	enum err e = registry ? own_send(c, t, KIND_SPREAD_REGISTRY, name, registry, now) : OK;

	if (e == OK)
		e = acts_in_force(t, &f);
	for (size_t i = 0; e == OK && i < f.n; i++)
		e = own_send(c, t, KIND_TELL_SUSPENSION, name, &f.list[i]->act->base, now);
	in_force_free(&f);
	return e;
}

enum err own_tell_all_to(struct core *c, struct txn *t, const char *name, int64_t now)
{
	ProtobufCMessage *registry = NULL;
	enum err e = signed_registry(c, &registry);

	if (e == OK || e == ERR_NOT_FOUND)
		e = tell_all(c, t, name, registry, now);
	if (registry)
		protobuf_c_message_free_unpacked(registry, NULL);
	return nobody_is_ok(e);
}

/* Was this version told, and after the last recovery of the log? */
static enum err is_spread(struct core *c, struct txn *t, bool *ret)
{
	uint64_t version = 0, epoch = 0;
	enum err e = number_get(t, TABLE_META, slice_str(META_SPREAD), &version);

	if (e == OK)
		e = number_get(t, TABLE_META, slice_str(META_SPREAD_EPOCH), &epoch);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	*ret = version >= registry_message(c->o.registry)->version && epoch == c->epoch.number;
	return OK;
}

enum err own_spread(struct core *c, struct txn *t, int64_t now)
{
	uint64_t version = registry_message(c->o.registry)->version;
	const Principal *p;
	bool spread;

	if (!c->o.keys)
		return OK;
	TRY(is_spread(c, t, &spread));
	if (spread)
		return OK;
	for (unsigned i = 0; (p = registry_with_roles(c->o.registry, own_everyone(), now, i)); i++)
		TRY(own_tell_all_to(c, t, p->name, now));
	log_info("REGISTRY-SPREAD", "version=%llu epoch=%llu", (unsigned long long)version,
		(unsigned long long)c->epoch.number);
	c->written = true;
	TRY(number_put(t, TABLE_META, slice_str(META_SPREAD), version));
	return number_put(t, TABLE_META, slice_str(META_SPREAD_EPOCH), c->epoch.number);
}
