/* Goal: proto/vectors.json is what this code makes, byte for byte. (With HAVRE_WRITE_VECTORS=FILE
 * in the environment it is written there as well.) The scenario test_protocol_vectors.py reads the
 * same file with other libraries. */
#include "wire_sample.h"

#include "vector_json.h"

#include "proto/case.pb-c.h"
#include "proto/checkpoint.h"
#include "proto/referral.pb-c.h"

static struct person partner, intake, spare, officer, broker;

static json_t *people(void)
{
	const struct person *const all[] = {&partner, &intake, &spare, &officer, &broker};
	json_t *list = json_array();

	for (size_t i = 0; i < N_OF(all); i++)
		json_array_append_new(
			list, json_pack("{so so so so so so}", "name", json_string(all[i]->name),
				      "sign_seed", hex(all[i]->seed, 32), "sign_key",
				      hex(all[i]->sign_pk, 32), "key_id",
				      hex(all[i]->reader.key_id, KEY_ID_LEN), "box_secret",
				      hex(all[i]->box_sk, 32), "box_key",
				      hex(all[i]->reader.box_pk, 32)));
	return list;
}

static json_t *signatures(void)
{
	const struct slice pieces[] = {slice_str("ab"), slice_str(""), slice_of("\0\xff", 2)};
	json_t *list = json_array();

	for (size_t n = 0; n <= N_OF(pieces); n++) {
		uint8_t sig[SIG_LEN];
		struct buf bytes = {0};

		assert_int_equal(pae(&bytes, "test", pieces, n), OK);
		assert_int_equal(crypto_sign_pieces(sig, "test", pieces, n, partner.seed), OK);
		json_array_append_new(
			list, json_pack("{ss so so ss so}", "purpose", "test", "pieces",
				      hex_list(pieces, n), "pae", hex_buf(&bytes), "signer",
				      partner.name, "signature", hex(sig, SIG_LEN)));
	}
	return list;
}

static json_t *seals(void)
{
	const struct reader readers[] = {intake.reader, spare.reader};
	const struct slice plain = slice_str("plain"), context = slice_str("context");
	json_t *list = json_array();

	for (size_t n = 1; n <= N_OF(readers); n++) {
		struct entropy e = sample_entropy("seals");
		struct buf sealed = {0};

		assert_int_equal(crypto_seal(&sealed, plain, 40 * n, context, readers, n, &e), OK);
		json_array_append_new(
			list, json_pack("{so so si so so}", "plain", hex(plain.data, plain.len),
				      "context", hex(context.data, context.len), "padded",
				      (int)(40 * n), "readers",
				      n == 1 ? json_pack("[s]", intake.name)
					     : json_pack("[ss]", intake.name, spare.name),
				      "sealed", hex_buf(&sealed)));
	}
	return list;
}

static json_t *note(void)
{
	const struct reader readers[] = {partner.reader, intake.reader};
	static const char text[] = "Invented: not a defender / pas un d\xc3\xa9"
				   "fenseur";
	struct entropy e = sample_entropy("note");
	struct buf sealed = {0};

	assert_int_equal(note_seal(text, "SAMPLE-CASE", readers, 2, &e, &sealed), OK);
	return json_pack("{ss ss so so}", "case_number", "SAMPLE-CASE", "text", text, "readers",
		json_pack("[ss]", partner.name, intake.name), "sealed", hex_buf(&sealed));
}

/* --- envelopes --- */

static json_t *envelope_row(const char *about, struct buf *bytes, struct buf *body)
{
	struct envelope env;
	uint8_t hash[HASH_LEN];
	json_t *row;

	assert_int_equal(envelope_parse(slice_buf(bytes), &env), OK);
	envelope_hash(slice_buf(bytes), hash);
	row = json_pack("{ss ss ss ss so so so}", "about", about, "sender", env.header->sender,
		"recipient", env.header->recipient, "kind", env.row->name, "body", hex_buf(body),
		"hash", hex(hash, HASH_LEN), "bytes", hex(bytes->data, bytes->len));
	envelope_free(&env);
	buf_free(bytes);
	return row;
}

static json_t *direct_row(
	const char *about, const struct envelope_spec *spec, const ProtobufCMessage *message)
{
	struct entropy e = sample_entropy(about);
	struct buf bytes = {0}, body = packed(message);

	assert_int_equal(envelope_make(spec, message, &e, &bytes), OK);
	return envelope_row(about, &bytes, &body);
}

