/*
 * Makes the seeds of the fuzz targets: make_seeds FOLDER writes FOLDER/TARGET/NAME. The same bytes
 * each time, but for nonces. To be run again, and its files checked in, when a format has changed.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/full.h"
#include "tests/fuzz/people.h"
#include "tests/fuzz/seeds.h"

#include <sys/stat.h>

#include "proto/case.pb-c.h"
#include "proto/checkpoint.h"
#include "proto/frame.pb-c.h"
#include "proto/keyfile.pb-c.h"
#include "proto/trust.pb-c.h"
#include "services/client/records.pb-c.h"
#include "services/common/keys/bucket_file.h"
#include "services/common/base/message.h"
#include "services/common/trust/registry_check.h"

static const char *folder;

void write_seed(const char *target, const char *name, int first, struct slice bytes)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, target);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/%s/%s", folder, target, name);
	f = fopen(path, "wb");
	HOLDS(f);
	if (first >= 0)
		fputc(first, f);
	HOLDS(!bytes.len || fwrite(bytes.data, 1, bytes.len, f) == bytes.len);
	HOLDS(fclose(f) == 0);
}

void write_text(const char *target, const char *name, int first, const char *text)
{
	write_seed(target, name, first, slice_str(text));
}

void write_message(
	const char *target, const char *name, int first, const ProtobufCMessageDescriptor *type)
{
	ProtobufCMessage *m = full_message(type);
	struct buf b = packed(m);

	write_seed(target, name, first, slice_buf(&b));
	protobuf_c_message_free_unpacked(m, NULL);
	buf_free(&b);
}

/* --- messages, frames, envelopes --- */

static void frame(const char *name, Frame__WhatCase what, const ProtobufCMessageDescriptor *type)
{
	Frame *f = message_new(&frame__descriptor);
	struct buf b;

	f->what_case = what;
	f->hello = (Hello *)full_message(type); /* one place for all of them */
	b = packed(&f->base);
	write_seed("receipt", name, -1, slice_buf(&b));
	frame__free_unpacked(f, NULL);
	buf_free(&b);
}

static void frames(void)
{
	frame("hello", FRAME__WHAT_HELLO, &hello__descriptor);
	frame("welcome", FRAME__WHAT_WELCOME, &welcome__descriptor);
	frame("receipt", FRAME__WHAT_RECEIPT, &receipt__descriptor);
	frame("refusal", FRAME__WHAT_REFUSAL, &refusal__descriptor);
	frame("delivery", FRAME__WHAT_DELIVERY, &delivery__descriptor);
	frame("cursor", FRAME__WHAT_CURSOR, &cursor__descriptor);
}

static void messages(void)
{
	const ProtobufCMessageDescriptor *type;

	for (size_t i = 0; (type = fuzz_type(i)); i++) {
		ProtobufCMessage *m = full_message(type);
		struct buf b = packed(m);
		char name[80];

		snprintf(name, sizeof(name), "%02zu-%s", i, type->short_name);
		write_seed("message", name, (int)i, slice_buf(&b));
		protobuf_c_message_free_unpacked(m, NULL);
		buf_free(&b);
	}
}

static struct buf envelope(enum kind kind, size_t from, size_t to)
{
	const struct person sender = person(from), reader = person(to);
	struct envelope_spec spec = sample_spec(kind, &sender, &reader);
	ProtobufCMessage *body = message_new(catalogue_find(kind)->body);
	struct entropy e = sample_entropy("seed");
	uint8_t id[MSG_ID_LEN];
	struct buf out = {0};

	msg_id_make(id, SAMPLE_TIME, &e);
	spec.id = id;
	HOLDS(envelope_make(&spec, body, &e, &out) == OK);
	protobuf_c_message_free_unpacked(body, NULL);
	return out;
}

static void envelopes(void)
{
	const struct person from = partner(), to = intake();
	struct slice bodies[3] = {{0}};
	struct buf batch[3], b = envelope(KIND_WITHDRAW_REFERRAL, 0, 1);

	write_seed("envelope", "direct", -1, slice_buf(&b));
	b.data[b.len - 1] ^= 1;
	write_seed("envelope", "wrong-signature", -1, slice_buf(&b));
	write_seed("envelope", "cut", -1, slice_of(b.data, b.len / 2));
	buf_free(&b);
	b = envelope(KIND_ASK_QUEUE, 3, 2);
	write_seed("envelope", "question", -1, slice_buf(&b));
	buf_free(&b);
	hand_batch(&from, &to, bodies, 3, batch);
	write_seed("envelope", "batch", -1, slice_buf(&batch[2]));
	for (int i = 0; i < 3; i++)
		buf_free(&batch[i]);
}

