#include "services/relay/relay.h"

#include <string.h>

#include "services/common/log.h"
#include "services/common/node.h"

static const char *const tables[] = {[RELAY_PENDING] = "pending", NULL};

typedef enum err deliver_fn(const struct config *c, const Alert *a, int64_t now);

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

/* 4. Kept until it is delivered: time, then delivery id, so that the oldest goes first. */
static enum err on_alert(struct step *s, const ProtobufCMessage *m)
{
	const Alert *a = (const Alert *)m;
	struct key k = {0};

	key_u64(&k, (uint64_t)step_now(s));
	key_bytes(&k, a->delivery.data, a->delivery.len);
	key_str(&k, a->case_number);
	return case_put(s, RELAY_PENDING, key_slice(&k), a->case_number, m);
}

/* The oldest alert that waits. */
struct oldest {
	struct key key;
	Alert *alert;
};

static enum err read_oldest(struct step *s, void *arg)
{
	struct oldest *o = arg;
	struct slice key, value;
	ProtobufCMessage *m;
	size_t head = 8 + 16; /* the case number stands after time and delivery id */

	TRY(step_next(s, RELAY_PENDING, (struct slice){0}, true, &key, &value));
	o->key = (struct key){0};
	key_bytes(&o->key, key.data, key.len);
	if (key.len <= head)
		return ERR_CORRUPT;
	TRY(case_get(s, RELAY_PENDING, key_slice(&o->key), (const char *)o->key.data + head,
		&alert__descriptor, &m));
	o->alert = (Alert *)m;
	return OK;
}

static enum err forget_oldest(struct step *s, void *arg)
{
	const struct oldest *o = arg;

	return step_delete(s, RELAY_PENDING, key_slice(&o->key));
}

/* One delivery a turn: the link is served in between. Delivered, then forgotten: a crash between
 * the two sends it again, under the same delivery id. */
static enum err on_turn(struct node *n, int64_t *ret_again_at)
{
	const struct config *c = node_config(n);
	deliver_fn *deliver = find_channel(c->relay_type);
	struct oldest o = {.alert = NULL};
	int64_t now = node_now();
	enum err e;

	if (!deliver)
		return ERR_INVALID;
	e = node_read(n, read_oldest, &o);
	if (e == ERR_NOT_FOUND)
		return OK;
	if (e != OK)
		return e;
	e = deliver(c, o.alert, now);
	if (e == ERR_UNREACHABLE) {
		log_warn("RELAY-UNREACHABLE", "type=%s", c->relay_type);
		*ret_again_at = now + c->relay_retry_s * 1000;
		e = OK;
	} else if (e == OK) {
		log_info("RELAY-DELIVERED", "type=%s", c->relay_type);
		*ret_again_at = now;
		e = node_local(n, forget_oldest, &o);
	}
	alert__free_unpacked(o.alert, NULL);
	return e;
}

static const struct route routes[] = {
	ON(RAISE_ALERT, on_alert),
	{0},
};

const struct service relay_service = {
	.name = "relay",
	.program = PROGRAM_RELAY,
	.tables = tables,
	.routes = routes,
	.on_turn = on_turn,
};
