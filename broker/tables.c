/* The keys and values of the broker's tables. */
#include "broker/tables.h"

static const char *const names[] = {
#define TABLE(name, text) text,
	BROKER_TABLES(TABLE)
#undef TABLE
		NULL,
};

const struct store_layout broker_layout = {names};

/* A log row: received_at (8), hash (32), kind (4), lane (1), resent (1), seq (8), then the two
 * names. */
#define ROW_FIXED (8 + HASH_LEN + 4 + 1 + 1 + 8)
#define ROW_MOST  (ROW_FIXED + 2 * NAME_SIZE)

void index_key(struct key *k, uint64_t index)
{
	*k = (struct key){0};
	key_u64(k, index);
}

void seen_key(struct key *k, const char *sender, const uint8_t id[MSG_ID_LEN])
{
	*k = (struct key){0};
	key_str(k, sender);
	key_bytes(k, id, MSG_ID_LEN);
}

static void lane_key(struct key *k, const char *recipient, enum lane lane)
{
	*k = (struct key){0};
	key_str(k, recipient);
	key_u8(k, (uint8_t)lane);
}

void mailbox_key(struct key *k, const char *recipient, enum lane lane, uint64_t seq)
{
	lane_key(k, recipient, lane);
	key_u64(k, seq);
}

void lane_order_key(struct key *k, const char *recipient, uint64_t seq)
{
	mailbox_key(k, recipient, LANE_URGENT, seq);
}

void cursor_key(
	struct key *k, const char *recipient, enum lane lane, const uint8_t key_id[KEY_ID_LEN])
{
	lane_key(k, recipient, lane);
	key_bytes(k, key_id, KEY_ID_LEN);
}

void quarantine_key(struct key *k, const char *recipient, enum lane lane,
	const uint8_t key_id[KEY_ID_LEN], uint64_t seq)
{
	cursor_key(k, recipient, lane, key_id);
	key_u64(k, seq);
}

enum err number_get(struct txn *t, int table, struct slice key, uint64_t *ret)
{
	struct slice v;

	TRY(txn_get(t, table, key, &v));
	if (v.len != 8)
		return ERR_CORRUPT;
	*ret = be64_get(v.data);
	return OK;
}

enum err number_put(struct txn *t, int table, struct slice key, uint64_t value)
{
	uint8_t v[8];

	be64_put(v, value);
	return txn_put(t, table, key, slice_of(v, sizeof v));
}

/* The name at *p, which moves behind it. */
static bool take_name(const uint8_t **p, const uint8_t *end, char ret[NAME_SIZE])
{
	size_t most = (size_t)(end - *p);
	size_t n = strnlen((const char *)*p, most < NAME_SIZE ? most : NAME_SIZE);

	if (n == most || n == NAME_SIZE)
		return false;
	memcpy(ret, *p, n + 1);
	*p += n + 1;
	return true;
}

enum err log_row_get(struct txn *t, uint64_t index, struct log_row *ret)
{
	struct log_row row = {0};
	const uint8_t *p, *end;
	struct slice v;
	struct key k;

	index_key(&k, index);
	TRY(txn_get(t, TABLE_LOG, key_slice(&k), &v));
	if (v.len < ROW_FIXED || v.data[8 + HASH_LEN + 4] >= LANES || v.data[8 + HASH_LEN + 5] > 1)
		return ERR_CORRUPT;
	p = v.data;
	end = p + v.len;
	row.received_at = (int64_t)be64_get(p);
	memcpy(row.hash, p + 8, HASH_LEN);
	p += 8 + HASH_LEN;
	row.kind = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	row.lane = (enum lane)p[4];
	row.resent = p[5];
	row.seq = be64_get(p + 6);
	p += 14;
	if (!take_name(&p, end, row.sender) || !take_name(&p, end, row.recipient) || p != end)
		return ERR_CORRUPT;
	*ret = row;
	return OK;
}

enum err log_row_append(struct txn *t, uint64_t index, const struct log_row *row)
{
	struct key v = {0}, k;

	_Static_assert(ROW_MOST <= sizeof v.data, "a row is joined like a key");
	key_u64(&v, (uint64_t)row->received_at);
	key_bytes(&v, row->hash, HASH_LEN);
	for (int shift = 24; shift >= 0; shift -= 8)
		key_u8(&v, (uint8_t)(row->kind >> shift));
	key_u8(&v, (uint8_t)row->lane);
	key_u8(&v, row->resent);
	key_u64(&v, row->seq);
	key_str(&v, row->sender);
	key_str(&v, row->recipient);
	index_key(&k, index);
	return txn_append(t, TABLE_LOG, key_slice(&k), key_slice(&v));
}
