/* Goal: after a recovery of the log the acts that officers signed come again in any order: the
 * highest serial that two of them signed holds in the end, what was receipted is never refused, and
 * who knows of a newer act than the broker goes on from there. */
#include "tests/unit/own_rig.h"
#include "tests/unit/recover_rig.h"

#define ADMIN      "partner-b"
#define WORDS      6
#define BEFORE     2  /* of them */
#define ALL_ORDERS 24 /* of the other four */

/* What one officer signed, and the receipt for it. */
struct word {
	const char *who;
	struct buf envelope;
	Receipt *receipt;
};

struct world {
	struct rig *r;
	struct word words[WORDS];
	int64_t at; /* the time of all receipts */
};

static SuspensionAct act_of(uint64_t serial)
{
	return sample_act("partner-a", serial % 2 == 0, serial);
}

static struct word signs(struct rig *r, const char *who, const char *about, uint64_t serial)
{
	SuspensionAct a = sample_act(about, serial % 2 == 0, serial);
	SignedAct *s = sample_signed(r->f, &a, who, NULL);
	struct conn c = rig_conn(r, CONN_A, LANE_URGENT, who);
	struct word w = {.who = who};

	w.envelope = fixture_envelope(r->f, KIND_PROPOSE_SUSPENSION, who, "broker", &s->base);
	rig_join(r, &c, 0);
	w.receipt = rig_posted(r, &c, &w.envelope);
	own_skip_all(r);
	core_gone(r->core, c.id);
	signed_act__free_unpacked(s, NULL);
	return w;
}

/* It gets its first receipt, and no refusal. */
static void comes_again(struct world *w, const struct word *one)
{
	struct conn c = rig_conn(w->r, CONN_A, LANE_URGENT, one->who);
	unsigned receipts = 0;
	struct output *o;

	rig_join(w->r, &c, 0);
	assert_ok(rig_resend(w->r, &c, &one->envelope, one->receipt));
	rig_commit(w->r);
	while ((o = core_output(w->r->core))) {
		ProtobufCMessage *m = NULL;
		const Frame *f;

		assert_ok(strict_unpack(&frame__descriptor, slice_of(o->frame, o->len), &m));
		f = (const Frame *)m;
		assert_int_not_equal(f->what_case, FRAME__WHAT_REFUSAL);
		if (f->what_case == FRAME__WHAT_RECEIPT) {
			assert_true(f->receipt->received_at == w->at);
			receipts++;
		}
		protobuf_c_message_free_unpacked(m, NULL);
		free(o);
	}
	assert_int_equal(receipts, 1);
	core_gone(w->r->core, c.id);
}

static void lose(struct world *w)
{
	rig_lose(w->r);
	rig_recover(w->r, ADMIN, 2);
}

struct said {
	const char *who, *about;
	uint64_t serial;
};

/* A week later the log of that is lost. */
static struct world lose_all(struct rig *r, const struct said said[WORDS])
{
	struct world w = {.r = r, .at = r->now};

	for (int i = 0; i < WORDS; i++)
		w.words[i] = signs(r, said[i].who, said[i].about, said[i].serial);
	r->now += 7 * DAY;
	lose(&w);
	return w;
}

/* Three acts, each by two others. */
static struct world lost_world(struct rig *r)
{
	static const struct said said[WORDS] = {{"officer-1", "partner-a", 1},
		{"officer-2", "partner-a", 1}, {"officer-1", "partner-a", 2},
		{"supervisor-1", "partner-a", 2}, {"officer-2", "partner-a", 3},
		{"director-1", "partner-a", 3}};

	return lose_all(r, said);
}

static void free_words(struct world *w)
{
	for (int i = 0; i < WORDS; i++) {
		buf_free(&w->words[i].envelope);
		receipt__free_unpacked(w->words[i].receipt, NULL);
	}
}

static struct act_standing standing(struct rig *r)
{
	SuspensionAct a = act_of(1);
	struct act_standing now;
	struct txn *t = NULL;

	assert_ok(store_begin(r->store, TXN_READ, &t));
	assert_ok(act_standing(t, TABLE_TRUST, &a, &now));
	txn_abort(&t);
	assert_int_equal(own_suspended(r, "partner-a"), now.suspended);
	return now;
}

