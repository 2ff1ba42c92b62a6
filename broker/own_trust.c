/* The suspension list: proposals, the second signature, the effect within the commit. */
#include "broker/own.h"
#include "proto/envelope.h"
#include "proto/strict.h"
#include "services/common/base/log.h"

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

	if (a->lift || !(roles_of(registry_find(c->o.registry, a->principal)) & STAFF_ROLES))
		return OK;
	TRY(registry_with_acts(c->o.registry, &a, 1, &after));
	left = able_staff(after, now);
	registry_free(&after);
	return left >= 2 ? OK : ERR_NOT_SUSPENDABLE;
}

static enum err check_target(const struct core *c, const SuspensionAct *a)
{
	const Principal *p = registry_find(c->o.registry, a->principal);

	if (!p || !has_key(p, &a->key_id))
		return ERR_UNKNOWN_PRINCIPAL;
	return roles_of(p) & ROLE_BIT(ROLE__BROKER) ? ERR_NOT_SUSPENDABLE : OK;
}

/* Of today, newer than the one in force, and not just the same again. What leaves numbers out is
 * signed by people who know more than this store. */
static bool is_due(const SuspensionAct *a, const struct act_standing *last, int64_t now)
{
	return a->made_at >= now - ACT_LIVES_MS && a->made_at <= now + ACT_AHEAD_MS &&
	       a->serial > last->serial && a->serial - last->serial <= ACT_SERIALS_AHEAD &&
	       (a->serial > last->serial + 1 || a->lift == last->suspended);
}

static enum err check_new(struct txn *t, const struct heard *h, int64_t now)
{
	struct act_standing last;

	TRY(act_standing(t, TABLE_TRUST, h->act, &last));
	return (h->again ? act_is_news(h->act, &last) : is_due(h->act, &last, now)) ? OK
										    : ERR_OLD_ACT;
}

/* When it came first the keys were good: that is what the receipt says. */
static enum err signers(
	const struct core *c, const struct heard *h, const SignedAct *s, int64_t now)
{
	unsigned n = 0;

	return h->again ? act_signers_ever(s, c->o.registry, &n)
			: act_signers(s, c->o.registry, now, &n);
}

/* One signature, and by who sent it. */
static enum err check_signer(
	const struct core *c, const struct heard *h, const char *sender, int64_t now)
{
	if (h->said->n_signatures != 1)
		return ERR_MALFORMED;
	if (strcmp(h->said->signatures[0]->officer, sender) != 0)
		return ERR_NOT_PERMITTED;
	return signers(c, h, h->said, now);
}

/* Is it confirmed by h->said? ERR_OTHER_OFFICER: by the same officer. Whose key is not good any
 * more has proposed nothing. */
static enum err confirms(
	const struct core *c, const struct heard *h, const SignedAct *proposed, int64_t now)
{
	ActSignature *list[2] = {proposed->signatures[0], h->said->signatures[0]};
	SignedAct both = SIGNED_ACT__INIT;

	if (!slice_eq(slice_of(proposed->act.data, proposed->act.len),
		    slice_of(h->said->act.data, h->said->act.len)))
		return ERR_NOT_FOUND;
	both.act = proposed->act;
	both.signatures = list;
	both.n_signatures = 2;
	return signers(c, h, &both, now);
}

/* The same act, proposed by another officer: then this one confirms it. */
static enum err find_proposal(const struct core *c, struct txn *t, struct heard *h, int64_t now)
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
	TRY(check_signer(c, h, v->sender, now));
	TRY(check_target(c, h->act));
	TRY(check_new(t, h, now));
	TRY(find_proposal(c, t, h, now));
	/* what comes again and waits for its second signature may wait for a lift as well */
	return h->again && !h->proposal ? OK : check_left(c, h->act, now);
}

enum err own_hear(struct core *c, struct txn *t, const struct verdict *v, struct slice envelope,
	int64_t now, struct heard *ret)
{
	struct heard h = {.again = v->resent};
	enum err e;

	if (v->row->kind != KIND_PROPOSE_SUSPENSION)
		return OK;
	if (strcmp(v->recipient, c->o.principal) != 0)
		return ERR_UNKNOWN_RECIPIENT;
	e = hear(c, t, v, envelope, now, &h);
	if (e == OK) {
		*ret = h;
		return OK;
	}
	heard_free(&h);
	if (!v->resent || (int)e < 100)
		return e;
	/* what was receipted is taken all the same */
	log_warn("SUSPENSION-PASSED", "from=%s why=%s", v->sender, err_name(e));
	return OK;
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
	return own_tell_act(c, t, STAFF_ROLES, h->said, now);
}

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
	TRY(own_tell_act(c, t, own_everyone(), &both, now));
	return h->act->lift ? own_tell_all_to(c, t, h->act->principal, now) : OK;
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

	if (row->kind != KIND_PROPOSE_SUSPENSION || !c->o.keys)
		return OK;
	TRY(pass(c, t, row));
	if (!h->act)
		return OK;
	return h->proposal ? put_in_force(c, t, h, index, now) : propose(c, t, h, index, now);
}
