#include "tests/unit/engine_rig.h"

#include <stdio.h>
#include <unistd.h>

#include "services/common/keys/bucket_files.h"

static uint64_t number(struct step *s, int table, struct slice key)
{
	struct slice v;

	return step_get(s, table, key, &v) == OK ? be64_get(v.data) : 0;
}

static enum err put_number(struct step *s, int table, struct slice key, uint64_t n)
{
	uint8_t v[8];

	be64_put(v, n);
	return step_put(s, table, key, slice_of(v, sizeof(v)));
}

/* The plan's wish, after everything else was done. */
static enum err finish(struct step *s, enum kind kind, const char *case_number)
{
	struct rig_plan *plan = (struct rig_plan *)step_context(s);

	if ((plan->fail_in && plan->fail_in != kind) || !plan->fail_case ||
		strcmp(plan->fail_case, case_number) != 0)
		return OK;
	plan->handled++;
	return plan->fail;
}

static enum err alert(struct step *s, const char *case_number)
{
	Alert a = ALERT__INIT;
	uint8_t delivery[16];

	step_random(s, delivery, sizeof(delivery));
	a.case_number = (char *)case_number;
	a.delivery = (ProtobufCBinaryData){sizeof(delivery), delivery};
	a.raised_at = step_now(s);
	return step_send(s, KIND_RAISE_ALERT, "officer-1", &a.base);
}

static enum err on_threat(struct step *s, const ProtobufCMessage *m)
{
	const Threat *t = (const Threat *)m;
	struct slice key = slice_str(t->case_number);
	Outcome o = OUTCOME__INIT;

	TRY(put_number(s, RIG_HANDLED, key, number(s, RIG_HANDLED, key) + 1));
	TRY(case_put(s, RIG_THREATS, key, t->case_number, m));
	TRY(step_timer_set(s, "remind", key, step_now(s) + REMIND_AFTER));
	o.case_number = t->case_number;
	o.partner = t->partner;
	o.at = step_now(s);
	TRY(step_send_service(s, KIND_REPORT_OUTCOME, &o.base));
	return finish(s, KIND_SEND_THREAT, t->case_number);
}

static enum err on_exit_case(struct step *s, const ProtobufCMessage *m)
{
	const CaseExit *x = (const CaseExit *)m;
	struct slice key = slice_str(x->case_number);

	if (!number(s, RIG_HANDLED, key))
		return step_wait(s, RIG_HANDLED, key);
	TRY(put_number(s, RIG_EXITS, key, number(s, RIG_EXITS, key) + 1));
	TRY(alert(s, x->case_number));
	return finish(s, KIND_SEND_EXIT, x->case_number);
}

static enum err on_ack(struct step *s, const ProtobufCMessage *m)
{
	const AlertAck *a = (const AlertAck *)m;
	struct slice key = slice_str(a->case_number);

	if (!number(s, RIG_EXITS, key))
		return step_wait(s, RIG_EXITS, key);
	TRY(put_number(s, RIG_ACKED, key, number(s, RIG_ACKED, key) + 1));
	TRY(case_erase(s, a->case_number));
	return finish(s, KIND_ACKNOWLEDGE_ALERT, a->case_number);
}

static enum err add_entry(void *arg, struct slice key, struct slice value)
{
	AlertsAnswer *a = arg;
	AlertEntry *entry = malloc(sizeof(AlertEntry));

	(void)value;
	alert_entry__init(entry);
	entry->case_number = strndup((const char *)key.data, key.len);
	a->alerts = realloc(a->alerts, (a->n_alerts + 1) * sizeof(AlertEntry *));
	a->alerts[a->n_alerts++] = entry;
	return OK;
}

static enum err on_ask(struct step *s, const ProtobufCMessage *m, ProtobufCMessage **ret)
{
	AlertsAnswer *a = malloc(sizeof(*a));

	alerts_answer__init(a);
	*ret = &a->base;
	if (((const AlertsQuery *)m)->answered_too)
		return put_number(s, RIG_HANDLED, slice_str("a query must not write"), 1);
	return step_each(s, RIG_HANDLED, (struct slice){0}, add_entry, a);
}

static enum err on_remind(struct step *s, struct slice key)
{
	char case_number[32] = {0};

	memcpy(case_number, key.data, key.len < 31 ? key.len : 31);
	TRY(put_number(s, RIG_REMINDED, key, (uint64_t)step_now(s)));
	TRY(alert(s, case_number));
	return finish(s, KIND_RAISE_ALERT, case_number);
}

static enum err on_posted(struct step *s, const uint8_t id[MSG_ID_LEN], enum kind kind,
	struct slice envelope, const Receipt *receipt, enum err refused)
{
	struct envelope env;

