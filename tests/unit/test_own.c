/* Goal: what the broker hears and says itself: two officers suspend and lift, within the commit; a
 * new registry goes to everybody, once; unread urgent mail, the registry's end and a reused id
 * reach people, once, and are stood down. */
#include "tests/unit/broker_rig.h"

#include "services/common/store/store_backend.h"

#include "tests/unit/trust_sample.h"

#define PEOPLE    13 /* of the fixture: everybody but the broker */
#define STAFF     4
#define OPERATORS 6 /* staff and the two relays */
#define MINUTE    INT64_C(60000)
#define DAY       INT64_C(86400000)

static int own_setup(void **state)
{
	struct rig *r;

	if (rig_setup(state))
		return 1;
	r = *state;
	r->speaks = true;
	core_free(&r->core);
	rig_open_core(r);
	return 0;
}

/* --- looking into the log --- */

/* How many of this kind, to this one (NULL: to anybody), stand in the log from `from` on. */
static size_t logged(struct rig *r, enum kind kind, const char *to, uint64_t from)
{
	struct txn *t = NULL;
	struct log_row row;
	size_t n = 0;

	assert_ok(store_begin(r->store, TXN_READ, &t));
	for (uint64_t i = from; log_row_get(t, i, &row) == OK; i++)
		n += row.kind == (uint32_t)kind && (!to || strcmp(row.recipient, to) == 0);
	txn_abort(&t);
	return n;
}

/* The newest of this kind to this one, opened. protobuf_c_message_free_unpacked. */
static ProtobufCMessage *newest(struct rig *r, enum kind kind, const char *to)
{
	ProtobufCMessage *m = NULL;
	struct txn *t = NULL;
	struct slice content;
	struct log_row row;
	struct key k;

	assert_ok(store_begin(r->store, TXN_READ, &t));
	for (uint64_t i = core_size(r->core); i-- > 0 && !m;) {
		assert_ok(log_row_get(t, i, &row));
		if (row.kind != (uint32_t)kind || strcmp(row.recipient, to) != 0)
			continue;
		index_key(&k, i);
		assert_ok(txn_get(t, TABLE_CONTENT, key_slice(&k), &content));
		m = fixture_open(r->f, to, content, NULL);
	}
	txn_abort(&t);
	assert_non_null(m);
	return m;
}

static void skip_all(struct rig *r)
{
	struct output *o;

	while ((o = core_output(r->core)))
		free(o);
}

static void watch(struct rig *r, int64_t later)
{
	r->now += later;
	assert_ok(core_watch(r->core, r->now));
	rig_commit(r);
	skip_all(r);
}

/* --- officers --- */

enum { CONN_A = 1, CONN_OFFICER_1 = 10, CONN_OFFICER_2, CONN_SUPERVISOR };

/* Posts what one officer has signed; a refusal gives its code. */
static enum err sign_by(struct rig *r, const char *who, const char *as, const SuspensionAct *a)
{
	SignedAct *s = sample_signed(r->f, a, as, NULL);
	struct buf b = fixture_envelope(r->f, KIND_PROPOSE_SUSPENSION, who, "broker", &s->base);
	struct conn c =
		rig_conn(r, CONN_OFFICER_1 + (uint64_t)who[strlen(who) - 1], LANE_URGENT, who);
	enum err e = OK;
	struct output *o;

	rig_hello(r, &c, 0, 0);
	rig_commit(r);
	skip_all(r);
	rig_post(r, &c, &b);
	rig_commit(r);
	while ((o = core_output(r->core))) {
		ProtobufCMessage *m = NULL;

		assert_ok(strict_unpack(&frame__descriptor, slice_of(o->frame, o->len), &m));
		if (((Frame *)m)->what_case == FRAME__WHAT_REFUSAL)
			e = (enum err)((Frame *)m)->refusal->code;
		protobuf_c_message_free_unpacked(m, NULL);
		free(o);
	}
	core_gone(r->core, c.id);
	buf_free(&b);
	signed_act__free_unpacked(s, NULL);
	return e;
}

