/* Goal: a node asks until it is answered, refused, or out of time. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/node_env.h"

/* node_ask waits, so it has a thread and a node of its own. */
struct asking {
	struct node *node;
	int64_t within_ms;
	enum err result;
	bool answered, done;
};

static void *ask(void *arg)
{
	struct asking *a = arg;
	HoldsQuery q = HOLDS_QUERY__INIT;
	ProtobufCMessage *m = NULL;

	a->result = node_ask(a->node, KIND_ASK_HOLDS, &q.base, a->within_ms, &m);
	a->answered = m && m->descriptor == &holds_answer__descriptor;
	if (m)
		protobuf_c_message_free_unpacked(m, NULL);
	__atomic_store_n(&a->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void ask_beside(struct env *e, struct asking *a)
{
	pthread_t thread;

	a->node = open_node(e, &sender, "officer-1");
	assert_int_equal(pthread_create(&thread, NULL, ask, a), 0);
	while (!__atomic_load_n(&a->done, __ATOMIC_ACQUIRE))
		turn_all(e);
	assert_int_equal(pthread_join(thread, NULL), 0);
	node_free(&a->node);
}

static void a_question_is_answered(void **state)
{
	struct asking a = {.within_ms = PATIENCE_MS};
	struct env *e = *state;

	e->reader = open_node(e, &reader, "intake");
	UNTIL(node_connected(e->reader));
	ask_beside(e, &a);
	assert_int_equal(a.result, OK);
	assert_true(a.answered);
}

/* While nobody is there to answer, it is asked again and again. */
static void a_question_is_asked_again(void **state)
{
	struct asking a = {.within_ms = PATIENCE_MS};
	struct env *e = *state;
	pthread_t thread;

	a.node = open_node(e, &sender, "officer-1");
	assert_int_equal(pthread_create(&thread, NULL, ask, &a), 0);
	UNTIL(e->broker.queries > 0);
	e->reader = open_node(e, &reader, "intake");
	UNTIL(__atomic_load_n(&a.done, __ATOMIC_ACQUIRE));
	assert_int_equal(pthread_join(thread, NULL), 0);
	node_free(&a.node);
	assert_int_equal(a.result, OK);
	assert_true(e->broker.queries > 1);
}

static void a_question_is_refused(void **state)
{
	struct asking a = {.within_ms = PATIENCE_MS};
	struct env *e = *state;

	e->broker.refuse_queries = ERR_SUSPENDED;
	ask_beside(e, &a);
	assert_int_equal(a.result, ERR_SUSPENDED);
	assert_false(a.answered);
}

static void a_question_has_its_time(void **state)
{
	struct asking a = {.within_ms = 1500};
	struct env *e = *state;

	ask_beside(e, &a);
	assert_int_equal(a.result, ERR_TIMEOUT);
	broker_cut(&e->broker, LANE_ROUTINE);
	a = (struct asking){.within_ms = 50};
	ask_beside(e, &a);
	assert_int_equal(a.result, ERR_UNREACHABLE);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_question_is_answered),
		T(a_question_is_asked_again),
		T(a_question_is_refused),
		T(a_question_has_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
