/*
 * Goal: what nodes send each other through the broker has its effect exactly once, whatever is
 * cut, put off or restarted; a wrong home folder is said in words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "services/common/node/node_inside.h"
#include "tests/unit/node_env.h"

static void messages_have_their_effect_once(void **state)
{
	struct env *e = *state;

	open_both(e);
	assert_false(node_connected(e->sender));
	send_some(e->sender, 5, "c");
	assert_false(node_outbox_empty(e->sender));
	UNTIL(node_outbox_empty(e->sender) && counted(e->reader, SEEN) == 5);
	assert_true(node_connected(e->sender));
	assert_int_equal(counted(e->sender, SENT), 5);
	assert_int_equal(e->broker.posts, 5);
	assert_int_equal(engine_cursor(node_engine(e->reader), LANE_ROUTINE), 5);
	assert_int_equal(counted(e->sender, STARTS), 1);
}

static void a_mailbox_is_caught_up(void **state)
{
	struct env *e = *state;

	e->sender = open_node(e, &sender, "partner-a");
	send_some(e->sender, 3, "c");
	UNTIL(node_outbox_empty(e->sender));
	assert_true(node_caught_up(e->sender));
	e->reader = open_node(e, &reader, "intake");
	assert_false(node_caught_up(e->reader));
	/* One delivery at a time: each takes a turn of its own. */
	UNTIL(node_caught_up(e->reader));
	assert_int_equal(counted(e->reader, SEEN), 3);
}

static void an_outbox_outlives_its_process(void **state)
{
	struct env *e = *state;

	broker_cut(&e->broker, LANE_ROUTINE);
	e->sender = open_node(e, &sender, "partner-a");
	send_some(e->sender, 2, "c");
	node_free(&e->sender);
	broker_listen(&e->broker, LANE_ROUTINE);
	open_both(e);
	assert_int_equal(counted(e->sender, STARTS), 2);
	UNTIL(counted(e->reader, SEEN) == 2 && node_outbox_empty(e->sender));
}

/* The broker has it, and the receipt is lost: it is posted again and known. */
static void a_lost_receipt_is_asked_for_again(void **state)
{
	struct env *e = *state;

	open_both(e);
	UNTIL(node_connected(e->sender) && node_connected(e->reader));
	e->broker.mute = true;
	send_some(e->sender, 2, "c");
	UNTIL(e->broker.posts == 2);
	broker_cut(&e->broker, LANE_ROUTINE);
	UNTIL(!node_connected(e->sender));
	assert_false(node_outbox_empty(e->sender));
	/* All is to be posted again at once, not when it is overdue. */
	assert_int_equal(e->sender->lanes[LANE_ROUTINE].posted.n, 0);
	e->broker.mute = false;
	broker_listen(&e->broker, LANE_ROUTINE);
	UNTIL(node_outbox_empty(e->sender) && counted(e->reader, SEEN) == 2);
	assert_int_equal(e->broker.posts, 4);
	assert_int_equal(core_counts(e->broker.core)->duplicates, 2);
}

static void what_is_put_off_is_posted_again(void **state)
{
	struct env *e = *state;

	e->broker.busy = 3;
	open_both(e);
	send_some(e->sender, 2, "c");
	UNTIL(node_outbox_empty(e->sender) && counted(e->reader, SEEN) == 2);
	/* Both, both again, and once more. */
	assert_int_equal(e->broker.posts, 6);
}

#define BURST 6

/* The ids of the outbox. */
static void note_order(struct env *e, uint8_t ret[BURST][MSG_ID_LEN])
{
	struct buf envelope = {0};
	uint64_t place = 0;

	for (int i = 0; i < BURST; i++) {
		assert_int_equal(engine_outbox_next(node_engine(e->sender), LANE_ROUTINE, place,
					 &place, ret[i], &envelope),
			OK);
		buf_free(&envelope);
	}
}

