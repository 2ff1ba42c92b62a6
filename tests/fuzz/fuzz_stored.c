/* A row of a store; the first byte says of which table. Root reads them in the homes of others, and
 * a program after who knows what happened to its disk. */
#include "tests/fuzz/fuzz.h"

#include "broker/tables.h"
#include "services/common/engine/engine_internal.h"
#include "services/common/store/recover.h"
#include "services/common/trust/trust.h"

static const struct service nobody = {.name = "nobody"};

static void put(struct txn *t, int table, const void *key, size_t len, struct slice value)
{
	HOLDS(txn_put(t, table, slice_of(key, len), value) == OK);
}

static void log_row(struct txn *t, struct slice value)
{
	struct log_row row = {.seq = 77};
	struct slice again;
	struct key k;

	index_key(&k, 0);
	put(t, TABLE_LOG, k.data, k.len, value);
	if (log_row_get(t, 0, &row) != OK) {
		HOLDS(row.seq == 77);
		return;
	}
	index_key(&k, 1);
	HOLDS(log_row_append(t, 1, &row) == OK &&
		txn_get(t, TABLE_LOG, key_slice(&k), &again) == OK);
	HOLDS(slice_eq(again, value));
}

static void number(struct txn *t, struct slice value)
{
	uint64_t n = 77;

	put(t, TABLE_SEEN, "key", 3, value);
	HOLDS(number_get(t, TABLE_SEEN, slice_str("key"), &n) == OK ? value.len == 8 : n == 77);
}

static void epoch(struct txn *t, struct slice value)
{
	struct epoch e;
	uint64_t safe = 77;

	put(t, TABLE_EPOCH, "epoch", 5, value);
	put(t, TABLE_EPOCH, "stopped", 7, value);
	put(t, TABLE_EPOCH, "safe", 4, value);
	HOLDS(epoch_load(t, TABLE_EPOCH, &e) != OK || e.number > 0);
	HOLDS(epoch_check(t, TABLE_EPOCH) != OK); /* some reason stands there */
	HOLDS(epoch_safe(t, TABLE_EPOCH, &safe) == OK ? value.len == 8 : safe == 77);
}

static enum err see_act(void *arg, const StoredAct *stored, const SuspensionAct *act)
{
	(void)arg;
	HOLDS(stored->act && act->serial > 0);
	return OK;
}

static void act(struct txn *t, struct slice value)
{
	enum err e;

	put(t, TABLE_TRUST, "a", 1, value);
	e = act_each(t, TABLE_TRUST, ACTS_IN_FORCE, see_act, NULL);
	HOLDS(e == OK || e == ERR_CORRUPT);
}

static void parked(struct txn *t, struct slice value)
{
	ProtobufCMessage *owner = UNTOUCHED;
	struct delivery d;

	(void)t;
	if (parked_unpack(value, &d, &owner) == OK) {
		HOLDS(d.lane < LANES);
		protobuf_c_message_free_unpacked(owner, NULL);
	} else {
		HOLDS(owner == UNTOUCHED);
	}
}

static void followed(struct txn *t, struct slice value)
{
	struct followed f = {.n = 77};
	struct key k = {0};
	struct slice again;

	key_str(&k, "followed");
	key_u8(&k, LANE_URGENT);
	put(t, T_STATE, k.data, k.len, value);
	if (followed_load(t, LANE_URGENT, &f) != OK) {
		HOLDS(f.n == 77);
		return;
	}
	HOLDS(f.n <= RECOVERS_MOST && followed_save(t, LANE_URGENT, &f) == OK);
	HOLDS(txn_get(t, T_STATE, key_slice(&k), &again) == OK && slice_eq(again, value));
}

static void head(struct txn *t, struct slice value)
{
	struct checkpoint c = {.size = 77};

	put(t, T_STATE, "checkpoint", 10, value);
	HOLDS(head_known(t, &c) == OK || c.size == 77);
}

static const struct {
	bool brokers;
	void (*try)(struct txn *t, struct slice value);
} rows[] = {
	{true, log_row},
	{true, number},
	{true, epoch},
	{true, act},
	{false, parked},
	{false, followed},
	{false, head},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct store *stores[2];
	struct slice in = slice_of(data, size);
	size_t i = fuzz_choice(&in) % (sizeof(rows) / sizeof(rows[0]));
	struct store_layout layout = broker_layout;
	struct store **store = &stores[rows[i].brokers];
	struct txn *t;

	if (!*store) {
		HOLDS(rows[i].brokers || engine_layout(&nobody, &layout) == OK);
		HOLDS(store_open_memory(&layout, store) == OK);
		if (!rows[i].brokers)
			free((void *)layout.tables);
	}
	HOLDS(store_begin(*store, TXN_WRITE, &t) == OK);
	rows[i].try(t, in);
	txn_abort(&t);
	return 0;
}
