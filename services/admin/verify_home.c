/* One home folder: what is in it, and what its store says at one moment. */
#include <stdio.h>
#include <stdlib.h>

#include "proto/strict.h"
#include "services/admin/verify.h"
#include "services/common/keys/bucket_files.h"
#include "services/common/engine/engine_internal.h" /* the kit's own tables are read here */
#include "services/common/records.pb-c.h"
#include "services/intake/intake.h"
#include "services/notify/notify.h"
#include "services/screening/screening.h"
#include "services/urgent/urgent.h"

/* Whoever has no records that are checked: the kit's tables are all that is opened. */
static const struct service others = {.name = "others"};

static const struct {
	role_set roles;
	const struct service *svc;
} services[] = {
	{R(INTAKE), &intake_service},
	{R(SCREENING), &screening_service},
	{R(URGENT_SERVICE), &urgent_service},
	{R(NOTIFY), &notify_service},
};

static const struct service *service_of(role_set roles)
{
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (roles & services[i].roles)
			return services[i].svc;
	return &others;
}

enum err parts_layout(role_set roles, struct store_layout *ret)
{
	if (!(roles & R(BROKER)))
		return engine_layout(service_of(roles), ret);
	*ret = broker_layout;
	return OK;
}

static enum err open_keys(struct parts *p)
{
	p->about = p->config.key_file;
	TRY(keyring_needs_passphrase(p->config.key_file, &p->locked));
	return p->locked ? OK : keyring_load(p->config.key_file, (struct slice){0}, &p->keys);
}

static enum err open_registry(struct parts *p, int64_t now)
{
	const Principal *self;

	p->about = p->config.registry_file;
	TRY(registry_load(p->config.registry_file, p->config.root_file, 0, now, &p->registry));
	self = registry_find(p->registry, keyring_principal(p->keys));
	if (!self)
		return ERR_UNKNOWN_KEY;
	p->roles = roles_of(self);
	return OK;
}

static enum err open_store(struct parts *p)
{
	struct bucket_files *buckets = NULL;
	struct store_layout layout;
	enum err e;

	p->about = p->config.store_path;
	TRY(parts_layout(p->roles, &layout));
	e = store_open_lmdb_readonly(p->config.store_path, &layout, &p->store);
	if (layout.tables != broker_layout.tables)
		free((void *)layout.tables);
	if (e == OK)
		e = bucket_files_open(p->config.home, true, &buckets);
	if (e == OK)
		store_use_buckets(p->store, &buckets);
	return e;
}

enum err parts_open(
	const char *folder, int64_t now, enum lang lang, FILE *errors, struct parts *ret)
{
	*ret = (struct parts){.about = folder};
	TRY(config_load(folder, PROGRAM_ADMIN, errors, lang, &ret->config));
	ret->configured = true;
	TRY(open_keys(ret));
	if (ret->locked)
		return OK;
	TRY(open_registry(ret, now));
	return open_store(ret);
}

void parts_free(struct parts *p)
{
	store_free(&p->store);
	registry_free(&p->registry);
	keyring_free(&p->keys);
	if (p->configured)
		config_free(&p->config);
	*p = (struct parts){0};
}

static enum err read_cursors(struct txn *t, uint64_t ret[LANES])
{
	for (int i = 0; i < LANES; i++)
		TRY(state_get(t, "cursor", (enum lane)i, &ret[i]));
	return OK;
}

enum err home_begin(const struct parts *p, int64_t now, struct home *ret)
{
	const struct service *svc = service_of(p->roles);

	*ret = (struct home){.parts = p, .name = keyring_principal(p->keys)};
	TRY(store_begin(p->store, TXN_READ, &ret->txn));
	if (p->roles & R(BROKER))
		return OK;
	TRY(engine_open(svc, &p->config, p->store, p->keys, p->registry, &ret->engine));
	ret->step = malloc(sizeof(*ret->step));
	if (!ret->step)
		return ERR_NOMEM;
	*ret->step = (struct step){.engine = ret->engine,
		.txn = ret->txn,
		.reads_only = true,
		.now = now,
		.sender = ret->name};
	return read_cursors(ret->txn, ret->cursor);
}

void home_end(struct home *h)
{
	free(h->step);
	txn_abort(&h->txn);
	engine_free(&h->engine);
	*h = (struct home){0};
}

enum err home_look_again(struct home *h)
{
	struct txn *t = NULL;
	enum err e;

