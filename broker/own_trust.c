/* The suspension list: proposals, the second signature, the effect within the commit; and the
 * registry, which goes to everybody. */
#include "broker/own.h"
#include "proto/envelope.h"
#include "proto/strict.h"
#include "services/common/base/log.h"

#include <stdlib.h>

/* Who has no key to be sealed to hears all when there is one: with the next registry. */
static enum err nobody_is_ok(enum err e)
{
	return e == ERR_UNKNOWN_RECIPIENT ? OK : e;
}

/* Everybody who runs a program. */
static role_set everyone(void)
{
	return catalogue_find(KIND_TELL_SUSPENSION)->to;
}

enum err own_registry(struct core *c, struct txn *t, const struct registry *base)
{
	struct registry *effective = NULL, *kept = registry_ref(base);

	if (c->o.keys) {
		enum err e = act_apply(t, TABLE_TRUST, base, &effective);

		if (e != OK) {
			registry_free(&kept);
			return e;
		}
	} else {
		effective = registry_ref(base);
	}
	registry_free(&c->base);
	registry_free(&c->effective);
	c->base = kept;
	c->o.registry = c->effective = effective;
	return OK;
}

void heard_free(struct heard *h)
{
	if (h->said)
		signed_act__free_unpacked(h->said, NULL);
	if (h->act)
		suspension_act__free_unpacked(h->act, NULL);
	if (h->proposal)
		stored_act__free_unpacked(h->proposal, NULL);
	*h = (struct heard){0};
}

/* --- may it be taken? --- */

static enum err open_body(const struct core *c, struct slice bytes, ProtobufCMessage **ret)
{
	const uint8_t *id, *secret;
	enum err e = ERR_NOT_FOR_ME;
	struct envelope envelope;

	if (!c->o.keys)
		return ERR_NOT_FOR_ME;
	TRY(envelope_parse(bytes, &envelope));
	for (size_t i = 0; e == ERR_NOT_FOR_ME && (id = keyring_id_at(c->o.keys, i)); i++)
		if ((secret = keyring_box_secret_of(c->o.keys, id, envelope.header->epoch)))
			e = envelope_open(&envelope, id, secret, ret);
	envelope_free(&envelope);
	return e;
}

static bool has_key(const Principal *p, const ProtobufCBinaryData *id)
{
	for (size_t i = 0; i < p->n_keys; i++)
		if (id->len == KEY_ID_LEN && memcmp(p->keys[i]->id.data, id->data, id->len) == 0)
			return true;
	return id->len == 0;
}

/* Staff who can sign in with a key now, and so propose, confirm and lift. */
static unsigned able_staff(const struct registry *r, int64_t now)
{
	struct reader readers[READERS_MOST];
	const Principal *p;
	unsigned able = 0;
	uint32_t epoch;
	size_t n;

	for (unsigned i = 0; (p = registry_with_roles(r, STAFF_ROLES, now, i)); i++)
		able += registry_readers(r, p->name, now, readers, &n, &epoch) == OK;
	return able;
}

/* What the registry would say after it. */
static enum err check_left(const struct core *c, const SuspensionAct *a, int64_t now)
{
	struct registry *after = NULL;
	unsigned left;

	TRY(registry_with_acts(c->o.registry, &a, 1, &after));
	left = able_staff(after, now);
	registry_free(&after);
	return left >= 2 ? OK : ERR_NOT_SUSPENDABLE;
}

static enum err check_target(const struct core *c, const SuspensionAct *a, int64_t now)
{
	const Principal *p = registry_find(c->o.registry, a->principal);

	if (!p || !has_key(p, &a->key_id))
		return ERR_UNKNOWN_PRINCIPAL;
	if (roles_of(p) & ROLE_BIT(ROLE__BROKER))
		return ERR_NOT_SUSPENDABLE;
	return a->lift || !(roles_of(p) & STAFF_ROLES) ? OK : check_left(c, a, now);
}

