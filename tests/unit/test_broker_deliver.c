/* Goal: what the broker delivers: in order, by credit, lane by lane, again until the cursor passes;
 * questions and answers find their way and are never stored. */
#include "tests/unit/broker_rig.h"

#include "broker/mailbox.h"

#define MOST 8

/* n messages of partner-a to intake, committed and receipted. */
static void fill(struct rig *r, struct buf *ret, size_t n)
{
	struct conn c = rig_conn(r, 100, LANE_ROUTINE, "partner-a");

	rig_join(r, &c, 0);
	for (size_t i = 0; i < n; i++) {
		ret[i] = rig_routine(r, "partner-a");
		rig_post(r, &c, &ret[i]);
	}
	rig_commit(r);
	for (size_t i = 0; i < n; i++)
		rig_receipt(r, &c, &ret[i], NULL);
}

static void empty(struct buf *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_free(&b[i]);
}

static void deliveries_follow_credit(void **state)
{
	struct rig *r = *state;
	struct conn reader = rig_conn(r, 1, LANE_ROUTINE, "intake");
	struct buf b[5];

	fill(r, b, 5);
	rig_join(r, &reader, 2);
	rig_delivery(r, &reader, 1, &b[0]);
	rig_delivery(r, &reader, 2, &b[1]);
	rig_nothing(r);
	rig_cursor(r, &reader, 2, NULL, 0); /* a cursor is no credit */
	rig_commit(r);
	rig_nothing(r);
	rig_credit(r, &reader, 1);
	rig_nothing(r);
	rig_commit(r);
	rig_delivery(r, &reader, 3, &b[2]);
	rig_nothing(r);
	rig_credit(r, &reader, 10);
	rig_commit(r);
	rig_delivery(r, &reader, 4, &b[3]);
	rig_delivery(r, &reader, 5, &b[4]);
	rig_nothing(r);
	assert_false(core_more(r->core));
	empty(b, 5);
}

static void a_delivery_waits_for_the_commit_of_its_message(void **state)
{
	struct rig *r = *state;
	struct conn reader = rig_conn(r, 1, LANE_ROUTINE, "intake");
	struct conn sender = rig_conn(r, 2, LANE_ROUTINE, "partner-a");
	struct buf b = rig_routine(r, "partner-a");

	rig_join(r, &reader, 5);
	rig_join(r, &sender, 0);
	rig_post(r, &sender, &b);
	rig_nothing(r);
	rig_commit(r);
	rig_receipt(r, &sender, &b, NULL);
	rig_delivery(r, &reader, 1, &b);
	buf_free(&b);
}

static void a_new_hello_delivers_again_behind_the_cursor(void **state)
{
	struct rig *r = *state;
	struct conn old = rig_conn(r, 1, LANE_ROUTINE, "intake");
	struct conn next = rig_conn(r, 2, LANE_ROUTINE, "intake");
	struct buf b[3];

	fill(r, b, 3);
	rig_join(r, &old, 3);
	for (uint64_t i = 0; i < 3; i++)
		rig_delivery(r, &old, i + 1, &b[i]);
	rig_cursor(r, &old, 1, NULL, 0);
	rig_commit(r);
	rig_hello(r, &next, 1, 5);
	assert_false(core_knows(r->core, &old)); /* the same key: it takes over */
	rig_commit(r);
	rig_skip(r, &next, FRAME__WHAT_WELCOME);
	rig_delivery(r, &next, 2, &b[1]);
	rig_delivery(r, &next, 3, &b[2]);
	rig_nothing(r);
	empty(b, 3);
}

static void check_welcome(struct rig *r, const struct conn *c, uint64_t cursor, uint64_t waiting)
{
	Frame *f = rig_next(r, c, FRAME__WHAT_WELCOME);
	ProtobufCBinaryData note = f->welcome->checkpoint;
	struct checkpoint head;

	assert_string_equal(f->welcome->broker, "broker");
	assert_int_equal(f->welcome->read_up_to, cursor);
	assert_int_equal(f->welcome->waiting, waiting);
	assert_int_equal(f->welcome->registry_version, 1);
	assert_ok(checkpoint_verify(slice_of(note.data, note.len), "broker",
		keyring_sign_pk(fixture_keys(r->f, "broker")), &head));
	assert_int_equal(head.size, core_size(r->core));
	frame__free_unpacked(f, NULL);
}

