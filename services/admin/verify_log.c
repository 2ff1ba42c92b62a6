/* I10, I11: the log is whole, its tree and its signed head follow from it, and every head that
 * somebody has seen is one of its past. */
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>

#include "broker/log.h"
#include "proto/envelope.h"
#include "services/admin/verify.h"
#include "services/common/store/recover.h"

/* The tree, computed again: complete subtrees that wait for their right neighbour. */
struct growth {
	uint8_t left[64][HASH_LEN];
	int64_t newest; /* time of receipt, but for what came again after a recovery */
};

static enum err check_node(
	struct verify *v, unsigned level, uint64_t index, const uint8_t hash[HASH_LEN])
{
	struct key k = {0};
	struct slice stored;
	enum err e;

	key_u8(&k, (uint8_t)level);
	key_u64(&k, index);
	e = txn_get(v->broker->txn, TABLE_TREE, key_slice(&k), &stored);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	if (e != OK || !slice_eq(stored, slice_of(hash, HASH_LEN)))
		found(v, FOUND_TREE_DIFFERS, "%u/%" PRIu64, level, index);
	return OK;
}

static enum err grow(struct verify *v, struct growth *g, uint64_t index, const struct log_row *row)
{
	uint8_t hash[HASH_LEN];
	unsigned level = 0;

	log_leaf(row->received_at, row->hash, hash);
	TRY(check_node(v, 0, index, hash));
	for (; index & 1; index >>= 1) {
		merkle_node(g->left[level], hash, hash);
		level++;
		TRY(check_node(v, level, index >> 1, hash));
	}
	memcpy(g->left[level], hash, HASH_LEN);
	return OK;
}

static void grown_root(const struct growth *g, uint64_t size, uint8_t ret[HASH_LEN])
{
	bool any = false;

	crypto_hash_sha256(ret, NULL, 0);
	for (unsigned level = 0; level < 64; level++) {
		if (!(size >> level & 1))
			continue;
		if (any)
			merkle_node(g->left[level], ret, ret);
		else
			memcpy(ret, g->left[level], HASH_LEN);
		any = true;
	}
}

static bool says_the_same(const struct log_row *row, const struct envelope *env)
{
	return env->header->kind == row->kind && env->row->lane == row->lane &&
	       strcmp(env->header->sender, row->sender) == 0 &&
	       strcmp(env->header->recipient, row->recipient) == 0;
}

/* What the content says of itself, when it is the one that was receipted. */
static void read_content(struct verify *v, uint64_t index, struct slice content)
{
	struct logged *m = &v->log[index];
	uint8_t hash[HASH_LEN];
	struct envelope env;

	envelope_hash(content, hash);
	if (memcmp(hash, m->row.hash, HASH_LEN) != 0) {
		found(v, FOUND_HASH_DIFFERS, "%" PRIu64, index);
		return;
	}
	if (envelope_parse(content, &env) != OK) {
		found(v, FOUND_ROW_DIFFERS, "%" PRIu64, index);
		return;
	}
	if (!says_the_same(&m->row, &env))
		found(v, FOUND_ROW_DIFFERS, "%" PRIu64, index);
	m->has_content = true;
	memcpy(m->id, env.header->id.data, MSG_ID_LEN);
	m->has_cause = env.header->cause.len == MSG_ID_LEN;
	if (m->has_cause)
		memcpy(m->cause, env.header->cause.data, MSG_ID_LEN);
	envelope_free(&env);
}

static enum err load_one(struct verify *v, struct growth *g, uint64_t index)
{
	struct logged *m = &v->log[index];
	struct slice content;
	enum err e = log_row_get(v->broker->txn, index, &m->row);

	if (e == ERR_NOT_FOUND) {
		found(v, FOUND_LOG_GAP, "%" PRIu64, index);
		return ERR_CORRUPT;
	}
	TRY(e);
	if (!m->row.resent && m->row.received_at < g->newest)
		found(v, FOUND_TIME_RUNS_BACK, "%" PRIu64, index);
	if (!m->row.resent)
		g->newest = m->row.received_at;
	e = verify_content(v, m, &content);
	if (e == OK)
		read_content(v, index, content);
	else if (e != ERR_NOT_FOUND)
		return e;
	return grow(v, g, index, &m->row);
}