static void suspend(struct rig *r, const char *who, bool lift, uint64_t serial)
{
	SuspensionAct a = sample_act(who, lift, serial);

	assert_ok(sign_by(r, "officer-1", "officer-1", &a));
	assert_ok(sign_by(r, "supervisor-1", "supervisor-1", &a));
}

static bool suspended(struct rig *r, const char *who)
{
	return registry_find(core_registry(r->core), who)->suspended;
}

static void a_suspension_takes_effect_in_its_commit(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, CONN_A, LANE_URGENT, "partner-a");
	struct conn officer = rig_conn(r, CONN_OFFICER_2, LANE_URGENT, "officer-2");
	struct buf before = rig_urgent(r, "partner-a"), queued = rig_urgent(r, "partner-a");
	SuspensionAct a = sample_act("partner-a", false, 1);
	SignedAct *s = sample_signed(r->f, &a, "officer-2", NULL);
	struct buf second =
		fixture_envelope(r->f, KIND_PROPOSE_SUSPENSION, "officer-2", "broker", &s->base);
	uint64_t index;

	rig_join(r, &c, 0);
	rig_post(r, &c, &before);
	rig_commit(r);
	index = rig_receipt(r, &c, &before, NULL);
	assert_ok(sign_by(r, "officer-1", "officer-1", &a));
	assert_int_equal(logged(r, KIND_TELL_SUSPENSION, NULL, 0), STAFF);
	assert_false(suspended(r, "partner-a"));
	/* the second signature; behind it, in the same batch, what was judged before it */
	rig_join(r, &officer, 0);
	rig_post(r, &officer, &second);
	rig_post(r, &c, &queued);
	rig_commit(r);
	rig_refusal(r, &c, ERR_SUSPENDED);
	rig_receipt(r, &officer, &second, NULL);
	skip_all(r);
	assert_true(suspended(r, "partner-a"));
	assert_false(core_knows(r->core, &c));
	/* what was receipted stays receipted, though the session is over */
	assert_true(core_hears(r->core, &c, r->now));
	rig_post(r, &c, &before);
	rig_post(r, &c, &queued);
	rig_commit(r);
	rig_refusal(r, &c, ERR_SUSPENDED);
	assert_int_equal(rig_receipt(r, &c, &before, NULL), index);
	rig_hello(r, &c, 0, 0);
	rig_commit(r);
	rig_nothing(r);
	/* everybody was told, but who is suspended */
	assert_int_equal(logged(r, KIND_TELL_SUSPENSION, NULL, 0), STAFF + PEOPLE - 1);
	assert_int_equal(logged(r, KIND_TELL_SUSPENSION, "partner-a", 0), 0);
	rig_crash(r);
	assert_true(suspended(r, "partner-a"));
	suspend(r, "partner-a", true, 2);
	assert_false(suspended(r, "partner-a"));
	rig_join(r, &c, 0);
	buf_free(&before);
	buf_free(&queued);
	buf_free(&second);
	signed_act__free_unpacked(s, NULL);
}

static void one_officer_is_not_two(void **state)
{
	struct rig *r = *state;
	SuspensionAct a = sample_act("partner-a", false, 1), other = a;

	assert_ok(sign_by(r, "officer-1", "officer-1", &a));
	assert_int_equal(sign_by(r, "officer-1", "officer-1", &a), ERR_OTHER_OFFICER);
	/* nor with somebody else's signature that was seen */
	assert_int_equal(sign_by(r, "officer-2", "officer-1", &a), ERR_NOT_PERMITTED);
	assert_int_equal(sign_by(r, "partner-b", "partner-b", &a), ERR_NOT_PERMITTED);
	/* two officers, but not the same act */
	other.made_at++;
	assert_ok(sign_by(r, "officer-2", "officer-2", &other));
	assert_false(suspended(r, "partner-a"));
	assert_ok(sign_by(r, "director-1", "director-1", &other));
	assert_true(suspended(r, "partner-a"));
}