static void the_reader_says_where_to_go_on(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "intake");
	struct buf b[3];

	fill(r, b, 3);
	/* It has committed more than the broker heard of. */
	rig_hello(r, &c, 2, 5);
	rig_commit(r);
	check_welcome(r, &c, 2, 1);
	rig_delivery(r, &c, 3, &b[2]);
	rig_cursor(r, &c, 3, NULL, 0);
	rig_commit(r);
	/* Its store was restored: it is given again what it lost, after a crash too. */
	rig_crash(r);
	rig_hello(r, &c, 1, 5);
	rig_commit(r);
	check_welcome(r, &c, 3, 2);
	rig_delivery(r, &c, 2, &b[1]);
	rig_delivery(r, &c, 3, &b[2]);
	/* It says more than there is: nothing is skipped that comes later. */
	rig_hello(r, &c, 99, 5);
	rig_commit(r);
	check_welcome(r, &c, 3, 0);
	rig_nothing(r);
	empty(b, 3);
}

static void keys_of_one_mailbox_read_for_themselves(void **state)
{
	struct rig *r = *state;
	struct conn one = rig_conn(r, 1, LANE_ROUTINE, "intake"), two = one;
	struct buf b[2];

	fill(r, b, 2);
	two.id = 2;
	memcpy(two.peer.key_id, keyring_key_id(fixture_keys(r->f, "notify")), KEY_ID_LEN);
	/* A second key of intake's. */
	Principal *p = fixture_principal(r->f, "intake");
	Principal *q = fixture_principal(r->f, "notify");
	Key *own = p->keys[0];

	p->keys = realloc(p->keys, 2 * sizeof(Key *));
	assert_non_null(p->keys);
	p->keys[0] = own;
	p->keys[1] = q->keys[0];
	p->n_keys = 2;
	q->n_keys = 0;
	fixture_rebuild(r->f);
	assert_ok(core_use_registry(r->core, fixture_registry(r->f), r->now));
	rig_join(r, &one, 5);
	rig_delivery(r, &one, 1, &b[0]);
	rig_delivery(r, &one, 2, &b[1]);
	rig_cursor(r, &one, 2, NULL, 0);
	rig_join(r, &two, 1);
	rig_delivery(r, &two, 1, &b[0]);
	rig_nothing(r);
	empty(b, 2);
}

static void lanes_have_their_own_order_and_urgent_goes_first(void **state)
{
	struct rig *r = *state;
	struct conn routine = rig_conn(r, 1, LANE_ROUTINE, "intake");
	struct conn urgent = rig_conn(r, 2, LANE_URGENT, "intake");
	struct conn a = rig_conn(r, 3, LANE_ROUTINE, "partner-a");
	struct conn b = rig_conn(r, 4, LANE_URGENT, "partner-a");
	struct buf first = rig_routine(r, "partner-a"), second = rig_urgent(r, "partner-a");

	rig_join(r, &routine, 5);
	rig_join(r, &urgent, 5);
	rig_join(r, &a, 0);
	rig_join(r, &b, 0);
	rig_post(r, &a, &first);
	rig_post(r, &b, &second);
	rig_commit(r);
	assert_int_equal(rig_receipt(r, &a, &first, NULL), 0);
	assert_int_equal(rig_receipt(r, &b, &second, NULL), 1);
	rig_delivery(r, &urgent, 1, &second);
	rig_delivery(r, &routine, 1, &first);
	rig_nothing(r);
	buf_free(&first);
	buf_free(&second);
}

