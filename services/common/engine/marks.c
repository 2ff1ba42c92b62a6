/* What a program holds against the broker's word that its log only grew, and what it does after
 * the log was recovered from a backup. PROTOCOL.md says why. */
#include "services/common/engine/engine_internal.h"

#include "proto/merkle.h"
#include "services/common/base/log.h"
#include "services/common/store/recover.h"

#define HEAD_LEN (8 + 8 + HASH_LEN)

/* --- the newest head that was seen --- */

/* State "checkpoint": epoch, size, root, then the signed note. ERR_NOT_FOUND. */
static enum err head_get(struct txn *t, struct checkpoint *ret, struct slice *ret_note)
{
	struct slice v;

	TRY(txn_get(t, T_STATE, slice_str("checkpoint"), &v));
	if (v.len <= HEAD_LEN)
		return ERR_CORRUPT;
	ret->epoch = be64_get(v.data);
	ret->size = be64_get(v.data + 8);
	memcpy(ret->root, v.data + 16, HASH_LEN);
	*ret_note = slice_of(v.data + HEAD_LEN, v.len - HEAD_LEN);
	return OK;
}

enum err head_known(struct txn *t, struct checkpoint *ret)
{
	struct slice note;

	return head_get(t, ret, &note);
}

static enum err head_put(struct txn *t, const struct checkpoint *c, struct slice note)
{
	struct buf v = {0};
	uint8_t head[HEAD_LEN];
	enum err err;

	be64_put(head, c->epoch);
	be64_put(head + 8, c->size);
	memcpy(head + 16, c->root, HASH_LEN);
	err = buf_append(&v, head, sizeof(head));
	if (err == OK)
		err = buf_append(&v, note.data, note.len);
	if (err == OK)
		err = txn_put(t, T_STATE, slice_str("checkpoint"), slice_buf(&v));
	buf_free(&v);
	return err;
}

enum err head_keep(struct txn *t, const struct checkpoint *c, struct slice note, bool new_epoch)
{
	struct checkpoint known;
	enum err err = head_known(t, &known);

	if (err == ERR_NOT_FOUND)
		return head_put(t, c, note);
	TRY(err);
	if (known.epoch != c->epoch)
		return new_epoch && c->epoch > known.epoch ? head_put(t, c, note) : OK;
	/* Two signed heads of one size: the broker's log is not one log. */
	if (known.size == c->size && memcmp(known.root, c->root, HASH_LEN) != 0)
		log_error("LOG-FORKED", "size=%llu", (unsigned long long)c->size);
	return c->size > known.size ? head_put(t, c, note) : OK;
}

/* --- hello --- */

static void say_followed(struct engine *e, enum lane lane, Hello *ret)
{
	const struct followed *f = &e->lanes[lane].followed;

	for (size_t i = 0; i < f->n; i++) {
		Followed *said = &e->lanes[lane].said[i];

		followed__init(said);
		said->epoch = f->list[i].epoch;
		said->from_size = f->list[i].from;
		e->lanes[lane].said_list[i] = said;
	}
	ret->followed = e->lanes[lane].said_list;
	ret->n_followed = f->n;
}

enum err engine_hello(struct engine *e, enum lane lane, Hello *ret, struct greeting *ret_said)
{
	struct greeting said = {e->lanes[lane].committed, e->lanes[lane].log_epoch, {0}};
	struct txn *t, *own;
	struct slice note;
	enum err err;

	TRY(engine_reading(e, &t, &own));
	e->said_note.len = 0;
	err = head_get(t, &said.head, &note);
	if (err == OK)
		err = buf_append(&e->said_note, note.data, note.len);
	txn_abort(&own);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	ret->read_up_to = said.read_up_to;
	ret->log_epoch = said.log_epoch;
	ret->checkpoint = (ProtobufCBinaryData){e->said_note.len, e->said_note.data};
	say_followed(e, lane, ret);
	if (e->epoch.number) {
		ret->store = (ProtobufCBinaryData){EPOCH_LEN, e->epoch.store};
		ret->store_epoch = e->epoch.number;
		ret->recover = (ProtobufCBinaryData){e->recover.len, e->recover.data};
	}
	*ret_said = said;
	return OK;
}

/* --- welcome --- */

