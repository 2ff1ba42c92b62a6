/* A signed registry as it comes (first byte even), or any bytes that the root key signed as one. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/people.h"

#include "services/common/trust/registry.h"
#include "services/common/trust/registry_check.h"

static struct buf sign(struct slice registry)
{
	const struct person r = root();
	SignedRegistry s = SIGNED_REGISTRY__INIT;
	RootSignature one = ROOT_SIGNATURE__INIT, *list = &one;
	uint8_t sig[SIG_LEN];

	HOLDS(registry_sign_bytes(registry, r.seed, sig) == OK);
	one.root_key = bytes_of(r.sign_pk, SIGN_PK_LEN);
	one.signature = bytes_of(sig, SIG_LEN);
	s.registry = bytes_of(registry.data, registry.len);
	s.signatures = &list;
	s.n_signatures = 1;
	return packed(&s.base);
}

static void use(const struct registry *r)
{
	const Registry *m = registry_message(r);
	struct reader readers[READERS_MOST];
	const Principal *p;
	const Key *k;
	uint32_t epoch;
	size_t n;

	for (size_t i = 0; i < m->n_principals; i++) {
		HOLDS(registry_find(r, m->principals[i]->name) == m->principals[i]);
		if (registry_readers(r, m->principals[i]->name, SAMPLE_TIME, readers, &n, &epoch) ==
			OK)
			HOLDS(n >= 1 && n <= READERS_MOST);
		for (size_t j = 0; j < m->principals[i]->n_keys; j++) {
			const Key *key = m->principals[i]->keys[j];

			if (registry_by_transport(
				    r, key->transport_key.data, SAMPLE_TIME, &p, &k) == OK)
				HOLDS(p == m->principals[i] && k == key);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct person signer = root();
	struct slice in = slice_of(data, size);
	struct registry *r = UNTOUCHED;
	struct buf ours = {0};
	uint8_t roots[1][32];

	if (fuzz_choice(&in) & 1) {
		ours = sign(in);
		in = slice_buf(&ours);
	}
	memcpy(roots[0], signer.sign_pk, 32);
	if (registry_from_bytes(in, (const uint8_t(*)[32])roots, 1, 1, 1, SAMPLE_TIME, &r) == OK) {
		use(r);
		registry_free(&r);
	} else {
		HOLDS(r == UNTOUCHED);
	}
	buf_free(&ours);
	return 0;
}