void add_frame(struct buf *out, int choice, const ProtobufCMessage *m)
{
	struct buf b = packed(m);
	uint8_t head[] = {(uint8_t)choice, (uint8_t)(b.len >> 8), (uint8_t)b.len};

	HOLDS(buf_append(out, head, sizeof(head)) == OK);
	HOLDS(buf_append(out, b.data, b.len) == OK);
	buf_free(&b);
}

static void add_hello(struct buf *out, int choice)
{
	Hello hello = HELLO__INIT;
	Frame f = FRAME__INIT;

	hello.protocol = 1;
	hello.credit = 8;
	f.what_case = FRAME__WHAT_HELLO;
	f.hello = &hello;
	add_frame(out, choice, &f.base);
}

static void add_envelope(struct buf *out, int choice, Frame__WhatCase what, const struct buf *b)
{
	Post post = POST__INIT;
	Query query = QUERY__INIT;
	Frame f = FRAME__INIT;

	f.what_case = what;
	post.envelope = query.envelope = bytes_of(b->data, b->len);
	if (what == FRAME__WHAT_POST)
		f.post = &post;
	else
		f.query = &query;
	add_frame(out, choice, &f.base);
}

/* partner-a posts to intake; officer-1 asks screening. Connections: 2 for each, routine first. */
static void broker_frames(void)
{
	struct buf post = envelope(KIND_WITHDRAW_REFERRAL, 0, 1);
	struct buf ask = envelope(KIND_ASK_QUEUE, 3, 2), out = {0};
	Cursor cursor = CURSOR__INIT;
	Quarantined bad = QUARANTINED__INIT, *list = &bad;
	Frame f = FRAME__INIT;

	add_hello(&out, 0);
	add_hello(&out, 2);
	add_envelope(&out, 128, FRAME__WHAT_POST, &post);
	add_envelope(&out, 128, FRAME__WHAT_POST, &post);
	cursor.seq = bad.seq = 1;
	bad.code = ERR_HANDLER_DIED;
	cursor.quarantined = &list;
	cursor.n_quarantined = 1;
	f.what_case = FRAME__WHAT_CURSOR;
	f.cursor = &cursor;
	add_frame(&out, 2 | 128, &f.base);
	write_seed("broker", "post", -1, slice_buf(&out));
	buf_free(&out);
	add_hello(&out, 4);
	add_hello(&out, 6);
	add_envelope(&out, 6 | 128, FRAME__WHAT_QUERY, &ask);
	write_seed("broker", "ask", -1, slice_buf(&out));
	buf_free(&out);
	add_envelope(&out, 128, FRAME__WHAT_POST, &post); /* before its hello */
	add_hello(&out, 1);
	add_envelope(&out, 1 | 128, FRAME__WHAT_POST, &post);
	write_seed("broker", "wrong-lane", -1, slice_buf(&out));
	buf_free(&out);
	add_hello(&out, 2);
	add_envelope(&out, 2, FRAME__WHAT_POST, &post); /* another's */
	post.data[post.len - 1] ^= 1;
	add_hello(&out, 0);
	add_envelope(&out, 128, FRAME__WHAT_POST, &post);
	write_seed("broker", "refused", -1, slice_buf(&out));
	buf_free(&out);
	buf_free(&ask);
	buf_free(&post);
}

/* --- what is sealed, what is signed --- */