/* What the Welcome proves. */
struct proved {
	struct checkpoint head;
	struct followed recovers; /* those that it tells of, */
	uint64_t was;             /* and the epoch that the first of them ended */
	uint8_t root[HASH_LEN];   /* at which the last one began */
};

/* 0: it tells of none. */
static uint64_t last_epoch(const struct followed *f)
{
	return f->n ? f->list[f->n - 1].epoch : 0;
}

static enum err signed_head(
	const struct engine *e, const Welcome *w, int64_t now, struct checkpoint *ret)
{
	const Principal *p = registry_find(e->registry, w->broker);
	struct slice note = slice_of(w->checkpoint.data, w->checkpoint.len);
	const Key *key;

	for (size_t i = 0; p && (roles_of(p) & ROLE_BIT(ROLE__BROKER)) && i < p->n_keys; i++)
		if (registry_key(e->registry, p->name, p->keys[i]->id.data, now, &key) == OK &&
			checkpoint_verify(note, p->name, key->sign_key.data, ret) == OK)
			return OK;
	return ERR_BAD_SIGNATURE;
}

/* Each begins where the one before ended. */
static enum err read_recover(const struct engine *e, const Welcome *w, size_t i, struct proved *p)
{
	Recover *r;

	TRY(recover_open(slice_of(w->recovers[i].data, w->recovers[i].len), e->registry, &r));
	if (strcmp(r->principal, w->broker) != 0 || r->root.len != HASH_LEN ||
		(i > 0 && r->was_epoch != last_epoch(&p->recovers))) {
		recover__free_unpacked(r, NULL);
		return ERR_BAD_SIGNATURE;
	}
	if (i == 0)
		p->was = r->was_epoch;
	p->recovers.list[p->recovers.n++] = (struct recovered){r->epoch, r->from_size};
	memcpy(p->root, r->root.data, HASH_LEN);
	recover__free_unpacked(r, NULL);
	return OK;
}

static enum err read_recovers(const struct engine *e, const Welcome *w, struct proved *p)
{
	if (w->n_recovers > RECOVERS_MOST)
		return ERR_BAD_SIGNATURE;
	for (size_t i = 0; i < w->n_recovers; i++) {
		enum err err = read_recover(e, w, i, p);

		if (err != OK)
			return err == ERR_NOMEM ? err : ERR_BAD_SIGNATURE;
	}
	return OK;
}

/* They lead from an epoch that the lane knows to the head's, and none is left out. The first epoch
 * of a log began with no word. */
static enum err check_epochs(const struct engine *e, enum lane lane, const struct proved *p)
{
	uint64_t last = e->lanes[lane].log_epoch, known = last ? last : 1;

	if (p->recovers.n == 0)
		return p->head.epoch == known ? OK : ERR_ROLLED_BACK;
	if (last_epoch(&p->recovers) != p->head.epoch || p->head.epoch < known)
		return ERR_ROLLED_BACK;
	return p->was == 1 || p->was == known || followed_has(&e->lanes[lane].followed, p->was)
		       ? OK
		       : ERR_ROLLED_BACK;
}

static enum err consistent(const Welcome *w, const struct checkpoint *from, const struct proved *p)
{
	uint8_t proof[PROOF_MOST][HASH_LEN];

	if (w->n_consistency > PROOF_MOST)
		return ERR_ROLLED_BACK;
	for (size_t i = 0; i < w->n_consistency; i++) {
		if (w->consistency[i].len != HASH_LEN)
			return ERR_ROLLED_BACK;
		memcpy(proof[i], w->consistency[i].data, HASH_LEN);
	}
	return from->size <= p->head.size &&
			       merkle_check_consistency(from->size, from->root, p->head.size,
				       p->head.root, proof, w->n_consistency) == OK
		       ? OK
		       : ERR_ROLLED_BACK;
}

/* The log continues the one that was seen; or one epoch after the other was signed for. */
static enum err check_head(const struct greeting *said, const Welcome *w, const struct proved *p)
{
	struct checkpoint begun = {.epoch = p->head.epoch};

	if (!said->head.epoch)
		return OK; /* the first that this program sees */
	if (p->head.epoch < said->head.epoch)
		return ERR_ROLLED_BACK;
	if (p->head.epoch == said->head.epoch)
		return consistent(w, &said->head, p);
	if (p->recovers.n == 0)
		return ERR_ROLLED_BACK;
	begun.size = p->recovers.list[p->recovers.n - 1].from;
	memcpy(begun.root, p->root, HASH_LEN);
	return consistent(w, &begun, p);
}