/* Whoever has one officer's keys cannot take away what others propose. */
static void nobody_displaces_a_proposal_of_another(void **state)
{
	struct rig *r = *state;
	SuspensionAct a = sample_act("officer-1", false, 1), other = a;
	struct txn *t = NULL;
	StoredAct *left;
	struct key at = {0};

	assert_ok(sign_by(r, "officer-2", "officer-2", &a));
	other.made_at++;
	assert_ok(sign_by(r, "officer-1", "officer-1", &other));
	other.made_at++;
	assert_ok(sign_by(r, "officer-1", "officer-1", &other));
	assert_false(suspended(r, "officer-1"));
	assert_ok(sign_by(r, "supervisor-1", "supervisor-1", &a));
	assert_true(suspended(r, "officer-1"));
	/* and nothing of it stays */
	assert_ok(store_begin(r->store, TXN_READ, &t));
	assert_int_equal(act_next_proposal(t, TABLE_TRUST, &a, &at, &left), ERR_NOT_FOUND);
	txn_abort(&t);
}

/* What was proposed by an officer who is suspended since is nothing to confirm. */
static void a_proposal_of_a_suspended_officer_is_none(void **state)
{
	struct rig *r = *state;
	SuspensionAct a = sample_act("partner-a", false, 1);

	assert_ok(sign_by(r, "officer-2", "officer-2", &a));
	suspend(r, "officer-2", false, 1);
	assert_ok(sign_by(r, "director-1", "director-1", &a));
	assert_false(suspended(r, "partner-a"));
	assert_ok(sign_by(r, "officer-1", "officer-1", &a));
	assert_true(suspended(r, "partner-a"));
}

static void who_is_suspended_is_given_no_answer(void **state)
{
	struct rig *r = *state;
	struct conn asker = rig_conn(r, CONN_A, LANE_ROUTINE, "officer-2");
	struct conn asked = rig_conn(r, CONN_A + 1, LANE_ROUTINE, "screening");
	uint8_t id[MSG_ID_LEN] = {0}, cause[MSG_ID_LEN] = {0};
	struct envelope_spec ask = {.kind = KIND_ASK_QUEUE, .id = cause, .created_at = FIXTURE_NOW};
	struct envelope_spec say = {
		.kind = KIND_TELL_QUEUE, .id = id, .cause = cause, .created_at = FIXTURE_NOW};
	QueueQuery q = QUEUE_QUERY__INIT;
	QueueAnswer a = QUEUE_ANSWER__INIT;
	struct buf question, answer;
	struct output *o;

	be64_put(id, (uint64_t)FIXTURE_NOW << 16 | 1);
	be64_put(cause, (uint64_t)FIXTURE_NOW << 16);
	question = fixture_envelope_of(r->f, "officer-2", "screening", &ask, &q.base);
	answer = fixture_envelope_of(r->f, "screening", "officer-2", &say, &a.base);
	rig_join(r, &asker, 0);
	rig_join(r, &asked, 0);
	rig_judged(r, &asker, VIA_QUERY, &question);
	rig_commit(r);
	rig_skip(r, &asked, FRAME__WHAT_QUERY);
	suspend(r, "officer-2", false, 1);
	rig_judged(r, &asked, VIA_ANSWER, &answer);
	rig_commit(r);
	while ((o = core_output(r->core))) {
		assert_int_not_equal(o->conn, asker.id);
		free(o);
	}
	buf_free(&question);
	buf_free(&answer);
}

static void an_old_act_is_refused(void **state)
{
	struct rig *r = *state;
	SuspensionAct a = sample_act("partner-a", false, 1), late = sample_act("intake", false, 1);

	suspend(r, "partner-a", false, 1);
	suspend(r, "partner-a", true, 2);
	assert_int_equal(sign_by(r, "officer-1", "officer-1", &a), ERR_OLD_ACT);
	a.serial = 2;
	assert_int_equal(sign_by(r, "officer-1", "officer-1", &a), ERR_OLD_ACT);
	a.serial = 3;
	a.lift = true; /* nothing is to be lifted */
	assert_int_equal(sign_by(r, "officer-1", "officer-1", &a), ERR_OLD_ACT);
	/* a proposal that nobody confirmed in time */
	assert_ok(sign_by(r, "officer-1", "officer-1", &late));
	r->now += ACT_LIVES_MS + 1;
	assert_int_equal(sign_by(r, "officer-2", "officer-2", &late), ERR_OLD_ACT);
	late.made_at = r->now + 2 * ACT_AHEAD_MS;
	assert_int_equal(sign_by(r, "officer-2", "officer-2", &late), ERR_OLD_ACT);
	assert_false(suspended(r, "intake"));
	assert_false(suspended(r, "partner-a"));
}

