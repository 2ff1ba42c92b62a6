/* registry_rig.h - for the tests of the registry: roots, people and keys, all invented. */
#ifndef HAVRE_TESTS_REGISTRY_RIG_H
#define HAVRE_TESTS_REGISTRY_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include <sodium.h>

#include "proto/strict.h"
#include "services/common/base/file.h"
#include "services/common/keys/keyring.h"
#include "services/common/trust/registry.h"
#include "services/common/trust/registry_check.h"

#define NOW   INT64_C(1772366400000)
#define DAY   INT64_C(86400000)
#define ROOTS 3

/* Invented: two organizations, an officer, a service. */
enum { PARTNER, OTHER, OFFICER_1, INTAKE_1, PEOPLE };
static const char *const names[PEOPLE] = {"partner-a", "partner-b", "officer-1", "intake"};
static const Role role_of[PEOPLE] = {ROLE__REFERRER, ROLE__REFERRER, ROLE__OFFICER, ROLE__INTAKE};

struct world {
	uint8_t seeds[ROOTS][32], roots[ROOTS][32];
	struct keyring *keys[PEOPLE];
	KeyRequest *requests[PEOPLE];
	Registry message;
	Principal people[PEOPLE], *refs[PEOPLE];
	Key *key_refs[PEOPLE];
	Role roles[PEOPLE];
	ProtobufCBinaryData root_refs[ROOTS];
	uint32_t suites[1];
};

static inline void add_person(struct world *w, int i)
{
	ProtobufCMessage *m = NULL;
	struct buf b = {0};

	assert_int_equal(keyring_create(names[i], &w->keys[i]), OK);
	assert_int_equal(keyring_request(w->keys[i], "", "", NOW - DAY, &b), OK);
	assert_int_equal(strict_unpack(&key_request__descriptor, slice_buf(&b), &m), OK);
	buf_free(&b);
	w->requests[i] = (KeyRequest *)m;
	principal__init(&w->people[i]);
	w->people[i].name = (char *)names[i];
	w->roles[i] = role_of[i];
	w->people[i].roles = &w->roles[i];
	w->people[i].n_roles = 1;
	w->people[i].not_before = NOW - 10 * DAY;
	w->key_refs[i] = w->requests[i]->key;
	w->people[i].keys = &w->key_refs[i];
	w->people[i].n_keys = 1;
	w->refs[i] = &w->people[i];
}

static inline int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	assert_true(sodium_init() >= 0);
	for (int i = 0; i < ROOTS; i++) {
		uint8_t sk[64];

		randombytes_buf(w->seeds[i], 32);
		crypto_sign_seed_keypair(w->roots[i], sk, w->seeds[i]);
		w->root_refs[i] = (ProtobufCBinaryData){32, w->roots[i]};
	}
	registry__init(&w->message);
	w->message.version = 7;
	w->message.issued_at = NOW - DAY;
	w->message.expires_at = NOW + 365 * DAY;
	w->message.threshold = 2;
	w->message.n_root_keys = ROOTS;
	w->message.root_keys = w->root_refs;
	w->suites[0] = 1;
	w->message.suites = w->suites;
	w->message.n_suites = 1;
	for (int i = 0; i < PEOPLE; i++)
		add_person(w, i);
	w->message.principals = w->refs;
	w->message.n_principals = PEOPLE;
	*state = w;
	return 0;
}

static inline int tear_down(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < PEOPLE; i++) {
		keyring_free(&w->keys[i]);
		key_request__free_unpacked(w->requests[i], NULL);
	}
	free(w);
	return 0;
}

/* Signed by these roots, in this order. */
static inline struct buf sign(struct world *w, const int *who, size_t n)
{
	SignedRegistry s = SIGNED_REGISTRY__INIT;
	RootSignature sigs[4], *refs[4];
	uint8_t bytes[4][SIG_LEN];
	struct buf registry = {0}, out = {0};

	assert_int_equal(strict_pack(&w->message.base, &registry), OK);
	for (size_t i = 0; i < n; i++) {
		root_signature__init(&sigs[i]);
		assert_int_equal(
			registry_sign_bytes(slice_buf(&registry), w->seeds[who[i]], bytes[i]), OK);
		sigs[i].root_key = (ProtobufCBinaryData){32, w->roots[who[i]]};
		sigs[i].signature = (ProtobufCBinaryData){SIG_LEN, bytes[i]};
		refs[i] = &sigs[i];
	}
	s.registry = (ProtobufCBinaryData){registry.len, registry.data};
	s.signatures = refs;
	s.n_signatures = n;
	assert_int_equal(strict_pack(&s.base, &out), OK);
	buf_free(&registry);
	return out;
}

static inline enum err load_at(struct world *w, struct slice bytes, uint64_t seen, int64_t now)
{
	struct registry *r = NULL;
	enum err e =
		registry_from_bytes(bytes, (const uint8_t(*)[32])w->roots, ROOTS, 2, seen, now, &r);

	assert_true((e == OK) == (r != NULL));
	registry_free(&r);
	assert_null(r);
	return e;
}

static inline enum err load_signed(struct world *w, const int *who, size_t n)
{
	struct buf b = sign(w, who, n);
	enum err e = load_at(w, slice_buf(&b), 0, NOW);

	buf_free(&b);
	return e;
}

static inline enum err from_message(struct world *w)
{
	struct registry *r = NULL;
	enum err e = registry_from_message(&w->message, &r);

	registry_free(&r);
	return e;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
