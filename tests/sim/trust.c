/* Who is trusted changes: new registries, which the broker spreads, and a partner that two officers
 * suspend and let in again. */
#include "tests/sim/sim.h"

#include <sodium.h>
#include <stdlib.h>

#include "broker/tables.h"
#include "proto/strict.h"
#include "services/common/engine/engine_internal.h"
#include "services/common/trust/registry_check.h"

#define LOOK_MS        5000
#define ACT_WAITS_MS   90000
#define SUSPENDED_MOST 60000

static const uint8_t root_seed[SIGN_SEED_LEN] = "an invented root, of this world";

/* --- the registry --- */

static void root_key(uint8_t ret[SIGN_PK_LEN])
{
	uint8_t sk[crypto_sign_SECRETKEYBYTES];

	if (crypto_sign_seed_keypair(ret, sk, root_seed) != 0)
		abort();
}

/* The next version, as the root signs it. */
static void sign_registry(struct sim *s)
{
	uint8_t key[SIGN_PK_LEN], signature[SIG_LEN];
	SignedRegistry m = SIGNED_REGISTRY__INIT;
	RootSignature one = ROOT_SIGNATURE__INIT, *list[] = {&one};
	struct buf inner = {0};

	fixture_rebuild(s->fixture);
	root_key(key);
	sim_must(strict_pack(&fixture_message(s->fixture)->base, &inner), "registry");
	sim_must(registry_sign_bytes(slice_buf(&inner), root_seed, signature), "registry");
	one.root_key = (ProtobufCBinaryData){SIGN_PK_LEN, key};
	one.signature = (ProtobufCBinaryData){SIG_LEN, signature};
	m.registry = (ProtobufCBinaryData){inner.len, inner.data};
	m.n_signatures = 1;
	m.signatures = list;
	sim_must(strict_pack(&m.base, &s->registries[s->n_registries++]), "registry");
	buf_free(&inner);
}

void trust_begin(struct sim *s)
{
	root_key(fixture_message(s->fixture)->root_keys[0].data);
	fixture_principal(s->fixture, ADMIN_NAME)->roles[0] = ROLE__ADMIN;
	sign_registry(s);
	s->suspension.at = INT64_MAX;
}

void trust_free(struct sim *s)
{
	for (unsigned i = 0; i < s->n_registries; i++)
		buf_free(&s->registries[i]);
	buf_free(&s->suspension.act);
}

/* The operator gives it to the broker only. */
void trust_new_registry(struct sim *s)
{
	if (s->n_registries == REGISTRIES_MOST)
		return;
	sign_registry(s);
	trace(s, "registry %u", s->n_registries);
	process_end(&s->processes[BROKER]);
}

enum err trust_file(const struct process *p, uint64_t seen_version, struct registry **ret)
{
	const struct sim *s = p->sim;
	uint8_t roots[1][SIGN_PK_LEN];

	root_key(roots[0]);
	return registry_from_bytes(slice_buf(&s->registries[p->svc ? 0 : s->n_registries - 1]),
		(const uint8_t(*)[SIGN_PK_LEN])roots, 1, 1, seen_version, process_clock(p), ret);
}

/* --- the suspension --- */

/* How the target stands in the list of this program. */
static struct act_standing standing_of(const struct sim *s, const struct process *p)
{
	SuspensionAct target = SUSPENSION_ACT__INIT;
	struct txn *t = disk_open(p);
	struct act_standing now;

	target.principal = (char *)s->processes[s->suspension.target].name;
	sim_must(act_standing(t, p->svc ? T_TRUST : TABLE_TRUST, &target, &now), "acts");
	disk_close(p, &t);
	return now;
}

/* As the officer who signs first knows it: the serial is the next in their own list. */
static void new_act(struct sim *s, const struct process *first, bool lift)
{
	struct suspension *u = &s->suspension;
	SuspensionAct a = SUSPENSION_ACT__INIT;

	a.principal = (char *)s->processes[u->target].name;
	a.lift = lift;
	a.reason = lift ? SUSPENSION_REASON__CHECKED : SUSPENSION_REASON__KEY_LOST;
	a.serial = standing_of(s, first).serial + 1;
	a.made_at = s->start + s->now;
	buf_free(&u->act);
	sim_must(strict_pack(&a.base, &u->act), "act");
	u->made_at = s->now;
	memset(u->signed_by, 0, sizeof(u->signed_by));
}

static void sign(struct sim *s, int i)
{
	struct process *p = &s->processes[FIRST_OFFICER + i];
	const struct keyring *keys = fixture_keys(s->fixture, p->name);
	ActSignature one = ACT_SIGNATURE__INIT, *list[] = {&one};
	struct suspension *u = &s->suspension;
	SignedAct body = SIGNED_ACT__INIT;
	uint8_t signature[SIG_LEN];

	sim_must(act_sign(slice_buf(&u->act), keyring_sign_seed(keys), signature), "act");
	one.officer = (char *)p->name;
	one.key_id = (ProtobufCBinaryData){KEY_ID_LEN, (uint8_t *)keyring_key_id(keys)};
	one.signature = (ProtobufCBinaryData){SIG_LEN, signature};
	body.act = (ProtobufCBinaryData){u->act.len, u->act.data};
	body.signatures = list;
	body.n_signatures = 1;
	u->signed_by[i] = officer_sends_act(p, &body, s->processes[u->target].name) == OK;
	trace(s, "%s signs an act: %d", p->name, (int)u->signed_by[i]);
}

/* The same partner may be suspended several times, by other officers. */
void trust_suspend(struct sim *s)
{
	struct suspension *u = &s->suspension;

	if (u->at != INT64_MAX && (u->suspended || s->now < u->lift_at))
		return;
	if (u->at == INT64_MAX)
		u->target = (enum who_is)(FIRST_PARTNER + chance_below(&s->chance, PARTNERS));
	u->except = (unsigned)chance_below(&s->chance, OFFICERS);
	u->lift_at = s->now + chance_between(&s->chance, 5000, SUSPENDED_MOST);
	u->at = s->now;
}

/* What is not in force by now was refused, or lost with an officer's step: they sign another. */
void trust_act(struct sim *s)
{
	struct suspension *u = &s->suspension;
	const struct process *first = &s->processes[FIRST_OFFICER + (u->except + 1) % OFFICERS];
	struct act_standing now;
	bool wanted;

	if (s->now < u->at)
		return;
	u->at = s->now + LOOK_MS;
	now = standing_of(s, &s->processes[BROKER]);
	wanted = !s->quiet && s->now < u->lift_at;
	s->counts.suspensions += now.suspended && !u->suspended;
	u->suspended = now.suspended;
	if (now.suspended == wanted) {
		buf_free(&u->act);
		return;
	}
	if (u->act.len == 0 || s->now > u->made_at + ACT_WAITS_MS)
		new_act(s, first, !wanted);
	for (int i = 0; i < OFFICERS; i++)
		if (i != (int)u->except && !u->signed_by[i] &&
			process_runs(&s->processes[FIRST_OFFICER + i]))
			sign(s, i);
}

bool trust_rests(const struct sim *s)
{
	return s->suspension.at == INT64_MAX || !standing_of(s, &s->processes[BROKER]).suspended;
}

void trust_check(struct sim *s)
{
	const char *target = s->processes[s->suspension.target].name;

	for (int i = 0; s->suspension.at != INT64_MAX && i < BROKER; i++)
		if (registry_find(s->processes[i].node->registry, target)->suspended)
			sim_found(s, "I2", "%s takes %s for suspended, and the broker does not",
				s->processes[i].name, target);
}
