#include "tests/unit/fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/checkpoint.h"
#include "proto/merkle.h"
#include "proto/strict.h"

#define DAY INT64_C(86400000)

static const struct {
	const char *name;
	Role role;
} people[] = {
	{"partner-a", ROLE__REFERRER},
	{"partner-b", ROLE__REFERRER},
	{"partner-c", ROLE__REFERRER},
	{"officer-1", ROLE__OFFICER},
	{"officer-2", ROLE__OFFICER},
	{"supervisor-1", ROLE__SUPERVISOR},
	{"director-1", ROLE__DIRECTOR},
	{"intake", ROLE__INTAKE},
	{"screening", ROLE__SCREENING},
	{"urgent", ROLE__URGENT_SERVICE},
	{"notify", ROLE__NOTIFY},
	{"relay-smtp", ROLE__ALERT_RECEIVER},
	{"relay-webhook", ROLE__ALERT_RECEIVER},
	{"broker", ROLE__BROKER},
};
#define PEOPLE     (sizeof(people) / sizeof(people[0]))
#define REGISTRIES 64

struct fixture {
	struct keyring *keys[PEOPLE];
	Registry *message;
	struct registry *registries[REGISTRIES]; /* the last one is in use */
	size_t n_registries;
	struct entropy random;
};

#define MUST(call) must(call, #call)

static void must(enum err e, const char *what)
{
	if (e == OK)
		return;
	fprintf(stderr, "fixture: %s: %s\n", err_name(e), what);
	abort();
}

static void *take(void *memory)
{
	if (!memory)
		must(ERR_NOMEM, "memory");
	return memory;
}

static ProtobufCBinaryData bytes_of(const void *data, size_t len)
{
	return (ProtobufCBinaryData){len, memcpy(take(malloc(len)), data, len)};
}

/* The public part of the keys, as their owner would send it in. */
static Key *public_key(const struct keyring *k)
{
	struct buf packed = {0};
	ProtobufCMessage *m;
	KeyRequest *request;
	Key *key;

	MUST(keyring_request(k, "C-1", "test", FIXTURE_NOW, &packed));
	MUST(strict_unpack(&key_request__descriptor, slice_buf(&packed), &m));
	request = (KeyRequest *)m;
	key = request->key;
	request->key = NULL;
	key->not_before = FIXTURE_NOW - 30 * DAY;
	protobuf_c_message_free_unpacked(m, NULL);
	buf_free(&packed);
	return key;
}

static Principal *make_principal(struct fixture *f, size_t i)
{
	Principal *p = take(malloc(sizeof(*p)));

	MUST(keyring_create(people[i].name, &f->keys[i]));
	principal__init(p);
	p->name = take(strdup(people[i].name));
	p->title_en = take(strdup(people[i].name));
	p->title_fr = take(strdup(people[i].name));
	p->n_roles = 1;
	p->roles = take(malloc(sizeof(*p->roles)));
	p->roles[0] = people[i].role;
	p->not_before = FIXTURE_NOW - 30 * DAY;
	p->n_keys = 1;
	p->keys = take(malloc(sizeof(Key *)));
	p->keys[0] = public_key(f->keys[i]);
	if (people[i].role == ROLE__REFERRER) {
		p->agreement = take(malloc(sizeof(*p->agreement)));
		agreement__init(p->agreement);
	}
	return p;
}

struct fixture *fixture_make(void)
{
	struct fixture *f = take(calloc(1, sizeof(*f)));
	Registry *r = take(malloc(sizeof(*r)));

	registry__init(r);
	r->version = 1;
	r->issued_at = FIXTURE_NOW - 30 * DAY;
	r->expires_at = FIXTURE_NOW + 365 * DAY;
	r->threshold = 1;
	r->n_root_keys = 1;
	r->root_keys = take(malloc(sizeof(*r->root_keys)));
	r->root_keys[0] = bytes_of("an invented root key: 32 bytes..", SIGN_PK_LEN);
	r->n_suites = 1;
	r->suites = take(malloc(sizeof(*r->suites)));
	r->suites[0] = SUITE_1;
	r->n_principals = PEOPLE;
	r->principals = take(malloc(PEOPLE * sizeof(Principal *)));
	for (size_t i = 0; i < PEOPLE; i++)
		r->principals[i] = make_principal(f, i);
	f->message = r;
	entropy_from(&f->random, (const uint8_t[32]){1}, slice_str("fixture"));
	MUST(registry_from_message(r, &f->registries[f->n_registries++]));
	return f;
}

void fixture_free(struct fixture **fp)
{
	struct fixture *f = *fp;

	if (!f)
		return;
	for (size_t i = 0; i < PEOPLE; i++)
		keyring_free(&f->keys[i]);
	for (size_t i = 0; i < f->n_registries; i++)
		registry_free(&f->registries[i]);
	registry__free_unpacked(f->message, NULL);
	free(f);
	*fp = NULL;
}

const struct registry *fixture_registry(const struct fixture *f)
{
	return f->registries[f->n_registries - 1];
}

const struct keyring *fixture_keys(const struct fixture *f, const char *name)
{
	for (size_t i = 0; i < PEOPLE; i++)
		if (strcmp(people[i].name, name) == 0)
			return f->keys[i];
	must(ERR_NOT_FOUND, name);
	return NULL;
}

Registry *fixture_message(struct fixture *f)
{
	return f->message;
}

Principal *fixture_principal(struct fixture *f, const char *name)
{
	for (size_t i = 0; i < f->message->n_principals; i++)
		if (strcmp(f->message->principals[i]->name, name) == 0)
			return f->message->principals[i];
	must(ERR_NOT_FOUND, name);
	return NULL;
}