static void seals(void)
{
	const struct person to = intake();
	struct slice number = slice_str("HV-2222-3333-4");
	struct entropy e = sample_entropy("seed");
	struct buf sealed = {0}, plain;
	Note note = NOTE__INIT;

	HOLDS(crypto_seal(&sealed, slice_str("plain"), 64, slice_str("context"), &to.reader, 1,
		      &e) == OK);
	write_seed("sealed", "outside", 0, slice_buf(&sealed));
	write_text("sealed", "inside", 1, "any plain text");
	write_text("sealed", "nothing", 1, "");
	sealed.data[sealed.len - 1] ^= 1;
	write_seed("sealed", "altered", 0, slice_buf(&sealed));
	buf_free(&sealed);
	HOLDS(note_seal("a reason", "HV-2222-3333-4", &to.reader, 1, &e, &sealed) == OK);
	(void)number;
	write_seed("note", "outside", 0, slice_buf(&sealed));
	sealed.data[sealed.len - 1] ^= 1;
	write_seed("note", "altered", 0, slice_buf(&sealed));
	buf_free(&sealed);
	write_text("note", "file", 0, "a reason\n\nanother line\n\n");
	write_text("note", "line-ends", 0, "\n\n\n");
	note.text = (char *)"a reason, une raison";
	plain = packed(&note.base);
	write_seed("note", "inside", 1, slice_buf(&plain));
	buf_free(&plain);
}

static void checkpoints(void)
{
	const struct person b = broker();
	struct checkpoint c = {.size = 12345};
	struct buf note = {0};

	HOLDS(checkpoint_sign(&c, b.name, b.seed, &note) == OK);
	write_seed("checkpoint", "right", -1, slice_buf(&note));
	note.data[note.len - 5] ^= 1;
	write_seed("checkpoint", "wrong-signature", -1, slice_buf(&note));
	buf_free(&note);
	c = (struct checkpoint){.epoch = UINT64_MAX, .size = UINT64_MAX};
	HOLDS(checkpoint_sign(&c, b.name, b.seed, &note) == OK);
	write_seed("checkpoint", "largest", -1, slice_buf(&note));
	write_seed("checkpoint", "cut", -1, slice_of(note.data, note.len - 40));
	buf_free(&note);
}

static void registries(void)
{
	const struct person signer = root();
	SignedRegistry s = SIGNED_REGISTRY__INIT;
	RootSignature one = ROOT_SIGNATURE__INIT, *list = &one;
	struct buf b = people_registry(), whole;
	uint8_t sig[SIG_LEN];
	char hex[65], json[128];

	write_seed("registry", "inside", 1, slice_buf(&b));
	HOLDS(registry_sign_bytes(slice_buf(&b), signer.seed, sig) == OK);
	one.root_key = bytes_of(signer.sign_pk, SIGN_PK_LEN);
	one.signature = bytes_of(sig, SIG_LEN);
	s.registry = bytes_of(b.data, b.len);
	s.signatures = &list;
	s.n_signatures = 1;
	whole = packed(&s.base);
	write_seed("registry", "signed", 0, slice_buf(&whole));
	s.n_signatures = 0;
	buf_free(&whole);
	whole = packed(&s.base);
	write_seed("registry", "unsigned", 0, slice_buf(&whole));
	buf_free(&whole);
	buf_free(&b);
	write_message("registry", "form", 1, &registry__descriptor);
	hex_encode(hex, signer.sign_pk, SIGN_PK_LEN);
	snprintf(json, sizeof(json), "{\"threshold\": 1, \"keys\": [\"%s\"]}\n", hex);
	write_text("root", "one", -1, json);
	write_text("root", "wrong", -1, "{\"threshold\": 2, \"keys\": [\"00\", null]}");
	snprintf(json, sizeof(json), "{\"threshold\": 2, \"keys\": [\"%s\"]}\n", hex);
	write_text("root", "too-few", -1, json);
	write_text("root", "another-word", -1, "{\"threshold\": 1, \"keys\": [], \"more\": {}}");
	write_text("root", "no-number", -1, "{\"threshold\": -1e99, \"keys\": {}}");
}