static bool nothing_is_proposed(struct rig *r)
{
	SuspensionAct a = act_of(1);
	struct txn *t = NULL;
	StoredAct *left;
	struct key at = {0};
	enum err e;

	assert_ok(store_begin(r->store, TXN_READ, &t));
	e = act_next_proposal(t, TABLE_TRUST, &a, &at, &left);
	txn_abort(&t);
	return e == ERR_NOT_FOUND;
}

/* What everybody was told last. */
static void assert_told(struct rig *r, uint64_t serial)
{
	SignedAct *told = (SignedAct *)own_newest(r, KIND_TELL_SUSPENSION, "screening");
	SuspensionAct *act = NULL;

	assert_int_equal(told->n_signatures, 2);
	assert_ok(act_open(told, &act));
	assert_int_equal(act->serial, serial);
	suspension_act__free_unpacked(act, NULL);
	signed_act__free_unpacked(told, NULL);
}

/* The number-th order of four. */
static void order_of(unsigned number, int ret[4])
{
	int left[4] = {0, 1, 2, 3};

	for (unsigned n = 4; n > 0; n--) {
		unsigned i = number % n;

		number /= n;
		ret[4 - n] = left[i];
		left[i] = left[n - 1];
	}
}

/* `kept`: so many words come first, as if the backup had them. */
static void in_all_orders(struct world *w, int kept, uint64_t serial)
{
	for (unsigned number = 0; number < ALL_ORDERS; number++) {
		struct act_standing now;
		int order[4];

		lose(w);
		order_of(number, order);
		for (int i = 0; i < kept; i++)
			comes_again(w, &w->words[i]);
		for (int i = 0; i < 4; i++)
			comes_again(w, &w->words[kept + order[i]]);
		now = standing(w->r);
		assert_int_equal(now.serial, serial);
		assert_int_equal(now.suspended, serial % 2);
		assert_true(nothing_is_proposed(w->r));
		assert_told(w->r, serial);
	}
}

static void the_highest_serial_holds_in_whatever_order_they_come(void **state)
{
	struct world w = lost_world(*state);

	in_all_orders(&w, 0, 2);
	in_all_orders(&w, BEFORE, 3);
	free_words(&w);
}

/* The lift that only one of two officers brings back does not hold, and is not lost either. */
static void what_only_one_brings_back_waits_for_the_other(void **state)
{
	struct world w = lost_world(*state);

	comes_again(&w, &w.words[2]);
	comes_again(&w, &w.words[5]);
	comes_again(&w, &w.words[1]);
	assert_int_equal(standing(w.r).serial, 0);
	comes_again(&w, &w.words[0]);
	assert_int_equal(standing(w.r).serial, 1);
	comes_again(&w, &w.words[0]); /* again */
	assert_int_equal(standing(w.r).serial, 1);
	comes_again(&w, &w.words[3]);
	assert_int_equal(standing(w.r).serial, 2);
	comes_again(&w, &w.words[4]);
	assert_int_equal(standing(w.r).serial, 3);
	free_words(&w);
}

/* That its signature was good then is what the receipt says. */
static void who_signed_may_be_suspended_since(void **state)
{
	struct world w = lost_world(*state);
	SuspensionAct a = sample_act("officer-1", false, 1);

	comes_again(&w, &w.words[0]);
	a.made_at = w.r->now;
	assert_ok(own_sign_by(w.r, "supervisor-1", "supervisor-1", &a));
	assert_ok(own_sign_by(w.r, "director-1", "director-1", &a));
	assert_true(own_suspended(w.r, "officer-1"));
	comes_again(&w, &w.words[1]);
	assert_int_equal(standing(w.r).serial, 1);
	free_words(&w);
}