/* Newer than the one in force, and the other way round: nothing is lifted that is not there. */
static enum err check_new(struct txn *t, const SuspensionAct *a, int64_t now)
{
	SuspensionAct *last = NULL;
	StoredAct *stored = NULL;
	bool in_force = false;
	uint64_t serial = 0;
	enum err e = act_in_force(t, TABLE_TRUST, a, &stored);

	if (e == OK) {
		e = act_open(stored->act, &last);
		stored_act__free_unpacked(stored, NULL);
		TRY(e);
		in_force = !last->lift;
		serial = last->serial;
		suspension_act__free_unpacked(last, NULL);
	} else if (e != ERR_NOT_FOUND) {
		return e;
	}
	if (a->made_at < now - ACT_LIVES_MS || a->made_at > now + ACT_AHEAD_MS ||
		a->serial != serial + 1 || a->lift != in_force)
		return ERR_OLD_ACT;
	return OK;
}

/* One signature, and by who sent it. */
static enum err check_signer(
	const struct core *c, const SignedAct *s, const char *sender, int64_t now)
{
	unsigned n = 0;

	if (s->n_signatures != 1)
		return ERR_MALFORMED;
	if (strcmp(s->signatures[0]->officer, sender) != 0)
		return ERR_NOT_PERMITTED;
	return act_signers(s, c->o.registry, now, &n);
}

/* Is it confirmed by h->said? ERR_OTHER_OFFICER: by the same officer. Whose key is not good any
 * more has proposed nothing. */
static enum err confirms(
	const struct core *c, const struct heard *h, const SignedAct *proposed, int64_t now)
{
	ActSignature *list[2] = {proposed->signatures[0], h->said->signatures[0]};
	SignedAct both = SIGNED_ACT__INIT;
	unsigned n = 0;

	if (!slice_eq(slice_of(proposed->act.data, proposed->act.len),
		    slice_of(h->said->act.data, h->said->act.len)))
		return ERR_NOT_FOUND;
	both.act = proposed->act;
	both.signatures = list;
	both.n_signatures = 2;
	return act_signers(&both, c->o.registry, now, &n);
}

/* The same act, proposed by another officer: then this one confirms it. */
static enum err find_proposal(struct txn *t, struct heard *h, int64_t now, const struct core *c)
{
	StoredAct *stored = NULL;
	bool own = false;
	struct key at = {0};
	enum err e;

	while ((e = act_next_proposal(t, TABLE_TRUST, h->act, &at, &stored)) == OK) {
		e = confirms(c, h, stored->act, now);
		if (e == OK) {
			h->proposal = stored;
			return OK;
		}
		stored_act__free_unpacked(stored, NULL);
		own |= e == ERR_OTHER_OFFICER;
	}
	if (e != ERR_NOT_FOUND)
		return e;
	return own ? ERR_OTHER_OFFICER : OK;
}

static enum err hear(struct core *c, struct txn *t, const struct verdict *v, struct slice envelope,
	int64_t now, struct heard *h)
{
	ProtobufCMessage *m = NULL;

	TRY(open_body(c, envelope, &m));
	h->said = (SignedAct *)m;
	TRY(act_open(h->said, &h->act));
	TRY(check_signer(c, h->said, v->sender, now));
	TRY(check_target(c, h->act, now));
	TRY(check_new(t, h->act, now));
	return find_proposal(t, h, now, c);
}

enum err own_hear(struct core *c, struct txn *t, const struct verdict *v, struct slice envelope,
	int64_t now, struct heard *ret)
{
	struct heard h = {0};
	enum err e;

	if (v->row->kind != KIND_PROPOSE_SUSPENSION)
		return OK;
	if (strcmp(v->recipient, c->o.principal) != 0)
		return ERR_UNKNOWN_RECIPIENT;
	e = hear(c, t, v, envelope, now, &h);
	if (e == OK)
		*ret = h;
	else
		heard_free(&h);
	return e;
}

/* --- and what it does --- */