static enum err prove(const struct engine *e, enum lane lane, const struct greeting *said,
	const Welcome *w, int64_t now, struct proved *ret)
{
	*ret = (struct proved){.was = 0};
	TRY(signed_head(e, w, now, &ret->head));
	TRY(read_recovers(e, w, ret));
	TRY(check_epochs(e, lane, ret));
	return check_head(said, w, ret);
}

static uint64_t again_from(const struct engine *e, enum lane lane, const struct proved *p)
{
	return followed_until(
		&e->lanes[lane].followed, e->lanes[lane].log_epoch, &p->recovers, p->was);
}

/* The log begins again below what this program has forgotten, in any lane, because a newer backup
 * had it: what was sent would be lost, what was handled would be handled twice. */
static enum err check_gone(const struct engine *e, const struct proved *p)
{
	for (int i = 0; i < LANES; i++) {
		uint64_t from = again_from(e, (enum lane)i, p);

		if (e->lanes[i].log_epoch == 0 || from >= e->lanes[i].gone)
			continue;
		log_error("LOG-TOO-OLD", "lane=%s epoch=%llu from=%llu safe=%llu",
			lane_name((enum lane)i), (unsigned long long)p->head.epoch,
			(unsigned long long)from, (unsigned long long)e->lanes[i].gone);
		return ERR_ROLLED_BACK;
	}
	return OK;
}

/* --- after a recovery of the log --- */

static enum err forget_deaths(struct engine *e, enum lane lane)
{
	struct key k = {0};
	struct slice key, value;
	enum err err;

