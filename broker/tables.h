/*
 * tables.h - the broker's store: its tables, their keys and their values. core writes them;
 * `havre-admin verify` and backups read them.
 *
 * Numbers are big-endian. A name in a key ends with a NUL; a lane is one byte.
 *
 *   META        name                              see the META_ names
 *   LOG         index                             a log row (below); never changes
 *   CONTENT     index                             the envelope's bytes
 *   SEEN        sender, id                        index: for ever
 *   MAILBOX     recipient, lane, seq              index
 *   CURSOR      recipient, lane, key id           seq that this key has processed
 *   QUARANTINE  recipient, lane, key id, seq      code (4), time (8)
 *   TREE        level (1), index                  hash of a complete subtree (broker/log.h)
 *   EPOCH       see services/common/store/epoch.h
 *   STORES      recipient, lane, key id           the reader's store: its epoch (16), number (8)
 *   ORDER       recipient, urgent seq                routine seq (8): how far it was there
 *   TRUST       see services/common/trust/trust.h       the suspension list, and what is proposed
 * for it ALARMS      code (1), about                   time (8), level (8): the operators were told
 */
#ifndef HAVRE_BROKER_TABLES_H
#define HAVRE_BROKER_TABLES_H

#include "proto/catalogue.h"
#include "proto/crypto.h"
#include "services/common/store/epoch.h"

#define BROKER_TABLES(T)                                                                           \
	T(META, "meta")                                                                            \
	T(LOG, "log")                                                                              \
	T(CONTENT, "content")                                                                      \
	T(SEEN, "seen")                                                                            \
	T(MAILBOX, "mailbox")                                                                      \
	T(CURSOR, "cursor")                                                                        \
	T(QUARANTINE, "quarantine")                                                                \
	T(TREE, "tree")                                                                            \
	T(TRUST, "trust")                                                                          \
	T(ALARMS, "alarms")                                                                        \
	T(EPOCH, EPOCH_TABLE)                                                                      \
	T(STORES, "stores")                                                                        \
	T(ORDER, "order")

enum broker_table {
#define TABLE(name, text) TABLE_##name,
	BROKER_TABLES(TABLE)
#undef TABLE
};

extern const struct store_layout broker_layout;

/* META: the registry's version that was used last, and the one that was spread last, and the log's
 * epoch then (8 bytes each); the last signed checkpoint; the newest time of receipt that this clock
 * gave (8). */
#define META_REGISTRY     "registry_version"
#define META_SPREAD       "registry_spread"
#define META_SPREAD_EPOCH "registry_spread_epoch"
#define META_CHECKPOINT   "checkpoint"
#define META_RECEIVED     "received"

/* A principal's name is at most 48 characters. */
#define NAME_SIZE 49

/* What the log keeps of an envelope, also when its content is erased. */
struct log_row {
	int64_t received_at; /* the broker's clock, ms; never changes */
	uint8_t hash[HASH_LEN];
	uint32_t kind;
	enum lane lane;
	bool resent;  /* after a recovery, with the first time of receipt: older than its place */
	uint64_t seq; /* in the recipient's mailbox of that lane */
	char sender[NAME_SIZE], recipient[NAME_SIZE];
};

/* ERR_NOT_FOUND: no such index. ERR_CORRUPT: not a row. */
MUST_USE enum err log_row_get(struct txn *t, uint64_t index, struct log_row *ret);
/* The index must be the next one: ERR_EXISTS when it is not. */
MUST_USE enum err log_row_append(struct txn *t, uint64_t index, const struct log_row *row);

void index_key(struct key *k, uint64_t index);
void seen_key(struct key *k, const char *sender, const uint8_t id[MSG_ID_LEN]);
void mailbox_key(struct key *k, const char *recipient, enum lane lane, uint64_t seq);
void lane_order_key(struct key *k, const char *recipient, uint64_t seq);
void cursor_key(
	struct key *k, const char *recipient, enum lane lane, const uint8_t key_id[KEY_ID_LEN]);
void quarantine_key(struct key *k, const char *recipient, enum lane lane,
	const uint8_t key_id[KEY_ID_LEN], uint64_t seq);

/* A value of 8 bytes. ERR_NOT_FOUND; ERR_CORRUPT: it has another length. */
MUST_USE enum err number_get(struct txn *t, int table, struct slice key, uint64_t *ret);
MUST_USE enum err number_put(struct txn *t, int table, struct slice key, uint64_t value);

#endif
