/* Goal: an envelope opens for its reader only, as what its sender signed, and nothing in it can be
 * changed or taken over. */
#include "wire_sample.h"

#include "proto/case.pb-c.h"
#include "proto/referral.pb-c.h"
#include "tests/fuzz/full.h"

static struct person alice, bob, mallory;

static int make_people(void **state)
{
	(void)state;
	if (sodium_init() < 0)
		return -1;
	alice = person_make("partner-a", 1);
	bob = person_make("intake", 2);
	mallory = person_make("partner-m", 3);
	return 0;
}

static struct buf make(const struct envelope_spec *spec, const ProtobufCMessage *body)
{
	struct entropy e = sample_entropy("make");
	struct buf out = {0};

	assert_int_equal(envelope_make(spec, body, &e, &out), OK);
	return out;
}

static struct envelope parse(const struct buf *bytes)
{
	struct envelope env;

	assert_int_equal(envelope_parse(slice_buf(bytes), &env), OK);
	return env;
}

/* Parse, then verify as from `sender`. */
static enum err judge(struct slice bytes, const struct person *sender)
{
	struct envelope env;
	enum err e;

	TRY(envelope_parse(bytes, &env));
	e = envelope_verify(&env, sender->sign_pk);
	envelope_free(&env);
	return e;
}

static enum err open_as(const struct buf *bytes, const struct person *p, ProtobufCMessage **ret)
{
	struct envelope env = parse(bytes);
	enum err e = envelope_open(&env, p->reader.key_id, p->box_sk, ret);

	envelope_free(&env);
	return e;
}

/* A valid envelope of the kind, with something in every field of its body. */
static struct buf full_of(const struct kind_row *row)
{
	struct envelope_spec spec = sample_spec(row->kind, &alice, &bob);
	ProtobufCMessage *body = full_message(row->body);
	struct buf out = make(&spec, body);

	protobuf_c_message_free_unpacked(body, NULL);
	return out;
}

/* Around an empty body. */
static struct buf empty_of(const struct kind_row *row)
{
	struct envelope_spec spec = sample_spec(row->kind, &alice, &bob);
	ProtobufCMessage *body;
	struct buf out;

	assert_int_equal(strict_unpack(row->body, slice_str(""), &body), OK);
	out = make(&spec, body);
	protobuf_c_message_free_unpacked(body, NULL);
	return out;
}

static void no_byte_of_any_kind_can_be_changed(void **state)
{
	unsigned n;
	const struct kind_row *row = catalogue_rows(&n);

	(void)state;
	for (unsigned k = 0; k < n; k++) {
		struct buf bytes = full_of(&row[k]);

		assert_int_equal(judge(slice_buf(&bytes), &alice), OK);
		assert_int_equal(judge(slice_buf(&bytes), &mallory), ERR_BAD_SIGNATURE);
		for (size_t i = 0; i < bytes.len; i++) {
			bytes.data[i] ^= (uint8_t)(1 << (i + k) % 8);
			if (judge(slice_buf(&bytes), &alice) == OK)
				fail_msg("%s: byte %zu can be changed", row[k].name, i);
			bytes.data[i] ^= (uint8_t)(1 << (i + k) % 8);
		}
		buf_free(&bytes);
	}
}

static void no_byte_can_be_cut_off_or_added(void **state)
{
	struct buf bytes = empty_of(catalogue_find(KIND_SEND_THREAT));

	(void)state;
	for (size_t n = 0; n < bytes.len; n++)
		assert_int_not_equal(judge(slice_of(bytes.data, n), &alice), OK);
	assert_int_equal(buf_append(&bytes, "\x28\x01", 2), OK);
	assert_int_equal(judge(slice_buf(&bytes), &alice), ERR_NOT_CANONICAL);
	buf_free(&bytes);
}

