/* Goal: records about a person are unreadable without their key, and questions are answered to
 * those who may ask, and change nothing. */
#include "services/common/engine/engine_internal.h"
#include "tests/unit/engine_rig.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREAT KIND_SEND_THREAT
#define CASE   "C-1"

static void locally(struct rig *r, enum err (*fn)(struct step *s, void *arg), void *arg)
{
	rig_begin(r);
	assert_int_equal(engine_local(r->engine, FIXTURE_NOW, fn, arg), OK);
	rig_commit(r);
}

static bool contains(const struct buf *b, const char *text)
{
	return memmem(b->data, b->len, text, strlen(text)) != NULL;
}

/* --- records about a person --- */

static enum err put_threat(struct step *s, void *partner)
{
	Threat t = THREAT__INIT;

	t.case_number = CASE;
	t.partner = partner;
	return case_put(s, RIG_THREATS, slice_str("key"), CASE, &t.base);
}

static enum err get_threat(struct step *s, void *partner)
{
	ProtobufCMessage *m;

	TRY(case_get(s, RIG_THREATS, slice_str("key"), CASE, &threat__descriptor, &m));
	assert_string_equal(((Threat *)m)->partner, partner);
	protobuf_c_message_free_unpacked(m, NULL);
	return OK;
}

static enum err erase(struct step *s, void *arg)
{
	(void)arg;
	return case_erase(s, CASE);
}

/* The record under another key, of another case, with a bit turned. */
static enum err move_record(struct step *s, void *arg)
{
	ProtobufCMessage *m;
	struct slice v;
	uint8_t copy[1024];
	size_t len;

	(void)arg;
	TRY(step_get(s, RIG_THREATS, slice_str("key"), &v));
	len = v.len;
	assert_true(len < sizeof(copy));
	memcpy(copy, v.data, len);
	TRY(put_threat(s, "partner-b"));
	TRY(step_put(s, RIG_THREATS, slice_str("moved"), slice_of(copy, len)));
	assert_int_equal(
		case_get(s, RIG_THREATS, slice_str("moved"), CASE, &threat__descriptor, &m),
		ERR_CORRUPT);
	TRY(step_put(s, RIG_EXITS, slice_str("key"), slice_of(copy, len)));
	assert_int_equal(case_get(s, RIG_EXITS, slice_str("key"), CASE, &threat__descriptor, &m),
		ERR_CORRUPT);
	copy[len / 2] ^= 1;
	TRY(step_put(s, RIG_THREATS, slice_str("key"), slice_of(copy, len)));
	assert_int_equal(case_get(s, RIG_THREATS, slice_str("key"), CASE, &threat__descriptor, &m),
		ERR_CORRUPT);
	copy[len / 2] ^= 1;
	return step_put(s, RIG_THREATS, slice_str("key"), slice_of(copy, len));
}

static void a_record_about_a_person_is_sealed(void **state)
{
	struct rig *r = *state;
	struct buf dump;

	locally(r, put_threat, "a-secret-partner");
	assert_int_equal(engine_read(r->engine, FIXTURE_NOW, get_threat, "a-secret-partner"), OK);
	dump = rig_dump(r);
	assert_false(contains(&dump, "a-secret-partner"));
	assert_true(contains(&dump, CASE));
	buf_free(&dump);
	locally(r, move_record, NULL);
	rig_crash(r);
	assert_int_equal(engine_read(r->engine, FIXTURE_NOW, get_threat, "a-secret-partner"), OK);
}

static enum err record_size(struct step *s, void *ret)
{
	struct slice v;

	TRY(step_get(s, RIG_THREATS, slice_str("key"), &v));
	*(size_t *)ret = v.len;
	return OK;
}

static enum err copy_record(struct step *s, void *ret)
{
	struct slice v;

	TRY(step_get(s, RIG_THREATS, slice_str("key"), &v));
	return buf_append(ret, v.data, v.len);
}

static void the_same_record_never_looks_the_same(void **state)
{
	struct buf first = {0}, second = {0};
	struct rig *r = *state;

	locally(r, put_threat, "partner-a");
	assert_int_equal(engine_read(r->engine, FIXTURE_NOW, copy_record, &first), OK);
	locally(r, put_threat, "partner-a");
	assert_int_equal(engine_read(r->engine, FIXTURE_NOW, copy_record, &second), OK);
	assert_int_equal(first.len, second.len);
	assert_memory_not_equal(first.data, second.data, 24);
	assert_memory_not_equal(first.data + 24, second.data + 24, first.len - 24);
	buf_free(&first);
	buf_free(&second);
}