static void key_files(void)
{
	KeyFile *f = (KeyFile *)full_message(&key_file__descriptor);
	KeyRequest *r = (KeyRequest *)full_message(&key_request__descriptor);
	const struct person p = partner();
	Secrets s = SECRETS__INIT;
	KeySecrets key = KEY_SECRETS__INIT, *keys = &key;
	BoxSecret box = BOX_SECRET__INIT, *list = &box;
	struct buf b;

	f->version = 1;
	f->share = false;
	HOLDS(set_bytes(&f->key_id, p.reader.key_id, KEY_ID_LEN) == OK);
	b = packed(&f->base);
	write_seed("key_file", "outside", 0, slice_buf(&b));
	buf_free(&b);
	s.step_key = s.store_key = key.sign_seed = key.transport_secret = bytes_of(p.seed, 32);
	key.key_id = bytes_of(p.reader.key_id, KEY_ID_LEN);
	box.epoch = 1;
	box.box_secret = bytes_of(p.box_sk, 32);
	key.box_secrets = &list;
	key.n_box_secrets = 1;
	s.keys = &keys;
	s.n_keys = 1;
	b = packed(&s.base);
	write_seed("key_file", "secrets", 1, slice_buf(&b));
	buf_free(&b);
	s.n_keys = 0;
	b = packed(&s.base);
	write_seed("key_file", "no-key", 1, slice_buf(&b));
	buf_free(&b);
	write_message("key_file", "form", 1, &secrets__descriptor);
	HOLDS(set_bytes(&r->key->id, p.reader.key_id, KEY_ID_LEN) == OK);
	HOLDS(set_bytes(&r->key->sign_key, p.sign_pk, SIGN_PK_LEN) == OK);
	HOLDS(set_bytes(&r->key->transport_key, p.seed, 32) == OK);
	HOLDS(set_bytes(&r->key->box_keys[0]->box_key, p.reader.box_pk, BOX_PK_LEN) == OK);
	HOLDS(set_bytes(&r->signature, p.seed, 32) == OK);
	b = packed(&r->base);
	write_seed("key_request", "request", -1, slice_buf(&b));
	write_seed("key_request", "cut", -1, slice_of(b.data, b.len - 10));
	buf_free(&b);
	r->key->n_box_keys--; /* its one stays in the list, for the end */
	b = packed(&r->base);
	r->key->n_box_keys++;
	write_seed("key_request", "no-box-key", -1, slice_buf(&b));
	buf_free(&b);
	write_message("key_request", "form", -1, &key_request__descriptor);
	protobuf_c_message_free_unpacked(&f->base, NULL);
	protobuf_c_message_free_unpacked(&r->base, NULL);
}

static void buckets(void)
{
	static const uint8_t store_key[32] = {1}, key[BUCKET_KEY_LEN] = {2}, case_key[32] = {3};
	CaseKey one = CASE_KEY__INIT, *list = &one;
	BucketRest rest = BUCKET_REST__INIT;
	struct buf b = {0};

	one.case_number = (char *)"HV-2222-3333-4";
	rest.cases = &list;
	rest.n_cases = 1;
	one.key = bytes_of(case_key, sizeof(case_key) - 1);
	HOLDS(bucket_file_make(store_key, 1, 2, key, &rest, &b) == OK);
	write_seed("bucket", "short-key", -1, slice_buf(&b));
	buf_free(&b);
	one.key = bytes_of(case_key, sizeof(case_key));
	HOLDS(bucket_file_make(store_key, 1, 2, key, &rest, &b) == OK);
	write_seed("bucket", "right", -1, slice_buf(&b));
	b.data[20] ^= 1; /* once this changed the caller's key */
	write_seed("bucket", "altered", -1, slice_buf(&b));
	buf_free(&b);
}

static void recovery(void)
{
	ProtobufCMessage *share = full_message(&share__descriptor);
	struct buf b = packed(share), two = {0};
	uint8_t head[] = {1, (uint8_t)b.len};

	write_message("escrow", "copy", 0, &escrow_file__descriptor);
	write_message("escrow", "another", 0, &share__descriptor);
	write_text("escrow", "no-part", 1, "");
	HOLDS(buf_append(&two, head, sizeof(head)) == OK);
	HOLDS(buf_append(&two, b.data, b.len) == OK && buf_append(&two, b.data, b.len) == OK);
	write_seed("escrow", "parts", -1, slice_buf(&two));
	two.data[1] = 255; /* a part that is longer than all of it */
	write_seed("escrow", "long-part", -1, slice_buf(&two));
	protobuf_c_message_free_unpacked(share, NULL);
	buf_free(&two);
	buf_free(&b);
}

int main(int argc, char **argv)
{
	if (argc != 2 || LLVMFuzzerInitialize(&argc, &argv) != 0)
		return 64;
	folder = argv[1];
	messages();
	frames();
	envelopes();
	broker_frames();
	seals();
	checkpoints();
	registries();
	key_files();
	buckets();
	recovery();
	seeds_recovered();
	seeds_stored();
	seeds_welcome();
	seeds_text();
	return 0;
}
