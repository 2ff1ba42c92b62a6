/* What the broker says: sealed, signed and appended like any other message. */
#include "broker/own.h"
#include "proto/envelope.h"
#include "proto/strict.h"

void own_place(const struct core *c, uint8_t ret[OWN_PLACE_LEN])
{
	memcpy(ret, c->epoch.store, EPOCH_LEN);
	be64_put(ret + EPOCH_LEN, c->size);
}

/* The place in the log and its epoch, the recipient and the body: no two messages have the same
 * random bytes. */
static enum err seed(
	const struct core *c, const char *to, const ProtobufCMessage *body, struct entropy *ret)
{
	struct buf packed = {0}, context = {0};
	uint8_t place[OWN_PLACE_LEN];
	enum err e = strict_pack(body, &packed);

	own_place(c, place);
	if (e == OK)
		e = pae(&context, "broker-own",
			(struct slice[]){
				slice_of(place, sizeof place), slice_str(to), slice_buf(&packed)},
			3);
	if (e == OK)
		entropy_from(ret, keyring_step_key(c->o.keys), slice_buf(&context));
	buf_free(&packed);
	buf_free(&context);
	return e;
}

static enum err append(struct core *c, struct txn *t, const struct envelope_spec *spec,
	struct slice envelope, int64_t now)
{
	struct verdict v = {.err = OK, .row = catalogue_find(spec->kind), .has_id = true};
	struct log_row row;

	memcpy(v.id, spec->id, MSG_ID_LEN);
	envelope_hash(envelope, v.hash);
	memcpy(v.sender, spec->sender, strnlen(spec->sender, NAME_SIZE - 1));
	memcpy(v.recipient, spec->recipient, strnlen(spec->recipient, NAME_SIZE - 1));
	return admit_append(c, t, &v, envelope, now, &row);
}

enum err own_send(struct core *c, struct txn *t, enum kind kind, const char *to,
	const ProtobufCMessage *body, int64_t now)
{
	struct reader readers[READERS_MOST];
	uint8_t id[MSG_ID_LEN];
	struct buf envelope = {0};
	struct entropy random;
	struct envelope_spec spec = {
		.kind = kind,
		.id = id,
		.sender = c->o.principal,
		.recipient = to,
		.key_id = keyring_key_id(c->o.keys),
		.sign_seed = c->o.sign_seed,
		.created_at = now,
		.readers = readers,
	};
	enum err e =
		registry_readers(c->o.registry, to, now, readers, &spec.n_readers, &spec.epoch);

	TRY(e);
	TRY(seed(c, to, body, &random));
	msg_id_make(id, now, &random);
	e = envelope_make(&spec, body, &random, &envelope);
	if (e == OK)
		e = append(c, t, &spec, slice_buf(&envelope), now);
	buf_free(&envelope);
	return e;
}

enum err own_send_all(struct core *c, struct txn *t, enum kind kind, role_set roles,
	const char *except, const ProtobufCMessage *body, int64_t now)
{
	const Principal *p;
	bool sent = false;

	for (unsigned i = 0; (p = registry_with_roles(c->o.registry, roles, now, i)); i++) {
		enum err e = ERR_UNKNOWN_RECIPIENT;

		if (!except || strcmp(p->name, except) != 0)
			e = own_send(c, t, kind, p->name, body, now);
		if (e != OK && e != ERR_UNKNOWN_RECIPIENT)
			return e;
		sent |= e == OK;
	}
	return sent ? OK : ERR_UNKNOWN_RECIPIENT;
}