static void the_reader_gets_the_body_and_nobody_else(void **state)
{
	struct envelope_spec spec = sample_spec(KIND_WITHDRAW_REFERRAL, &alice, &bob);
	Withdrawal w = WITHDRAWAL__INIT;
	ProtobufCMessage *m = NULL;
	struct envelope env;
	struct buf bytes;

	(void)state;
	w.case_number = (char *)"SAMPLE-CASE";
	w.reason = REASON__AT_APPLICANTS_WISH;
	spec.cause = (const uint8_t *)"sixteen bytes id";
	bytes = make(&spec, &w.base);
	assert_int_equal(open_as(&bytes, &mallory, &m), ERR_NOT_FOR_ME);
	assert_int_equal(open_as(&bytes, &alice, &m), ERR_NOT_FOR_ME);
	assert_null(m);
	assert_int_equal(open_as(&bytes, &bob, &m), OK);
	assert_ptr_equal(m->descriptor, &withdrawal__descriptor);
	assert_string_equal(((Withdrawal *)m)->case_number, "SAMPLE-CASE");
	assert_int_equal(((Withdrawal *)m)->reason, REASON__AT_APPLICANTS_WISH);
	protobuf_c_message_free_unpacked(m, NULL);

	env = parse(&bytes);
	assert_int_equal(env.header->suite, SUITE_1);
	assert_string_equal(env.header->sender, "partner-a");
	assert_string_equal(env.header->recipient, "intake");
	assert_int_equal(env.header->created_at, SAMPLE_TIME);
	assert_int_equal(env.header->epoch, 1);
	assert_memory_equal(env.header->id.data, sample_id, MSG_ID_LEN);
	assert_memory_equal(env.header->cause.data, spec.cause, MSG_ID_LEN);
	assert_memory_equal(env.header->key_id.data, alice.reader.key_id, KEY_ID_LEN);
	assert_ptr_equal(env.row, catalogue_find(KIND_WITHDRAW_REFERRAL));
	envelope_free(&env);
	envelope_free(&env);
	buf_free(&bytes);
}

/* mallory puts alice's sealed payload under a header of her own, and signs it. */
static void a_sealed_payload_cannot_be_taken_over(void **state)
{
	struct buf bytes = empty_of(catalogue_find(KIND_SUBMIT_REFERRAL));
	struct envelope env = parse(&bytes);
	Header h = sample_header(KIND_SUBMIT_REFERRAL, &mallory, &bob);
	struct buf header = packed(&h.base), stolen;
	ProtobufCMessage *m = NULL;

	(void)state;
	stolen = hand_signed(slice_buf(&header),
		slice_of(env.outer->sealed.data, env.outer->sealed.len), &mallory);
	assert_int_equal(judge(slice_buf(&stolen), &mallory), OK);
	assert_int_equal(open_as(&stolen, &bob, &m), ERR_NOT_FOR_ME);
	assert_null(m);
	buf_free(&stolen);
	buf_free(&header);
	envelope_free(&env);
	buf_free(&bytes);
}

static void set_id(Header *h)
{
	h->id.data = (uint8_t *)"another id, yes.";
}
static void set_kind(Header *h)
{
	h->kind = KIND_SUBMIT_URGENT; /* the same body */
}
static void set_sender(Header *h)
{
	h->sender = (char *)"partner-b";
}
static void set_key_id(Header *h)
{
	h->key_id.data = (uint8_t *)"8 bytes.";
}
static void set_recipient(Header *h)
{
	h->recipient = (char *)"outake";
}
static void set_created(Header *h)
{
	h->created_at++;
}
static void set_epoch(Header *h)
{
	h->epoch = 2;
}

/* Even the sender cannot move a payload to another header. */
static void the_seal_is_bound_to_every_field_of_the_header(void **state)
{
	static void (*const changes[])(Header *) = {
		set_id, set_kind, set_sender, set_key_id, set_recipient, set_created, set_epoch};
	struct buf bytes = empty_of(catalogue_find(KIND_SUBMIT_REFERRAL));
	struct envelope env = parse(&bytes);

	(void)state;
	for (size_t i = 0; i < N_OF(changes); i++) {
		Header h = sample_header(KIND_SUBMIT_REFERRAL, &alice, &bob);
		struct buf header, moved;
		ProtobufCMessage *m;

		changes[i](&h);
		header = packed(&h.base);
		moved = hand_signed(slice_buf(&header),
			slice_of(env.outer->sealed.data, env.outer->sealed.len), &alice);
		assert_int_equal(moved.len, bytes.len);
		assert_int_equal(open_as(&moved, &bob, &m), ERR_NOT_FOR_ME);
		buf_free(&moved);
		buf_free(&header);
	}
	envelope_free(&env);
	buf_free(&bytes);
}

/* --- headers that are not right --- */