static void quarantine_is_kept_with_the_cursor(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "intake");
	Quarantined bad = QUARANTINED__INIT, *list[] = {&bad};
	struct buf b[2];
	struct slice v;
	struct txn *t;
	struct key k;

	fill(r, b, 2);
	rig_join(r, &c, 2);
	rig_delivery(r, &c, 1, &b[0]);
	rig_delivery(r, &c, 2, &b[1]);
	bad.seq = 2;
	bad.code = ERR_NOT_FOR_ME;
	rig_cursor(r, &c, 1, list, 1); /* beyond its own cursor: not heard */
	rig_cursor(r, &c, 3, list, 1); /* beyond the mailbox: not heard */
	assert_int_equal(core_counts(r->core)->unheard, 2);
	rig_cursor(r, &c, 2, list, 1);
	rig_commit(r);
	rig_crash(r);
	assert_ok(store_begin(r->store, TXN_READ, &t));
	quarantine_key(&k, "intake", LANE_ROUTINE, c.peer.key_id, 2);
	assert_ok(txn_get(t, TABLE_QUARANTINE, key_slice(&k), &v));
	assert_int_equal(v.len, 12);
	assert_int_equal(v.data[3], ERR_NOT_FOR_ME);
	assert_int_equal(be64_get(v.data + 4), FIXTURE_NOW);
	txn_abort(&t);
	rig_hello(r, &c, 2, 2);
	rig_commit(r);
	check_welcome(r, &c, 2, 0);
	rig_nothing(r);
	empty(b, 2);
}

static void a_connection_that_is_gone_gets_nothing(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "intake");
	struct buf b[1];

	rig_join(r, &c, 5);
	core_gone(r->core, c.id);
	fill(r, b, 1);
	rig_nothing(r);
	rig_join(r, &c, 5);
	rig_delivery(r, &c, 1, &b[0]);
	empty(b, 1);
}

/* Large messages: the list that the front sends is bounded, and so is what one reader is sent
 * before it says that it has done it. */
static void bytes_on_their_way_are_bounded(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, 1, LANE_ROUTINE, "partner-a");
	struct conn reader = rig_conn(r, 2, LANE_ROUTINE, "intake");
	size_t most = FLIGHT_BYTES_MOST + ENVELOPE_MOST + 4096, bytes = 0;
	uint64_t n = 0;
	struct output *o;

	rig_join(r, &c, 0);
	for (int i = 0; i < MOST; i++) {
		Referral body = REFERRAL__INIT;
		char *reference = calloc(1, 1000 * 1000);

		assert_non_null(reference);
		memset(reference, 'A', 1000 * 1000 - 1);
		body.reference = reference;
		struct buf b = fixture_envelope(
			r->f, KIND_SUBMIT_REFERRAL, "partner-a", "intake", &body.base);

		rig_post(r, &c, &b);
		rig_commit(r);
		rig_receipt(r, &c, &b, NULL);
		buf_free(&b);
		free(reference);
	}
	rig_join(r, &reader, CREDIT_MOST);
	while ((o = core_output(r->core))) {
		bytes += o->len;
		n++;
		free(o);
	}
	assert_in_range(bytes, FLIGHT_BYTES_MOST, most);
	assert_in_range(n, 2, MOST - 1);
	rig_cursor(r, &reader, n, NULL, 0);
	rig_commit(r);
	o = core_output(r->core);
	assert_non_null(o);
	free(o);
}

/* --- questions --- */

static struct buf question(struct rig *r, const char *from)
{
	QueueQuery body = QUEUE_QUERY__INIT;

	return fixture_envelope(r->f, KIND_ASK_QUEUE, from, "screening", &body.base);
}

static struct buf reply(struct rig *r, const char *from, const char *to, const struct buf *asked)
{
	QueueAnswer body = QUEUE_ANSWER__INIT;
	struct envelope_spec spec = {.kind = KIND_TELL_QUEUE, .created_at = FIXTURE_NOW};
	struct envelope e;
	struct buf b;

	assert_ok(envelope_parse(slice_buf(asked), &e));
	spec.cause = e.header->id.data;
	b = fixture_envelope_of(r->f, from, to, &spec, &body.base);
	envelope_free(&e);
	return b;
}

