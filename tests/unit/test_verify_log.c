/* Goal: havre-admin verify reports what is wrong with the broker's log and mailboxes and with the
 * times of receipt (I2, I10, I11), in words that say how. */
#include "broker/log.h"
#include "tests/unit/verify_damage.h"

/* --- I2 --- */

static void raise_told_cursor(struct story *s, enum member m)
{
	struct txn *t = open_store(s, BROKER);
	struct key k;
	uint64_t seq;

	cursor_key(&k, s->r->of[m].name, LANE_ROUTINE,
		keyring_key_id(fixture_keys(s->r->f, s->r->of[m].name)));
	assert_ok(number_get(t, TABLE_CURSOR, key_slice(&k), &seq));
	assert_ok(number_put(t, TABLE_CURSOR, key_slice(&k), seq + 1));
	assert_ok(txn_commit(&t));
}

static void break_mailbox(struct story *s)
{
	struct key k = last_key(s, BROKER, TABLE_MAILBOX);

	flip(s, BROKER, TABLE_MAILBOX, key_slice(&k), -1);
}

static void break_delivery(struct story *s)
{
	struct key k;

	mailbox_key(&k, "officer-2", LANE_URGENT, 1);
	drop(s, BROKER, TABLE_MAILBOX, key_slice(&k));
}

static void break_reader_ahead(struct story *s)
{
	skip_one(s, INTAKE, LANE_ROUTINE);
}

static void break_reader_behind(struct story *s)
{
	raise_told_cursor(s, INTAKE);
}

static void break_aside(struct story *s)
{
	struct delivery d = {.lane = LANE_ROUTINE, .seq = 1, .index = 3};
	struct engine *e = s->r->of[INTAKE].engine;

	assert_ok(engine_begin(e));
	assert_ok(quarantine_put(e, &d, ERR_MALFORMED));
	assert_ok(engine_commit(e));
}

static void break_content(struct story *s)
{
	struct key k = index_of(newest_of(s, KIND_ANSWER_DECISION));

	drop(s, BROKER, TABLE_CONTENT, key_slice(&k));
}

static void break_seen(struct story *s)
{
	struct key k = last_key(s, BROKER, TABLE_SEEN);

	drop(s, BROKER, TABLE_SEEN, key_slice(&k));
}

static void break_rejection(struct story *s)
{
	struct key k = last_key(s, INTAKE, OWN(INTAKE_REJECTED));

	drop(s, INTAKE, OWN(INTAKE_REJECTED), key_slice(&k));
}

static void break_facts(struct story *s)
{
	drop(s, SCREENING, OWN(T_CASES), slice_str(s->plain));
}

/* --- I10, I11 --- */

static void break_numbering(struct story *s)
{
	struct key k = index_of(5);

	drop(s, BROKER, TABLE_LOG, key_slice(&k));
}

static void break_bytes(struct story *s)
{
	struct key k = index_of(5);

	flip(s, BROKER, TABLE_CONTENT, key_slice(&k), -1);
}

/* After the time, the hash, the kind, the lane, whether it came again, and the number: the name. */
static void break_row(struct story *s)
{
	struct key k = index_of(5);

	flip(s, BROKER, TABLE_LOG, key_slice(&k), 8 + HASH_LEN + 4 + 1 + 1 + 8);
}

static void break_time(struct story *s)
{
	struct key k = index_of(5);

	flip(s, BROKER, TABLE_LOG, key_slice(&k), 1);
}

static void break_tree(struct story *s)
{
	struct key k = {0};

	key_u8(&k, 2);
	key_u64(&k, 1);
	flip(s, BROKER, TABLE_TREE, key_slice(&k), 0);
}

static void break_head(struct story *s)
{
	flip(s, BROKER, TABLE_META, slice_str(META_CHECKPOINT), -5);
}

/* A head of the past: signed, but not the newest. */
static void break_head_size(struct story *s)
{
	struct checkpoint head = {.epoch = 1, .size = 5};
	struct txn *t = open_store(s, BROKER);
	struct buf note = {0};

	assert_ok(tree_root(t, head.size, head.root));
	assert_ok(checkpoint_sign(
		&head, "broker", keyring_sign_seed(fixture_keys(s->r->f, "broker")), &note));
	assert_ok(txn_put(t, TABLE_META, slice_str(META_CHECKPOINT), slice_buf(&note)));
	assert_ok(txn_commit(&t));
	buf_free(&note);
}

static void break_head_seen(struct story *s)
{
	flip(s, NOTIFY, T_STATE, slice_str("checkpoint"), 8 + 8 + 5); /* its root */
}

static void break_record(struct story *s)
{
	struct key k = last_key(s, INTAKE, OWN(INTAKE_ENTRIES));

	flip(s, INTAKE, OWN(INTAKE_ENTRIES), key_slice(&k), 0);
}

static enum err a_second_later(struct step *s, void *arg)
{
	const struct story *story = arg;
	IntakeEntry *e;
	enum err err;

	TRY(entry_load(s, story->plain, &e));
	e->received_at += 1000;
	err = entry_save(s, e);
	intake_entry__free_unpacked(e, NULL);
	return err;
}

static void break_receipt(struct story *s)
{
	rig_step(s->r, INTAKE, a_second_later, s);
}

static const struct damage damages[] = {
	{"mailbox", break_mailbox, CHECK_2, "the mailbox is not what the log says"},
	{"delivery", break_delivery, CHECK_2, "in no mailbox"},
	{"reader ahead", break_reader_ahead, CHECK_2, "what the broker does not have"},
	{"reader behind", break_reader_behind, CHECK_2, "takes for processed"},
	{"set aside", break_aside, CHECK_2, "not a message of this mailbox"},
	{"content gone", break_content, CHECK_2, "before it was read"},
	{"seen", break_seen, CHECK_2, "a second time"},
	{"rejection lost", break_rejection, CHECK_2, "cases and rejections"},
	{"facts lost", break_facts, CHECK_2, "cases in screening"},
	{"numbering", break_numbering, CHECK_10, "numbered without a gap"},
	{"bytes", break_bytes, CHECK_10, "not what was receipted"},
	{"row", break_row, CHECK_10, "what the message says"},
	{"tree", break_tree, CHECK_10, "a hash of the tree"},
	{"head", break_head, CHECK_10, "not signed by the broker"},
	{"old head", break_head_size, CHECK_10, "not that of the log"},
	{"head seen", break_head_seen, CHECK_10, "not one of this log"},
	{"time of the log", break_time, CHECK_10, "a hash of the tree"},
	{"time backwards", break_time, CHECK_11, "before the message before it"},
	{"time of receipt", break_receipt, CHECK_11, "not that of the log"},
	{"damaged record", break_record, CHECK_11, "cannot be read"},
};

int main(void)
{
	return run_damages(damages, sizeof(damages) / sizeof(damages[0]));
}