/* Any key that the registry ever listed for the broker may have signed. */
static bool signed_head(const struct verify *v, struct slice note, struct checkpoint *ret)
{
	const Principal *p = registry_find(v->broker->parts->registry, v->broker->name);

	for (size_t i = 0; p && i < p->n_keys; i++)
		if (checkpoint_verify(note, p->name, p->keys[i]->sign_key.data, ret) == OK)
			return true;
	return false;
}

static enum err check_head(struct verify *v, const uint8_t root[HASH_LEN])
{
	struct checkpoint head;
	struct slice note;
	enum err e = txn_get(v->broker->txn, TABLE_META, slice_str(META_CHECKPOINT), &note);

	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	if (e != OK || !signed_head(v, note, &head))
		found(v, FOUND_HEAD_UNSIGNED, "%s", v->broker->name);
	else if ((v->epoch = head.epoch) == 0 || head.size != v->size ||
		 memcmp(head.root, root, HASH_LEN) != 0)
		found(v, FOUND_HEAD_DIFFERS, "%" PRIu64, head.size);
	return OK;
}

/* The heads that came with receipts, one in each store. */
static enum err check_head_seen(struct verify *v, struct home *h)
{
	struct checkpoint head;
	uint8_t root[HASH_LEN];
	enum err e = home_head(h, &head);

	if (e == ERR_NOT_FOUND)
		return OK;
	TRY(e);
	if (head.epoch < v->epoch)
		return OK; /* it has not followed the log's recovery yet */
	e = head.epoch == v->epoch && head.size <= v->size
		    ? tree_root(v->broker->txn, head.size, root)
		    : ERR_NOT_FOUND;
	if (e != OK || memcmp(root, head.root, HASH_LEN) != 0)
		found(v, FOUND_HEAD_LOST, "%s", h->name);
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err check_log(struct verify *v)
{
	struct growth *g = calloc(1, sizeof(*g));
	uint8_t root[HASH_LEN];
	uint64_t size = 0;
	enum err e = g ? txn_count(v->broker->txn, TABLE_LOG, &size) : ERR_NOMEM;

	if (e == OK)
		v->log = calloc(size + 1, sizeof(*v->log));
	if (!v->log)
		e = ERR_NOMEM;
	for (; e == OK && v->size < size; v->size += e == OK)
		e = load_one(v, g, v->size);
	if (e == OK) {
		grown_root(g, size, root);
		e = check_head(v, root);
	}
	free(g);
	for (size_t i = 0; e == OK && i < v->n_homes; i++)
		if (v->homes[i].step)
			e = check_head_seen(v, &v->homes[i]);
	checked(v, CHECK_10, "%" PRIu64 " messages in the log", "%" PRIu64 " messages au journal",
		v->size);
	return e;
}

/* Where the broker's present epoch began; UINT64_MAX: it is the first. */
static enum err epoch_start(struct txn *t, uint64_t *ret)
{
	struct epoch epoch;
	struct slice bytes;
	Recover *word;
	enum err e;

	*ret = UINT64_MAX;
	TRY(epoch_load(t, TABLE_EPOCH, &epoch));
	e = epoch_recover(t, TABLE_EPOCH, epoch.number, &bytes);
	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	TRY(recover_read(bytes, &word));
	*ret = word->from_size;
	recover__free_unpacked(word, NULL);
	return OK;
}

/* Later or, when the clock was set back meanwhile, earlier. */
enum err receipt_may_differ(struct verify *v, const struct logged *m, bool *ret)
{
	uint64_t from = UINT64_MAX;

	TRY(epoch_start(v->broker->txn, &from));
	*ret = !m->row.resent && (uint64_t)(m - v->log) >= from;
	return OK;
}

enum err receipt_kept(struct verify *v, const struct logged *m, int64_t received_at, bool *ret)
{
	*ret = m && m->row.received_at == received_at;
	return !m || *ret ? OK : receipt_may_differ(v, m, ret);
}
