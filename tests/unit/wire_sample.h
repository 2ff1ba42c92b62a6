/*
 * wire_sample.h - invented people with fixed keys, and envelopes put together piece by piece, as
 * another program could: for the tests of proto/ and for vectors.json.
 */
#ifndef HAVRE_TEST_WIRE_SAMPLE_H
#define HAVRE_TEST_WIRE_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <sodium.h>

#include "proto/envelope.h"
#include "proto/merkle.h"
#include "proto/strict.h"

#include "naive_tree.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))
/* 1 March 2026, noon UTC. */
#define SAMPLE_TIME INT64_C(1772366400000)

struct person {
	const char *name;
	uint8_t seed[32], sign_pk[32];
	uint8_t box_sk[32];
	struct reader reader;
};

/* Seed: the byte n, 32 times; box secret: the byte n + 128. */
static inline struct person person_make(const char *name, uint8_t n)
{
	struct person p = {.name = name};
	uint8_t sk[64];

	memset(p.seed, n, sizeof(p.seed));
	memset(p.box_sk, n + 128, sizeof(p.box_sk));
	crypto_sign_seed_keypair(p.sign_pk, sk, p.seed);
	crypto_scalarmult_base(p.reader.box_pk, p.box_sk);
	key_id_of(p.reader.key_id, p.sign_pk);
	return p;
}

static inline struct entropy sample_entropy(const char *label)
{
	static const uint8_t key[32] = {42};
	struct entropy e;

	entropy_from(&e, key, slice_str(label));
	return e;
}