	assert_true((receipt != NULL) == (refused == OK));
	assert_int_equal(envelope_parse(envelope, &env), OK);
	assert_int_equal(env.row->kind, kind);
	assert_memory_equal(env.header->id.data, id, MSG_ID_LEN);
	envelope_free(&env);
	TRY(put_number(s, RIG_POSTED, slice_of(id, MSG_ID_LEN), 1000 + (uint64_t)refused));
	return finish(s, kind, "posted");
}

static const char *const tables[] = {
	"handled", "threats", "exits", "reminded", "posted", "acked", NULL};
static const struct route routes[] = {
	ON(SEND_THREAT, on_threat),
	ON(SEND_EXIT, on_exit_case),
	ON(ACKNOWLEDGE_ALERT, on_ack),
	{0},
};
static const struct query_route queries[] = {ON_QUERY(ASK_ALERTS, TELL_ALERTS, on_ask), {0}};
static const struct timer_route timers[] = {{"remind", on_remind}, {0}};

const struct service rig_service = {
	.name = "urgent",
	.tables = tables,
	.routes = routes,
	.queries = queries,
	.timers = timers,
	.on_posted = on_posted,
};
const struct service rig_service_silent = {
	.name = "urgent", .tables = tables, .routes = routes, .timers = timers};

/* No secret: two stores are to be the same byte for byte. */
static void same_key(struct bucket_files *f, const char *name, uint64_t generation, uint8_t ret[32])
{
	(void)f;
	memset(ret, 0, 32);
	snprintf((char *)ret, 32, "%s %u", name, (unsigned)generation);
}

static void use_buckets(struct rig *r)
{
	static struct bucket_files_ops ops[2];
	struct bucket_files *buckets = NULL;
	bool lmdb = r->folder[0];

	assert_int_equal(lmdb ? bucket_files_open(r->folder, false, &buckets)
			      : bucket_files_memory(&buckets),
		OK);
	ops[lmdb] = *buckets->ops;
	ops[lmdb].fresh = same_key;
	buckets->ops = &ops[lmdb];
	store_use_buckets(r->store, &buckets);
}

static void open_engine(struct rig *r)
{
	struct store_layout layout;
	char path[64];

	if (!r->store) {
		snprintf(path, sizeof(path), "%s/store", r->folder);
		assert_int_equal(engine_layout(&rig_service, &layout), OK);
		if (r->folder[0])
			assert_int_equal(
				store_open_lmdb(path, &layout, (size_t)16 << 20, &r->store), OK);
		else
			assert_int_equal(store_open_memory(&layout, &r->store), OK);
		free((void *)layout.tables);
		use_buckets(r);
	}
	assert_int_equal(engine_open(&rig_service, &r->plan, r->store, fixture_keys(r->f, "urgent"),
				 fixture_registry(r->f), &r->engine),
		OK);
}

void rig_open(struct rig *r, struct fixture *f, bool lmdb)
{
	*r = (struct rig){.f = f, .index = 100};
	if (lmdb) {
		snprintf(r->folder, sizeof(r->folder), "/tmp/havre-engine-XXXXXX");
		assert_non_null(mkdtemp(r->folder));
	}
	open_engine(r);
}

void rig_close(struct rig *r)
{
	char command[64];

	engine_free(&r->engine);
	store_free(&r->store);
	if (!r->folder[0])
		return;
	snprintf(command, sizeof(command), "rm -r %s", r->folder);
	assert_int_equal(system(command), 0);
}

int rig_setup(void **state)
{
	static struct rig r;

	rig_open(&r, fixture_make(), false);
	*state = &r;
	return 0;
}

int rig_teardown(void **state)
{
	struct rig *r = *state;
	struct fixture *f = r->f;

	rig_close(r);
	fixture_free(&f);
	return 0;
}

void rig_crash(struct rig *r)
{
	engine_free(&r->engine);
	if (r->folder[0])
		store_free(&r->store);
	else
		store_memory_crash(r->store);
	open_engine(r);
	for (int i = 0; i < LANES; i++)
		r->seq[i] = engine_cursor(r->engine, (enum lane)i);
}

void rig_begin(struct rig *r)
{
	assert_int_equal(engine_begin(r->engine), OK);
}

void rig_commit(struct rig *r)
{
	assert_int_equal(engine_commit(r->engine), OK);
}

struct buf rig_message(struct rig *r, enum kind kind, const char *from, const char *case_number)
{
	Threat threat = THREAT__INIT;
	CaseExit exit_case = CASE_EXIT__INIT;
	AlertAck ack = ALERT_ACK__INIT;

