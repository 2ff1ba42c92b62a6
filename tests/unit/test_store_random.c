/*
 * Goal: the same random operations give the same results over every kind of transaction.
 * HAVRE_TEST_SEED=N runs one seed; a failure prints its seed.
 */
#include "tests/unit/store_stack.h"

enum { STEPS = 2500, SEEDS = 4 };

struct world {
	uint64_t random;
	struct stack stacks[STACK_KINDS];
	struct txn *readers[STACK_KINDS];
	uint64_t snapshot; /* what the readers saw when they began */
	uint8_t value[9000];
};

/* What one operation on one stack gave. */
struct result {
	enum err e;
	struct slice key, value;
	uint64_t number;
};

static unsigned draw(struct world *w, unsigned below)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return (unsigned)(w->random >> 33) % below;
}

/* Few different keys, so that they meet; some as long as they may be. */
static struct slice draw_key(struct world *w, uint8_t key[511])
{
	static const uint8_t letters[] = {0, 'a', 0xff};
	size_t len = 1 + draw(w, 5);

	for (size_t i = 0; i < len; i++)
		key[i] = letters[draw(w, 3)];
	if (draw(w, 10) == 0) {
		memset(key + len, letters[draw(w, 3)], 511 - len);
		len = 511;
	}
	return slice_of(key, len);
}

static uint64_t mix(uint64_t hash, struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		hash = (hash ^ s.data[i]) * 0x100000001b3;
	return (hash ^ s.len) * 0x100000001b3;
}

static enum err mix_entry(void *arg, struct slice key, struct slice value)
{
	uint64_t *hash = arg;

	*hash = mix(mix(*hash, key), value);
	return OK;
}

static uint64_t contents(struct txn *t)
{
	uint64_t hash = 0xcbf29ce484222325, n;

	for (int table = 0; table < STACK_TABLES; table++) {
		assert_int_equal(txn_each(t, table, (struct slice){0}, mix_entry, &hash), OK);
		assert_int_equal(txn_count(t, table, &n), OK);
		hash = mix(hash, slice_of(&n, sizeof(n)));
	}
	return hash;
}

enum op { PUT, PUT2, PUT3, APPEND, DELETE, DELETE2, GET, NEXT, AFTER, PREV, COUNT, EACH, OPS };

static struct result run(enum op op, struct txn *t, int table, struct slice key, struct slice value)
{
	struct result r = {0};
	struct slice none = {0};

	switch (op) {
	case APPEND:
		r.e = txn_append(t, table, key, value);
		break;
	case DELETE:
	case DELETE2:
		r.e = txn_delete(t, table, key);
		break;
	case GET:
		r.e = txn_get(t, table, key, &r.value);
		break;
	case NEXT:
	case AFTER:
		r.e = txn_next(t, table, value.len % 8 ? key : none, op == AFTER, &r.key, &r.value);
		break;
	case PREV:
		r.e = txn_prev(t, table, value.len % 8 ? key : none, &r.key, &r.value);
		break;
	case COUNT:
		r.e = txn_count(t, table, &r.number);
		break;
	case EACH:
		key.len = key.len > 2 ? 2 : key.len;
		r.e = txn_each(t, table, key, mix_entry, &r.number);
		break;
	default:
		r.e = txn_put(t, table, key, value);
	}
	return r;
}

static void operate(struct world *w)
{
	static const size_t sizes[] = {0, 5, 100, 1000, sizeof(w->value)};
	enum op op = draw(w, OPS);
	int table = (int)draw(w, STACK_TABLES);
	uint8_t bytes[511];
	struct slice key = draw_key(w, bytes);
	struct slice value = slice_of(w->value, draw(w, (unsigned)sizes[draw(w, 5)] + 1));
	struct result first = {0};

	w->value[draw(w, 8)]++;
	for (int i = 0; i < STACK_KINDS; i++) {
		struct stack *k = &w->stacks[i];
		struct result r = run(op, k->txn[k->depth - 1], table, key, value);

		if (i == 0)
			first = r;
		assert_int_equal(r.e, first.e);
		assert_true(slice_eq(r.key, first.key));
		assert_true(slice_eq(r.value, first.value));
		assert_true(r.number == first.number);
	}
}

/* Begin, commit or abort: one more overlay, the last one, or all. */
static void move(struct world *w)
{
	unsigned what = draw(w, 5);
	uint64_t first = 0;

	for (int i = 0; i < STACK_KINDS; i++) {
		struct stack *k = &w->stacks[i];
		int base = k->overlays + 1;
		uint64_t now = contents(k->txn[k->depth - 1]);

		if (i == 0)
			first = now;
		assert_true(now == first);
		if (what == 0)
			stack_commit(k);
		else if (what == 1)
			stack_abort_to(k, 0);
		else if (what == 2 && k->depth > base)
			stack_commit_to(k, k->depth - 1);
		else if (what == 3 && k->depth > base)
			stack_abort_to(k, k->depth - 1);
		else if (what == 4 && k->depth < base + 2)
			stack_push(k);
		if (k->depth == 0)
			stack_begin(k);
	}
}

/* Readers see what they saw, then begin again. */
static void look(struct world *w)
{
	uint64_t now = 0;

	for (int i = 0; i < STACK_KINDS; i++) {
		if (w->readers[i])
			assert_true(contents(w->readers[i]) == w->snapshot);
		txn_abort(&w->readers[i]);
		w->readers[i] = stack_read(&w->stacks[i]);
		if (i == 0)
			now = contents(w->readers[i]);
		assert_true(contents(w->readers[i]) == now);
	}
	w->snapshot = now;
}

static void world_run(struct world *w)
{
	for (int i = 0; i < STACK_KINDS; i++) {
		stack_open(&w->stacks[i], &stack_kinds[i]);
		stack_begin(&w->stacks[i]);
	}
	for (int step = 0; step < STEPS; step++) {
		unsigned what = draw(w, 40);

		if (what < 2)
			move(w);
		else if (what == 2)
			look(w);
		else
			operate(w);
	}
	for (int i = 0; i < STACK_KINDS; i++) {
		txn_abort(&w->readers[i]);
		stack_close(&w->stacks[i]);
	}
}

static void all_kinds_agree(void **state)
{
	const char *chosen = getenv("HAVRE_TEST_SEED");
	uint64_t from = chosen ? strtoull(chosen, NULL, 10) : 1;

	(void)state;
	for (uint64_t seed = from; seed < from + (chosen ? 1 : SEEDS); seed++) {
		struct world *w = test_calloc(1, sizeof(*w));

		w->random = (seed + 1) * 0x9e3779b97f4a7c15;
		print_message("HAVRE_TEST_SEED=%llu\n", (unsigned long long)seed);
		world_run(w);
		test_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_kinds_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
