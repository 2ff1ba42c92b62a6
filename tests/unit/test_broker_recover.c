/* Goal: a log that lost its end takes again what was receipted, at the first time of receipt; it is
 * stopped by whoever has seen more of it; a reader's store that is older than what was seen of it
 * gets nothing. */
#include "tests/unit/recover_rig.h"

#include <unistd.h>

static const uint8_t store_a[EPOCH_LEN] = "a store, sixteen";
static const uint8_t store_b[EPOCH_LEN] = "its next epoch..";

static void recover_as(struct rig *r, uint64_t number)
{
	rig_recover(r, "director-1", number);
}

static void recover(struct rig *r)
{
	recover_as(r, 2);
}

static void what_was_receipted_is_taken_again_at_its_first_time(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	struct buf old = rig_routine(r, "partner-a"), fresh = rig_routine(r, "partner-a");
	Receipt *receipt;
	int64_t at;

	rig_join(r, &c, 8);
	receipt = rig_posted(r, &c, &old);
	assert_int_equal(receipt->received_at, FIXTURE_NOW);
	rig_lose(r);
	recover(r);
	/* much later, and from a sender who is suspended on paper since */
	r->now += INT64_C(90) * 24 * 3600 * 1000;
	rig_join(r, &c, 8);
	assert_ok(rig_resend(r, &c, &old, receipt));
	rig_post(r, &c, &fresh); /* its id is too old by now */
	assert_ok(rig_resend(r, &c, &old, receipt));
	rig_commit(r);
	rig_refusal(r, &c, ERR_WRONG_ID_TIME);
	assert_int_equal(rig_receipt(r, &c, &old, &at), 0);
	assert_int_equal(at, FIXTURE_NOW);
	assert_int_equal(rig_receipt(r, &c, &old, &at), 0); /* once */
	assert_int_equal(core_size(r->core), 1);
	receipt__free_unpacked(receipt, NULL);
	buf_free(&old);
	buf_free(&fresh);
}

static void a_receipt_for_other_bytes_gives_no_right(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	struct buf one = rig_routine(r, "partner-a"), two = rig_routine(r, "partner-a");
	Receipt *receipt;

	rig_join(r, &c, 8);
	receipt = rig_posted(r, &c, &one);
	rig_lose(r);
	recover(r);
	r->now += INT64_C(90) * 24 * 3600 * 1000;
	rig_join(r, &c, 8);
	assert_ok(rig_resend(r, &c, &two, receipt));
	rig_commit(r);
	rig_refusal(r, &c, ERR_WRONG_ID_TIME);
	receipt->received_at--; /* and none has another time in it */
	assert_ok(rig_resend(r, &c, &one, receipt));
	rig_commit(r);
	rig_refusal(r, &c, ERR_WRONG_ID_TIME);
	receipt__free_unpacked(receipt, NULL);
	buf_free(&one);
	buf_free(&two);
}

static void hello(struct rig *r, const struct conn *c, Hello *h, enum err expected)
{
	Frame f = FRAME__INIT;

	h->protocol = 1;
	h->credit = 8;
	f.what_case = FRAME__WHAT_HELLO;
	f.hello = h;
	assert_int_equal(core_control(r->core, c, &f, r->now), expected);
}

static void whoever_has_seen_more_stops_the_log(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	struct buf b = rig_routine(r, "partner-a");
	Hello h = HELLO__INIT;
	Receipt *receipt;
	struct core_options o = {0};

	rig_join(r, &c, 8);
	receipt = rig_posted(r, &c, &b);
	rig_lose(r); /* and nobody says that it was put back */
	h.checkpoint = receipt->checkpoint;
	hello(r, &c, &h, ERR_ROLLED_BACK);
	assert_int_not_equal(core_commit(r->core), OK);
	rig_nothing(r);
	core_free(&r->core);
	o.store = r->store;
	o.registry = fixture_registry(r->f);
	o.principal = "broker";
	o.sign_seed = keyring_sign_seed(fixture_keys(r->f, "broker"));
	assert_int_equal(core_open(&o, &r->core), ERR_ROLLED_BACK);
	recover(r);
	receipt__free_unpacked(receipt, NULL);
	buf_free(&b);
}