void fixture_rebuild(struct fixture *f)
{
	f->message->version++;
	if (f->n_registries == REGISTRIES)
		must(ERR_FULL, "too many registries");
	MUST(registry_from_message(f->message, &f->registries[f->n_registries++]));
}

struct buf fixture_envelope(struct fixture *f, enum kind kind, const char *from, const char *to,
	const ProtobufCMessage *body)
{
	struct envelope_spec spec = {.kind = kind, .created_at = FIXTURE_NOW};

	return fixture_envelope_of(f, from, to, &spec, body);
}

struct buf fixture_envelope_of(struct fixture *f, const char *from, const char *to,
	const struct envelope_spec *given, const ProtobufCMessage *body)
{
	const struct keyring *k = fixture_keys(f, from);
	struct reader readers[READERS_MOST];
	struct envelope_spec spec = *given;
	uint8_t id[MSG_ID_LEN];
	struct buf out = {0};

	msg_id_make(id, spec.created_at, &f->random);
	spec.id = spec.id ? spec.id : id;
	spec.sender = spec.sender ? spec.sender : from;
	spec.recipient = spec.recipient ? spec.recipient : to;
	spec.key_id = spec.key_id ? spec.key_id : keyring_key_id(k);
	spec.sign_seed = spec.sign_seed ? spec.sign_seed : keyring_sign_seed(k);
	if (!spec.readers) {
		MUST(registry_readers(fixture_registry(f), to, FIXTURE_NOW, readers,
			&spec.n_readers, &spec.epoch));
		spec.readers = readers;
	}
	MUST(envelope_make(&spec, body, &f->random, &out));
	return out;
}

static void copy_header(const Header *h, struct fixture_header *ret)
{
	ret->kind = (enum kind)h->kind;
	memcpy(ret->id, h->id.data, MSG_ID_LEN);
	ret->has_cause = h->cause.len == MSG_ID_LEN;
	if (ret->has_cause)
		memcpy(ret->cause, h->cause.data, MSG_ID_LEN);
	snprintf(ret->sender, sizeof(ret->sender), "%s", h->sender);
	snprintf(ret->recipient, sizeof(ret->recipient), "%s", h->recipient);
	ret->created_at = h->created_at;
}

ProtobufCMessage *fixture_open(
	const struct fixture *f, const char *reader, struct slice bytes, struct fixture_header *ret)
{
	const struct keyring *k = fixture_keys(f, reader);
	ProtobufCMessage *body = NULL;
	struct envelope e;

	MUST(envelope_parse(bytes, &e));
	MUST(envelope_verify(&e, keyring_sign_pk(fixture_keys(f, e.header->sender))));
	MUST(envelope_open(&e, keyring_key_id(k), keyring_box_secret(k, e.header->epoch), &body));
	if (ret)
		copy_header(e.header, ret);
	envelope_free(&e);
	return body;
}

static ProtobufCBinaryData id_of(struct slice bytes)
{
	ProtobufCBinaryData id;
	struct envelope e;

	MUST(envelope_parse(bytes, &e));
	id = bytes_of(e.header->id.data, e.header->id.len);
	envelope_free(&e);
	return id;
}

static Receipt *make_receipt(
	const struct fixture *f, struct slice envelope, int64_t received_at, bool second)
{
	static const uint8_t before[HASH_LEN] = {1};
	struct checkpoint head = {.epoch = 1, .size = second ? 2 : 1};
	Receipt *r = take(malloc(sizeof(*r)));
	uint8_t hash[HASH_LEN];
	struct buf note = {0};

	receipt__init(r);
	envelope_hash(envelope, hash);
	log_leaf(received_at, hash, head.root);
	if (second) {
		merkle_node(before, head.root, head.root);
		r->index = 1;
		r->n_proof = 1;
		r->proof = take(malloc(sizeof(*r->proof)));
		r->proof[0] = bytes_of(before, HASH_LEN);
	}
	MUST(checkpoint_sign(&head, "broker", keyring_sign_seed(fixture_keys(f, "broker")), &note));
	r->id = id_of(envelope);
	r->received_at = received_at;
	r->envelope_hash = bytes_of(hash, HASH_LEN);
	r->checkpoint = bytes_of(note.data, note.len);
	buf_free(&note);
	return r;
}

Receipt *fixture_receipt(const struct fixture *f, struct slice envelope, int64_t received_at)
{
	return make_receipt(f, envelope, received_at, false);
}

Receipt *fixture_receipt_second(const struct fixture *f, struct slice envelope, int64_t received_at)
{
	return make_receipt(f, envelope, received_at, true);
}

static Refusal *sign_refusal(const struct fixture *f, struct slice named, struct slice envelope,
	enum err code, int64_t at)
{
	Refusal *r = take(malloc(sizeof(*r)));
	uint8_t hash[HASH_LEN], signature[SIG_LEN];

	refusal__init(r);
	envelope_hash(envelope, hash);
	r->id = id_of(named);
	r->envelope_hash = bytes_of(hash, HASH_LEN);
	r->code = code;
	r->at = at;
	MUST(refusal_sign(r, keyring_sign_seed(fixture_keys(f, "broker")), signature));
	r->signature = bytes_of(signature, SIG_LEN);
	return r;
}

Refusal *fixture_refusal(const struct fixture *f, struct slice envelope, enum err code, int64_t at)
{
	return sign_refusal(f, envelope, envelope, code, at);
}

Refusal *fixture_refusal_for(
	const struct fixture *f, struct slice named, struct slice envelope, enum err code)
{
	return sign_refusal(f, named, envelope, code, FIXTURE_NOW);
}
