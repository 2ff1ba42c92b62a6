/* Goal: an envelope in a batch is verified through its path to the one signed root, and each piece
 * of the way counts. */
#include "wire_sample.h"

static struct person alice, bob;
static struct buf batch[BATCH_MOST];
static const struct slice none[BATCH_MOST];

static int make_people(void **state)
{
	(void)state;
	if (sodium_init() < 0)
		return -1;
	alice = person_make("partner-a", 1);
	bob = person_make("intake", 2);
	return 0;
}

static void free_batch(size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_free(&batch[i]);
}

static enum err judge(struct slice bytes)
{
	struct envelope env;
	enum err e;

	TRY(envelope_parse(bytes, &env));
	e = envelope_verify(&env, alice.sign_pk);
	envelope_free(&env);
	return e;
}

static void every_one_of_a_batch_is_verified_and_opens(void **state)
{
	(void)state;
	for (size_t n = 1; n <= BATCH_MOST; n++) {
		hand_batch(&alice, &bob, none, n, batch);
		for (size_t i = 0; i < n; i++) {
			struct envelope env;
			ProtobufCMessage *m;

			assert_int_equal(batch[i].len, 2000);
			assert_int_equal(envelope_parse(slice_buf(&batch[i]), &env), OK);
			assert_int_equal(envelope_verify(&env, alice.sign_pk), OK);
			assert_int_equal(envelope_verify(&env, bob.sign_pk), ERR_BAD_SIGNATURE);
			assert_int_equal(
				envelope_open(&env, bob.reader.key_id, bob.box_sk, &m), OK);
			protobuf_c_message_free_unpacked(m, NULL);
			envelope_free(&env);
		}
		free_batch(n);
	}
}

static void no_byte_of_it_can_be_changed(void **state)
{
	(void)state;
	hand_batch(&alice, &bob, none, 5, batch);
	for (size_t i = 0; i < batch[3].len; i++) {
		batch[3].data[i] ^= (uint8_t)(1 << i % 8);
		assert_int_not_equal(judge(slice_buf(&batch[3])), OK);
		batch[3].data[i] ^= (uint8_t)(1 << i % 8);
	}
	assert_int_equal(judge(slice_buf(&batch[3])), OK);
	free_batch(5);
}

/* --- one change of the outer message at a time --- */

static void another_index(Envelope *outer)
{
	outer->batch->index = 1;
}
static void an_index_outside(Envelope *outer)
{
	outer->batch->index = outer->batch->size;
}
static void no_size(Envelope *outer)
{
	outer->batch->index = outer->batch->size = 0;
}
static void another_size(Envelope *outer)
{
	outer->batch->size = 4;
}
static void a_shorter_path(Envelope *outer)
{
	outer->batch->n_path--;
}
static void a_shorter_node(Envelope *outer)
{
	outer->batch->path[0].len--;
}
static void turned_nodes(Envelope *outer)
{
	ProtobufCBinaryData first = outer->batch->path[0];

	outer->batch->path[0] = outer->batch->path[1];
	outer->batch->path[1] = first;
}
static void another_header(Envelope *outer)
{
	outer->header.data[outer->header.len - 1] ^= 2; /* the epoch */
}

static void no_step_of_the_path_can_be_changed(void **state)
{
	static void (*const changes[])(Envelope *) = {another_index, an_index_outside, no_size,
		another_size, a_shorter_path, a_shorter_node, turned_nodes, another_header};

	(void)state;
	hand_batch(&alice, &bob, none, 5, batch);
	for (size_t i = 0; i < N_OF(changes); i++) {
		struct envelope env;
		BatchPath kept;
		struct buf changed;

		assert_int_equal(envelope_parse(slice_buf(&batch[2]), &env), OK);
		kept = *env.outer->batch;
		changes[i](env.outer);
		/* lengths are the parser's to check */
		if (changes[i] != a_shorter_node)
			assert_int_equal(envelope_verify(&env, alice.sign_pk), ERR_BAD_SIGNATURE);
		changed = packed(&env.outer->base);
		assert_int_not_equal(judge(slice_buf(&changed)), OK);
		buf_free(&changed);
		env.outer->batch->n_path = kept.n_path;
		envelope_free(&env);
	}
	free_batch(5);
}