static json_t *envelopes(void)
{
	struct envelope_spec spec = sample_spec(KIND_WITHDRAW_REFERRAL, &partner, &intake);
	const struct reader readers[] = {intake.reader, spare.reader};
	json_t *list = json_array();
	Withdrawal w = WITHDRAWAL__INIT;
	Referral r = REFERRAL__INIT;
	Narrative narrative = NARRATIVE__INIT;
	char text[1001] = "";

	w.case_number = (char *)"SAMPLE-CASE";
	w.reason = REASON__AT_APPLICANTS_WISH;
	json_array_append_new(list, direct_row("the smallest size", &spec, &w.base));
	spec.cause = (const uint8_t *)"sixteen bytes id";
	spec.readers = readers;
	spec.n_readers = 2;
	json_array_append_new(list, direct_row("two keys, a cause", &spec, &w.base));
	spec = sample_spec(KIND_SUBMIT_REFERRAL, &partner, &intake);
	memset(text, 'x', sizeof(text) - 1);
	narrative.persecution = text;
	r.reference = (char *)"SAMPLE-1";
	r.narrative = &narrative;
	narrative.special_needs = text;
	json_array_append_new(list, direct_row("the next size", &spec, &r.base));
	return list;
}

static json_t *batch(void)
{
	struct buf made[3], bodies[3];
	struct slice plain[3];
	json_t *list = json_array();

	for (size_t i = 0; i < 3; i++) {
		Referral r = REFERRAL__INIT;
		char reference[] = "SAMPLE-0";

		reference[7] = (char)('0' + i);
		r.reference = reference;
		bodies[i] = packed(&r.base);
		plain[i] = slice_buf(&bodies[i]);
	}
	hand_batch(&partner, &intake, plain, 3, made);
	for (size_t i = 0; i < 3; i++)
		json_array_append_new(list, envelope_row("one of three", &made[i], &bodies[i]));
	return list;
}

/* --- the log --- */

#define LEAVES 11

static json_t *tree(const naive_hash *leaves)
{
	naive_hash roots[LEAVES + 1];
	json_t *inclusion = json_array(), *growth = json_array();

	for (uint64_t n = 0; n <= LEAVES; n++)
		naive_root(leaves, n, roots[n]);
	for (uint64_t i = 0; i < LEAVES; i++) {
		naive_hash path[PROOF_MOST];
		size_t n = 0;

		naive_path(leaves, LEAVES, i, path, &n);
		json_array_append_new(inclusion,
			json_pack("{sI sI so}", "index", (json_int_t)i, "size", (json_int_t)LEAVES,
				"path", hash_list((const naive_hash *)path, n)));
	}
	for (uint64_t i = 1; i <= LEAVES; i++) {
		naive_hash proof[PROOF_MOST];
		size_t n = 0;

		naive_proof(leaves, LEAVES, i, true, proof, &n);
		json_array_append_new(growth, json_pack("{sI sI so}", "old_size", (json_int_t)i,
						      "new_size", (json_int_t)LEAVES, "proof",
						      hash_list((const naive_hash *)proof, n)));
	}
	return json_pack("{so so so so}", "leaves", hash_list(leaves, LEAVES), "roots",
		hash_list((const naive_hash *)roots, LEAVES + 1), "inclusion", inclusion,
		"consistency", growth);
}

/* The log of these leaves, with the envelope at place 6. */
static struct buf receipt(const naive_hash *others, struct slice envelope, struct buf *ret_note)
{
	struct checkpoint c = {.epoch = 1, .size = LEAVES};
	Receipt r = RECEIPT__INIT;
	naive_hash path[PROOF_MOST], leaves[LEAVES];
	ProtobufCBinaryData list[PROOF_MOST];
	uint8_t hash[HASH_LEN];

	memcpy(leaves, others, sizeof(leaves));
	envelope_hash(envelope, hash);
	log_leaf(SAMPLE_TIME + 5, hash, leaves[6]);
	naive_root((const naive_hash *)leaves, LEAVES, c.root);
	naive_path((const naive_hash *)leaves, LEAVES, 6, path, &r.n_proof);
	for (size_t i = 0; i < r.n_proof; i++)
		list[i] = bytes_of(path[i], HASH_LEN);
	assert_int_equal(checkpoint_sign(&c, broker.name, broker.seed, ret_note), OK);
	r.id = bytes_of(sample_id, MSG_ID_LEN);
	r.index = 6;
	r.received_at = SAMPLE_TIME + 5;
	r.envelope_hash = bytes_of(hash, HASH_LEN);
	r.proof = list;
	r.checkpoint = bytes_of(ret_note->data, ret_note->len);
	assert_int_equal(receipt_verify(&r, envelope, broker.name, broker.sign_pk), OK);
	return packed(&r.base);
}