	key_u8(&k, (uint8_t)lane);
	while ((err = txn_next(e->batch, T_DEATHS, key_slice(&k), false, &key, &value)) == OK &&
		key.data[0] == (uint8_t)lane) {
		struct key at = {0};

		key_bytes(&at, key.data, key.len);
		TRY(txn_delete(e->batch, T_DEATHS, key_slice(&at)));
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

/* The lane's mailbox is as it was up to `base`; what came after it comes again, under other
 * numbers, as it is collected from its senders. */
static enum err begin_again(
	struct engine *e, enum lane lane, uint64_t from, uint64_t base, uint64_t epoch)
{
	unsigned sent;

	TRY(take_ready(e));
	TRY(kept_again(e, lane, from, &sent));
	TRY(quarantine_again(e, lane, from));
	TRY(seen_again(e, lane, from));
	TRY(forget_deaths(e, lane));
	TRY(order_forget(e));
	if (e->lanes[lane].cursor > base)
		e->lanes[lane].cursor = base;
	/* nor do the numbers say any more how far this store had come before it was put back */
	if (e->lanes[lane].redo != REDO_UNKNOWN && e->lanes[lane].redo > base) {
		e->lanes[lane].redo = base;
		TRY(state_put(e->batch, "redo", lane, base));
	}
	e->lanes[lane].safe = e->lanes[lane].pruned = 0; /* of the numbers before */
	log_warn("LOG-RECOVERED", "lane=%s epoch=%llu from=%llu sent_again=%u", lane_name(lane),
		(unsigned long long)epoch, (unsigned long long)from, sent);
	return OK;
}

static enum err follow(struct engine *e, enum lane lane, const Welcome *w, const struct proved *p)
{
	uint64_t *last = &e->lanes[lane].log_epoch;
	struct followed *own = &e->lanes[lane].followed;

	if (*last && *last < p->head.epoch)
		TRY(begin_again(e, lane, again_from(e, lane, p), w->base_seq, p->head.epoch));
	if (*last != p->head.epoch) {
		followed_add(own, *last, &p->recovers, p->was);
		TRY(followed_save(e->batch, lane, own));
		TRY(state_put(e->batch, "log-epoch", lane, p->head.epoch));
	}
	*last = p->head.epoch;
	return head_keep(e->batch, &p->head, slice_of(w->checkpoint.data, w->checkpoint.len), true);
}

/* This store was put back: up to here all was done before. */
static enum err expect_redo(struct engine *e, enum lane lane, const Welcome *w)
{
	if (e->lanes[lane].redo != REDO_UNKNOWN)
		return OK;
	e->lanes[lane].redo = w->read_up_to;
	log_info("STORE-CATCHES-UP", "lane=%s from=%llu to=%llu", lane_name(lane),
		(unsigned long long)e->lanes[lane].cursor, (unsigned long long)w->read_up_to);
	return state_put(e->batch, "redo", lane, w->read_up_to);
}

enum err engine_welcome(struct engine *e, enum lane lane, const struct greeting *said,
	const Welcome *w, int64_t now)
{
	struct proved p;
	enum err err;

	if (e->broken != OK || !e->batch)
		return e->broken != OK ? e->broken : ERR_INVALID;
	if (w->fenced) {
		log_error("READER-FENCED", "lane=%s own=%llu broker=%llu", lane_name(lane),
			(unsigned long long)said->read_up_to, (unsigned long long)w->read_up_to);
		return ERR_FENCED;
	}
	err = prove(e, lane, said, w, now, &p);
	if (err == ERR_ROLLED_BACK)
		log_error("LOG-ROLLED-BACK", "seen=%llu/%llu now=%llu/%llu",
			(unsigned long long)said->head.epoch, (unsigned long long)said->head.size,
			(unsigned long long)p.head.epoch, (unsigned long long)p.head.size);
	else if (err == ERR_BAD_SIGNATURE)
		log_error("WELCOME-UNSIGNED", "lane=%s", lane_name(lane));
	if (err == OK)
		err = check_gone(e, &p);
	if (err != OK)
		return err;
	TRY(engine_fail(e, follow(e, lane, w, &p)));
	engine_safe(e, lane, w->safe);
	TRY(engine_fail(e, expect_redo(e, lane, w)));
	if (lane == LANE_URGENT)
		TRY(engine_fail(e, order_welcome(e, w->placed)));
	TRY(engine_fail(e, order_due(e)));
	return engine_fail(e, take_ready(e));
}

void engine_safe(struct engine *e, enum lane lane, uint64_t safe)
{
	if (safe > e->lanes[lane].safe)
		e->lanes[lane].safe = safe;
}

bool engine_catching_up(const struct engine *e)
{
	for (int i = 0; i < LANES; i++)
		if (e->lanes[i].redo && e->lanes[i].cursor < e->lanes[i].redo)
			return true;
	return false;
}

enum err marks_load(struct engine *e, struct txn *t)
{
	struct slice bytes;
	enum err err = epoch_load(t, T_EPOCH, &e->epoch);

	e->recover.len = 0;
	if (err == OK)
		err = epoch_recover(t, T_EPOCH, e->epoch.number, &bytes);
	if (err == OK)
		err = buf_append(&e->recover, bytes.data, bytes.len);
	if (err != OK && err != ERR_NOT_FOUND)
		return err; /* a new store has none; the first epoch began with no word */
	for (int i = 0; i < LANES; i++) {
		TRY(state_get(t, "log-epoch", (enum lane)i, &e->lanes[i].log_epoch));
		TRY(state_get(t, "redo", (enum lane)i, &e->lanes[i].redo));
		TRY(state_get(t, "gone", (enum lane)i, &e->lanes[i].gone));
		TRY(followed_load(t, (enum lane)i, &e->lanes[i].followed));
	}
	return OK;
}

enum err engine_look_again(struct engine *e, bool *ret_other)
{
	const struct epoch was = e->epoch;
	struct txn *t;
	enum err err;

	if (e->batch)
		return ERR_INVALID;
	TRY(store_begin(e->store, TXN_READ, &t));
	err = marks_load(e, t);
	txn_abort(&t);
	*ret_other = !epoch_same(&was, &e->epoch);
	return err;
}

/* Part of a commit: what was caught up with is over. */
enum err marks_save(struct engine *e)
{
	for (int i = 0; i < LANES; i++)
		if (e->lanes[i].redo && e->lanes[i].cursor >= e->lanes[i].redo) {
			e->lanes[i].redo = 0;
			TRY(state_put(e->batch, "redo", (enum lane)i, 0));
		}
	return kept_prune(e);
}

int engine_epoch_table(void)
{
	return T_EPOCH;
}

enum err engine_recovered(struct txn *t, const Recover *r, void *arg)
{
	(void)r, (void)arg;
	for (int i = 0; i < LANES; i++)
		TRY(state_put(t, "redo", (enum lane)i, REDO_UNKNOWN));
	return OK;
}
