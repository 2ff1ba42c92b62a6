#include "services/relay/relay.h"

#include <string.h>

#include "services/common/base/log.h"
#include "services/common/base/metrics.h"
#include "services/common/node/node.h"

static const char *const tables[] = {
	[RELAY_PENDING] = "pending",
	[RELAY_WARNINGS] = "warnings",
	NULL,
};

typedef enum err deliver_fn(const struct config *c, const struct letter *l, int64_t now);

static const struct channel {
	const char *name;
	deliver_fn *deliver;
} channels[] = {
	{"smtp", deliver_smtp},
	{"webhook", deliver_webhook},
};

static deliver_fn *find_channel(const char *name)
{
	for (size_t i = 0; i < sizeof(channels) / sizeof(channels[0]); i++)
		if (strcmp(channels[i].name, name) == 0)
			return channels[i].deliver;
	return NULL;
}

/* Time, then delivery id, so that the oldest goes first. */
static struct key pending_key(const struct step *s, const ProtobufCBinaryData *delivery)
{
	struct key k = {0};

	key_u64(&k, (uint64_t)step_now(s));
	if (delivery->len == MSG_ID_LEN) /* others are refused */
		key_bytes(&k, delivery->data, delivery->len);
	return k;
}

/* 4. Kept until it is delivered. */
static enum err on_alert(struct step *s, const ProtobufCMessage *m)
{
	const Alert *a = (const Alert *)m;
	struct key k = pending_key(s, &a->delivery);

	if (a->delivery.len != MSG_ID_LEN)
		return ERR_MALFORMED;
	key_str(&k, a->case_number);
	return case_put(s, RELAY_PENDING, key_slice(&k), a->case_number, m);
}

/* It says nothing about a person: nothing to encrypt. */
static enum err on_warning(struct step *s, const ProtobufCMessage *m)
{
	const Warning *w = (const Warning *)m;
	struct key k = pending_key(s, &w->delivery);

	if (w->delivery.len != MSG_ID_LEN)
		return ERR_MALFORMED;
	return record_put(s, RELAY_WARNINGS, key_slice(&k), m);
}

/* The oldest that waits: an alert before any warning. */
struct oldest {
	int table;
	struct key key;
	struct letter letter;
};

static enum err read_alert(struct step *s, struct oldest *o)
{
	size_t head = 8 + 16; /* the case number stands after time and delivery id */
	ProtobufCMessage *m;
	enum err e;

	if (o->key.len <= head)
		return ERR_CORRUPT;
	TRY(case_get(s, RELAY_PENDING, key_slice(&o->key), (const char *)o->key.data + head,
		&alert__descriptor, &m));
	e = letter_of_alert((const Alert *)m, step_now(s), &o->letter);
	protobuf_c_message_free_unpacked(m, NULL);
	return e;
}

static enum err read_warning(struct step *s, struct oldest *o)
{
	ProtobufCMessage *m;
	enum err e;

	TRY(record_get(s, RELAY_WARNINGS, key_slice(&o->key), &warning__descriptor, &m));
	e = letter_of_warning((const Warning *)m, step_now(s), &o->letter);
	protobuf_c_message_free_unpacked(m, NULL);
	return e;
}

static enum err read_oldest(struct step *s, void *arg)
{
	static enum err (*const read[])(struct step * s, struct oldest * o) = {
		[RELAY_PENDING] = read_alert, [RELAY_WARNINGS] = read_warning};
	struct oldest *o = arg;
	struct slice key, value;
	enum err e = ERR_NOT_FOUND;

	for (o->table = RELAY_PENDING; o->table <= RELAY_WARNINGS; o->table++) {
		e = step_next(s, o->table, (struct slice){0}, true, &key, &value);
		if (e != ERR_NOT_FOUND)
			break;
	}
	TRY(e);
	o->key = (struct key){0};
	key_bytes(&o->key, key.data, key.len);
	return read[o->table](s, o);
}

static enum err forget_oldest(struct step *s, void *arg)
{
	const struct oldest *o = arg;

	return step_delete(s, o->table, key_slice(&o->key));
}

static enum err deliver_oldest(struct node *n, deliver_fn *deliver, int64_t *ret_again_at)
{
	const struct config *c = node_config(n);
	struct oldest o = {.table = RELAY_PENDING};
	int64_t now = node_now();
	enum err e = node_read(n, read_oldest, &o);

	if (e == ERR_NOT_FOUND)
		return OK;
	if (e == OK)
		e = deliver(c, &o.letter, now);
	letter_free(&o.letter);
	if (e == ERR_UNREACHABLE) {
		log_warn("RELAY-UNREACHABLE", "type=%s", c->relay_type);
		*ret_again_at = now + c->relay_retry_s * 1000;
		return OK;
	}
	TRY(e);
	log_info("RELAY-DELIVERED", "type=%s", c->relay_type);
	*ret_again_at = now;
	return node_local(n, forget_oldest, &o);
}

/* One delivery a turn: the link is served in between. Delivered, then forgotten: a crash between
 * the two sends it again, under the same delivery id. */
static enum err on_turn(struct node *n, int64_t *ret_again_at)
{
	deliver_fn *deliver = find_channel(node_config(n)->relay_type);

	return deliver ? deliver_oldest(n, deliver, ret_again_at) : ERR_INVALID;
}

/* Since when the oldest of each kind waits: its key begins with that. */
static enum err on_report(struct step *s, struct metrics *m)
{
	static const struct {
		int table;
		const char *what;
	} kinds[] = {{RELAY_PENDING, "alert"}, {RELAY_WARNINGS, "warning"}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct slice key, value;
		enum err e = step_next(s, kinds[i].table, (struct slice){0}, true, &key, &value);

		if (e == ERR_NOT_FOUND)
			continue;
		TRY(e);
		if (key.len < 8)
			return ERR_CORRUPT;
		metrics_add(m, METRIC_UNDELIVERED_SINCE, kinds[i].what,
			(int64_t)be64_get(key.data) / 1000);
	}
	return OK;
}

static const struct route routes[] = {
	ON(RAISE_ALERT, on_alert),
	ON(WARN_OPERATOR, on_warning),
	{0},
};

const struct service relay_service = {
	.name = "relay",
	.program = PROGRAM_RELAY,
	.tables = tables,
	.routes = routes,
	.on_turn = on_turn,
	.on_report = on_report,
};