static json_t *the_log(void)
{
	struct envelope_spec spec = sample_spec(KIND_WITHDRAW_REFERRAL, &partner, &intake);
	Withdrawal w = WITHDRAWAL__INIT;
	struct entropy e = sample_entropy("log");
	struct buf bytes = {0}, text = {0}, proof;
	naive_hash leaves[LEAVES];
	json_t *j;

	for (uint8_t i = 0; i < LEAVES; i++)
		merkle_leaf(slice_of(&i, 1), leaves[i]);
	assert_int_equal(envelope_make(&spec, &w.base, &e, &bytes), OK);
	proof = receipt((const naive_hash *)leaves, slice_buf(&bytes), &text);
	j = json_pack("{so ss ss% so so}", "tree", tree((const naive_hash *)leaves), "broker",
		broker.name, "checkpoint", text.data, text.len, "envelope", hex_buf(&bytes),
		"receipt", hex_buf(&proof));
	buf_free(&text);
	return j;
}

static json_t *refusal(void)
{
	Refusal r = REFUSAL__INIT;
	uint8_t hash[HASH_LEN] = {5}, sig[SIG_LEN];
	struct buf bytes;

	r.id = bytes_of(sample_id, MSG_ID_LEN);
	r.envelope_hash = bytes_of(hash, HASH_LEN);
	r.code = ERR_NOT_PERMITTED;
	r.at = SAMPLE_TIME;
	assert_int_equal(refusal_sign(&r, broker.seed, sig), OK);
	bytes = packed(&r.base);
	return json_pack("{ss so}", "broker", broker.name, "bytes", hex_buf(&bytes));
}

/* --- the registry --- */

static json_t *key_request(void)
{
	KeyRequest request = KEY_REQUEST__INIT;
	Key key = KEY__INIT;
	uint8_t sig[SIG_LEN];
	struct buf inner, bytes;

	key.id = bytes_of(partner.reader.key_id, KEY_ID_LEN);
	key.holder = (char *)"CW-1";
	key.sign_key = bytes_of(partner.sign_pk, SIGN_PK_LEN);
	inner = packed(&key.base);
	assert_int_equal(crypto_sign_pieces(sig, "key-request",
				 (struct slice[]){slice_str(partner.name), slice_buf(&inner)}, 2,
				 partner.seed),
		OK);
	buf_free(&inner);
	request.principal = (char *)partner.name;
	request.key = &key;
	request.signature = bytes_of(sig, SIG_LEN);
	bytes = packed(&request.base);
	return hex_buf(&bytes);
}

static json_t *registry(void)
{
	ProtobufCBinaryData root_key = bytes_of(officer.sign_pk, SIGN_PK_LEN);
	RootSignature one = ROOT_SIGNATURE__INIT, *list[] = {&one};
	SignedRegistry whole = SIGNED_REGISTRY__INIT;
	Registry r = REGISTRY__INIT;
	uint32_t suites[] = {SUITE_1};
	uint8_t sig[SIG_LEN];
	struct slice piece;
	struct buf inner, bytes;

	r.version = 1;
	r.issued_at = SAMPLE_TIME;
	r.threshold = 1;
	r.n_root_keys = 1;
	r.root_keys = &root_key;
	r.n_suites = 1;
	r.suites = suites;
	inner = packed(&r.base);
	piece = slice_buf(&inner);
	assert_int_equal(crypto_sign_pieces(sig, "registry", &piece, 1, officer.seed), OK);
	whole.registry = bytes_of(inner.data, inner.len);
	one.root_key = root_key;
	one.signature = bytes_of(sig, SIG_LEN);
	whole.n_signatures = 1;
	whole.signatures = list;
	bytes = packed(&whole.base);
	buf_free(&inner);
	return hex_buf(&bytes);
}

/* --- what must be refused --- */

