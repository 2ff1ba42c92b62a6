/* Goal: a store that was put back handles the messages of both lanes in the order in which they
 * were handled the first time, however they come again. */
#include "services/common/engine/engine_internal.h"
#include "tests/unit/engine_rig.h"

#define assert_ok(call) assert_int_equal(call, OK)

static char heard[64]; /* the cases, in the order of the handlers */

static enum err hear(const char *case_number)
{
	strcat(heard, case_number);
	return OK;
}

static enum err on_threat(struct step *s, const ProtobufCMessage *m)
{
	(void)s;
	return hear(((const Threat *)m)->case_number);
}

static enum err on_exit_case(struct step *s, const ProtobufCMessage *m)
{
	(void)s;
	return hear(((const CaseExit *)m)->case_number);
}

static const struct route routes[] = {
	ON(SEND_THREAT, on_threat),
	ON(SEND_EXIT, on_exit_case),
	{0},
};

/* A capital comes in the urgent lane. */
struct mail {
	struct rig *r;
	struct buf bytes[16];
	struct delivery d[16];
	size_t n;
};

static void setup(struct rig *r, struct mail *m, const char *cases)
{
	static struct service svc;

	svc = *r->engine->svc;
	svc.routes = routes;
	r->engine->svc = &svc;
	*m = (struct mail){.r = r, .n = strlen(cases)};
	for (size_t i = 0; i < m->n; i++) {
		char name[2] = {cases[i], 0};
		bool urgent = name[0] < 'a';

		m->bytes[i] =
			rig_message(r, urgent ? KIND_SEND_THREAT : KIND_SEND_EXIT, "intake", name);
		m->d[i] = rig_next(r, urgent ? LANE_URGENT : LANE_ROUTINE, &m->bytes[i]);
	}
	heard[0] = 0;
}

static void done(struct mail *m)
{
	for (size_t i = 0; i < m->n; i++)
		buf_free(&m->bytes[i]);
}

/* In that order, each in a commit of its own. */
static void take(struct mail *m, const char *cases, const char *all)
{
	for (; *cases; cases++) {
		rig_begin(m->r);
		assert_ok(engine_take(m->r->engine, &m->d[strchr(all, *cases) - all]));
		rig_commit(m->r);
	}
}

/* What the broker has in hand of it: told by engine_placed, given back with the delivery. */
static void place(struct mail *m, uint64_t after)
{
	Placed **list;
	size_t n;

	assert_ok(engine_placed(m->r->engine, &list, &n));
	for (size_t i = 0; i < n; i++) {
		assert_true(list[i]->seq > after);
		for (size_t j = 0; j < m->n; j++)
			if (m->d[j].lane == LANE_URGENT && m->d[j].seq == list[i]->seq) {
				m->d[j].placed = true;
				m->d[j].routine = list[i]->routine;
			}
	}
	if (n > 0)
		engine_placed_told(m->r->engine, list[n - 1]->seq);
	free(list);
}

/* An empty store, that had done so much. */
static void put_back(struct mail *m, uint64_t urgent, uint64_t routine)
{
	struct rig *r = m->r;
	const struct service *svc = r->engine->svc;

	rig_close(r);
	rig_open(r, r->f, false);
	r->engine->svc = svc;
	r->engine->lanes[LANE_URGENT].redo = urgent;
	r->engine->lanes[LANE_ROUTINE].redo = routine;
	heard[0] = 0;
}

static void the_order_is_as_it_was(void **state)
{
	static const char all[] = "abcdABCD";
	struct mail m;

	setup(*state, &m, all);
	take(&m, "aABbcCdD", all);
	assert_string_equal(heard, "aABbcCdD");
	place(&m, 0);
	put_back(&m, 4, 4);
	take(&m, "ABCD", all);
	assert_string_equal(heard, "");
	take(&m, "abcd", all);
	assert_string_equal(heard, "aABbcCdD");
	done(&m);
}

static void it_is_told_once_and_outlives_a_crash(void **state)
{
	static const char all[] = "abABC";
	Placed **list;
	struct mail m;
	size_t n;

	setup(*state, &m, all);
	take(&m, "aA", all);
	place(&m, 0);
	take(&m, "bB", all);
	rig_crash(m.r);
	rig_begin(m.r);
	assert_ok(order_welcome(m.r->engine, 0));
	rig_commit(m.r);
	assert_ok(engine_placed(m.r->engine, &list, &n));
	assert_int_equal(n, 2);
	assert_int_equal(list[1]->seq, 2);
	assert_int_equal(list[1]->routine, 2);
	free(list);
	/* the broker has the first */
	rig_begin(m.r);
	assert_ok(order_welcome(m.r->engine, 1));
	rig_commit(m.r);
	place(&m, 1);
	assert_ok(engine_placed(m.r->engine, &list, &n));
	assert_int_equal(n, 0);
	done(&m);
}

static void none_overtakes_in_its_own_lane(void **state)
{
	static const char all[] = "abcABC";
	struct mail m;

	setup(*state, &m, all);
	take(&m, "abAB", all);
	place(&m, 0);
	m.d[4].placed = false; /* the broker was not told of B */
	put_back(&m, 2, 2);
	take(&m, "ABC", all); /* C is new */
	assert_string_equal(heard, "");
	take(&m, "abc", all);
	assert_string_equal(heard, "abABCc");
	done(&m);
}

static void what_waits_outlives_a_crash_and_goes_on_at_the_end(void **state)
{
	static const char all[] = "abAB";
	const struct service *svc;
	struct mail m;

	setup(*state, &m, all);
	m.d[2].placed = m.d[3].placed = true;
	m.d[2].routine = 1;
	m.d[3].routine = 9; /* the mailbox never comes so far */
	put_back(&m, 2, 2);
	svc = m.r->engine->svc;
	take(&m, "AB", all);
	assert_string_equal(heard, "");
	rig_crash(m.r);
	m.r->engine->svc = svc;
	m.r->engine->lanes[LANE_ROUTINE].redo = 2;
	take(&m, "ab", all);
	assert_string_equal(heard, "aAbB");
	done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(the_order_is_as_it_was),
		RIG_TEST(it_is_told_once_and_outlives_a_crash),
		RIG_TEST(none_overtakes_in_its_own_lane),
		RIG_TEST(what_waits_outlives_a_crash_and_goes_on_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
