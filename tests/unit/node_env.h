/*
 * node_env.h - for tests of nodes: homes in a folder of their own, the broker in steps, and two
 * services made up for the tests: partner-a sends, intake counts.
 */
#ifndef HAVRE_TESTS_NODE_ENV_H
#define HAVRE_TESTS_NODE_ENV_H

/* cmocka.h is included before this. */

#include <ftw.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>

#include "proto/case.pb-c.h"
#include "proto/referral.pb-c.h"
#include "services/common/base/file.h"
#include "services/common/node/link.h"
#include "services/common/node/node.h"
#include "services/common/trust/registry_check.h"
#include "tests/unit/step_broker.h"

#define PATIENCE_MS 60000
#define STEP_MS     10

enum { SENT, STARTS };
enum { SEEN, TICKS };

/* --- two services, made up for this test: partner-a sends, intake counts --- */

static inline enum err count_start(struct step *s)
{
	uint64_t n = 0;
	uint8_t key[8];

	TRY(step_count(s, STARTS, &n));
	be64_put(key, n);
	return step_put(s, STARTS, slice_of(key, 8), slice_str("x"));
}

static inline enum err on_posted(struct step *s, const uint8_t id[MSG_ID_LEN], enum kind kind,
	struct slice envelope, const Receipt *receipt, enum err refused)
{
	(void)kind, (void)envelope, (void)refused;
	return step_put(s, SENT, slice_of(id, MSG_ID_LEN), slice_str(receipt ? "yes" : "no"));
}

static const char *const sender_tables[] = {"sent", "starts", NULL};
static const struct service sender = {
	.name = "sender",
	.program = PROGRAM_CLIENT,
	.tables = sender_tables,
	.on_posted = on_posted,
	.on_start = count_start,
};

/* The message "tick" sets a timer that is due at once, "tock" one that is due a little later;
 * "fail" is a failure of the disk. */
static inline enum err on_withdraw(struct step *s, const ProtobufCMessage *m)
{
	const Withdrawal *w = (const Withdrawal *)m;

	if (strcmp(w->case_number, "fail") == 0)
		return ERR_IO;
	if (strcmp(w->case_number, "stale") == 0)
		return ERR_STALE;
	if (strcmp(w->case_number, "tick") == 0)
		TRY(step_timer_set(s, "tick", slice_str("t"), step_now(s)));
	if (strcmp(w->case_number, "tock") == 0)
		TRY(step_timer_set(s, "tick", slice_str("t"), step_now(s) + 50));
	return step_put(s, SEEN, slice_of(step_cause(s), MSG_ID_LEN), slice_str(w->case_number));
}

static inline enum err on_tick(struct step *s, struct slice key)
{
	return step_put(s, TICKS, key, slice_str("x"));
}

static inline enum err on_ask(
	struct step *s, const ProtobufCMessage *question, ProtobufCMessage **ret_answer)
{
	HoldsAnswer *a = calloc(1, sizeof(*a));

	(void)s, (void)question;
	if (!a)
		return ERR_NOMEM;
	holds_answer__init(a);
	*ret_answer = &a->base;
	return OK;
}

static const char *const reader_tables[] = {"seen", "ticks", NULL};
static const struct route routes[] = {ON(WITHDRAW_REFERRAL, on_withdraw), {0}};
static const struct query_route queries[] = {ON_QUERY(ASK_HOLDS, TELL_HOLDS, on_ask), {0}};
static const struct timer_route timers[] = {{"tick", on_tick}, {0}};
static const struct service reader = {
	.name = "reader",
	.program = PROGRAM_INTAKE,
	.tables = reader_tables,
	.routes = routes,
	.queries = queries,
	.timers = timers,
};

/* --- homes and nodes --- */

struct env {
	struct fixture *fixture;
	bool with_broker;
	struct step_broker broker;
	char folder[64];
	uint8_t root_seed[SIGN_SEED_LEN];
	struct node *sender, *reader;
};

static inline void path_of(const struct env *e, const char *who, const char *file, char ret[160])
{
	snprintf(ret, 160, "%s/%s/%s", e->folder, who, file);
}

static inline void write_text(
	const struct env *e, const char *who, const char *file, const char *text)
{
	char path[160];

	path_of(e, who, file, path);
	assert_int_equal(file_replace(path, slice_str(text), 0600), OK);
}

/* The registry of the fixture as it is now, signed, in somebody's home. */
static inline void write_registry(const struct env *e, const char *who)
{
	uint8_t *root = fixture_message(e->fixture)->root_keys[0].data, signature[SIG_LEN];
	SignedRegistry s = SIGNED_REGISTRY__INIT;
	RootSignature one = ROOT_SIGNATURE__INIT, *list[] = {&one};
	struct buf inner = {0}, outer = {0};
	char path[160];

	assert_int_equal(strict_pack(&fixture_message(e->fixture)->base, &inner), OK);
	assert_int_equal(registry_sign_bytes(slice_buf(&inner), e->root_seed, signature), OK);
	one.root_key = (ProtobufCBinaryData){SIGN_PK_LEN, root};
	one.signature = (ProtobufCBinaryData){SIG_LEN, signature};
	s.registry = (ProtobufCBinaryData){inner.len, inner.data};
	s.n_signatures = 1;
	s.signatures = list;
	assert_int_equal(strict_pack(&s.base, &outer), OK);
	path_of(e, who, "registry", path);
	assert_int_equal(file_replace(path, slice_buf(&outer), 0600), OK);
	buf_free(&inner);
	buf_free(&outer);
}