	TRY(store_begin(h->parts->store, TXN_READ, &t));
	e = read_cursors(t, h->later);
	txn_abort(&t);
	return e;
}

struct outbox_walk {
	each_envelope *each;
	void *arg;
};

static enum err outbox_row(void *arg, struct slice key, struct slice value)
{
	const struct outbox_walk *w = arg;

	(void)key;
	return w->each(w->arg, value);
}

enum err home_outbox(struct home *h, each_envelope *each, void *arg)
{
	struct outbox_walk w = {each, arg};

	return txn_each(h->txn, T_OUTBOX, (struct slice){0}, outbox_row, &w);
}

enum err home_outbox_count(struct home *h, uint64_t *ret)
{
	return txn_count(h->txn, T_OUTBOX, ret);
}

struct refused_walk {
	each_refused *each;
	void *arg;
};

static enum err refused_row(void *arg, struct slice key, struct slice value)
{
	const struct refused_walk *w = arg;

	(void)key;
	if (value.len < 16)
		return ERR_CORRUPT;
	return w->each(
		w->arg, (enum err)be64_get(value.data), slice_of(value.data + 16, value.len - 16));
}

enum err home_refused(struct home *h, each_refused *each, void *arg)
{
	struct refused_walk w = {each, arg};

	return txn_each(h->txn, T_REFUSED, (struct slice){0}, refused_row, &w);
}

struct aside_walk {
	each_aside *each;
	void *arg;
};

static enum err quarantined_row(void *arg, struct slice key, struct slice value)
{
	const struct aside_walk *w = arg;
	struct aside a = {0};
	ProtobufCMessage *m;

	if (key.len != 9 || key.data[0] >= LANES ||
		strict_unpack(&stored_quarantine__descriptor, value, &m) != OK)
		return ERR_CORRUPT;
	a.lane = (enum lane)key.data[0];
	a.seq = be64_get(key.data + 1);
	a.index = ((const StoredQuarantine *)m)->index;
	protobuf_c_message_free_unpacked(m, NULL);
	return w->each(w->arg, &a);
}

static enum err parked_row(void *arg, struct slice key, struct slice value)
{
	const struct aside_walk *w = arg;
	ProtobufCMessage *owner;
	struct delivery d;
	struct aside a;

	TRY(parked_unpack(value, &d, &owner));
	a = (struct aside){.lane = d.lane,
		.seq = d.seq,
		.index = d.index,
		.parked = true,
		.held = parked_is_held(key),
		.lost = parked_is_lost(key)};
	protobuf_c_message_free_unpacked(owner, NULL);
	return w->each(w->arg, &a);
}

enum err home_aside(struct home *h, each_aside *each, void *arg)
{
	struct aside_walk w = {each, arg};
	const struct slice all = {0};

	TRY(txn_each(h->txn, T_QUARANTINE, all, quarantined_row, &w));
	TRY(txn_each(h->txn, T_PARKED, all, parked_row, &w));
	return txn_each(h->txn, T_READY, all, parked_row, &w);
}

enum err home_head(struct home *h, struct checkpoint *ret)
{
	return head_known(h->txn, ret);
}

enum err home_epochs(struct home *h, struct epoch *ret_store, uint64_t ret_log[LANES])
{
	enum err e = epoch_load(h->txn, T_EPOCH, ret_store);

	if (e == ERR_NOT_FOUND)
		*ret_store = (struct epoch){.number = 0};
	else if (e != OK)
		return e;
	for (int i = 0; i < LANES; i++)
		TRY(state_get(h->txn, "log-epoch", (enum lane)i, &ret_log[i]));
	return OK;
}

enum err home_has_timer(struct home *h, const char *name, struct slice key, bool *ret)
{
	struct key k = {0};
	struct slice v;
	enum err e;

	key_str(&k, name);
	key_bytes(&k, key.data, key.len);
	e = txn_get(h->txn, T_TIMER_INDEX, key_slice(&k), &v);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	*ret = e == OK;
	return OK;
}

enum err home_open_message(const struct home *h, struct slice envelope, const struct log_row *row,
	ProtobufCMessage **ret)
{
	struct message m;
	enum err e =
		message_open(h->engine, envelope, CLASS_DURABLE, row->lane, row->received_at, &m);

	if (e != OK)
		return is_refusal(e) ? ERR_NOT_FOUND : e;
	*ret = m.body;
	m.body = NULL;
	message_close(&m);
	return OK;
}