static json_t *refused_encodings(void)
{
	static const struct {
		const char *about;
		const ProtobufCMessageDescriptor *type;
		const char *hex;
	} rows[] = {
		{"an unknown field", &header__descriptor, "7801"},
		{"an unknown field inside", &envelope__descriptor, "22027801"},
		{"a default that is written", &header__descriptor, "0800"},
		{"a number in too many bytes", &header__descriptor, "088100"},
		{"another order", &header__descriptor, "18030801"},
		{"a field twice", &header__descriptor, "08010801"},
		{"two of one choice", &frame__descriptor, "62006a00"},
		{"an unknown enum value", &withdrawal__descriptor, "1863"},
		{"enums not packed", &decision__descriptor, "20012002"},
		{"NUL in text", &header__descriptor, "2203610062"},
		{"text that is not UTF-8", &header__descriptor, "2202c080"},
		{"a surrogate in text", &header__descriptor, "2203eda080"},
		{"a length behind the end", &header__descriptor, "12100102"},
		{"a number as bytes", &header__descriptor, "0a0101"},
		{"a group", &header__descriptor, "0b0c"},
	};
	json_t *list = json_array();

	for (size_t i = 0; i < N_OF(rows); i++) {
		uint8_t bytes[16];
		size_t len = strlen(rows[i].hex) / 2;
		ProtobufCMessage *m;
		enum err e;

		assert_int_equal(hex_decode(bytes, len, rows[i].hex), OK);
		e = strict_unpack(rows[i].type, slice_of(bytes, len), &m);
		assert_int_not_equal(e, OK);
		json_array_append_new(list,
			json_pack("{ss ss ss ss}", "about", rows[i].about, "message",
				rows[i].type->name, "bytes", rows[i].hex, "error", err_name(e)));
	}
	return list;
}

/* officer's own header and signature around partner's sealed payload: verifies, does not open. */
static json_t *stolen(void)
{
	struct envelope_spec spec = sample_spec(KIND_SUBMIT_REFERRAL, &partner, &intake);
	Header h = sample_header(KIND_SUBMIT_REFERRAL, &officer, &intake);
	struct entropy e = sample_entropy("stolen");
	struct buf header = packed(&h.base), bytes = {0}, taken;
	Referral r = REFERRAL__INIT;
	struct envelope env;
	ProtobufCMessage *m;

	assert_int_equal(strlen(officer.name), strlen(partner.name));
	assert_int_equal(envelope_make(&spec, &r.base, &e, &bytes), OK);
	assert_int_equal(envelope_parse(slice_buf(&bytes), &env), OK);
	taken = hand_signed(slice_buf(&header),
		slice_of(env.outer->sealed.data, env.outer->sealed.len), &officer);
	envelope_free(&env);
	assert_int_equal(envelope_parse(slice_buf(&taken), &env), OK);
	assert_int_equal(
		envelope_open(&env, intake.reader.key_id, intake.box_sk, &m), ERR_NOT_FOR_ME);
	envelope_free(&env);
	buf_free(&header);
	buf_free(&bytes);
	return json_pack("{ss ss ss so}", "sender", officer.name, "recipient", intake.name, "error",
		err_name(ERR_NOT_FOR_ME), "bytes", hex_buf(&taken));
}

static char *all_vectors(void)
{
	json_t *root = json_pack("{ss so so so so so so so so so so so so}", "about",
		"Test vectors of PROTOCOL.md. Bytes are hexadecimal. All people are invented.",
		"people", people(), "signatures", signatures(), "seals", seals(), "note", note(),
		"envelopes", envelopes(), "batch", batch(), "stolen", stolen(), "log", the_log(),
		"refusal", refusal(), "key_request", key_request(), "registry", registry(),
		"refused_encodings", refused_encodings());
	char *text;

	assert_non_null(root);
	text = json_dumps(root, JSON_INDENT(1));
	json_decref(root);
	assert_non_null(text);
	return text;
}

static void the_file_is_what_the_code_makes(void **state)
{
	const char *target = getenv("HAVRE_WRITE_VECTORS");
	char *made = all_vectors(), *kept;
	FILE *f;

	(void)state;
	if (target) {
		f = fopen(target, "wb");
		assert_non_null(f);
		assert_true(fprintf(f, "%s\n", made) > 0);
		assert_int_equal(fclose(f), 0);
	}
	kept = read_file(SOURCE_DIR "/proto/vectors.json");
	assert_non_null(kept);
	assert_int_equal(strlen(kept), strlen(made) + 1);
	assert_memory_equal(kept, made, strlen(made));
	free(kept);
	free(made);
}

static int make_people(void **state)
{
	(void)state;
	if (sodium_init() < 0)
		return -1;
	partner = person_make("partner-a", 1);
	intake = person_make("intake", 2);
	spare = person_make("intake-spare", 3);
	officer = person_make("officer-x", 4);
	broker = person_make("broker", 5);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_file_is_what_the_code_makes)};

	return cmocka_run_group_tests(tests, make_people, NULL);
}