static void log_act(const char *id, const struct heard *h)
{
	char act[2 * ACT_ID_LEN + 1], key[2 * KEY_ID_LEN + 1] = "";
	uint8_t bytes[ACT_ID_LEN];

	act_id(slice_of(h->said->act.data, h->said->act.len), bytes);
	hex_encode(act, bytes, ACT_ID_LEN);
	hex_encode(key, h->act->key_id.data, h->act->key_id.len);
	log_warn(id, "act=%s principal=%s key=%s lift=%d serial=%llu first=%s second=%s", act,
		h->act->principal, key, (int)h->act->lift, (unsigned long long)h->act->serial,
		h->proposal ? h->proposal->act->signatures[0]->officer
			    : h->said->signatures[0]->officer,
		h->proposal ? h->said->signatures[0]->officer : "");
}

static enum err propose(
	struct core *c, struct txn *t, const struct heard *h, uint64_t index, int64_t now)
{
	TRY(act_put(t, TABLE_TRUST, ACTS_PROPOSED, h->act, h->said, index));
	log_act("SUSPENSION-PROPOSED", h);
	return nobody_is_ok(
		own_send_all(c, t, KIND_TELL_SUSPENSION, STAFF_ROLES, NULL, &h->said->base, now));
}

/* What a principal was not told while it was suspended, or could not open. */
static enum err tell_all_to(struct core *c, struct txn *t, const char *name, int64_t now);

static enum err put_in_force(
	struct core *c, struct txn *t, const struct heard *h, uint64_t index, int64_t now)
{
	SignedAct both = SIGNED_ACT__INIT;
	ActSignature *list[2] = {h->proposal->act->signatures[0], h->said->signatures[0]};

	both.act = h->said->act;
	both.signatures = list;
	both.n_signatures = 2;
	TRY(act_put(t, TABLE_TRUST, ACTS_IN_FORCE, h->act, &both, index));
	TRY(act_forget_proposals(t, TABLE_TRUST, h->act));
	TRY(own_registry(c, t, c->base));
	mailboxes_recheck(c->boxes, c->o.registry, now);
	log_act("SUSPENSION-IN-FORCE", h);
	TRY(nobody_is_ok(
		own_send_all(c, t, KIND_TELL_SUSPENSION, everyone(), NULL, &both.base, now)));
	return h->act->lift ? nobody_is_ok(tell_all_to(c, t, h->act->principal, now)) : OK;
}

/* It is done with: the cursor passes it in the same commit. */
static enum err pass(struct core *c, struct txn *t, const struct log_row *row)
{
	struct key k;

	cursor_key(&k, c->o.principal, row->lane, keyring_key_id(c->o.keys));
	return number_put(t, TABLE_CURSOR, key_slice(&k), row->seq);
}

enum err own_do(struct core *c, struct txn *t, const struct heard *h, const struct log_row *row,
	int64_t now)
{
	uint64_t index = c->size - 1;

	if (!h->act)
		return OK;
	TRY(pass(c, t, row));
	return h->proposal ? put_in_force(c, t, h, index, now) : propose(c, t, h, index, now);
}

/* --- the registry to everybody --- */

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

static enum err tell_all_to(struct core *c, struct txn *t, const char *name, int64_t now)
{
	ProtobufCMessage *registry = NULL;
	enum err e = signed_registry(c, &registry);

	if (e == OK || e == ERR_NOT_FOUND)
		e = tell_all(c, t, name, registry, now);
	if (registry)
		protobuf_c_message_free_unpacked(registry, NULL);
	return e;
}

enum err own_spread(struct core *c, struct txn *t, int64_t now)
{
	const struct slice mark = slice_str(META_SPREAD);
	uint64_t version = registry_message(c->o.registry)->version, told = 0;
	const Principal *p;
	enum err e;

	if (!c->o.keys)
		return OK;
	e = number_get(t, TABLE_META, mark, &told);
	if ((e != OK && e != ERR_NOT_FOUND) || told >= version)
		return e == ERR_NOT_FOUND ? OK : e;
	for (unsigned i = 0; (p = registry_with_roles(c->o.registry, everyone(), now, i)); i++)
		TRY(nobody_is_ok(tell_all_to(c, t, p->name, now)));
	log_info("REGISTRY-SPREAD", "version=%llu", (unsigned long long)version);
	c->written = true;
	return number_put(t, TABLE_META, mark, version);
}