/* The nonce that a step with always the same random bytes seals this text with. */
static void nonce_for(struct rig *r, const char *partner, uint8_t ret[24])
{
	struct slice v;
	struct step s;

	rig_begin(r);
	assert_int_equal(step_begin(r->engine, FIXTURE_NOW, &s), OK);
	assert_int_equal(step_seed(&s, "test", NULL, 0), OK);
	assert_int_equal(put_threat(&s, (void *)partner), OK);
	assert_int_equal(step_get(&s, RIG_THREATS, slice_str("key"), &v), OK);
	memcpy(ret, v.data, 24);
	assert_int_equal(step_end(&s, ERR_USAGE), ERR_USAGE);
	rig_commit(r);
}

/* Over a restored store, or by a newer program, a step may come to another result. */
static void a_step_done_again_with_another_text_has_another_nonce(void **state)
{
	struct rig *r = *state;
	uint8_t one[24], again[24], other[24];

	locally(r, put_threat, "partner-a");
	nonce_for(r, "partner-a", one);
	nonce_for(r, "partner-a", again);
	nonce_for(r, "partner-b", other);
	assert_memory_equal(one, again, 24);
	assert_memory_not_equal(one, other, 24);
}

static void lengths_do_not_tell(void **state)
{
	struct rig *r = *state;
	size_t small = 0, larger = 0;

	locally(r, put_threat, "a");
	assert_int_equal(engine_read(r->engine, FIXTURE_NOW, record_size, &small), OK);
	locally(r, put_threat, "a much longer text than that, and still of the same size");
	assert_int_equal(engine_read(r->engine, FIXTURE_NOW, record_size, &larger), OK);
	assert_int_equal(small, larger);
	assert_int_equal(small, 24 + 256 + 16);
}

static void an_erased_case_is_unreadable(void **state)
{
	struct rig *r = *state;
	size_t size = 0;

	locally(r, put_threat, "partner-a");
	locally(r, erase, NULL);
	assert_int_equal(
		engine_read(r->engine, FIXTURE_NOW, get_threat, "partner-a"), ERR_NOT_FOUND);
	assert_int_equal(engine_read(r->engine, FIXTURE_NOW, record_size, &size), OK);
	locally(r, erase, NULL); /* again: nothing to do */
	locally(r, put_threat, "partner-b");
	assert_int_equal(engine_read(r->engine, FIXTURE_NOW, get_threat, "partner-b"), OK);
}

static enum err blind(struct step *s, void *ret)
{
	uint8_t(*t)[32] = ret;

	step_blind(s, "purpose", slice_str("input"), t[0]);
	step_blind(s, "purpose", slice_str("input"), t[1]);
	step_blind(s, "purposei", slice_str("nput"), t[2]);
	step_blind(s, "other", slice_str("input"), t[3]);
	return OK;
}

static void blind_tokens_are_stable_and_apart(void **state)
{
	struct rig *r = *state;
	uint8_t t[4][32];

	assert_int_equal(engine_read(r->engine, FIXTURE_NOW, blind, t), OK);
	assert_memory_equal(t[0], t[1], 32);
	assert_memory_not_equal(t[0], t[2], 32);
	assert_memory_not_equal(t[0], t[3], 32);
}

/* --- questions --- */

/* The officer's side: an engine of its own. */
struct officer {
	struct store *store;
	struct engine *engine;
};

static void officer_open(struct rig *r, const char *name, struct officer *ret)
{
	static const struct service officer = {.name = "officer"};
	struct store_layout layout;

	assert_int_equal(engine_layout(&officer, &layout), OK);
	assert_int_equal(store_open_memory(&layout, &ret->store), OK);
	free((void *)layout.tables);
	assert_int_equal(engine_open(&officer, NULL, ret->store, fixture_keys(r->f, name),
				 fixture_registry(r->f), &ret->engine),
		OK);
}

static void officer_close(struct officer *o)
{
	engine_free(&o->engine);
	store_free(&o->store);
}

static struct buf ask(struct officer *o, bool wrongly, uint8_t id[MSG_ID_LEN])
{
	AlertsQuery q = ALERTS_QUERY__INIT;
	struct buf b = {0};

	q.answered_too = wrongly;
	assert_int_equal(engine_ask(o->engine, KIND_ASK_ALERTS, &q.base, FIXTURE_NOW, id, &b), OK);
	return b;
}