/* What the parser says of an envelope of the right size with this path. */
static enum err parse_with(BatchPath *place)
{
	Header h = sample_header(KIND_SUBMIT_REFERRAL, &alice, &bob);
	Envelope outer = ENVELOPE__INIT;
	uint8_t sig[SIG_LEN] = {0};
	struct buf header = packed(&h.base), path = packed(&place->base), sealed, bytes;
	struct envelope env = {0};
	enum err e;

	sealed = hand_sealed(slice_buf(&header), slice_str(""),
		padding_for(header.len, 1, field_size(path.len), 8176), &bob.reader, 1);
	outer.header = bytes_of(header.data, header.len);
	outer.sealed = bytes_of(sealed.data, sealed.len);
	outer.signature = bytes_of(sig, SIG_LEN);
	outer.batch = place;
	bytes = packed(&outer.base);
	e = envelope_parse(slice_buf(&bytes), &env);
	envelope_free(&env);
	buf_free(&header);
	buf_free(&path);
	buf_free(&sealed);
	buf_free(&bytes);
	return e;
}

static void a_path_that_cannot_be_is_refused_by_the_parser(void **state)
{
	static uint8_t node[HASH_LEN + 1];
	ProtobufCBinaryData list[PROOF_MOST + 1];
	BatchPath b = BATCH_PATH__INIT;

	(void)state;
	for (size_t i = 0; i < N_OF(list); i++)
		list[i] = bytes_of(node, HASH_LEN);
	b.path = list;
	b.index = UINT64_MAX - 1;
	b.size = UINT64_MAX;
	b.n_path = PROOF_MOST;
	assert_int_equal(parse_with(&b), OK);
	b.n_path = PROOF_MOST + 1;
	assert_int_equal(parse_with(&b), ERR_MALFORMED);
	b.n_path = PROOF_MOST;
	b.index = UINT64_MAX;
	assert_int_equal(parse_with(&b), ERR_MALFORMED);
	b.index = b.size = 0;
	assert_int_equal(parse_with(&b), ERR_MALFORMED);
	b.size = 1;
	assert_int_equal(parse_with(&b), OK);
	list[PROOF_MOST - 1].len = HASH_LEN - 1;
	assert_int_equal(parse_with(&b), ERR_MALFORMED);
	list[PROOF_MOST - 1].len = HASH_LEN + 1;
	assert_int_equal(parse_with(&b), ERR_MALFORMED);
}

/* A batch's signature is for its root, a direct one for its envelope: neither serves as the other.
 */
static void the_two_ways_of_signing_do_not_mix(void **state)
{
	Header h = sample_header(KIND_SUBMIT_REFERRAL, &alice, &bob);
	struct buf direct = hand_envelope(&h, slice_str(""), 2000, &alice, &bob);
	BatchPath alone = BATCH_PATH__INIT, *kept;
	struct envelope env;

	(void)state;
	alone.size = 1;
	assert_int_equal(envelope_parse(slice_buf(&direct), &env), OK);
	env.outer->batch = &alone;
	assert_int_equal(envelope_verify(&env, alice.sign_pk), ERR_BAD_SIGNATURE);
	env.outer->batch = NULL;
	assert_int_equal(envelope_verify(&env, alice.sign_pk), OK);
	envelope_free(&env);
	buf_free(&direct);

	hand_batch(&alice, &bob, none, 1, batch);
	assert_int_equal(envelope_parse(slice_buf(&batch[0]), &env), OK);
	kept = env.outer->batch;
	env.outer->batch = NULL;
	assert_int_equal(envelope_verify(&env, alice.sign_pk), ERR_BAD_SIGNATURE);
	env.outer->batch = kept;
	envelope_free(&env);
	free_batch(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_one_of_a_batch_is_verified_and_opens),
		cmocka_unit_test(no_byte_of_it_can_be_changed),
		cmocka_unit_test(no_step_of_the_path_can_be_changed),
		cmocka_unit_test(a_path_that_cannot_be_is_refused_by_the_parser),
		cmocka_unit_test(the_two_ways_of_signing_do_not_mix),
	};

	return cmocka_run_group_tests(tests, make_people, NULL);
}