/* Nobody told the broker again of the acts 1 to 3, which officers have in their lists. */
static void officers_go_on_from_the_act_that_they_know(void **state)
{
	struct world w = lost_world(*state);
	SuspensionAct a = act_of(4 + ACT_SERIALS_AHEAD);

	a.made_at = w.r->now;
	assert_int_equal(own_sign_by(w.r, "officer-1", "officer-1", &a), ERR_OLD_ACT);
	a.serial = 4;
	assert_ok(own_sign_by(w.r, "officer-1", "officer-1", &a));
	assert_ok(own_sign_by(w.r, "director-1", "director-1", &a));
	assert_int_equal(standing(w.r).serial, 4);
	assert_told(w.r, 4); /* a lift of what is not suspended here, and is elsewhere */
	for (int i = 0; i < WORDS; i++) {
		uint64_t size = core_size(w.r->core);

		comes_again(&w, &w.words[i]);
		assert_int_equal(core_size(w.r->core), size + 1); /* it is nobody's news */
	}
	assert_int_equal(standing(w.r).serial, 4);
	/* people hear that their act is old */
	a.serial = 3;
	assert_int_equal(own_sign_by(w.r, "officer-1", "officer-1", &a), ERR_OLD_ACT);
	a.serial = 5;
	assert_int_equal(own_sign_by(w.r, "officer-1", "officer-1", &a), ERR_OLD_ACT);
	free_words(&w);
}

/* An act of the same number was signed while the broker had lost the first: a suspension stands
 * above a lift, at the broker as at the readers. */
static void of_two_with_one_serial_a_suspension_holds(void **state)
{
	struct world w = lost_world(*state);
	SuspensionAct lift = act_of(3);

	lift.lift = true;
	lift.made_at = w.r->now;
	assert_ok(own_sign_by(w.r, "officer-1", "officer-1", &lift));
	assert_ok(own_sign_by(w.r, "supervisor-1", "supervisor-1", &lift));
	assert_int_equal(standing(w.r).serial, 3);
	assert_false(own_suspended(w.r, "partner-a"));
	comes_again(&w, &w.words[4]);
	comes_again(&w, &w.words[5]);
	assert_true(own_suspended(w.r, "partner-a"));
	assert_told(w.r, 3);
	free_words(&w);
}

/* One of three officers is suspended, is let in again, and suspends one of the others. */
static struct world lost_officers(struct rig *r)
{
	static const struct said said[WORDS] = {{"officer-2", "officer-1", 1},
		{"supervisor-1", "officer-1", 1}, {"officer-2", "officer-1", 2},
		{"supervisor-1", "officer-1", 2}, {"officer-1", "supervisor-1", 1},
		{"officer-2", "supervisor-1", 1}};

	fixture_principal(r->f, "director-1")->suspended = true;
	fixture_rebuild(r->f);
	assert_ok(core_use_registry(r->core, fixture_registry(r->f), r->now));
	rig_commit(r);
	own_skip_all(r);
	return lose_all(r, said);
}

static void a_proposal_waits_for_the_lift_that_makes_room_for_it(void **state)
{
	struct world w = lost_officers(*state);

	comes_again(&w, &w.words[0]);
	comes_again(&w, &w.words[1]);
	assert_true(own_suspended(w.r, "officer-1"));
	comes_again(&w, &w.words[5]); /* now only officer-2 would be left */
	comes_again(&w, &w.words[3]);
	comes_again(&w, &w.words[2]);
	assert_false(own_suspended(w.r, "officer-1"));
	comes_again(&w, &w.words[4]);
	assert_true(own_suspended(w.r, "supervisor-1"));
	free_words(&w);
}

static void two_who_can_act_remain_after_a_recovery_too(void **state)
{
	struct world w = lost_officers(*state);

	comes_again(&w, &w.words[4]);
	comes_again(&w, &w.words[0]);
	comes_again(&w, &w.words[1]);
	comes_again(&w, &w.words[5]);
	assert_false(own_suspended(w.r, "supervisor-1"));
	comes_again(&w, &w.words[2]);
	comes_again(&w, &w.words[3]);
	assert_false(own_suspended(w.r, "officer-1"));
	free_words(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OWN_TEST(the_highest_serial_holds_in_whatever_order_they_come),
		OWN_TEST(what_only_one_brings_back_waits_for_the_other),
		OWN_TEST(who_signed_may_be_suspended_since),
		OWN_TEST(officers_go_on_from_the_act_that_they_know),
		OWN_TEST(of_two_with_one_serial_a_suspension_holds),
		OWN_TEST(a_proposal_waits_for_the_lift_that_makes_room_for_it),
		OWN_TEST(two_who_can_act_remain_after_a_recovery_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
