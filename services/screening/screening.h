/*
 * screening.h - the service that advises and keeps the places (steps 2, 5 and 7 of the picture). It
 * evaluates rules; a person decides, on a named version of the case; a ledger of places in persons
 * says who can come in which year.
 *
 *   states   what may follow what        rules    the advice
 *   ledger   the places                  waiting  who is served when places come free
 *   cases    the row of a case           places   cases and places together, roll-over
 *   facts, decide, queue                 the handlers
 *   verify                               checks of the store, for havre-admin
 *
 * The context of its steps is the struct config: `cap` and `passes`.
 */
#ifndef HAVRE_SCREENING_H
#define HAVRE_SCREENING_H

#include "proto/case.pb-c.h"
#include "services/common/engine/service.h"
#include "services/screening/records.pb-c.h"

extern const struct service screening_service;

/* The tables of the store. */
enum {
	T_CASES,      /* case number -> ScreeningCase, sealed under the case's key */
	T_FACTS,      /* case number -> Facts, sealed under the case's key */
	T_HISTORY,    /* case number, number of the change -> Change, sealed under the case's key */
	T_QUEUE,      /* place in the order -> one byte, enum turn: every case that is open */
	T_WAITING,    /* place in the order -> ScreeningWaiting */
	T_LEDGER,     /* number of the entry -> ScreeningEntry */
	T_YEARS,      /* year -> ScreeningYear */
	T_SHARES,     /* year, partner -> ScreeningShare */
	T_HOUSEHOLDS, /* case number -> ScreeningHousehold */
	T_EARLY,      /* case number -> the newest ProtectionChange that came before the facts */
	T_META,       /* "open year" -> the first year of places that is not closed */
};

/* facts.c: steps 2 and 3. */
enum err on_facts(struct step *s, const ProtobufCMessage *m);
enum err on_exit_case(struct step *s, const ProtobufCMessage *m);
enum err on_protection_changed(struct step *s, const ProtobufCMessage *m);
/* decide.c: step 7. */
enum err on_decide(struct step *s, const ProtobufCMessage *m);
enum err on_close_year(struct step *s, const ProtobufCMessage *m);
/* queue.c: the questions. */
enum err on_ask_queue(struct step *s, const ProtobufCMessage *m, ProtobufCMessage **ret);
enum err on_ask_case(struct step *s, const ProtobufCMessage *m, ProtobufCMessage **ret);
enum err on_ask_places(struct step *s, const ProtobufCMessage *m, ProtobufCMessage **ret);

#endif