/* The welcome to this hello. frame__free_unpacked. */
static Frame *welcome(struct rig *r, const struct conn *c, Hello *h)
{
	hello(r, c, h, OK);
	rig_commit(r);
	return rig_next(r, c, FRAME__WHAT_WELCOME);
}

static void what_anybody_can_say_ends_nothing(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	const uint64_t epochs[] = {2, UINT64_MAX - 1, UINT64_MAX};
	Hello h = HELLO__INIT;

	for (size_t i = 0; i < sizeof epochs / sizeof epochs[0]; i++) {
		Frame *f;

		h.log_epoch = epochs[i];
		h.read_up_to = UINT64_MAX;
		f = welcome(r, &c, &h);
		assert_int_equal(f->welcome->n_recovers, 0);
		frame__free_unpacked(f, NULL);
	}
}

static void a_welcome_proves_that_the_log_grew(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	uint8_t proof[PROOF_MOST][HASH_LEN];
	struct checkpoint old, head;
	const uint8_t *key = keyring_sign_pk(fixture_keys(r->f, "broker"));
	Hello h = HELLO__INIT;
	Receipt *first = NULL;
	Frame *f;

	rig_join(r, &c, 8);
	for (int i = 0; i < 7; i++) {
		struct buf b = rig_routine(r, "partner-a");
		Receipt *receipt = rig_posted(r, &c, &b);

		if (i == 2)
			first = receipt;
		else
			receipt__free_unpacked(receipt, NULL);
		buf_free(&b);
	}
	h.checkpoint = first->checkpoint;
	f = welcome(r, &c, &h);
	assert_ok(checkpoint_verify(
		slice_of(first->checkpoint.data, first->checkpoint.len), "broker", key, &old));
	assert_ok(
		checkpoint_verify(slice_of(f->welcome->checkpoint.data, f->welcome->checkpoint.len),
			"broker", key, &head));
	assert_true(f->welcome->n_consistency > 0);
	for (size_t i = 0; i < f->welcome->n_consistency; i++)
		memcpy(proof[i], f->welcome->consistency[i].data, HASH_LEN);
	assert_ok(merkle_check_consistency(
		old.size, old.root, head.size, head.root, proof, f->welcome->n_consistency));
	frame__free_unpacked(f, NULL);
	receipt__free_unpacked(first, NULL);
}

/* Two of a mailbox, read; the reader's Hello is of this log epoch, and of these recoveries. */
static Frame *greet_from(
	struct rig *r, const struct conn *reader, uint64_t log_epoch, Followed **followed, size_t n)
{
	Hello h = HELLO__INIT;

	h.store = (ProtobufCBinaryData){EPOCH_LEN, (uint8_t *)store_a};
	h.store_epoch = 1;
	h.read_up_to = 2;
	h.log_epoch = log_epoch;
	h.followed = followed;
	h.n_followed = n;
	return welcome(r, reader, &h);
}

static void expect_recovers(const Frame *f, size_t n, uint64_t first)
{
	Recover *word;

	assert_int_equal(f->welcome->n_recovers, n);
	assert_ok(recover_read(
		slice_of(f->welcome->recovers[0].data, f->welcome->recovers[0].len), &word));
	assert_int_equal(word->epoch, first);
	recover__free_unpacked(word, NULL);
}

/* The log was put back twice: a reader that followed the first time is told where that began, which
 * this log does not know. What it had read here before is not in what it followed, and comes. */
static void a_reader_that_followed_another_log_reads_again(void **state)
{
	struct rig *r = *state;
	struct conn a = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	struct conn reader = rig_conn(r, 2, LANE_ROUTINE, "intake");
	struct buf b[2] = {rig_routine(r, "partner-a"), rig_routine(r, "partner-a")};
	Followed at_one = FOLLOWED__INIT, *followed = &at_one;
	Frame *f;

	rig_join(r, &a, 8);
	f = greet_from(r, &reader, 0, NULL, 0);
	frame__free_unpacked(f, NULL);
	for (int i = 0; i < 2; i++) {
		receipt__free_unpacked(rig_posted(r, &a, &b[i]), NULL);
		rig_delivery(r, &reader, (uint64_t)i + 1, &b[i]);
	}
	rig_cursor(r, &reader, 2, NULL, 0);
	rig_commit(r);
	recover_as(r, 7);
	recover_as(r, 9);
	/* one that is new is told of all; one of epoch 7, of the next */
	f = greet_from(r, &reader, 0, NULL, 0);
	expect_recovers(f, 2, 7);
	frame__free_unpacked(f, NULL);
	f = greet_from(r, &reader, 7, NULL, 0);
	expect_recovers(f, 1, 9);
	assert_int_equal(f->welcome->base_seq, 2);
	assert_false(f->welcome->fenced);
	frame__free_unpacked(f, NULL);
	/* it followed epoch 5, which began at 1: the second message is not in it */
	at_one.epoch = 5;
	at_one.from_size = 1;
	f = greet_from(r, &reader, 5, &followed, 1);
	expect_recovers(f, 2, 7);
	assert_int_equal(f->welcome->base_seq, 1);
	assert_false(f->welcome->fenced);
	frame__free_unpacked(f, NULL);
	rig_delivery(r, &reader, 2, &b[1]);
	for (int i = 0; i < 2; i++)
		buf_free(&b[i]);
}

