/*
 * link_env.h - for tests of the link: one link, the broker's sockets, and what the link told.
 */
#ifndef HAVRE_TESTS_LINK_ENV_H
#define HAVRE_TESTS_LINK_ENV_H

/* cmocka.h is included before this. */

#include "services/common/node/link_lane.h"
#include "tests/unit/wire_broker.h"

#define PATIENCE_MS 30000
#define STEP_MS     20

static const uint8_t invented_id[MSG_ID_LEN] = "an invented id.";

/* Everything that the link tells, in order: "W0" welcome of lane 0, "D1:3" delivery 3 in lane 1,
 * "R" receipt, "X" refusal, "B250" busy, "Q" query, "A" answer, "L0" lane 0 lost. */
struct told {
	char text[4096];
	enum err answer; /* of every call */
	uint64_t read_up_to[LANES];
};

struct env {
	struct fixture *fixture;
	struct wire wire;
	struct config config;
	struct told told;
	struct link *link;
};

__attribute__((format(printf, 2, 3))) static inline enum err tell(
	void *arg, const char *format, ...)
{
	struct told *t = arg;
	size_t n = strlen(t->text);
	va_list args;

	va_start(args, format);
	vsnprintf(t->text + n, sizeof(t->text) - n, format, args);
	va_end(args);
	return t->answer;
}

static inline enum err on_welcome(void *arg, enum lane lane, const Welcome *w)
{
	(void)w;
	return tell(arg, "W%d ", lane);
}

static inline enum err on_delivery(void *arg, enum lane lane, const Delivery *d)
{
	return tell(arg, "D%d:%llu ", lane, (unsigned long long)d->seq);
}

static inline enum err on_receipt(void *arg, const Receipt *r)
{
	(void)r;
	return tell(arg, "R ");
}

static inline enum err on_refusal(void *arg, const Refusal *r)
{
	(void)r;
	return tell(arg, "X ");
}

static inline enum err on_busy(void *arg, const uint8_t id[16], uint32_t retry_ms)
{
	assert_memory_equal(id, invented_id, sizeof(invented_id));
	return tell(arg, "B%u ", retry_ms);
}

static inline enum err on_query(void *arg, struct slice envelope)
{
	return tell(arg, "Q%.*s ", (int)envelope.len, (const char *)envelope.data);
}

static inline enum err on_answer(void *arg, struct slice envelope)
{
	return tell(arg, "A%.*s ", (int)envelope.len, (const char *)envelope.data);
}

static inline enum err on_lost(void *arg, enum lane lane)
{
	return tell(arg, "L%d ", lane);
}

static inline enum err on_safe(void *arg, enum lane lane, uint64_t safe)
{
	(void)arg, (void)lane, (void)safe;
	return OK;
}

static inline enum err hello(void *arg, enum lane lane, Hello *ret)
{
	ret->read_up_to = ((struct told *)arg)->read_up_to[lane];
	return OK;
}

static const struct link_ops link_test_ops = {on_welcome, on_delivery, on_receipt, on_refusal,
	on_busy, on_query, on_answer, on_lost, on_safe, hello};

static inline void open_link(struct env *e)
{
	assert_int_equal(link_open(&e->config, fixture_keys(e->fixture, "intake"),
				 fixture_registry(e->fixture), &link_test_ops, &e->told, &e->link),
		OK);
}

static inline int setup(void **state)
{
	struct env *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	e->fixture = fixture_make();
	fixture_is_now(e->fixture);
	wire_open(&e->wire, fixture_keys(e->fixture, "broker"));
	wire_config(&e->wire, &e->config);
	*state = e;
	return 0;
}

static inline int teardown(void **state)
{
	struct env *e = *state;

	link_free(&e->link);
	wire_close(&e->wire);
	fixture_free(&e->fixture);
	free(e);
	return 0;
}

/* Runs the link until the broker has a frame of the lane; it must be of this sort. */
static inline Frame *expect(struct env *e, enum lane lane, Frame__WhatCase what)
{
	int64_t until = link_clock() + PATIENCE_MS;
	Frame *f;

	while (!(f = wire_take(&e->wire, lane))) {
		assert_true(link_clock() < until);
		assert_int_equal(link_run(e->link, STEP_MS, -1), OK);
	}
	assert_int_equal(f->what_case, what);
	return f;
}

static inline void expect_only(struct env *e, enum lane lane, Frame__WhatCase what)
{
	frame__free_unpacked(expect(e, lane, what), NULL);
}

/* Runs the link until it has told all this, and nothing else, since the last time. */
static inline void expect_told(struct env *e, const char *text)
{
	int64_t until = link_clock() + PATIENCE_MS;

	while (strlen(e->told.text) < strlen(text)) {
		assert_true(link_clock() < until);
		assert_int_equal(link_run(e->link, STEP_MS, -1), OK);
	}
	assert_string_equal(e->told.text, text);
	e->told.text[0] = 0;
}

static inline void connect_lane(struct env *e, enum lane lane)
{
	expect_only(e, lane, FRAME__WHAT_HELLO);
	wire_welcome(&e->wire, lane, e->told.read_up_to[lane], 0);
	expect_told(e, lane == LANE_ROUTINE ? "W0 " : "W1 ");
}

static inline void open_and_connect(struct env *e)
{
	open_link(e);
	connect_lane(e, LANE_ROUTINE);
	connect_lane(e, LANE_URGENT);
}

static inline void send_pong(struct env *e)
{
	Frame f = FRAME__INIT;
	Pong pong = PONG__INIT;

	f.what_case = FRAME__WHAT_PONG;
	f.pong = &pong;
	wire_send(&e->wire, LANE_ROUTINE, &f);
}

#endif
