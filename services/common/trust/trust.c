#include "services/common/trust/trust.h"

#include <sodium.h>
#include <stdlib.h>

#include "proto/strict.h"
#include "services/common/base/names.h"

/* --- acts and their signatures --- */

void act_id(struct slice act, uint8_t ret[ACT_ID_LEN])
{
	uint8_t hash[HASH_LEN];

	crypto_generichash(hash, sizeof(hash), act.data, act.len, NULL, 0);
	memcpy(ret, hash, ACT_ID_LEN);
}

enum err act_sign(struct slice act, const uint8_t seed[SIGN_SEED_LEN], uint8_t ret_sig[SIG_LEN])
{
	return crypto_sign_pieces(ret_sig, "suspension", &act, 1, seed);
}

enum err act_open(const SignedAct *s, SuspensionAct **ret)
{
	ProtobufCMessage *m = NULL;
	const SuspensionAct *a;

	TRY(strict_unpack(&suspension_act__descriptor, slice_of(s->act.data, s->act.len), &m));
	a = (const SuspensionAct *)m;
	if (!name_valid(a->principal) || (a->key_id.len && a->key_id.len != KEY_ID_LEN) ||
		a->serial < 1 || a->serial > UINT32_MAX || !a->reason || a->made_at <= 0) {
		protobuf_c_message_free_unpacked(m, NULL);
		return ERR_MALFORMED;
	}
	*ret = (SuspensionAct *)m;
	return OK;
}

/* Whatever its dates. */
static enum err key_ever(
	const struct registry *r, const char *name, const uint8_t id[KEY_ID_LEN], const Key **ret)
{
	const Principal *p = registry_find(r, name);

	for (size_t i = 0; p && i < p->n_keys; i++)
		if (memcmp(p->keys[i]->id.data, id, KEY_ID_LEN) == 0) {
			*ret = p->keys[i];
			return OK;
		}
	return ERR_UNKNOWN_KEY;
}

static enum err check_signature(
	const SignedAct *s, const ActSignature *sig, const struct registry *r, const int64_t *at)
{
	struct slice act = slice_of(s->act.data, s->act.len);
	const Principal *officer = registry_find(r, sig->officer);
	const Key *key;

	if (sig->key_id.len != KEY_ID_LEN)
		return ERR_MALFORMED;
	TRY(at ? registry_key(r, sig->officer, sig->key_id.data, *at, &key)
	       : key_ever(r, sig->officer, sig->key_id.data, &key));
	if (!officer || !(roles_of(officer) & STAFF_ROLES))
		return ERR_NOT_PERMITTED;
	return crypto_verify_pieces(
		sig->signature.data, sig->signature.len, "suspension", &act, 1, key->sign_key.data);
}

/* at: NULL: ever. */
static enum err count_signers(
	const SignedAct *s, const struct registry *r, const int64_t *at, unsigned *ret)
{
	if (s->n_signatures == 0)
		return ERR_MALFORMED;
	for (size_t i = 0; i < s->n_signatures; i++) {
		for (size_t j = 0; j < i; j++)
			if (strcmp(s->signatures[i]->officer, s->signatures[j]->officer) == 0)
				return ERR_OTHER_OFFICER;
		TRY(check_signature(s, s->signatures[i], r, at));
	}
	*ret = (unsigned)s->n_signatures;
	return OK;
}

enum err act_signers(const SignedAct *s, const struct registry *r, int64_t at, unsigned *ret)
{
	return count_signers(s, r, &at, ret);
}

enum err act_signers_ever(const SignedAct *s, const struct registry *r, unsigned *ret)
{
	return count_signers(s, r, NULL, ret);
}

/* --- the table --- */

static struct key act_key(enum act_list list, const SuspensionAct *target)
{
	struct key k = {0};

	key_u8(&k, (uint8_t)list);
	key_str(&k, target->principal);
	key_u8(&k, (uint8_t)target->key_id.len);
	key_bytes(&k, target->key_id.data, target->key_id.len);
	return k;
}

/* What this program wrote itself and cannot read is damage. */
static enum err unpack(struct slice value, StoredAct **ret_stored, SuspensionAct **ret_act)
{
	ProtobufCMessage *m = NULL;
	enum err e = strict_unpack(&stored_act__descriptor, value, &m);
	StoredAct *stored = (StoredAct *)m;

	if (e == OK)
		e = stored->act ? act_open(stored->act, ret_act) : ERR_CORRUPT;
	if (e == OK)
		*ret_stored = stored;
	else if (m)
		protobuf_c_message_free_unpacked(m, NULL);
	return e == OK || e == ERR_NOMEM ? e : ERR_CORRUPT;
}