static void an_older_store_of_a_reader_is_fenced(void **state)
{
	struct rig *r = *state;
	struct conn a = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	struct conn reader = rig_conn(r, 2, LANE_ROUTINE, "intake");
	struct buf b = rig_routine(r, "partner-a");
	Hello h = HELLO__INIT;
	Recover word = RECOVER__INIT;
	struct buf bytes = {0};
	Frame *f;

	rig_join(r, &a, 8);
	receipt__free_unpacked(rig_posted(r, &a, &b), NULL);
	h.store = (ProtobufCBinaryData){EPOCH_LEN, (uint8_t *)store_a};
	h.store_epoch = 1;
	frame__free_unpacked(welcome(r, &reader, &h), NULL);
	rig_delivery(r, &reader, 1, &b);
	rig_cursor(r, &reader, 1, NULL, 0);
	rig_commit(r);
	/* the same store, as it was before it read that */
	f = welcome(r, &reader, &h);
	assert_true(f->welcome->fenced);
	assert_int_equal(f->welcome->read_up_to, 1);
	frame__free_unpacked(f, NULL);
	rig_nothing(r);
	/* a next epoch without a word for it */
	h.store.data = (uint8_t *)store_b;
	h.store_epoch = 2;
	f = welcome(r, &reader, &h);
	assert_true(f->welcome->fenced);
	frame__free_unpacked(f, NULL);
	rig_nothing(r);
	/* and with one */
	fixture_principal(r->f, "director-1")->roles[0] = ROLE__ADMIN;
	fixture_rebuild(r->f);
	assert_ok(core_use_registry(r->core, fixture_registry(r->f), r->now));
	word.principal = "intake";
	word.was = (ProtobufCBinaryData){EPOCH_LEN, (uint8_t *)store_a};
	word.was_epoch = 1;
	word.store = h.store;
	word.epoch = 2;
	word.at = FIXTURE_NOW;
	assert_ok(recover_sign(&word, fixture_keys(r->f, "director-1"), &bytes));
	h.recover = (ProtobufCBinaryData){bytes.len, bytes.data};
	f = welcome(r, &reader, &h);
	assert_false(f->welcome->fenced);
	assert_int_equal(f->welcome->read_up_to, 1); /* so far it had come before */
	frame__free_unpacked(f, NULL);
	rig_delivery(r, &reader, 1, &b);
	buf_free(&bytes);
	buf_free(&b);
}

/* How many lines with this id so many hellos leave. */
static int lines_of(struct rig *r, const struct conn *reader, Hello *h, int hellos, const char *id)
{
	static char text[65536];
	FILE *to = tmpfile();
	int old = dup(STDERR_FILENO), n = 0;

	assert_non_null(to);
	dup2(fileno(to), STDERR_FILENO);
	for (int i = 0; i < hellos; i++)
		frame__free_unpacked(welcome(r, reader, h), NULL);
	dup2(old, STDERR_FILENO);
	close(old);
	rewind(to);
	text[fread(text, 1, sizeof(text) - 1, to)] = 0;
	fclose(to);
	for (const char *at = text; (at = strstr(at, id)); at++)
		n++;
	return n;
}