static void a_question_is_answered(void **state)
{
	struct rig *r = *state;
	uint8_t id[MSG_ID_LEN], other_id[MSG_ID_LEN] = {0};
	struct buf question, answer = {0}, before, after;
	struct officer o, other;
	ProtobufCMessage *m;
	enum kind kind;

	rig_do(r, THREAT, "intake", CASE);
	officer_open(r, "officer-1", &o);
	officer_open(r, "officer-2", &other);
	question = ask(&o, false, id);
	before = rig_dump(r);
	assert_int_equal(
		engine_answer(r->engine, slice_buf(&question), FIXTURE_NOW + 60000, &answer), OK);
	after = rig_dump(r);
	assert_true(rig_same(&before, &after));
	assert_int_equal(
		engine_open_answer(o.engine, id, slice_buf(&answer), FIXTURE_NOW, &kind, &m), OK);
	assert_int_equal(kind, KIND_TELL_ALERTS);
	assert_int_equal(((AlertsAnswer *)m)->n_alerts, 1);
	assert_string_equal(((AlertsAnswer *)m)->alerts[0]->case_number, CASE);
	protobuf_c_message_free_unpacked(m, NULL);
	assert_int_equal(
		engine_open_answer(o.engine, other_id, slice_buf(&answer), FIXTURE_NOW, &kind, &m),
		ERR_NOT_ASKED);
	assert_int_equal(
		engine_open_answer(other.engine, id, slice_buf(&answer), FIXTURE_NOW, &kind, &m),
		ERR_NOT_FOR_ME);
	answer.data[answer.len - 1] ^= 1;
	assert_int_not_equal(
		engine_open_answer(o.engine, id, slice_buf(&answer), FIXTURE_NOW, &kind, &m), OK);
	buf_free(&question);
	buf_free(&answer);
	buf_free(&before);
	buf_free(&after);
	officer_close(&o);
	officer_close(&other);
}

static void some_questions_are_refused(void **state)
{
	struct rig *r = *state;
	uint8_t id[MSG_ID_LEN];
	AlertsQuery q = ALERTS_QUERY__INIT;
	CaseQuery elsewhere = CASE_QUERY__INIT;
	struct buf question, out = {0};
	struct officer o;

	officer_open(r, "officer-1", &o);
	question = ask(&o, false, id);
	assert_int_equal(engine_answer(r->engine, slice_buf(&question), FIXTURE_NOW + 120001, &out),
		ERR_TIMEOUT);
	assert_int_equal(engine_answer(r->engine, slice_buf(&question), FIXTURE_NOW - 120001, &out),
		ERR_TIMEOUT);
	buf_free(&question);
	question = rig_message(r, THREAT, "intake", CASE); /* not a question */
	assert_int_equal(engine_answer(r->engine, slice_buf(&question), FIXTURE_NOW, &out),
		ERR_NOT_PERMITTED);
	buf_free(&question);
	question = fixture_envelope(r->f, KIND_ASK_ALERTS, "partner-a", "urgent", &q.base);
	assert_int_equal(engine_answer(r->engine, slice_buf(&question), FIXTURE_NOW, &out),
		ERR_NOT_PERMITTED);
	buf_free(&question);
	question = fixture_envelope(r->f, KIND_ASK_CASE, "officer-1", "screening", &elsewhere.base);
	assert_int_equal(
		engine_answer(r->engine, slice_buf(&question), FIXTURE_NOW, &out), ERR_NOT_FOR_ME);
	buf_free(&question);
	assert_null(out.data);
	officer_close(&o);
}

/* In a process of its own, which it ends. */
static void a_question_that_writes_ends_the_process(void **state)
{
	struct rig *r = *state;
	uint8_t id[MSG_ID_LEN];
	struct buf question, out = {0};
	struct officer o;
	int status = 0;
	pid_t pid;

	officer_open(r, "officer-1", &o);
	question = ask(&o, true, id);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		(void)!freopen("/dev/null", "w", stderr);
		_exit(engine_answer(r->engine, slice_buf(&question), FIXTURE_NOW, &out) == OK);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	buf_free(&question);
	officer_close(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(a_record_about_a_person_is_sealed),
		RIG_TEST(a_step_done_again_with_another_text_has_another_nonce),
		RIG_TEST(lengths_do_not_tell),
		RIG_TEST(the_same_record_never_looks_the_same),
		RIG_TEST(an_erased_case_is_unreadable),
		RIG_TEST(blind_tokens_are_stable_and_apart),
		RIG_TEST(a_question_is_answered),
		RIG_TEST(some_questions_are_refused),
		RIG_TEST(a_question_that_writes_ends_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