static void must_be_logged(struct env *e, uint8_t ids[BURST][MSG_ID_LEN])
{
	struct txn *t;

	assert_int_equal(core_size(e->broker.core), BURST);
	assert_int_equal(store_begin(e->broker.store, TXN_READ, &t), OK);
	for (uint64_t i = 0; i < BURST; i++) {
		uint64_t index = UINT64_MAX;
		struct key k;

		seen_key(&k, "partner-a", ids[i]);
		assert_int_equal(number_get(t, TABLE_SEEN, key_slice(&k), &index), OK);
		assert_int_equal(index, i);
	}
	txn_abort(&t);
}

/* One of many in flight is put off, then another: nothing overtakes them, and none comes twice. */
static void a_burst_keeps_its_order(void **state)
{
	struct env *e = *state;
	uint8_t ids[BURST][MSG_ID_LEN];

	configure(e, "partner-a", BURST);
	open_both(e);
	send_some(e->sender, BURST, "c");
	note_order(e, ids);
	e->broker.lets = 2;
	e->broker.busy = 1;
	UNTIL(core_counts(e->broker.core)->busy == BURST - 2);
	e->broker.lets = 1;
	e->broker.busy = 1;
	UNTIL(node_outbox_empty(e->sender) && counted(e->reader, SEEN) == BURST);
	must_be_logged(e, ids);
	assert_int_equal(core_counts(e->broker.core)->duplicates, 0);
	assert_int_equal(e->broker.posts, BURST + 4 + 3);
}

/* What is in flight behind it is to be put off too: it must not be posted twice at a time. */
static void after_a_busy_every_answer_comes_first(void **state)
{
	static const uint8_t a[MSG_ID_LEN] = {1}, b[MSG_ID_LEN] = {2}, c[MSG_ID_LEN] = {3};
	struct posted p;

	(void)state;
	assert_int_equal(posted_open(4, &p), OK);
	posted_add(&p, 5, a, 100);
	posted_add(&p, 7, b, 101);
	posted_add(&p, 8, c, 102);
	posted_busy(&p, b, 50);
	assert_false(posted_go(&p, 60));
	posted_remove(&p, a);
	assert_false(posted_go(&p, 60));
	assert_int_equal(posted_next(&p), 102);
	posted_busy(&p, c, 70);
	assert_false(posted_go(&p, 60));
	assert_int_equal(posted_next(&p), 70);
	assert_true(posted_go(&p, 70));
	assert_int_equal(p.last, 6);
	assert_int_equal(posted_next(&p), INT64_MAX);
	posted_free(&p);
}

/* A broker that answers nothing: the connection is given up, and all is posted again in order. */
static void what_is_not_answered_is_posted_on_another_connection(void **state)
{
	struct env *e = *state;
	struct posted *p;

	e->sender = open_node(e, &sender, "partner-a");
	p = &e->sender->lanes[LANE_ROUTINE].posted;
	UNTIL(node_connected(e->sender));
	e->broker.mute = true;
	send_some(e->sender, 2, "c");
	UNTIL(e->broker.posts == 2);
	assert_int_equal(p->n, 2);
	p->list[0].answer_by = link_clock();
	e->broker.mute = false;
	UNTIL(node_outbox_empty(e->sender));
	assert_int_equal(e->broker.posts, 4);
	assert_int_equal(core_counts(e->broker.core)->duplicates, 2);
}

static void no_more_are_in_flight_than_configured(void **state)
{
	struct env *e = *state;

	e->broker.mute = false;
	e->sender = open_node(e, &sender, "partner-a");
	UNTIL(node_connected(e->sender));
	e->broker.mute = true;
	send_some(e->sender, 5, "c");
	/* The turn after the posts came posts no more. */
	UNTIL(e->broker.posts >= 2);
	turn_all(e);
	turn_all(e);
	assert_int_equal(e->broker.posts, 2);
}