static void id_short(Header *h)
{
	h->id.len--;
}
static void id_none(Header *h)
{
	h->id.len = 0;
}
static void key_id_short(Header *h)
{
	h->key_id.len--;
}
static void cause_short(Header *h)
{
	h->cause = bytes_of("123456789012345", 15);
}
static void sender_empty(Header *h)
{
	h->sender = (char *)"";
}
static void sender_wrong(Header *h)
{
	h->sender = (char *)"Partner";
}
static void recipient_wrong(Header *h)
{
	h->recipient = (char *)"intake/..";
}
static void time_negative(Header *h)
{
	h->created_at = -1;
}
static void suite_none(Header *h)
{
	h->suite = 0;
}
static void suite_next(Header *h)
{
	h->suite = 2;
}
static void kind_none(Header *h)
{
	h->kind = 0;
}
static void kind_unknown(Header *h)
{
	h->kind = 9999;
}

static void a_wrong_header_is_refused(void **state)
{
	static const struct {
		void (*change)(Header *);
		enum err expected;
	} cases[] = {{id_short, ERR_MALFORMED}, {id_none, ERR_MALFORMED},
		{key_id_short, ERR_MALFORMED}, {cause_short, ERR_MALFORMED},
		{sender_empty, ERR_MALFORMED}, {sender_wrong, ERR_MALFORMED},
		{recipient_wrong, ERR_MALFORMED}, {time_negative, ERR_MALFORMED},
		{suite_none, ERR_SUITE_REFUSED}, {suite_next, ERR_SUITE_REFUSED},
		{kind_none, ERR_UNKNOWN_KIND}, {kind_unknown, ERR_UNKNOWN_KIND}};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		Header h = sample_header(KIND_SUBMIT_REFERRAL, &alice, &bob);
		struct envelope env = {.row = (const struct kind_row *)&env};
		struct buf bytes;

		cases[i].change(&h);
		bytes = hand_envelope(&h, slice_str(""), 2000, &alice, &bob);
		if (envelope_parse(slice_buf(&bytes), &env) != cases[i].expected)
			fail_msg("header %zu", i);
		assert_ptr_equal(env.row, &env);
		buf_free(&bytes);
	}
}

/* What the broker cannot open it still checks: a seal that could never open is not carried. */
static void a_seal_that_is_none_is_refused(void **state)
{
	Header h = sample_header(KIND_SUBMIT_REFERRAL, &alice, &bob);
	struct buf header = packed(&h.base), bytes;
	uint8_t junk[2000] = {0};

	(void)state;
	bytes = hand_signed(
		slice_buf(&header), slice_of(junk, 2000 - 66 - 3 - field_size(header.len)), &alice);
	assert_int_equal(bytes.len, 2000);
	assert_int_equal(judge(slice_buf(&bytes), &alice), ERR_NOT_CANONICAL);
	buf_free(&bytes);
	buf_free(&header);
}

static void a_signature_of_another_length_is_refused(void **state)
{
	Header h = sample_header(KIND_SUBMIT_REFERRAL, &alice, &bob);
	struct buf header = packed(&h.base), sealed, bytes;
	uint8_t sig[SIG_LEN] = {0};
	Envelope outer = ENVELOPE__INIT;

	(void)state;
	/* one byte less of signature, one more of padding: the size is right */
	sealed = hand_sealed(slice_buf(&header), slice_str(""), padding_for(header.len, 1, 0, 2001),
		&bob.reader, 1);
	outer.header = bytes_of(header.data, header.len);
	outer.sealed = bytes_of(sealed.data, sealed.len);
	outer.signature = bytes_of(sig, SIG_LEN - 1);
	bytes = packed(&outer.base);
	assert_int_equal(bytes.len, 2000);
	assert_int_equal(judge(slice_buf(&bytes), &alice), ERR_MALFORMED);
	buf_free(&bytes);
	buf_free(&sealed);
	buf_free(&header);
}

/* --- what is inside, once the seal is open --- */

