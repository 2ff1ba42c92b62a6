/* trust_sample.h - for tests: acts of the suspension list, and registries that roots have signed.
 */
#ifndef HAVRE_TESTS_TRUST_SAMPLE_H
#define HAVRE_TESTS_TRUST_SAMPLE_H

/* cmocka.h is included before this. */

#include <sodium.h>

#include "proto/strict.h"
#include "services/common/trust/registry_check.h"
#include "services/common/trust/trust.h"
#include "tests/unit/fixture.h"

static inline SuspensionAct sample_act(const char *principal, bool lift, uint64_t serial)
{
	SuspensionAct a = SUSPENSION_ACT__INIT;

	a.principal = (char *)principal;
	a.lift = lift;
	a.reason = SUSPENSION_REASON__KEY_STOLEN;
	a.serial = serial;
	a.made_at = FIXTURE_NOW;
	return a;
}

/* Signed by one officer, or by two (second: NULL). signed_act__free_unpacked. */
static inline SignedAct *sample_signed(
	const struct fixture *f, const SuspensionAct *a, const char *first, const char *second)
{
	const char *who[2] = {first, second};
	uint8_t signatures[2][SIG_LEN];
	ActSignature sigs[2], *list[2];
	SignedAct s = SIGNED_ACT__INIT;
	struct buf act = {0}, packed = {0};
	ProtobufCMessage *m = NULL;

	assert_int_equal(strict_pack(&a->base, &act), OK);
	s.act = (ProtobufCBinaryData){act.len, act.data};
	s.signatures = list;
	for (; s.n_signatures < 2 && who[s.n_signatures]; s.n_signatures++) {
		size_t i = s.n_signatures;
		const struct keyring *k = fixture_keys(f, who[i]);

		assert_int_equal(
			act_sign(slice_buf(&act), keyring_sign_seed(k), signatures[i]), OK);
		act_signature__init(&sigs[i]);
		sigs[i].officer = (char *)who[i];
		sigs[i].key_id = (ProtobufCBinaryData){KEY_ID_LEN, (uint8_t *)keyring_key_id(k)};
		sigs[i].signature = (ProtobufCBinaryData){SIG_LEN, signatures[i]};
		list[i] = &sigs[i];
	}
	assert_int_equal(strict_pack(&s.base, &packed), OK);
	assert_int_equal(strict_unpack(&signed_act__descriptor, slice_buf(&packed), &m), OK);
	buf_free(&act);
	buf_free(&packed);
	return (SignedAct *)m;
}

/* The fixture's registry names this root from now on; `number` is any of a few. */
static inline void sample_root(struct fixture *f, uint8_t number)
{
	uint8_t seed[SIGN_SEED_LEN] = {number}, sk[64];

	crypto_sign_seed_keypair(fixture_message(f)->root_keys[0].data, sk, seed);
	fixture_rebuild(f);
}

/* The fixture's registry as it is, signed by these roots (the second may be 0: none). */
static inline SignedRegistry *sample_registry(struct fixture *f, uint8_t number, uint8_t second)
{
	SignedRegistry s = SIGNED_REGISTRY__INIT;
	uint8_t numbers[2] = {number, second}, signatures[2][SIG_LEN], keys[2][SIGN_PK_LEN];
	RootSignature sigs[2], *list[2];
	struct buf registry = {0}, packed = {0};
	ProtobufCMessage *m = NULL;

	assert_int_equal(strict_pack(&fixture_message(f)->base, &registry), OK);
	s.registry = (ProtobufCBinaryData){registry.len, registry.data};
	s.signatures = list;
	for (; s.n_signatures < 2 && numbers[s.n_signatures]; s.n_signatures++) {
		size_t i = s.n_signatures;
		uint8_t seed[SIGN_SEED_LEN] = {numbers[i]}, sk[64];

		crypto_sign_seed_keypair(keys[i], sk, seed);
		assert_int_equal(
			registry_sign_bytes(slice_buf(&registry), seed, signatures[i]), OK);
		root_signature__init(&sigs[i]);
		sigs[i].root_key = (ProtobufCBinaryData){SIGN_PK_LEN, keys[i]};
		sigs[i].signature = (ProtobufCBinaryData){SIG_LEN, signatures[i]};
		list[i] = &sigs[i];
	}
	assert_int_equal(strict_pack(&s.base, &packed), OK);
	assert_int_equal(strict_unpack(&signed_registry__descriptor, slice_buf(&packed), &m), OK);
	buf_free(&registry);
	buf_free(&packed);
	return (SignedRegistry *)m;
}

#endif
