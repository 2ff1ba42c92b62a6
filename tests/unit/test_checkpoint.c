/* Goal: checkpoints, receipts and refusals prove what the broker said, in one form only. */
#include "wire_sample.h"

#include "proto/checkpoint.h"

static struct person broker, other;
static const struct checkpoint sample = {.epoch = 2, .size = 1234567, .root = {1, 2, 3}};

static int make_people(void **state)
{
	(void)state;
	if (sodium_init() < 0)
		return -1;
	broker = person_make("broker", 1);
	other = person_make("broker-b", 2);
	return 0;
}

static struct buf sign(const struct checkpoint *c)
{
	struct buf out = {0};

	assert_int_equal(checkpoint_sign(c, "broker", broker.seed, &out), OK);
	return out;
}

static enum err verify(const void *text, size_t len)
{
	struct checkpoint c;

	return checkpoint_verify(slice_of(text, len), "broker", broker.sign_pk, &c);
}

static void a_checkpoint_is_the_text_of_the_header(void **state)
{
	static const char head[] =
		"havre/broker\n1234567\nAQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
		"epoch 2\n";
	struct buf note = sign(&sample);
	struct checkpoint c;

	(void)state;
	assert_memory_equal(note.data, head, strlen(head));
	assert_memory_equal(note.data + strlen(head), "\n\xe2\x80\x94 broker ", 12);
	assert_int_equal(note.len, strlen(head) + 12 + 92 + 1);
	assert_int_equal(checkpoint_verify(slice_buf(&note), "broker", broker.sign_pk, &c), OK);
	assert_int_equal(c.size, sample.size);
	assert_memory_equal(c.root, sample.root, HASH_LEN);
	buf_free(&note);
}

static void sizes_go_there_and_back(void **state)
{
	static const uint64_t sizes[] = {0, 1, 9, 10, UINT32_MAX, INT64_MAX, UINT64_MAX};
	static const char longest[] = "123456789012345678901234567890123456789012345678";

	(void)state;
	for (size_t i = 0; i < N_OF(sizes); i++) {
		struct checkpoint c = sample, back;
		struct buf note = {0};

		c.size = sizes[i];
		assert_int_equal(checkpoint_sign(&c, longest, broker.seed, &note), OK);
		assert_int_equal(
			checkpoint_verify(slice_buf(&note), longest, broker.sign_pk, &back), OK);
		assert_true(back.size == sizes[i]);
		buf_free(&note);
	}
}