static inline void configure(const struct env *e, const char *who, int in_flight)
{
	char text[512];

	snprintf(text, sizeof(text),
		"[havre]\nstore_mib = 16\n[broker]\nroutine = %s\nurgent = %s\n"
		"[link]\ncredit = 1\nin_flight = %d\nheartbeat = 1\n",
		e->broker.endpoints[LANE_ROUTINE], e->broker.endpoints[LANE_URGENT], in_flight);
	write_text(e, who, "havre.conf", text);
}

static inline void make_home(const struct env *e, const char *who)
{
	char path[160], hex[2 * SIGN_PK_LEN + 1], text[512];

	path_of(e, who, "", path);
	assert_int_equal(mkdir(path, 0700), 0);
	path_of(e, who, "key", path);
	assert_int_equal(keyring_save(fixture_keys(e->fixture, who), path, (struct slice){0}), OK);
	hex_encode(hex, fixture_message(e->fixture)->root_keys[0].data, SIGN_PK_LEN);
	snprintf(text, sizeof(text), "{\"threshold\": 1, \"keys\": [\"%s\"]}", hex);
	write_text(e, who, "root.json", text);
	configure(e, who, 2);
	write_registry(e, who);
}

static inline enum err try_open(const struct env *e, const struct service *svc, const char *who,
	enum lang lang, FILE *errors, struct node **ret)
{
	struct node_options o = {.lang = lang, .errors = errors};
	char home[160];

	path_of(e, who, "", home);
	o.home = home;
	return node_open(svc, &o, ret);
}

static inline struct node *open_node(
	const struct env *e, const struct service *svc, const char *who)
{
	struct node *n = NULL;

	assert_int_equal(try_open(e, svc, who, LANG_EN, stderr, &n), OK);
	return n;
}

static inline void env_open(struct env *e)
{
	Registry *r;
	uint8_t pk[SIGN_PK_LEN], sk[64];

	e->fixture = fixture_make();
	r = fixture_message(e->fixture);
	r->expires_at = broker_now() + INT64_C(365) * 24 * 3600 * 1000;
	for (size_t i = 0; i < r->n_principals; i++) {
		r->principals[i]->not_before = 0;
		r->principals[i]->keys[0]->not_before = 0;
	}
	memset(e->root_seed, 7, sizeof(e->root_seed));
	assert_int_equal(crypto_sign_ed25519_seed_keypair(pk, sk, e->root_seed), 0);
	memcpy(r->root_keys[0].data, pk, SIGN_PK_LEN);
	fixture_rebuild(e->fixture);
	if (e->with_broker)
		broker_open(&e->broker, e->fixture);
	snprintf(e->folder, sizeof(e->folder), "/tmp/test_node.XXXXXX");
	assert_non_null(mkdtemp(e->folder));
	make_home(e, "partner-a");
	make_home(e, "intake");
	make_home(e, "officer-1");
}

static inline int setup(void **state)
{
	struct env *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	e->with_broker = true;
	env_open(e);
	*state = e;
	return 0;
}

/* For programs that are forked off: nothing listens, and this process stays of one thread. */
static inline int setup_alone(void **state)
{
	struct env *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	for (int i = 0; i < LANES; i++)
		snprintf(e->broker.endpoints[i], sizeof(e->broker.endpoints[i]),
			"tcp://127.0.0.1:9");
	env_open(e);
	*state = e;
	return 0;
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline int teardown(void **state)
{
	struct env *e = *state;

	node_free(&e->sender);
	node_free(&e->reader);
	if (e->with_broker)
		broker_close(&e->broker);
	fixture_free(&e->fixture);
	assert_int_equal(nftw(e->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	free(e);
	return 0;
}

static inline void open_both(struct env *e)
{
	e->sender = open_node(e, &sender, "partner-a");
	e->reader = open_node(e, &reader, "intake");
}

/* --- waiting for conditions --- */

static inline void turn_all(struct env *e)
{
	if (e->sender)
		assert_int_equal(node_turn(e->sender, STEP_MS), OK);
	if (e->reader)
		assert_int_equal(node_turn(e->reader, STEP_MS), OK);
	broker_step(&e->broker);
}

#define UNTIL(condition)                                                                           \
	do {                                                                                       \
		int64_t until_ = link_clock() + PATIENCE_MS;                                       \
		while (!(condition)) {                                                             \
			assert_true(link_clock() < until_);                                        \
			turn_all(e);                                                               \
		}                                                                                  \
	} while (0)

struct counting {
	int table;
	uint64_t n;
};

static inline enum err count(struct step *s, void *arg)
{
	struct counting *c = arg;

	return step_count(s, c->table, &c->n);
}

static inline uint64_t counted(struct node *n, int table)
{
	struct counting c = {.table = table};

	assert_int_equal(node_read(n, count, &c), OK);
	return c.n;
}

static inline enum err send_one(struct step *s, void *case_number)
{
	Withdrawal w = WITHDRAWAL__INIT;

	w.case_number = case_number;
	return step_send_service(s, KIND_WITHDRAW_REFERRAL, &w.base);
}

static inline void send_some(struct node *n, int times, const char *case_number)
{
	for (int i = 0; i < times; i++)
		assert_int_equal(node_local(n, send_one, (void *)case_number), OK);
}

#endif
