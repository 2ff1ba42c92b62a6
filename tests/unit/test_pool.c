/* Goal: jobs come back from the verifying threads in the order in which they were given, lane by
 * lane, urgent first; the pool is bounded; a registry is replaced while threads read it. */
#include "tests/unit/broker_rig.h"

#include <poll.h>

#include "broker/pool.h"

#define JOBS 200

struct pooled {
	struct fixture *f;
	struct who *who;
	struct pool *pool;
	struct rig rig; /* for its helpers only */
};

/* An unsigned copy, since the fixture keeps its own. */
static struct registry *copy_registry(struct fixture *f)
{
	struct registry *r;

	assert_ok(registry_from_message(fixture_message(f), &r));
	return r;
}

static void open_pool(struct pooled *p, unsigned threads, size_t most)
{
	pool_free(&p->pool);
	assert_ok(pool_open(p->who, threads, most, &p->pool));
}

static int setup(void **state)
{
	struct pooled *p = calloc(1, sizeof *p);
	struct registry *r;

	assert_non_null(p);
	p->f = p->rig.f = fixture_make();
	r = copy_registry(p->f);
	assert_ok(who_open(&r, &p->who));
	assert_null(r);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct pooled *p = *state;

	pool_free(&p->pool);
	who_free(&p->who);
	fixture_free(&p->f);
	free(p);
	return 0;
}

/* A job of which the connection's number is the order in its lane. */
static struct job *make_job(struct pooled *p, uint64_t number, enum lane lane)
{
	struct job *j = calloc(1, sizeof *j);
	struct buf b = lane == LANE_URGENT ? rig_urgent(&p->rig, "partner-a")
					   : rig_routine(&p->rig, "partner-a");
	Post *post = calloc(1, sizeof *post);

	assert_non_null(j);
	assert_non_null(post);
	j->from = rig_conn(&p->rig, number, lane, "partner-a");
	j->at = FIXTURE_NOW;
	j->frame = calloc(1, sizeof *j->frame);
	assert_non_null(j->frame);
	frame__init(j->frame);
	post__init(post);
	post->envelope = (ProtobufCBinaryData){b.len, b.data};
	j->frame->what_case = FRAME__WHAT_POST;
	j->frame->post = post;
	j->envelope = slice_buf(&b);
	return j;
}

static void give(struct pooled *p, uint64_t number, enum lane lane)
{
	struct job *j = make_job(p, number, lane);

	assert_ok(pool_give(p->pool, &j));
	assert_null(j);
}

/* Waits on the descriptor, as the front does. */
static struct job *take(struct pooled *p)
{
	struct pollfd fd = {.fd = pool_fd(p->pool), .events = POLLIN};
	struct job *j;

	while (!(j = pool_take(p->pool)))
		assert_int_equal(poll(&fd, 1, 60000), 1);
	return j;
}

static void jobs_come_back_in_order(void **state)
{
	struct pooled *p = *state;
	uint64_t next[LANES] = {1, 1};

	open_pool(p, 4, JOBS);
	for (uint64_t i = 1; i <= JOBS; i++)
		give(p, i, i % 3 ? LANE_ROUTINE : LANE_URGENT);
	next[LANE_URGENT] = 3;
	for (uint64_t i = 1; i <= JOBS; i++) {
		struct job *j = take(p);
		uint64_t *expected = &next[j->from.lane];

		assert_ok(j->verdict.err);
		assert_int_equal(j->from.id, *expected);
		*expected += j->from.lane == LANE_URGENT ? 3 : *expected % 3 == 2 ? 2 : 1;
		job_free(&j);
	}
	assert_null(pool_take(p->pool));
}

static void expect(struct pooled *p, uint64_t number, enum lane lane)
{
	struct job *j = pool_take(p->pool);

	assert_non_null(j);
	assert_int_equal(j->from.lane, lane);
	assert_int_equal(j->from.id, number);
	job_free(&j);
}

static void urgent_overtakes_on_the_way_in(void **state)
{
	struct pooled *p = *state;

	open_pool(p, 0, JOBS);
	give(p, 1, LANE_ROUTINE);
	give(p, 2, LANE_ROUTINE);
	give(p, 1, LANE_URGENT);
	assert_null(pool_take(p->pool)); /* nobody has judged */
	assert_true(pool_work(p->pool));
	expect(p, 1, LANE_URGENT);
	assert_null(pool_take(p->pool));
	assert_true(pool_work(p->pool));
	expect(p, 1, LANE_ROUTINE);
	assert_true(pool_work(p->pool));
	assert_false(pool_work(p->pool));
	expect(p, 2, LANE_ROUTINE);
}

static void urgent_overtakes_on_the_way_out(void **state)
{
	struct pooled *p = *state;

	open_pool(p, 0, JOBS);
	give(p, 1, LANE_ROUTINE);
	assert_true(pool_work(p->pool));
	give(p, 1, LANE_URGENT);
	assert_true(pool_work(p->pool));
	expect(p, 1, LANE_URGENT);
	expect(p, 1, LANE_ROUTINE);
}

static void a_full_lane_does_not_stop_the_other(void **state)
{
	struct pooled *p = *state;
	struct job *j;

	open_pool(p, 0, 2);
	give(p, 1, LANE_ROUTINE);
	give(p, 2, LANE_ROUTINE);
	j = make_job(p, 3, LANE_ROUTINE);
	assert_int_equal(pool_give(p->pool, &j), ERR_BUSY);
	assert_non_null(j);
	job_free(&j);
	give(p, 1, LANE_URGENT);
}

static void a_receipt_is_judged_with_its_envelope(void **state)
{
	struct pooled *p = *state;
	struct job *j = make_job(p, 1, LANE_ROUTINE);

	open_pool(p, 0, 2);
	j->broker = "broker";
	j->receipt = j->frame->post->receipt = fixture_receipt(p->f, j->envelope, FIXTURE_NOW);
	assert_ok(pool_give(p->pool, &j));
	assert_true(pool_work(p->pool));
	j = pool_take(p->pool);
	assert_ok(j->verdict.err);
	assert_true(j->verdict.receipt_good);
	job_free(&j);
}

static void the_registry_changes_under_the_threads(void **state)
{
	struct pooled *p = *state;
	uint64_t last = 0;

	open_pool(p, 4, JOBS);
	for (uint64_t i = 1; i <= JOBS; i++) {
		give(p, i, LANE_ROUTINE);
		if (i % 20 == 0) {
			struct registry *r;

			fixture_message(p->f)->version++;
			r = copy_registry(p->f);
			who_replace(p->who, &r);
			assert_null(r);
		}
	}
	for (uint64_t i = 1; i <= JOBS; i++) {
		struct job *j = take(p);

		assert_ok(j->verdict.err);
		last = j->verdict.generation >> 32;
		job_free(&j);
	}
	assert_in_range(last, 1, 1 + JOBS / 20);
	assert_int_equal(registry_message(who_now(p->who))->version, 1 + JOBS / 20);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(jobs_come_back_in_order),
		T(urgent_overtakes_on_the_way_in),
		T(urgent_overtakes_on_the_way_out),
		T(a_full_lane_does_not_stop_the_other),
		T(a_receipt_is_judged_with_its_envelope),
		T(the_registry_changes_under_the_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
