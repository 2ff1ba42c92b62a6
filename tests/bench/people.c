#include "tests/bench/people.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

enum err person_open(const char *home, const char *name, struct person *ret)
{
	struct person p = {0};
	char folder[PATH_MAX];
	enum err e;

	snprintf(folder, sizeof(folder), "%s/%s", home, name);
	/* every program's rows: it may be a service's home */
	TRY(config_load(folder, PROGRAM_ADMIN, stderr, LANG_EN, &p.config));
	e = keyring_load(p.config.key_file, (struct slice){0}, &p.keys);
	if (e == OK)
		e = registry_load(
			p.config.registry_file, p.config.root_file, 0, now_ms(), &p.registry);
	if (e == OK)
		*ret = p;
	else
		person_close(&p);
	return e;
}

void person_close(struct person *p)
{
	registry_free(&p->registry);
	keyring_free(&p->keys);
	config_free(&p->config);
	*p = (struct person){0};
}

enum err people_open(const char *home, unsigned n, struct person **ret)
{
	struct person *people = calloc(n, sizeof(*people));
	enum err e = people ? OK : ERR_NOMEM;

	for (unsigned i = 0; e == OK && i < n; i++) {
		char name[32];

		snprintf(name, sizeof(name), "bench-%u", i + 1);
		e = person_open(home, name, &people[i]);
	}
	if (e == OK)
		*ret = people;
	else
		people_close(&people, n);
	return e;
}

void people_close(struct person **people, unsigned n)
{
	for (unsigned i = 0; *people && i < n; i++)
		person_close(&(*people)[i]);
	free(*people);
	*people = NULL;
}

enum err person_write(const struct person *from, const char *to, enum kind kind,
	const uint8_t *cause, const ProtobufCMessage *body, struct buf *out)
{
	struct reader readers[READERS_MOST];
	struct envelope_spec spec = {
		.kind = kind,
		.sender = keyring_principal(from->keys),
		.recipient = to,
		.key_id = keyring_key_id(from->keys),
		.sign_seed = keyring_sign_seed(from->keys),
		.created_at = now_ms(),
		.cause = cause,
		.readers = readers,
	};
	uint8_t id[MSG_ID_LEN];
	struct entropy random;

	TRY(registry_readers(
		from->registry, to, spec.created_at, readers, &spec.n_readers, &spec.epoch));
	entropy_fresh(&random);
	msg_id_make(id, spec.created_at, &random);
	spec.id = id;
	return envelope_make(&spec, body, &random, out);
}

static enum err verify_and_open(const struct person *reader, struct message_read *m)
{
	const Header *h = m->envelope.header;
	const uint8_t *secret = keyring_box_secret(reader->keys, h->epoch);
	const Key *key;

	TRY(registry_key(reader->registry, h->sender, h->key_id.data, now_ms(), &key));
	TRY(envelope_verify(&m->envelope, key->sign_key.data));
	if (!secret)
		return ERR_NOT_FOR_ME;
	return envelope_open(&m->envelope, keyring_key_id(reader->keys), secret, &m->body);
}

enum err person_read(const struct person *reader, struct slice bytes, struct message_read *ret)
{
	struct message_read m = {.body = NULL};
	enum err e;

	TRY(envelope_parse(bytes, &m.envelope));
	e = verify_and_open(reader, &m);
	if (e == OK)
		*ret = m;
	else
		message_read_free(&m);
	return e;
}

void message_read_free(struct message_read *m)
{
	if (m->body)
		protobuf_c_message_free_unpacked(m->body, NULL);
	envelope_free(&m->envelope);
	m->body = NULL;
}