static void two_who_can_act_always_remain(void **state)
{
	struct rig *r = *state;
	SuspensionAct a = sample_act("broker", false, 1);

	assert_int_equal(sign_by(r, "officer-1", "officer-1", &a), ERR_NOT_SUSPENDABLE);
	a = sample_act("nobody", false, 1);
	assert_int_equal(sign_by(r, "officer-1", "officer-1", &a), ERR_UNKNOWN_PRINCIPAL);
	a = sample_act("intake", false, 1);
	a.key_id = (ProtobufCBinaryData){
		KEY_ID_LEN, (uint8_t *)keyring_key_id(fixture_keys(r->f, "notify"))};
	assert_int_equal(sign_by(r, "officer-1", "officer-1", &a), ERR_UNKNOWN_PRINCIPAL);
	suspend(r, "officer-2", false, 1);
	/* the only key of the director is as good as the director */
	a = sample_act("director-1", false, 1);
	a.key_id = (ProtobufCBinaryData){
		KEY_ID_LEN, (uint8_t *)keyring_key_id(fixture_keys(r->f, "director-1"))};
	assert_ok(sign_by(r, "officer-1", "officer-1", &a));
	assert_ok(sign_by(r, "supervisor-1", "supervisor-1", &a));
	a = sample_act("supervisor-1", false, 1);
	assert_int_equal(sign_by(r, "officer-1", "officer-1", &a), ERR_NOT_SUSPENDABLE);
	a = sample_act("officer-2", true, 2);
	assert_int_equal(sign_by(r, "director-1", "director-1", &a), ERR_SUSPENDED);
	suspend(r, "officer-2", true, 2);
	a = sample_act("supervisor-1", false, 1);
	assert_ok(sign_by(r, "officer-1", "officer-1", &a));
}

/* --- the registry --- */

static void use_signed(struct rig *r)
{
	SignedRegistry *s = sample_registry(r->f, 1, 0);
	struct registry *reg = NULL;
	struct buf bytes = {0};

	assert_ok(strict_pack(&s->base, &bytes));
	assert_ok(registry_kept(slice_buf(&bytes), r->now, &reg));
	assert_ok(core_use_registry(r->core, reg, r->now));
	rig_commit(r);
	skip_all(r);
	registry_free(&reg);
	buf_free(&bytes);
	signed_registry__free_unpacked(s, NULL);
}

static void a_new_registry_goes_to_everybody_once(void **state)
{
	struct rig *r = *state;
	uint64_t before;

	sample_root(r->f, 1);
	use_signed(r);
	assert_int_equal(logged(r, KIND_SPREAD_REGISTRY, NULL, 0), PEOPLE);
	use_signed(r);
	watch(r, 1000);
	rig_crash(r);
	watch(r, 1000);
	assert_int_equal(logged(r, KIND_SPREAD_REGISTRY, NULL, 0), PEOPLE);
	suspend(r, "partner-a", false, 1);
	suspend(r, "partner-b", false, 1);
	suspend(r, "partner-b", true, 2);
	/* with it come the acts in force, and not to the suspended, who hears all with the lift */
	before = core_size(r->core);
	fixture_rebuild(r->f);
	use_signed(r);
	assert_int_equal(logged(r, KIND_SPREAD_REGISTRY, NULL, before), PEOPLE - 1);
	assert_int_equal(logged(r, KIND_TELL_SUSPENSION, NULL, before), PEOPLE - 1);
	suspend(r, "intake", false, 1);
	before = core_size(r->core);
	suspend(r, "partner-a", true, 2);
	assert_int_equal(logged(r, KIND_SPREAD_REGISTRY, "partner-a", before), 1);
	assert_int_equal(logged(r, KIND_TELL_SUSPENSION, "partner-a", before), 2);
}