static void no_byte_of_a_checkpoint_can_be_changed(void **state)
{
	struct buf note = sign(&sample);

	(void)state;
	for (size_t i = 0; i < 8 * note.len; i++) {
		note.data[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_not_equal(verify(note.data, note.len), OK);
		note.data[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t n = 0; n < note.len; n++)
		assert_int_equal(verify(note.data, n), ERR_MALFORMED);
	assert_int_equal(buf_append(&note, "", 1), OK);
	assert_int_equal(verify(note.data, note.len), ERR_MALFORMED);
	note.data[note.len - 1] = '\n';
	assert_int_equal(verify(note.data, note.len), ERR_MALFORMED);
	buf_free(&note);
}

/* The same values written otherwise: `from` in the good text becomes `to`. */
static void another_form_of_the_same_is_refused(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {{"epoch 2\n", "epoch 02\n"}, {"epoch 2\n", ""},
		{"epoch 2\n", "epoch 2\nepoch 2\n"}, {"\n1234567\n", "\n01234567\n"},
		{"\n1234567\n", "\n+1234567\n"}, {"\n1234567\n", "\n 1234567\n"},
		{"\n1234567\n", "\n1234567\r\n"}, {"\n1234567\n", "\n\n"},
		{"\n1234567\n", "\n1234567 \n"}, {"\n1234567\n", "\n18446744073710786183\n"},
		{"AAA=\n", "AAB=\n"}, {"AAA=\n", "AAA\n"}, {"AAA=\n", "AAA=\nmore\n"},
		{"broker ", "broker  "}, {"\n\n", "\n"}, {"\n\n", "\n\n\n"}, {"havre/", "Havre/"},
		{"havre/broker\n", "havre/broker-b\n"}, {"havre/broker\n", ""}};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		struct buf note = sign(&sample), changed = {0};
		uint8_t *at = memmem(note.data, note.len, cases[i].from, strlen(cases[i].from));
		size_t before, after;

		assert_non_null(at);
		before = (size_t)(at - note.data);
		after = before + strlen(cases[i].from);
		assert_int_equal(buf_append(&changed, note.data, before), OK);
		assert_int_equal(buf_append(&changed, cases[i].to, strlen(cases[i].to)), OK);
		assert_int_equal(buf_append(&changed, note.data + after, note.len - after), OK);
		assert_int_equal(verify(changed.data, changed.len), ERR_MALFORMED);
		buf_free(&note);
		buf_free(&changed);
	}
}

static void another_broker_or_key_is_refused(void **state)
{
	struct buf note = sign(&sample), long_note = {0};
	struct checkpoint c;
	uint8_t zeros[600] = {0};

	(void)state;
	assert_int_equal(checkpoint_verify(slice_buf(&note), "broker", other.sign_pk, &c),
		ERR_BAD_SIGNATURE);
	assert_int_equal(
		checkpoint_verify(slice_buf(&note), "broker-b", broker.sign_pk, &c), ERR_MALFORMED);
	assert_int_equal(checkpoint_sign(&sample, "a\nb", broker.seed, &long_note), ERR_INVALID);
	assert_int_equal(verify(zeros, sizeof(zeros)), ERR_MALFORMED);
	assert_int_equal(verify(NULL, 0), ERR_MALFORMED);
	buf_free(&note);
}

/* --- receipts --- */

#define LEAVES 11

struct proved {
	struct slice envelope;
	Receipt r;
	uint8_t hash[HASH_LEN];
	naive_hash path[PROOF_MOST];
	ProtobufCBinaryData list[PROOF_MOST + 1];
	struct buf note;
};

/* Envelope number `index` of a log of LEAVES. */
static void prove(struct proved *p, uint64_t index)
{
	naive_hash leaves[LEAVES];
	struct checkpoint c = {.size = LEAVES};

	*p = (struct proved){.envelope = slice_str("any bytes"), .r = RECEIPT__INIT};
	for (uint64_t i = 0; i < LEAVES; i++) {
		memset(p->hash, (int)i, HASH_LEN);
		log_leaf((int64_t)(1000 + i), p->hash, leaves[i]);
	}
	envelope_hash(p->envelope, p->hash);
	log_leaf(SAMPLE_TIME, p->hash, leaves[index]);
	naive_root(leaves, LEAVES, c.root);
	naive_path(leaves, LEAVES, index, p->path, &p->r.n_proof);
	for (size_t i = 0; i < p->r.n_proof; i++)
		p->list[i] = bytes_of(p->path[i], HASH_LEN);
	p->note = sign(&c);
	p->r.id = bytes_of(sample_id, MSG_ID_LEN);
	p->r.index = index;
	p->r.received_at = SAMPLE_TIME;
	p->r.envelope_hash = bytes_of(p->hash, HASH_LEN);
	p->r.proof = p->list;
	p->r.checkpoint = bytes_of(p->note.data, p->note.len);
}

static enum err check(const struct proved *p)
{
	return receipt_verify(&p->r, p->envelope, "broker", broker.sign_pk);
}

static void a_receipt_proves_its_place(void **state)
{
	struct proved p;

	(void)state;
	for (uint64_t i = 0; i < LEAVES; i++) {
		prove(&p, i);
		assert_int_equal(check(&p), OK);
		buf_free(&p.note);
	}
}

static void other_bytes(struct proved *p)
{
	p->envelope = slice_str("Any bytes");
}
static void other_hash(struct proved *p)
{
	p->hash[31] ^= 1;
}
static void short_hash(struct proved *p)
{
	p->r.envelope_hash.len--;
}
static void other_time(struct proved *p)
{
	p->r.received_at++;
}
static void other_index(struct proved *p)
{
	p->r.index--;
}
static void index_outside(struct proved *p)
{
	p->r.index = LEAVES;
}
static void other_proof(struct proved *p)
{
	p->path[0][0] ^= 1;
}
static void short_proof(struct proved *p)
{
	p->r.n_proof--;
}
static void short_node(struct proved *p)
{
	p->list[0].len--;
}
static void long_proof(struct proved *p)
{
	for (size_t i = 0; i < N_OF(p->list); i++)
		p->list[i] = bytes_of(p->path[0], HASH_LEN);
	p->r.n_proof = N_OF(p->list);
}
static void no_checkpoint(struct proved *p)
{
	p->r.checkpoint.len = 0;
}
static void broken_checkpoint(struct proved *p)
{
	p->note.data[p->note.len - 4] ^= 1;
}

static void each_part_of_a_receipt_counts(void **state)
{
	static void (*const changes[])(struct proved *) = {other_bytes, other_hash, short_hash,
		other_time, other_index, index_outside, other_proof, short_proof, short_node,
		long_proof, no_checkpoint, broken_checkpoint};
	struct proved p;

	(void)state;
	for (size_t i = 0; i < N_OF(changes); i++) {
		prove(&p, 6);
		changes[i](&p);
		if (check(&p) != ERR_BAD_SIGNATURE)
			fail_msg("change %zu", i);
		buf_free(&p.note);
	}
	prove(&p, 6);
	assert_int_equal(
		receipt_verify(&p.r, p.envelope, "broker", other.sign_pk), ERR_BAD_SIGNATURE);
	assert_int_equal(
		receipt_verify(&p.r, p.envelope, "broker-b", broker.sign_pk), ERR_BAD_SIGNATURE);
	buf_free(&p.note);
}

/* --- refusals --- */

static void a_refusal_is_signed_as_a_whole(void **state)
{
	uint8_t hash[HASH_LEN] = {5}, sig[SIG_LEN];
	const Refusal unsigned_one = REFUSAL__INIT;
	Refusal good = unsigned_one, bad;

	(void)state;
	good.id = bytes_of(sample_id, MSG_ID_LEN);
	good.envelope_hash = bytes_of(hash, HASH_LEN);
	good.code = ERR_NOT_PERMITTED;
	good.at = SAMPLE_TIME;
	assert_int_equal(refusal_verify(&good, broker.sign_pk), ERR_BAD_SIGNATURE);
	assert_int_equal(refusal_sign(&good, broker.seed, sig), OK);
	assert_ptr_equal(good.signature.data, sig);
	assert_int_equal(refusal_verify(&good, broker.sign_pk), OK);
	assert_int_equal(refusal_verify(&good, other.sign_pk), ERR_BAD_SIGNATURE);
	bad = good;
	bad.code++;
	assert_int_equal(refusal_verify(&bad, broker.sign_pk), ERR_BAD_SIGNATURE);
	bad = good;
	bad.at++;
	assert_int_equal(refusal_verify(&bad, broker.sign_pk), ERR_BAD_SIGNATURE);
	bad = good;
	bad.id.len = 0;
	assert_int_equal(refusal_verify(&bad, broker.sign_pk), ERR_BAD_SIGNATURE);
	bad = good;
	bad.envelope_hash.len--;
	assert_int_equal(refusal_verify(&bad, broker.sign_pk), ERR_BAD_SIGNATURE);
	bad = good;
	bad.signature.len--;
	assert_int_equal(refusal_verify(&bad, broker.sign_pk), ERR_BAD_SIGNATURE);
	/* bytes that held no id are refused too */
	good.id.len = 0;
	assert_int_equal(refusal_sign(&good, broker.seed, sig), OK);
	assert_int_equal(refusal_verify(&good, broker.sign_pk), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_checkpoint_is_the_text_of_the_header),
		cmocka_unit_test(sizes_go_there_and_back),
		cmocka_unit_test(no_byte_of_a_checkpoint_can_be_changed),
		cmocka_unit_test(another_form_of_the_same_is_refused),
		cmocka_unit_test(another_broker_or_key_is_refused),
		cmocka_unit_test(a_receipt_proves_its_place),
		cmocka_unit_test(each_part_of_a_receipt_counts),
		cmocka_unit_test(a_refusal_is_signed_as_a_whole),
	};

	return cmocka_run_group_tests(tests, make_people, NULL);
}