static void a_timer_fires(void **state)
{
	struct env *e = *state;

	open_both(e);
	send_some(e->sender, 1, "tick");
	UNTIL(counted(e->reader, TICKS) == 1);
}

/* A day ahead of this machine's clock, as if that had been set back: it fires all the same. */
static void a_timer_does_not_wait_for_a_clock_that_went_back(void **state)
{
	struct env *e = *state;

	e->broker.ahead = INT64_C(24) * 3600 * 1000;
	open_both(e);
	send_some(e->sender, 1, "tock");
	UNTIL(counted(e->reader, TICKS) == 1);
}

static uint64_t broker_rows(struct env *e, int table)
{
	uint64_t n = 0;
	struct txn *t;

	assert_int_equal(store_begin(e->broker.store, TXN_READ, &t), OK);
	assert_int_equal(txn_count(t, table, &n), OK);
	txn_abort(&t);
	return n;
}

/* What is quarantined is told to the broker, and does not hold up the rest. */
static void what_is_refused_is_set_aside(void **state)
{
	struct env *e = *state;

	open_both(e);
	send_some(e->sender, 1, "stale");
	send_some(e->sender, 1, "c");
	UNTIL(counted(e->reader, SEEN) == 1 && node_outbox_empty(e->sender));
	UNTIL(broker_rows(e, TABLE_QUARANTINE) > 0);
	assert_int_equal(broker_rows(e, TABLE_QUARANTINE), 1);
}

/* The process ends, and the message comes again. */
static void a_failure_ends_the_turn_without_a_cursor(void **state)
{
	struct env *e = *state;
	int64_t until = link_clock() + PATIENCE_MS;
	enum err got = OK;

	open_both(e);
	send_some(e->sender, 1, "fail");
	while (got == OK && link_clock() < until) {
		assert_int_equal(node_turn(e->sender, STEP_MS), OK);
		got = node_turn(e->reader, STEP_MS);
		broker_step(&e->broker);
	}
	assert_int_equal(got, ERR_IO);
	node_free(&e->reader);
	broker_step(&e->broker);
	assert_int_equal(broker_rows(e, TABLE_CURSOR), 0);
	e->reader = open_node(e, &reader, "intake");
	assert_int_equal(engine_cursor(node_engine(e->reader), LANE_ROUTINE), 0);
}

static bool never(struct node *n, void *arg)
{
	(void)n, (void)arg;
	return false;
}

static bool at_once(struct node *n, void *arg)
{
	(void)n, (void)arg;
	return true;
}

static void a_run_has_its_time(void **state)
{
	struct env *e = *state;

	e->sender = open_node(e, &sender, "partner-a");
	assert_int_equal(node_run(e->sender, never, NULL, 50), ERR_TIMEOUT);
	assert_int_equal(node_run(e->sender, at_once, NULL, 0), OK);
}

static void a_registry_only_rises(void **state)
{
	struct env *e = *state;
	Registry *r = fixture_message(e->fixture);
	struct node *n = NULL;
	uint64_t old = r->version;
	FILE *nowhere = fopen("/dev/null", "we");

	assert_non_null(nowhere);
	e->sender = open_node(e, &sender, "partner-a");
	r->version = old + 1;
	write_registry(e, "partner-a");
	assert_int_equal(node_reload_registry(e->sender), OK);
	assert_int_equal(registry_message(node_registry(e->sender))->version, old + 1);
	r->version = old;
	write_registry(e, "partner-a");
	assert_int_equal(node_reload_registry(e->sender), ERR_ROLLED_BACK);
	assert_int_equal(registry_message(node_registry(e->sender))->version, old + 1);
	/* The old one still works with the broker. */
	UNTIL(node_connected(e->sender));
	/* It is remembered. */
	node_free(&e->sender);
	assert_int_equal(try_open(e, &sender, "partner-a", LANG_EN, nowhere, &n), ERR_ROLLED_BACK);
	assert_null(n);
	(void)fclose(nowhere);
}