static void a_key_whose_time_is_over_signs_nothing(void **state)
{
	struct rig *r = *state;
	Key *key = fixture_principal(r->f, "broker")->keys[0];

	sample_root(r->f, 1);
	key->not_after = r->now + 1000;
	use_signed(r);
	assert_int_equal(logged(r, KIND_SPREAD_REGISTRY, NULL, 0), PEOPLE);
	watch(r, 999);
	r->now++;
	assert_int_equal(core_watch(r->core, r->now), ERR_UNKNOWN_KEY);
	/* the registry that retires it is spread by its next key, which all know */
	r->now--;
	key->retired = true;
	fixture_rebuild(r->f);
	use_signed(r);
	assert_int_equal(logged(r, KIND_SPREAD_REGISTRY, NULL, 0), PEOPLE);
	assert_int_equal(core_watch(r->core, r->now), ERR_UNKNOWN_KEY);
}

/* --- alarms --- */

static Warning *warned(struct rig *r, const char *to)
{
	return (Warning *)newest(r, KIND_WARN_OPERATOR, to);
}

static void unread_urgent_mail_is_told_and_stood_down(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, CONN_A, LANE_URGENT, "partner-a");
	struct conn reader = rig_conn(r, CONN_A + 1, LANE_URGENT, "intake");
	struct buf b = rig_urgent(r, "partner-a"), more = rig_urgent(r, "partner-b");
	struct conn d = rig_conn(r, CONN_A + 2, LANE_URGENT, "partner-b");
	int64_t since = r->now;
	Warning *w;

	rig_join(r, &c, 0);
	rig_join(r, &d, 0);
	rig_post(r, &c, &b);
	watch(r, 29999);
	assert_int_equal(logged(r, KIND_WARN_OPERATOR, NULL, 0), 0);
	rig_post(r, &d, &more);
	watch(r, 1);
	assert_int_equal(logged(r, KIND_WARN_OPERATOR, NULL, 0), OPERATORS);
	w = warned(r, "relay-smtp");
	assert_int_equal(w->code, WARNING_CODE__MAIL_UNREAD);
	assert_string_equal(w->about, "intake");
	assert_string_equal(w->sender, "partner-a");
	assert_int_equal(w->kind, KIND_REPORT_RISK);
	assert_int_equal(w->since_at, since);
	assert_int_equal(w->count, 2);
	assert_false(w->over);
	warning__free_unpacked(w, NULL);
	watch(r, 14 * MINUTE);
	rig_crash(r);
	watch(r, MINUTE - 1);
	assert_int_equal(logged(r, KIND_WARN_OPERATOR, NULL, 0), OPERATORS);
	watch(r, 1);
	assert_int_equal(logged(r, KIND_WARN_OPERATOR, NULL, 0), 2 * OPERATORS);
	/* one of two taken is not all: it waits as long as the other */
	rig_join(r, &reader, 0);
	rig_cursor(r, &reader, 1, NULL, 0);
	watch(r, MINUTE);
	assert_int_equal(logged(r, KIND_WARN_OPERATOR, NULL, 0), 2 * OPERATORS);
	rig_cursor(r, &reader, 2, NULL, 0);
	watch(r, 1000);
	assert_int_equal(logged(r, KIND_WARN_OPERATOR, NULL, 0), 3 * OPERATORS);
	w = warned(r, "officer-1");
	assert_true(w->over);
	assert_string_equal(w->about, "intake");
	warning__free_unpacked(w, NULL);
	watch(r, 60 * MINUTE);
	assert_int_equal(logged(r, KIND_WARN_OPERATOR, NULL, 0), 3 * OPERATORS);
	buf_free(&b);
	buf_free(&more);
}

