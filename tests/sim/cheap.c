/*
 * A cheap suite in the place of Ed25519 and X25519, so that more worlds fit into an hour. It has
 * the same shapes (who has another key opens and signs nothing), and protects from nobody. Seals
 * and hashes are the real ones.
 */
#include "tests/sim/sim.h"

#include <sodium.h>

/* The functions of a library have no other way to know. */
static bool cheap;

void cheap_crypto(bool on)
{
	cheap = on;
}

static void hash_two(uint8_t *out, size_t len, const char *label, struct slice a, struct slice b)
{
	crypto_generichash_state st;

	crypto_generichash_init(&st, (const uint8_t *)label, crypto_generichash_KEYBYTES_MIN, len);
	crypto_generichash_update(&st, a.data, a.len);
	crypto_generichash_update(&st, b.data, b.len);
	crypto_generichash_final(&st, out, len);
}

/* --- signatures: a hash under the public key --- */

int __real_crypto_sign_seed_keypair(uint8_t *pk, uint8_t *sk, const uint8_t *seed);
int __wrap_crypto_sign_seed_keypair(uint8_t *pk, uint8_t *sk, const uint8_t *seed);
int __wrap_crypto_sign_seed_keypair(uint8_t *pk, uint8_t *sk, const uint8_t *seed)
{
	if (!cheap)
		return __real_crypto_sign_seed_keypair(pk, sk, seed);
	hash_two(pk, 32, "cheap public key", slice_of(seed, 32), (struct slice){0});
	memcpy(sk, seed, 32);
	memcpy(sk + 32, pk, 32);
	return 0;
}

int __real_crypto_sign_detached(uint8_t *sig, unsigned long long *sig_len, const uint8_t *m,
	unsigned long long len, const uint8_t *sk);
int __wrap_crypto_sign_detached(uint8_t *sig, unsigned long long *sig_len, const uint8_t *m,
	unsigned long long len, const uint8_t *sk);
int __wrap_crypto_sign_detached(uint8_t *sig, unsigned long long *sig_len, const uint8_t *m,
	unsigned long long len, const uint8_t *sk)
{
	if (!cheap)
		return __real_crypto_sign_detached(sig, sig_len, m, len, sk);
	hash_two(sig, SIG_LEN, "cheap signature.", slice_of(sk + 32, 32), slice_of(m, len));
	if (sig_len)
		*sig_len = SIG_LEN;
	return 0;
}

int __real_crypto_sign_verify_detached(
	const uint8_t *sig, const uint8_t *m, unsigned long long len, const uint8_t *pk);
int __wrap_crypto_sign_verify_detached(
	const uint8_t *sig, const uint8_t *m, unsigned long long len, const uint8_t *pk);
int __wrap_crypto_sign_verify_detached(
	const uint8_t *sig, const uint8_t *m, unsigned long long len, const uint8_t *pk)
{
	uint8_t right[SIG_LEN];

	if (!cheap)
		return __real_crypto_sign_verify_detached(sig, m, len, pk);
	hash_two(right, SIG_LEN, "cheap signature.", slice_of(pk, 32), slice_of(m, len));
	return memcmp(sig, right, SIG_LEN) == 0 ? 0 : -1;
}

/* --- agreement: both sides come to the hash of the two public keys --- */

int __real_crypto_scalarmult_base(uint8_t *pk, const uint8_t *sk);
int __wrap_crypto_scalarmult_base(uint8_t *pk, const uint8_t *sk);
int __wrap_crypto_scalarmult_base(uint8_t *pk, const uint8_t *sk)
{
	if (!cheap)
		return __real_crypto_scalarmult_base(pk, sk);
	hash_two(pk, 32, "cheap box key...", slice_of(sk, 32), (struct slice){0});
	return 0;
}

int __real_crypto_box_beforenm(uint8_t *shared, const uint8_t *pk, const uint8_t *sk);
int __wrap_crypto_box_beforenm(uint8_t *shared, const uint8_t *pk, const uint8_t *sk);
int __wrap_crypto_box_beforenm(uint8_t *shared, const uint8_t *pk, const uint8_t *sk)
{
	uint8_t own[32];

	if (!cheap)
		return __real_crypto_box_beforenm(shared, pk, sk);
	(void)__wrap_crypto_scalarmult_base(own, sk);
	if (memcmp(own, pk, 32) < 0)
		hash_two(shared, 32, "cheap agreement.", slice_of(own, 32), slice_of(pk, 32));
	else
		hash_two(shared, 32, "cheap agreement.", slice_of(pk, 32), slice_of(own, 32));
	return 0;
}
