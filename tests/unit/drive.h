/*
 * drive.h - for tests: one service's handlers, run by the real engine over a memory store, with
 * messages from the fixture's people. What fails here ends the test program.
 */
#ifndef HAVRE_TESTS_DRIVE_H
#define HAVRE_TESTS_DRIVE_H

#include "services/common/engine/engine.h"
#include "tests/unit/fixture.h"

struct drive;

/* `principal` is whose keys the service has. The configuration is the program's defaults. */
struct drive *drive_make(struct fixture *f, const struct service *svc, const char *principal);
void drive_free(struct drive **dp);
struct config *drive_config(struct drive *d);
struct engine *drive_engine(struct drive *d);
struct store *drive_store(struct drive *d);

/* Sent by `from`, received by the broker at `at`, taken and committed. The message's id is kept
 * for drive_last_id. */
void drive_send(struct drive *d, enum kind kind, const char *from, const ProtobufCMessage *body,
	int64_t at);
const uint8_t *drive_last_id(const struct drive *d);
/* How many messages were quarantined since the last call, with the code of the last one. */
size_t drive_quarantined(struct drive *d, enum err *ret_code);
/* Fires what is due. */
void drive_timers(struct drive *d, int64_t now);

/*
 * Takes the oldest message of this kind (and recipient, unless NULL) out of what the service sent,
 * opened; NULL when there is none. Valid until drive_free or drive_forget.
 */
const ProtobufCMessage *drive_sent(struct drive *d, enum kind kind, const char *to);
/* How many of this kind wait there. */
size_t drive_count(struct drive *d, enum kind kind, const char *to);
/* Forgets all that was sent so far. */
void drive_forget(struct drive *d);

/* Asks, and gives the answer opened; the same life. */
const ProtobufCMessage *drive_ask(
	struct drive *d, enum kind ask, const char *from, const ProtobufCMessage *question);

#endif