static const uint8_t sample_id[MSG_ID_LEN] = {
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static inline struct envelope_spec sample_spec(
	enum kind kind, const struct person *from, const struct person *to)
{
	return (struct envelope_spec){.kind = kind,
		.id = sample_id,
		.sender = from->name,
		.recipient = to->name,
		.key_id = from->reader.key_id,
		.sign_seed = from->seed,
		.created_at = SAMPLE_TIME,
		.epoch = 1,
		.readers = &to->reader,
		.n_readers = 1};
}

/* --- the same by hand --- */

static inline ProtobufCBinaryData bytes_of(const void *data, size_t len)
{
	return (ProtobufCBinaryData){len, (uint8_t *)data};
}

static inline Header sample_header(
	enum kind kind, const struct person *from, const struct person *to)
{
	Header h = HEADER__INIT;

	h.suite = SUITE_1;
	h.id = bytes_of(sample_id, MSG_ID_LEN);
	h.kind = kind;
	h.sender = (char *)from->name;
	h.key_id = bytes_of(from->reader.key_id, KEY_ID_LEN);
	h.recipient = (char *)to->name;
	h.created_at = SAMPLE_TIME;
	h.epoch = 1;
	return h;
}

static inline struct buf packed(const ProtobufCMessage *m)
{
	struct buf out = {0};

	assert_int_equal(strict_pack(m, &out), OK);
	return out;
}

static inline size_t field_size(size_t len)
{
	return len + (len < 128 ? 2 : len < 16384 ? 3 : 4);
}

/* The padding that gives an envelope of `total` bytes; `extra` bytes go to the batch field. */
static inline size_t padding_for(size_t header_len, size_t n_readers, size_t extra, size_t total)
{
	for (size_t p = total; p > 0; p--)
		if (field_size(header_len) + field_size(crypto_sealed_size(p, n_readers)) +
				field_size(SIG_LEN) + extra ==
			total)
			return p;
	fail_msg("no padding gives %zu bytes", total);
	return 0;
}

static inline struct buf hand_sealed(struct slice header, struct slice plain, size_t padded,
	const struct reader *readers, size_t n)
{
	struct entropy e = sample_entropy("by hand");
	struct buf context = {0}, sealed = {0};

	assert_int_equal(pae(&context, "seal", &header, 1), OK);
	assert_int_equal(
		crypto_seal(&sealed, plain, padded, slice_buf(&context), readers, n, &e), OK);
	buf_free(&context);
	return sealed;
}

static inline struct buf hand_signed(
	struct slice header, struct slice sealed, const struct person *signer)
{
	Envelope outer = ENVELOPE__INIT;
	struct slice pieces[] = {header, sealed};
	uint8_t sig[SIG_LEN];

	assert_int_equal(crypto_sign_pieces(sig, "envelope", pieces, 2, signer->seed), OK);
	outer.header = bytes_of(header.data, header.len);
	outer.sealed = bytes_of(sealed.data, sealed.len);
	outer.signature = bytes_of(sig, SIG_LEN);
	return packed(&outer.base);
}

/* A whole envelope of `total` bytes around `plain`, whatever it is. */
static inline struct buf hand_envelope(const Header *h, struct slice plain, size_t total,
	const struct person *signer, const struct person *to)
{
	struct buf header = packed(&h->base), sealed, out;
	size_t padded = padding_for(header.len, 1, 0, total);

	sealed = hand_sealed(slice_buf(&header), plain, padded, &to->reader, 1);
	out = hand_signed(slice_buf(&header), slice_buf(&sealed), signer);
	buf_free(&header);
	buf_free(&sealed);
	return out;
}

/* --- a batch: one signature over many envelopes --- */

#define BATCH_MOST 9

/* n referrals of SAMPLE_TIME, SAMPLE_TIME + 1, ... in envelopes of 2000 bytes; bodies[i] inside. */
static inline void hand_batch(const struct person *from, const struct person *to,
	const struct slice *bodies, size_t n, struct buf *ret)
{
	struct buf headers[BATCH_MOST], sealed[BATCH_MOST];
	naive_hash leaves[BATCH_MOST], root;
	uint8_t size[8];
	struct slice signed_root[] = {slice_of(root, HASH_LEN), slice_of(size, sizeof(size))};
	uint8_t sig[SIG_LEN];

	for (size_t i = 0; i < n; i++) {
		Header h = sample_header(KIND_SUBMIT_REFERRAL, from, to);
		/* index 0 is not written, others below 128 take 2 bytes */
		size_t depth = 0, path_field = i ? 4 : 2;
		naive_hash unused[PROOF_MOST];

		h.created_at += (int64_t)i;
		headers[i] = packed(&h.base);
		memset(leaves, 0, sizeof(leaves));
		naive_path(leaves, n, i, unused, &depth);
		path_field = field_size(path_field + depth * field_size(HASH_LEN));
		sealed[i] = hand_sealed(slice_buf(&headers[i]), bodies[i],
			padding_for(headers[i].len, 1, path_field, 2000), &to->reader, 1);
	}
	for (size_t i = 0; i < n; i++) {
		struct slice pieces[] = {slice_buf(&headers[i]), slice_buf(&sealed[i])};
		struct buf encoded = {0};

		assert_int_equal(pae(&encoded, "batch-leaf", pieces, 2), OK);
		merkle_leaf(slice_buf(&encoded), leaves[i]);
		buf_free(&encoded);
	}
	naive_root(leaves, n, root);
	be64_put(size, n);
	assert_int_equal(crypto_sign_pieces(sig, "batch-root", signed_root, 2, from->seed), OK);
	for (size_t i = 0; i < n; i++) {
		Envelope outer = ENVELOPE__INIT;
		BatchPath batch = BATCH_PATH__INIT;
		naive_hash path[PROOF_MOST];
		ProtobufCBinaryData list[PROOF_MOST];

		naive_path(leaves, n, i, path, &batch.n_path);
		for (size_t k = 0; k < batch.n_path; k++)
			list[k] = bytes_of(path[k], HASH_LEN);
		batch.index = i;
		batch.size = n;
		batch.path = list;
		outer.header = bytes_of(headers[i].data, headers[i].len);
		outer.sealed = bytes_of(sealed[i].data, sealed[i].len);
		outer.signature = bytes_of(sig, SIG_LEN);
		outer.batch = &batch;
		ret[i] = packed(&outer.base);
		buf_free(&headers[i]);
		buf_free(&sealed[i]);
	}
}

#endif