static void a_body_that_is_not_right_is_refused(void **state)
{
	static const uint8_t large[5000];
	const struct {
		enum kind kind;
		struct slice plain;
		size_t total;
		enum err expected;
	} cases[] = {
		{KIND_WITHDRAW_REFERRAL, slice_of("\x18\x63", 2), 2000, ERR_NOT_CANONICAL},
		{KIND_WITHDRAW_REFERRAL, slice_of("\x10\x00", 2), 2000, ERR_NOT_CANONICAL},
		{KIND_WITHDRAW_REFERRAL, slice_of("\x0a", 1), 2000, ERR_MALFORMED},
		/* fits the wire, and is over 4 KiB */
		{KIND_WITHDRAW_REFERRAL, slice_of(large, sizeof(large)), 8176, ERR_TOO_LARGE},
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		Header h = sample_header(cases[i].kind, &alice, &bob);
		struct buf bytes = hand_envelope(&h, cases[i].plain, cases[i].total, &alice, &bob);
		ProtobufCMessage *m;

		assert_int_equal(judge(slice_buf(&bytes), &alice), OK);
		assert_int_equal(open_as(&bytes, &bob, &m), cases[i].expected);
		buf_free(&bytes);
	}
}

static void what_is_not_permitted_is_not_made(void **state)
{
	struct reader readers[READERS_MOST + 1] = {bob.reader};
	const struct envelope_spec good = sample_spec(KIND_WITHDRAW_REFERRAL, &alice, &bob);
	struct envelope_spec bad[6];
	struct entropy e = sample_entropy("bad");
	Withdrawal w = WITHDRAWAL__INIT;
	AlertAck other = ALERT_ACK__INIT;
	struct buf out = {0};
	char text[5000];

	(void)state;
	for (size_t i = 0; i < N_OF(bad); i++)
		bad[i] = good;
	bad[0].kind = (enum kind)9999;
	bad[1].sender = "Partner";
	bad[2].recipient = "";
	bad[3].n_readers = 0;
	bad[4].readers = readers;
	bad[4].n_readers = READERS_MOST + 1;
	bad[5].created_at = -1;
	for (size_t i = 0; i < N_OF(bad); i++)
		assert_int_equal(envelope_make(&bad[i], &w.base, &e, &out), ERR_INVALID);
	assert_int_equal(envelope_make(&good, &other.base, &e, &out), ERR_INVALID);
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = 0;
	w.case_number = text;
	assert_int_equal(envelope_make(&good, &w.base, &e, &out), ERR_TOO_LARGE);
	w.case_number = (char *)"\xff";
	assert_int_equal(envelope_make(&good, &w.base, &e, &out), ERR_NOT_CANONICAL);
	assert_int_equal(out.len, 0);
	buf_free(&out);
}

static void names_and_ids(void **state)
{
	static const char *const good[] = {"a", "0", "partner-a", "a--b", "0-9",
		"123456789012345678901234567890123456789012345678"};
	static const char *const bad[] = {"", "-", "-a", "a-", "A", "a b", "a.b", "a_b", "\xc3\xa9",
		"1234567890123456789012345678901234567890123456789"};
	struct entropy e = sample_entropy("ids");
	uint8_t a[MSG_ID_LEN], b[MSG_ID_LEN];

	(void)state;
	for (size_t i = 0; i < N_OF(good); i++)
		assert_true(principal_name_valid(good[i]));
	for (size_t i = 0; i < N_OF(bad); i++)
		assert_false(principal_name_valid(bad[i]));
	msg_id_make(a, SAMPLE_TIME, &e);
	msg_id_make(b, SAMPLE_TIME, &e);
	assert_memory_not_equal(a, b, MSG_ID_LEN);
	assert_memory_equal(a, b, 6);
	msg_id_make(b, SAMPLE_TIME + 1, &e);
	assert_true(memcmp(a, b, MSG_ID_LEN) < 0);
	assert_int_equal(msg_id_time(a), SAMPLE_TIME);
	assert_int_equal(msg_id_time(b), SAMPLE_TIME + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_byte_of_any_kind_can_be_changed),
		cmocka_unit_test(no_byte_can_be_cut_off_or_added),
		cmocka_unit_test(the_reader_gets_the_body_and_nobody_else),
		cmocka_unit_test(a_sealed_payload_cannot_be_taken_over),
		cmocka_unit_test(the_seal_is_bound_to_every_field_of_the_header),
		cmocka_unit_test(a_wrong_header_is_refused),
		cmocka_unit_test(a_seal_that_is_none_is_refused),
		cmocka_unit_test(a_signature_of_another_length_is_refused),
		cmocka_unit_test(a_body_that_is_not_right_is_refused),
		cmocka_unit_test(what_is_not_permitted_is_not_made),
		cmocka_unit_test(names_and_ids),
	};

	return cmocka_run_group_tests(tests, make_people, NULL);
}