static void there_is_no_alarm_about_alarms(void **state)
{
	struct rig *r = *state;
	struct conn urgent = rig_conn(r, CONN_A, LANE_URGENT, "urgent");
	Alert body = ALERT__INIT;
	struct buf to_officer =
		fixture_envelope(r->f, KIND_RAISE_ALERT, "urgent", "officer-1", &body.base);
	struct buf to_relay =
		fixture_envelope(r->f, KIND_RAISE_ALERT, "urgent", "relay-smtp", &body.base);

	rig_join(r, &urgent, 0);
	rig_post(r, &urgent, &to_officer); /* people come and go */
	watch(r, 10 * MINUTE);
	assert_int_equal(logged(r, KIND_WARN_OPERATOR, NULL, 0), 0);
	rig_post(r, &urgent, &to_relay);
	watch(r, 0);
	watch(r, MINUTE);
	/* to everybody but the relay that does not read */
	assert_int_equal(logged(r, KIND_WARN_OPERATOR, NULL, 0), OPERATORS - 1);
	/* the other relay does not read that either, and nobody hears of it */
	watch(r, 10 * MINUTE);
	assert_int_equal(logged(r, KIND_WARN_OPERATOR, NULL, 0), OPERATORS - 1);
	buf_free(&to_officer);
	buf_free(&to_relay);
}

static void the_end_of_the_registry_is_told_in_time(void **state)
{
	struct rig *r = *state;
	int64_t end = fixture_message(r->f)->expires_at;
	Warning *w;

	watch(r, end - 31 * DAY - r->now);
	assert_int_equal(logged(r, KIND_WARN_OPERATOR, NULL, 0), 0);
	watch(r, 2 * DAY);
	assert_int_equal(logged(r, KIND_WARN_OPERATOR, NULL, 0), OPERATORS);
	watch(r, 6 * DAY);
	assert_int_equal(logged(r, KIND_WARN_OPERATOR, NULL, 0), OPERATORS);
	watch(r, DAY);
	assert_int_equal(logged(r, KIND_WARN_OPERATOR, NULL, 0), 2 * OPERATORS);
	/* expired: at once, then daily */
	watch(r, end - r->now);
	assert_int_equal(logged(r, KIND_WARN_OPERATOR, NULL, 0), 3 * OPERATORS);
	watch(r, DAY - 1);
	assert_int_equal(logged(r, KIND_WARN_OPERATOR, NULL, 0), 3 * OPERATORS);
	watch(r, 1);
	assert_int_equal(logged(r, KIND_WARN_OPERATOR, NULL, 0), 4 * OPERATORS);
	fixture_message(r->f)->expires_at += 365 * DAY;
	fixture_rebuild(r->f);
	assert_ok(core_use_registry(r->core, fixture_registry(r->f), r->now));
	watch(r, 1000);
	assert_int_equal(logged(r, KIND_WARN_OPERATOR, NULL, 0), 5 * OPERATORS);
	w = warned(r, "director-1");
	assert_int_equal(w->code, WARNING_CODE__REGISTRY_ENDS);
	assert_true(w->over);
	warning__free_unpacked(w, NULL);
}

static int fill;

static int say_fill(struct store *s)
{
	(void)s;
	return fill;
}

static void a_disk_that_fills_is_told(void **state)
{
	/* percent, and how often everybody was told until then */
	static const struct {
		int percent, told;
	} steps[] = {{89, 0}, {90, 1}, {97, 1}, {98, 2}, {90, 2}, {85, 2}, {84, 3}, {91, 4}};
	struct rig *r = *state;
	const struct store_ops *was = r->store->ops;
	struct store_ops ops = *was;
	Warning *w;

	ops.fill_percent = say_fill;
	r->store->ops = &ops;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		fill = steps[i].percent;
		watch(r, 1000);
		assert_int_equal(
			logged(r, KIND_WARN_OPERATOR, NULL, 0), (size_t)steps[i].told * OPERATORS);
		if (!steps[i].told)
			continue;
		w = warned(r, "officer-1");
		assert_int_equal(w->code, WARNING_CODE__DISK_FILLS);
		assert_int_equal(w->over, steps[i].told == 3);
		warning__free_unpacked(w, NULL);
	}
	r->store->ops = was;
	rig_crash(r);
	r->store->ops = &ops;
	watch(r, DAY - 1);
	assert_int_equal(logged(r, KIND_WARN_OPERATOR, NULL, 0), 4 * OPERATORS);
	watch(r, 1);
	assert_int_equal(logged(r, KIND_WARN_OPERATOR, NULL, 0), 5 * OPERATORS);
	r->store->ops = was;
}

