/*
 * verify.h - may these bytes, from this connection, in this lane, at this time, be taken? A pure
 * function, called by any thread. It knows nothing of what was taken before.
 */
#ifndef HAVRE_BROKER_VERIFY_H
#define HAVRE_BROKER_VERIFY_H

#include "broker/tables.h"
#include "proto/checkpoint.h"
#include "services/common/trust/registry.h"

/* The time inside an id may be ahead of the broker's clock by this (a refusal is final, and clocks
 * err), or behind it by that: an outbox on a bad line may be old. What another message caused has
 * that one's time, which was looked at then: it may be as old as it is. */
#define ID_AHEAD_MS  (24LL * 3600 * 1000)
#define ID_BEHIND_MS (60LL * 24 * 3600 * 1000)

/* Who a connection is, as the handshake proved it. */
struct peer {
	char principal[NAME_SIZE];
	uint8_t key_id[KEY_ID_LEN];
};

/* A connection: `id` is never 0, is different for each connection, and means nothing else here. */
struct conn {
	uint64_t id;
	enum lane lane;
	struct peer peer;
};

/* The frame that the envelope came in. */
enum via { VIA_POST, VIA_QUERY, VIA_ANSWER };

struct verdict {
	/* OK; a refusal (100 and more); or below 100: could not be judged, ask again. */
	enum err err;
	uint64_t generation;    /* of the registry that it was judged by */
	uint8_t hash[HASH_LEN]; /* of the envelope's bytes: always set */
	/* What came with it (verify_receipt); borrowed. NULL: nothing. */
	const Receipt *receipt;
	bool receipt_good; /* this broker signed it, for these bytes; then the head that it did */
	struct checkpoint receipt_head;
	/* Its first receipt was shown: it comes again after a recovery. Set by the core. */
	bool resent;
	int64_t first_at;
	bool has_id; /* `id` is set; also for some bytes that are no envelope */
	uint8_t id[MSG_ID_LEN];
	/* The rest is set when the envelope could be read: row is not NULL. */
	const struct kind_row *row;
	char sender[NAME_SIZE], recipient[NAME_SIZE];
	bool has_cause;
	uint8_t cause[MSG_ID_LEN];
};

void verify(const struct registry *r, const struct conn *from, enum via via, int64_t now,
	struct slice bytes, struct verdict *ret);

/* After verify, of a Post that shows its first receipt: did one of the keys that the registry ever
 * listed for this broker sign it, for these bytes? Sets the three fields of the verdict. */
void verify_receipt(const struct registry *r, const char *broker, const Receipt *receipt,
	struct slice bytes, struct verdict *v);

/* Only which message it is: hash, id, has_id. */
void verify_id(struct slice bytes, struct verdict *ret);

/* Is the connection's key still good? ERR_UNKNOWN_SENDER, ERR_SUSPENDED, ERR_UNKNOWN_KEY. */
MUST_USE enum err verify_peer(const struct registry *r, const struct peer *peer, int64_t now);

#endif