static void a_fenced_reader_is_told_of_now_and_then_and_counted(void **state)
{
	struct rig *r = *state;
	struct conn reader = rig_conn(r, 2, LANE_URGENT, "intake");
	Hello h = HELLO__INIT;
	Recover word = RECOVER__INIT;
	struct buf bytes = {0};

	fixture_principal(r->f, "director-1")->roles[0] = ROLE__ADMIN;
	fixture_rebuild(r->f);
	assert_ok(core_use_registry(r->core, fixture_registry(r->f), r->now));
	h.store = (ProtobufCBinaryData){EPOCH_LEN, (uint8_t *)store_a};
	h.store_epoch = 1;
	frame__free_unpacked(welcome(r, &reader, &h), NULL);
	h.store.data = (uint8_t *)store_b;
	h.store_epoch = 2;
	assert_int_equal(lines_of(r, &reader, &h, 20, "id=READER-FENCED "), 5); /* 1, 2 ... 16 */
	assert_int_equal(core_counts(r->core)->fenced, 20);
	word.principal = "intake";
	word.was = (ProtobufCBinaryData){EPOCH_LEN, (uint8_t *)store_a};
	word.was_epoch = 1;
	word.store = h.store;
	word.epoch = 2;
	word.at = FIXTURE_NOW;
	assert_ok(recover_sign(&word, fixture_keys(r->f, "director-1"), &bytes));
	h.recover = (ProtobufCBinaryData){bytes.len, bytes.data};
	assert_int_equal(lines_of(r, &reader, &h, 1, "id=READER-RECOVERED "), 1);
	assert_int_equal(core_counts(r->core)->fenced, 20);
	/* put back once more: it is the first again */
	h.store = (ProtobufCBinaryData){EPOCH_LEN, (uint8_t *)store_a};
	h.store_epoch = 1;
	assert_int_equal(lines_of(r, &reader, &h, 1, "id=READER-FENCED "), 1);
	assert_int_equal(core_counts(r->core)->fenced, 21);
	buf_free(&bytes);
}

static void a_suspended_sender_is_not_refused_what_was_receipted(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	struct buf old = rig_routine(r, "partner-a");
	Receipt *receipt;
	int64_t at;

	rig_join(r, &c, 8);
	receipt = rig_posted(r, &c, &old);
	rig_lose(r);
	recover(r);
	rig_join(r, &c, 8);
	fixture_principal(r->f, "partner-a")->suspended = true;
	fixture_rebuild(r->f);
	assert_ok(core_use_registry(r->core, fixture_registry(r->f), r->now));
	assert_ok(rig_resend(r, &c, &old, receipt));
	rig_commit(r);
	rig_nothing(r); /* it waits in the outbox */
	fixture_principal(r->f, "partner-a")->suspended = false;
	fixture_rebuild(r->f);
	assert_ok(core_use_registry(r->core, fixture_registry(r->f), r->now));
	r->now += 5000;
	rig_join(r, &c, 8);
	assert_ok(rig_resend(r, &c, &old, receipt));
	rig_commit(r);
	assert_int_equal(rig_receipt(r, &c, &old, &at), 0);
	assert_int_equal(at, FIXTURE_NOW);
	receipt__free_unpacked(receipt, NULL);
	buf_free(&old);
}

static void a_copy_is_not_opened(void **state)
{
	struct rig *r = *state;
	struct core_options o = {.store = r->store,
		.registry = fixture_registry(r->f),
		.principal = "broker",
		.sign_seed = keyring_sign_seed(fixture_keys(r->f, "broker"))};
	struct txn *t;

	core_free(&r->core);
	assert_ok(store_begin(r->store, TXN_WRITE, &t));
	assert_ok(epoch_stop(t, TABLE_EPOCH, ERR_RESTORED));
	assert_ok(txn_commit(&t));
	assert_int_equal(core_open(&o, &r->core), ERR_RESTORED);
	recover(r);
}

#define RIG(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG(what_was_receipted_is_taken_again_at_its_first_time),
		RIG(a_receipt_for_other_bytes_gives_no_right),
		RIG(whoever_has_seen_more_stops_the_log),
		RIG(a_welcome_proves_that_the_log_grew),
		RIG(what_anybody_can_say_ends_nothing),
		RIG(a_reader_that_followed_another_log_reads_again),
		RIG(an_older_store_of_a_reader_is_fenced),
		RIG(a_fenced_reader_is_told_of_now_and_then_and_counted),
		RIG(a_suspended_sender_is_not_refused_what_was_receipted),
		RIG(a_copy_is_not_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