/* Of those who are told nobody has a key: it is not taken for told. */
static void an_alarm_that_nobody_hears_is_raised_again(void **state)
{
	static const char *const all[OPERATORS] = {"officer-1", "officer-2", "supervisor-1",
		"director-1", "relay-smtp", "relay-webhook"};
	struct rig *r = *state;
	struct conn c = rig_conn(r, CONN_A, LANE_URGENT, "partner-a");
	struct buf b = rig_urgent(r, "partner-a");

	for (size_t i = 0; i < OPERATORS; i++)
		fixture_principal(r->f, all[i])->keys[0]->not_after = r->now;
	fixture_rebuild(r->f);
	assert_ok(core_use_registry(r->core, fixture_registry(r->f), r->now));
	rig_commit(r);
	skip_all(r);
	rig_join(r, &c, 0);
	rig_post(r, &c, &b);
	watch(r, 30000);
	watch(r, MINUTE);
	assert_int_equal(logged(r, KIND_WARN_OPERATOR, NULL, 0), 0);
	for (size_t i = 0; i < OPERATORS; i++)
		fixture_principal(r->f, all[i])->keys[0]->not_after = 0;
	fixture_rebuild(r->f);
	assert_ok(core_use_registry(r->core, fixture_registry(r->f), r->now));
	watch(r, MINUTE);
	assert_int_equal(logged(r, KIND_WARN_OPERATOR, NULL, 0), OPERATORS);
	watch(r, 15 * MINUTE - 1);
	assert_int_equal(logged(r, KIND_WARN_OPERATOR, NULL, 0), OPERATORS);
	buf_free(&b);
}

static void a_reused_id_is_told(void **state)
{
	struct rig *r = *state;
	struct conn c = rig_conn(r, CONN_A, LANE_URGENT, "partner-a");
	uint8_t id[MSG_ID_LEN] = {0};
	struct envelope_spec spec = {.kind = KIND_REPORT_RISK, .id = id, .created_at = FIXTURE_NOW};
	RiskReport body = RISK_REPORT__INIT;
	struct buf first, second;
	Warning *w;

	be64_put(id, (uint64_t)FIXTURE_NOW << 16);
	first = fixture_envelope_of(r->f, "partner-a", "intake", &spec, &body.base);
	second = fixture_envelope_of(r->f, "partner-a", "intake", &spec, &body.base);
	rig_join(r, &c, 0);
	rig_post(r, &c, &first);
	rig_post(r, &c, &second);
	rig_post(r, &c, &second);
	rig_commit(r);
	assert_int_equal(logged(r, KIND_WARN_OPERATOR, NULL, 0), OPERATORS);
	w = warned(r, "relay-webhook");
	assert_int_equal(w->code, WARNING_CODE__ID_TWICE);
	assert_string_equal(w->about, "partner-a");
	warning__free_unpacked(w, NULL);
	buf_free(&first);
	buf_free(&second);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, own_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		T(a_suspension_takes_effect_in_its_commit),
		T(one_officer_is_not_two),
		T(nobody_displaces_a_proposal_of_another),
		T(a_proposal_of_a_suspended_officer_is_none),
		T(who_is_suspended_is_given_no_answer),
		T(an_old_act_is_refused),
		T(two_who_can_act_always_remain),
		T(a_new_registry_goes_to_everybody_once),
		T(a_key_whose_time_is_over_signs_nothing),
		T(unread_urgent_mail_is_told_and_stood_down),
		T(there_is_no_alarm_about_alarms),
		T(the_end_of_the_registry_is_told_in_time),
		T(a_disk_that_fills_is_told),
		T(an_alarm_that_nobody_hears_is_raised_again),
		T(a_reused_id_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