	threat.case_number = exit_case.case_number = ack.case_number = (char *)case_number;
	threat.partner = "partner-a";
	exit_case.event = EVENT__WITHDRAW_CASE;
	switch (kind) {
	case KIND_SEND_THREAT:
		return fixture_envelope(r->f, kind, from, "urgent", &threat.base);
	case KIND_SEND_EXIT:
		return fixture_envelope(r->f, kind, from, "urgent", &exit_case.base);
	case KIND_ACKNOWLEDGE_ALERT:
		return fixture_envelope(r->f, kind, from, "urgent", &ack.base);
	default:
		fail_msg("the rig does not know kind %d", kind);
	}
	return (struct buf){0};
}

struct delivery rig_next(struct rig *r, enum lane lane, struct buf *envelope)
{
	r->index++;
	return (struct delivery){
		.lane = lane,
		.seq = ++r->seq[lane],
		.index = r->index,
		.received_at = FIXTURE_NOW + (int64_t)r->index,
		.envelope = slice_buf(envelope),
	};
}

enum err rig_take(struct rig *r, enum kind kind, const char *from, const char *case_number)
{
	struct buf b = rig_message(r, kind, from, case_number);
	struct delivery d = rig_next(r, catalogue_find(kind)->lane, &b);
	enum err e = engine_take(r->engine, &d);

	buf_free(&b);
	return e;
}

void rig_do(struct rig *r, enum kind kind, const char *from, const char *case_number)
{
	rig_begin(r);
	assert_int_equal(rig_take(r, kind, from, case_number), OK);
	rig_commit(r);
}

struct look {
	enum rig_table table;
	struct slice key;
	uint64_t number;
};

static enum err look(struct step *s, void *arg)
{
	struct look *l = arg;

	l->number = number(s, l->table, l->key);
	return OK;
}

uint64_t rig_number(struct rig *r, enum rig_table table, const char *case_number)
{
	struct look l = {table, slice_str(case_number), 0};

	assert_int_equal(engine_read(r->engine, FIXTURE_NOW, look, &l), OK);
	return l.number;
}

uint64_t rig_posted(struct rig *r, struct buf *envelope)
{
	struct look l = {.table = RIG_POSTED};
	struct envelope env;

	assert_int_equal(envelope_parse(slice_buf(envelope), &env), OK);
	l.key = slice_of(env.header->id.data, env.header->id.len);
	assert_int_equal(engine_read(r->engine, FIXTURE_NOW, look, &l), OK);
	envelope_free(&env);
	return l.number;
}

static void dump_piece(struct buf *out, struct slice s)
{
	uint8_t len[8];

	be64_put(len, s.len);
	assert_int_equal(buf_append(out, len, sizeof(len)), OK);
	assert_int_equal(buf_append(out, s.data, s.len), OK);
}

static enum err dump_entry(void *arg, struct slice key, struct slice value)
{
	dump_piece(arg, key);
	dump_piece(arg, value);
	return OK;
}

struct buf rig_dump(struct rig *r)
{
	struct store_layout layout;
	struct txn *t = NULL;
	struct buf out = {0};

	assert_int_equal(engine_layout(&rig_service, &layout), OK);
	assert_int_equal(store_begin(r->store, TXN_READ, &t), OK);
	for (int i = 0; layout.tables[i]; i++) {
		if (i == engine_epoch_table()) /* random */
			continue;
		dump_piece(&out, slice_str(layout.tables[i]));
		assert_int_equal(txn_each(t, i, (struct slice){0}, dump_entry, &out), OK);
	}
	txn_abort(&t);
	free((void *)layout.tables);
	return out;
}

bool rig_same(struct buf *a, struct buf *b)
{
	return slice_eq(slice_buf(a), slice_buf(b));
}

struct buf rig_sent(struct rig *r, enum lane lane, int i)
{
	struct buf b = {0};
	uint64_t place = 0;
	uint8_t id[MSG_ID_LEN];

	for (int n = 0; n <= i; n++) {
		buf_free(&b);
		if (engine_outbox_next(r->engine, lane, place, &place, id, &b) != OK)
			break;
	}
	return b;
}

uint64_t rig_outbox(struct rig *r)
{
	uint64_t n = 0;

	assert_int_equal(engine_outbox_count(r->engine, &n), OK);
	return n;
}

enum err rig_quarantined(struct rig *r, enum lane lane, uint64_t *ret_seq)
{
	Quarantined **list = NULL;
	enum err code = OK;
	size_t n = 0;

	assert_int_equal(engine_quarantined(r->engine, lane, &list, &n), OK);
	if (n) {
		code = (enum err)list[n - 1]->code;
		*ret_seq = list[n - 1]->seq;
	}
	free(list);
	return code;
}