enum err act_standing(
	struct txn *t, int table, const SuspensionAct *target, struct act_standing *ret)
{
	struct key k = act_key(ACTS_IN_FORCE, target);
	struct slice value;
	SuspensionAct *act;
	StoredAct *stored;
	enum err e = txn_get(t, table, key_slice(&k), &value);

	if (e == ERR_NOT_FOUND) {
		*ret = (struct act_standing){0};
		return OK;
	}
	TRY(e);
	TRY(unpack(value, &stored, &act));
	*ret = (struct act_standing){act->serial, !act->lift};
	suspension_act__free_unpacked(act, NULL);
	stored_act__free_unpacked(stored, NULL);
	return OK;
}

bool act_is_news(const SuspensionAct *a, const struct act_standing *now)
{
	return a->serial > now->serial || (a->serial == now->serial && !a->lift && !now->suspended);
}

enum err act_next_proposal(
	struct txn *t, int table, const SuspensionAct *target, struct key *at, StoredAct **ret)
{
	struct key of = act_key(ACTS_PROPOSED, target);
	struct slice k, v;
	SuspensionAct *act;

	TRY(txn_next(t, table, key_slice(at->len ? at : &of), at->len > 0, &k, &v));
	if (k.len <= of.len + 8 || memcmp(k.data, of.data, of.len) != 0)
		return ERR_NOT_FOUND;
	*at = (struct key){0};
	key_bytes(at, k.data, k.len);
	TRY(unpack(v, ret, &act));
	suspension_act__free_unpacked(act, NULL);
	return OK;
}

enum err act_put(struct txn *t, int table, enum act_list list, const SuspensionAct *target,
	const SignedAct *s, uint64_t at)
{
	struct key k = act_key(list, target);
	StoredAct stored = STORED_ACT__INIT;
	struct buf packed = {0};
	enum err e;

	if (list == ACTS_PROPOSED) {
		key_u64(&k, target->serial);
		key_str(&k, s->signatures[0]->officer);
	}
	stored.index = at;
	stored.act = (SignedAct *)s; /* only read */
	e = strict_pack(&stored.base, &packed);
	if (e == OK)
		e = txn_put(t, table, key_slice(&k), slice_buf(&packed));
	buf_free(&packed);
	return e;
}

enum err act_forget_proposals(struct txn *t, int table, const SuspensionAct *act)
{
	const size_t serial = act_key(ACTS_PROPOSED, act).len;
	struct key at = {0};
	StoredAct *one;
	enum err e;

	while ((e = act_next_proposal(t, table, act, &at, &one)) == OK) {
		stored_act__free_unpacked(one, NULL);
		if (be64_get(at.data + serial) > act->serial)
			return OK;
		TRY(txn_delete(t, table, key_slice(&at)));
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

struct walk {
	act_each_fn *each;
	void *arg;
};

static enum err walk_one(void *arg, struct slice key, struct slice value)
{
	const struct walk *w = arg;
	SuspensionAct *act = NULL;
	StoredAct *stored = NULL;
	enum err e;

	(void)key;
	TRY(unpack(value, &stored, &act));
	e = w->each(w->arg, stored, act);
	suspension_act__free_unpacked(act, NULL);
	stored_act__free_unpacked(stored, NULL);
	return e;
}

enum err act_each(struct txn *t, int table, enum act_list list, act_each_fn *each, void *arg)
{
	struct walk w = {each, arg};
	uint8_t prefix = (uint8_t)list;

	return txn_each(t, table, slice_of(&prefix, 1), walk_one, &w);
}

struct acts {
	SuspensionAct **list;
	size_t n;
};

static enum err gather(void *arg, const StoredAct *stored, const SuspensionAct *act)
{
	struct acts *a = arg;
	SuspensionAct *copy, **more;

	(void)act;
	TRY(act_open(stored->act, &copy));
	more = realloc(a->list, (a->n + 1) * sizeof(SuspensionAct *));
	if (!more) {
		suspension_act__free_unpacked(copy, NULL);
		return ERR_NOMEM;
	}
	a->list = more;
	a->list[a->n++] = copy;
	return OK;
}

enum err act_apply(struct txn *t, int table, const struct registry *base, struct registry **ret)
{
	struct acts a = {NULL, 0};
	enum err e = act_each(t, table, ACTS_IN_FORCE, gather, &a);

	if (e == OK)
		e = registry_with_acts(base, (const SuspensionAct *const *)a.list, a.n, ret);
	for (size_t i = 0; i < a.n; i++)
		suspension_act__free_unpacked(a.list[i], NULL);
	free(a.list);
	return e;
}
