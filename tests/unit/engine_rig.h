/*
 * engine_rig.h - for the tests of the engine: a small service named "urgent" over a store, and
 * what a test does to it: deliver, crash, look inside.
 *
 *   SEND_THREAT        counts how often it was handled, keeps the threat under the key of the
 *                      case, sets the timer "remind" and reports to notify
 *   SEND_EXIT          waits for the threat; alerts officer-1
 *   ACKNOWLEDGE_ALERT  waits for the exit; erases the case
 *   ASK_ALERTS         answers with one entry for each case
 *   "remind"           notes when it fired; alerts officer-1
 */
#ifndef HAVRE_TESTS_ENGINE_RIG_H
#define HAVRE_TESTS_ENGINE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "proto/case.pb-c.h"
#include "services/common/engine/engine.h"
#include "tests/unit/fixture.h"

enum rig_table { RIG_HANDLED, RIG_THREATS, RIG_EXITS, RIG_REMINDED, RIG_POSTED, RIG_ACKED };

#define REMIND_AFTER 1000

/* What a test wants a handler to do, after its writes, for one case. */
struct rig_plan {
	enum kind fail_in; /* 0: in every handler */
	const char *fail_case;
	enum err fail;
	int handled; /* how often a handler ran to that point */
};

struct rig {
	struct fixture *f;
	struct store *store;
	struct engine *engine;
	char folder[32]; /* of an LMDB store; empty: in memory */
	uint64_t seq[LANES], index;
	struct rig_plan plan;
};

extern const struct service rig_service, rig_service_silent; /* without on_posted */

/* A rig in memory with people of its own in *state, for RIG_TEST. */
int rig_setup(void **state);
int rig_teardown(void **state);
#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

void rig_open(struct rig *r, struct fixture *f, bool lmdb);
void rig_close(struct rig *r);
/* What is not committed is gone; the engine starts again. */
void rig_crash(struct rig *r);
void rig_begin(struct rig *r);
void rig_commit(struct rig *r);

/* A message about a case, with the body that its kind has in the rig. buf_free it. */
struct buf rig_message(struct rig *r, enum kind kind, const char *from, const char *case_number);
/* The next delivery of the lane; the bytes are borrowed. */
struct delivery rig_next(struct rig *r, enum lane lane, struct buf *envelope);
/* Delivers at the next place of the lane that the kind's row names, in the open batch. */
enum err rig_take(struct rig *r, enum kind kind, const char *from, const char *case_number);
/* The same in a batch of its own, which must commit. */
void rig_do(struct rig *r, enum kind kind, const char *from, const char *case_number);

/* The number that is kept under this case; 0: none. */
uint64_t rig_number(struct rig *r, enum rig_table table, const char *case_number);
/* What the service noted when this message was posted: 1000 + the code; 0: nothing. */
uint64_t rig_posted(struct rig *r, struct buf *envelope);
/* Every key and value of the store, its own tables too. buf_free it. */
struct buf rig_dump(struct rig *r);
bool rig_same(struct buf *a, struct buf *b);
/* The i-th (from 0) message of the outbox. buf_free it; empty: none. */
struct buf rig_sent(struct rig *r, enum lane lane, int i);
uint64_t rig_outbox(struct rig *r);
/* The code that the last quarantined message of the lane was given; OK: none since. */
enum err rig_quarantined(struct rig *r, enum lane lane, uint64_t *ret_seq);

#endif