/* The sender was added after this program had loaded its registry, and before the broker took the
 * message: the file is read again before anything is refused. */
static void a_sender_that_is_new_is_looked_up_again(void **state)
{
	struct env *e = *state;
	Registry *r = fixture_message(e->fixture);
	Key *key = fixture_principal(e->fixture, "partner-a")->keys[0];

	key->not_before = r->expires_at;
	write_registry(e, "intake");
	open_both(e);
	key->not_before = 0;
	r->version++;
	write_registry(e, "intake");
	send_some(e->sender, 1, "C-1");
	UNTIL(node_outbox_empty(e->sender) && engine_cursor(node_engine(e->reader), LANE_ROUTINE));
	assert_int_equal(counted(e->reader, SEEN), 1);
	assert_int_equal(registry_message(node_registry(e->reader))->version, r->version);
}

/* What can be mended without the store is no reason to end. */
static void a_registry_that_cannot_be_read_ends_nothing(void **state)
{
	struct env *e = *state;
	char path[160];

	e->sender = open_node(e, &sender, "partner-a");
	path_of(e, "partner-a", "registry", path);
	assert_int_equal(remove(path), 0);
	assert_int_equal(symlink("registry", path), 0); /* to itself */
	assert_int_equal(node_reload_registry(e->sender), ERR_NOT_FOUND);
	UNTIL(node_connected(e->sender));
}

static void expect_words(
	const struct env *e, enum lang lang, enum err want, const char *stage, const char *words)
{
	char *text = NULL;
	size_t len = 0;
	FILE *errors = open_memstream(&text, &len);
	struct node *n = NULL;

	assert_non_null(errors);
	assert_int_equal(try_open(e, &reader, "intake", lang, errors, &n), want);
	assert_null(n);
	assert_int_equal(fclose(errors), 0);
	assert_non_null(strstr(text, stage));
	assert_non_null(strstr(text, words));
	free(text);
}

static void what_is_wrong_is_said(void **state)
{
	struct env *e = *state;
	char path[160];

	path_of(e, "intake", "key", path);
	assert_int_equal(chmod(path, 0644), 0);
	expect_words(e, LANG_EN, ERR_PERMISSIONS, "key file", err_text(ERR_PERMISSIONS, LANG_EN));
	expect_words(
		e, LANG_FR, ERR_PERMISSIONS, "fichier de clés", err_text(ERR_PERMISSIONS, LANG_FR));
	assert_int_equal(chmod(path, 0600), 0);
	e->reader = open_node(e, &reader, "intake");
	expect_words(e, LANG_FR, ERR_LOCKED, "magasin", err_text(ERR_LOCKED, LANG_FR));
	write_text(e, "intake", "havre.conf", "[broker]\nname = nobody\n");
	node_free(&e->reader);
	expect_words(e, LANG_EN, ERR_UNKNOWN_RECIPIENT, "broker nobody", "");
	write_text(e, "intake", "havre.conf", "[broker]\nnonsense = 1\n");
	expect_words(e, LANG_EN, ERR_INVALID, "nonsense", "");
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(messages_have_their_effect_once),
		T(a_mailbox_is_caught_up),
		T(an_outbox_outlives_its_process),
		T(a_lost_receipt_is_asked_for_again),
		T(what_is_put_off_is_posted_again),
		T(a_burst_keeps_its_order),
		cmocka_unit_test(after_a_busy_every_answer_comes_first),
		T(what_is_not_answered_is_posted_on_another_connection),
		T(no_more_are_in_flight_than_configured),
		T(a_timer_fires),
		T(a_timer_does_not_wait_for_a_clock_that_went_back),
		T(what_is_refused_is_set_aside),
		T(a_failure_ends_the_turn_without_a_cursor),
		T(a_run_has_its_time),
		T(a_registry_only_rises),
		T(a_sender_that_is_new_is_looked_up_again),
		T(a_registry_that_cannot_be_read_ends_nothing),
		T(what_is_wrong_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
