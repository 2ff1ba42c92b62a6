/*
 * urgent.h - the service that owns the protection axis (steps 3 and 4 of the picture): the clock,
 * the owner, the ladder. A request climbs from rung to rung until a person answers. Deadlines are
 * stored timers: they survive a restart and are caught up after downtime.
 */
#ifndef HAVRE_URGENT_H
#define HAVRE_URGENT_H

#include "proto/case.pb-c.h"
#include "services/common/engine/service.h"
#include "services/urgent/records.pb-c.h"

extern const struct service urgent_service;

/* The tables of the service's store. */
enum {
	URGENT_CASES, /* case number -> UrgentCase, encrypted */
	URGENT_CROWDS /* partner, rung (0: the hour that is counted) -> Crowd */
};

/* cases.c: load (ERR_NOT_FOUND: no request for this case), save, and the history. */
MUST_USE enum err urgent_load(struct step *s, const char *case_number, UrgentCase **ret);
MUST_USE enum err urgent_save(struct step *s, const UrgentCase *c);
/* Appends to the history: version + 1. actor is the step's sender; `decision` may be NULL. */
MUST_USE enum err urgent_change(
	struct step *s, UrgentCase *c, Event event, Protection to, const Decision *decision);

/* ladder.c: alert the rung's people and set its timer; stop because somebody answered. */
MUST_USE enum err ladder_raise(struct step *s, UrgentCase *c, unsigned rung);
/* Asked again while it climbs: the same people hear of it, and nothing is put off. `crowd`: as in
 * the record. */
MUST_USE enum err ladder_again(struct step *s, UrgentCase *c, const char *crowd);
MUST_USE enum err ladder_stand_down(struct step *s, UrgentCase *c);
enum err ladder_climb(struct step *s, struct slice key);
/* After an acknowledgement a decision is owed; without one the ladder starts again, one rung up. */
MUST_USE enum err ladder_expect_decision(struct step *s, const UrgentCase *c);
enum err ladder_decision_overdue(struct step *s, struct slice key);

/* crowd.c: whoever has a partner's key can ask without end. All is registered, listed and climbs;
 * beyond [ladder] crowd requests in an hour the people of a rung get one alert for all of them,
 * again each time that the rung's time is over, until each is answered. */
MUST_USE enum err crowd_count(struct step *s, const char *partner, bool *ret_many);
/* Has the rung's last joint alert been so long ago? *ret_asked: requests of the counted hour. */
MUST_USE enum err crowd_due(struct step *s, const char *partner, unsigned rung, int64_t every_ms,
	bool *ret_due, unsigned *ret_asked);
MUST_USE enum err crowd_told(struct step *s, const char *partner, unsigned rung);

/* protect.c: the table of the protection axis. ERR_NO_TRANSITION: not in the table. */
MUST_USE enum err protection_after(Protection from, Event event, Protection *ret_to);
/* The i-th event (from 0) that an officer may decide in this state; NO_EVENT: no more. */
Event protection_possible(Protection from, unsigned i);

/* The handlers. */
enum err on_threat(struct step *s, const ProtobufCMessage *m);
enum err on_acknowledge(struct step *s, const ProtobufCMessage *m);
enum err on_decide_protection(struct step *s, const ProtobufCMessage *m);
enum err on_urgent_exit(struct step *s, const ProtobufCMessage *m);
enum err on_ask_alerts(
	struct step *s, const ProtobufCMessage *question, ProtobufCMessage **ret_answer);

/* Tell the partner (through notify) and screening what changed. */
MUST_USE enum err urgent_tell(
	struct step *s, const UrgentCase *c, Event event, const Decision *decision);

#endif
