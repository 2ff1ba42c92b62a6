/*
 * store_stack.h - every way in which a program can have a writing transaction: over LMDB or over
 * memory, directly or through overlays. For the tests of the store.
 */
#ifndef HAVRE_TEST_STORE_STACK_H
#define HAVRE_TEST_STORE_STACK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "services/common/store/store.h"

enum { STACK_TABLES = 3, STACK_MAX = 5, STACK_KINDS = 5 };

static const char *const stack_tables[] = {"first", "second", "third", NULL};
static const struct store_layout stack_layout = {stack_tables};

static const struct stack_kind {
	const char *name;
	bool memory;
	int overlays;
} stack_kinds[STACK_KINDS] = {
	{"lmdb", false, 0},
	{"memory", true, 0},
	{"overlay on lmdb", false, 1},
	{"overlay on memory", true, 1},
	{"overlay on overlay on lmdb", false, 2},
};

struct stack {
	struct store *store;
	char folder[32];
	int overlays;               /* that a new writing transaction begins with */
	struct txn *txn[STACK_MAX]; /* the last one is the one to use */
	int depth;
};

static inline void stack_open(struct stack *k, const struct stack_kind *kind)
{
	char path[48];

	*k = (struct stack){.overlays = kind->overlays};
	if (kind->memory) {
		assert_int_equal(store_open_memory(&stack_layout, &k->store), OK);
		return;
	}
	snprintf(k->folder, sizeof(k->folder), "/tmp/havre-store-XXXXXX");
	assert_non_null(mkdtemp(k->folder));
	snprintf(path, sizeof(path), "%s/store", k->folder);
	assert_int_equal(store_open_lmdb(path, &stack_layout, (size_t)256 << 20, &k->store), OK);
}

/* Over the writing transaction, or the first one. */
static inline struct txn *stack_push(struct stack *k)
{
	struct txn **top = &k->txn[k->depth];

	if (k->depth == 0)
		assert_int_equal(store_begin(k->store, TXN_WRITE, top), OK);
	else
		assert_int_equal(txn_begin_overlay(top[-1], top), OK);
	k->depth++;
	return *top;
}

static inline struct txn *stack_begin(struct stack *k)
{
	stack_push(k);
	while (k->depth <= k->overlays)
		stack_push(k);
	return k->txn[k->depth - 1];
}

static inline void stack_commit_to(struct stack *k, int depth)
{
	while (k->depth > depth) {
		assert_int_equal(txn_commit(&k->txn[--k->depth]), OK);
		assert_null(k->txn[k->depth]);
	}
}

static inline void stack_commit(struct stack *k)
{
	stack_commit_to(k, 0);
}

static inline void stack_abort_to(struct stack *k, int depth)
{
	while (k->depth > depth)
		txn_abort(&k->txn[--k->depth]);
}

static inline struct txn *stack_read(struct stack *k)
{
	struct txn *t = NULL;

	assert_int_equal(store_begin(k->store, TXN_READ, &t), OK);
	return t;
}

static inline void stack_remove_folder(const char *folder)
{
	static const char *const files[] = {"store/data.mdb", "store/lock.mdb", "store/lock",
		"store.new/data.mdb", "store.new/lock", "store", "store.new", "."};
	char path[96];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
		if (unlink(path))
			(void)rmdir(path);
	}
	(void)rmdir(folder);
}

static inline void stack_close(struct stack *k)
{
	stack_abort_to(k, 0);
	store_free(&k->store);
	if (k->folder[0])
		stack_remove_folder(k->folder);
}

#endif