static void a_question_and_its_answer_find_their_way(void **state)
{
	struct rig *r = *state;
	struct conn asker = rig_conn(r, 1, LANE_ROUTINE, "officer-1");
	struct conn asked = rig_conn(r, 2, LANE_ROUTINE, "screening");
	struct buf q = question(r, "officer-1"), a = reply(r, "screening", "officer-1", &q);
	struct buf wrong = reply(r, "screening", "officer-2", &q);
	Frame *f;

	rig_join(r, &asker, 0);
	rig_judged(r, &asker, VIA_QUERY, &q); /* nobody is there to answer */
	rig_commit(r);
	rig_skip(r, &asker, FRAME__WHAT_BUSY);
	rig_join(r, &asked, 0);
	rig_judged(r, &asker, VIA_QUERY, &q);
	rig_commit(r);
	f = rig_next(r, &asked, FRAME__WHAT_QUERY);
	assert_true(
		slice_eq(slice_of(f->query->envelope.data, f->query->envelope.len), slice_buf(&q)));
	frame__free_unpacked(f, NULL);
	rig_judged(r, &asked, VIA_ANSWER, &wrong);
	rig_judged(r, &asked, VIA_ANSWER, &a);
	rig_judged(r, &asked, VIA_ANSWER, &a); /* answered already */
	rig_commit(r);
	rig_refusal(r, &asked, ERR_NOT_ASKED);
	f = rig_next(r, &asker, FRAME__WHAT_ANSWER);
	assert_true(slice_eq(
		slice_of(f->answer->envelope.data, f->answer->envelope.len), slice_buf(&a)));
	frame__free_unpacked(f, NULL);
	rig_refusal(r, &asked, ERR_NOT_ASKED);
	assert_int_equal(core_size(r->core), 0);
	buf_free(&q);
	buf_free(&a);
	buf_free(&wrong);
}

/* A second service of the same role may send such answers, but was not asked. */
static void only_who_was_asked_answers(void **state)
{
	struct rig *r = *state;
	struct conn asker = rig_conn(r, 1, LANE_ROUTINE, "officer-1");
	struct conn asked = rig_conn(r, 2, LANE_ROUTINE, "screening");
	struct conn other = rig_conn(r, 3, LANE_ROUTINE, "notify");
	struct buf q, a;

	fixture_principal(r->f, "notify")->roles[0] = ROLE__SCREENING;
	fixture_rebuild(r->f);
	assert_ok(core_use_registry(r->core, fixture_registry(r->f), r->now));
	q = question(r, "officer-1");
	a = reply(r, "notify", "officer-1", &q);
	rig_join(r, &asker, 0);
	rig_join(r, &asked, 0);
	rig_join(r, &other, 0);
	rig_judged(r, &asker, VIA_QUERY, &q);
	rig_judged(r, &other, VIA_ANSWER, &a);
	rig_commit(r);
	rig_skip(r, &asked, FRAME__WHAT_QUERY);
	rig_refusal(r, &other, ERR_NOT_ASKED);
	rig_nothing(r);
	buf_free(&q);
	buf_free(&a);
}

static void a_question_expires(void **state)
{
	struct rig *r = *state;
	struct conn asker = rig_conn(r, 1, LANE_ROUTINE, "officer-1");
	struct conn asked = rig_conn(r, 2, LANE_ROUTINE, "screening");
	struct buf q = question(r, "officer-1"), a = reply(r, "screening", "officer-1", &q);

	rig_join(r, &asker, 0);
	rig_join(r, &asked, 0);
	rig_judged(r, &asker, VIA_QUERY, &q);
	rig_commit(r);
	rig_skip(r, &asked, FRAME__WHAT_QUERY);
	r->now += 60001;
	rig_judged(r, &asked, VIA_ANSWER, &a);
	rig_commit(r);
	rig_refusal(r, &asked, ERR_NOT_ASKED);
	buf_free(&q);
	buf_free(&a);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		T(deliveries_follow_credit),
		T(a_delivery_waits_for_the_commit_of_its_message),
		T(a_new_hello_delivers_again_behind_the_cursor),
		T(the_reader_says_where_to_go_on),
		T(keys_of_one_mailbox_read_for_themselves),
		T(lanes_have_their_own_order_and_urgent_goes_first),
		T(quarantine_is_kept_with_the_cursor),
		T(a_connection_that_is_gone_gets_nothing),
		T(bytes_on_their_way_are_bounded),
		T(a_question_and_its_answer_find_their_way),
		T(only_who_was_asked_answers),
		T(a_question_expires),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
