#include "services/admin/keys_waiting.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "broker/tables.h"
#include "proto/envelope.h"
#include "services/common/base/config.h"
#include "services/common/engine/engine_internal.h" /* the kit's own tables are read here */

struct secret {
	const uint8_t *key_id;
	uint32_t epoch;
};

static enum err needs(struct slice bytes, const struct secret *what)
{
	struct envelope env;
	bool named = false;
	enum err e = envelope_parse(bytes, &env);

	if (e != OK)
		return e == ERR_NOMEM ? e : OK; /* nothing opens it anyway */
	e = envelope_names(&env, what->key_id, &named);
	if (e == OK && named && env.header->epoch == what->epoch)
		e = ERR_NEEDED;
	envelope_free(&env);
	return e;
}

/* --- the own store --- */

static enum err look_at_parked(void *what, struct slice key, struct slice value)
{
	ProtobufCMessage *owner;
	struct delivery d;
	enum err e;

	(void)key;
	TRY(parked_unpack(value, &d, &owner));
	e = needs(d.envelope, what);
	protobuf_c_message_free_unpacked(owner, NULL);
	return e;
}

static enum err look_in_store(struct store *store, struct secret *what)
{
	struct txn *t = NULL;
	enum err e;

	TRY(store_begin(store, TXN_READ, &t));
	e = txn_each(t, T_PARKED, (struct slice){0}, look_at_parked, what);
	if (e == OK)
		e = txn_each(t, T_READY, (struct slice){0}, look_at_parked, what);
	txn_abort(&t);
	return e;
}

static enum err own_store(struct cli *c, struct secret *what)
{
	static const struct service kit = {.name = "keys"};
	struct store_layout layout;
	struct store *store = NULL;
	struct config config;
	enum err e;

	TRY(config_load(c->home, PROGRAM_ADMIN, stderr, c->lang, &config));
	if (access(config.store_path, F_OK)) { /* it was never started */
		config_free(&config);
		return OK;
	}
	e = engine_layout(&kit, &layout);
	if (e == OK) {
		e = store_open_lmdb_readonly(config.store_path, &layout, &store);
		free((void *)layout.tables);
	}
	config_free(&config);
	if (e == OK)
		e = look_in_store(store, what);
	store_free(&store);
	return e;
}

/* --- the broker's --- */

struct box {
	const struct keyring *keys;
	const struct secret *what;
	enum lane lane;
	uint64_t cursor;
	struct txn *txn;
};

static enum err look_at_entry(void *arg, struct slice key, struct slice value)
{
	struct box *b = arg;
	struct slice content;
	struct key at;
	enum err e;

	if (key.len < 8 || value.len != 8)
		return ERR_CORRUPT;
	if (be64_get(key.data + key.len - 8) <= b->cursor)
		return OK;
	index_key(&at, be64_get(value.data));
	e = txn_get(b->txn, TABLE_CONTENT, key_slice(&at), &content);
	return e == OK ? needs(content, b->what) : e == ERR_NOT_FOUND ? OK : e;
}

/* A process that changed its key goes on where it was. */
static enum err find_cursor(struct box *b)
{
	const uint8_t *id;
	uint64_t cursor;
	struct key k;

	b->cursor = 0;
	for (size_t i = 0; (id = keyring_id_at(b->keys, i)); i++) {
		enum err e;

		cursor_key(&k, keyring_principal(b->keys), b->lane, id);
		e = number_get(b->txn, TABLE_CURSOR, key_slice(&k), &cursor);
		if (e != OK && e != ERR_NOT_FOUND)
			return e;
		if (e == OK && cursor > b->cursor)
			b->cursor = cursor;
	}
	return OK;
}

static enum err look_in_lane(struct box *b)
{
	struct key k;

	TRY(find_cursor(b));
	mailbox_key(&k, keyring_principal(b->keys), b->lane, 0);
	k.len -= 8; /* all of the lane */
	return txn_each(b->txn, TABLE_MAILBOX, key_slice(&k), look_at_entry, b);
}

static enum err broker_store(struct cli *c, const char *homes, struct box *b)
{
	struct store *store = NULL;
	struct config config;
	char home[PATH_MAX];
	enum err e;

	if (snprintf(home, sizeof(home), "%s/broker", homes) >= (int)sizeof(home))
		return ERR_INVALID;
	TRY(config_load(home, PROGRAM_ADMIN, stderr, c->lang, &config));
	e = store_open_lmdb_readonly(config.store_path, &broker_layout, &store);
	config_free(&config);
	if (e == OK)
		e = store_begin(store, TXN_READ, &b->txn);
	for (int i = 0; e == OK && i < LANES; i++) {
		b->lane = (enum lane)i;
		e = look_in_lane(b);
	}
	txn_abort(&b->txn);
	store_free(&store);
	return e;
}

enum err keys_waiting(struct cli *c, const struct keyring *keys, const uint8_t key_id[KEY_ID_LEN],
	uint32_t epoch, const char *homes)
{
	struct secret what = {key_id, epoch};
	struct box b = {.keys = keys, .what = &what};

	TRY(own_store(c, &what));
	return homes ? broker_store(c, homes, &b) : OK;
}
