/*
 * staff.h - the `havre-staff` command of officers, supervisors and directors (step 7 of the
 * picture): a service like the others, with a durable outbox and inbox in the home folder, that
 * runs until its work is done. What was decided without a network is delivered by the next call
 * that finds one, and its answer is told by the call that gets it.
 *
 *   service   the handlers           send, tell   requests and what became of them
 *   actions   the words              view         alerts, holds and the queue
 *   show      messages as text       the other files are a command each
 */
#ifndef HAVRE_STAFF_H
#define HAVRE_STAFF_H

#include "proto/case.pb-c.h"
#include "services/common/cli/home.h"
#include "services/staff/records.pb-c.h"

extern const struct service staff_service;

enum {
	STAFF_REQUESTS, /* time inside the message id, case number -> StaffRequest, encrypted */
	STAFF_ALERTS,   /* case number -> Alert, encrypted: nobody answered yet */
	STAFF_WARNINGS, /* code, about -> Warning: not over yet */
};

/* Everything of one staff member is under one key of the store. */
#define STAFF_CASE "staff"

/* What the handlers leave for the command that runs; in memory only. */
struct staff_seen {
	int64_t asked;     /* the time inside the ids of this command's requests; 0: none */
	struct buf opened; /* the packed IdentityOpened that this command asked for */
	unsigned fresh;    /* alerts and warnings that came since the start */
	bool moved;        /* one came, or was stood down */
};

/* What step_context gives. */
struct staff_context {
	struct staff_seen *seen;
};

/* An alert or a warning came (fresh), or was stood down: `watch` draws again. */
void staff_moved(struct step *s, bool fresh);
/* warnings.c: the handler. */
enum err on_warning(struct step *s, const ProtobufCMessage *m);

/* One call of the command. */
struct session {
	struct cli *c;
	struct node *n;
	struct staff_seen seen;
	struct staff_context context;
};

/* Opens the home folder; tells what is wrong. session_close in every case. */
MUST_USE enum err session_open(struct cli *c, struct session *s);
void session_close(struct session *s);
/* Asks within --wait seconds, else 10; tells what went wrong. */
MUST_USE enum err session_ask(struct session *s, enum kind kind, const ProtobufCMessage *question,
	ProtobufCMessage **ret);
/* Tells that this word is not one of the type's, and which are. Returns ERR_USAGE. */
enum err session_bad_word(struct cli *c, const char *word, const ProtobufCEnumDescriptor *type);

/* The key of STAFF_REQUESTS. All that one step sends has one time, and so have the answers. */
struct key request_key(int64_t asked, const char *case_number);

/* send.c: what is asked of a service with a durable message, at most one for each case. */
struct sending {
	enum kind kind;
	Event event;
	const char *case_number; /* "": about no case */
	const ProtobufCMessage *body;
};
/* All into the outbox in one step, then to the network until all are answered, for --wait seconds
 * (else 15). OK also without an answer: they are safe. Tells what went wrong. */
MUST_USE enum err send_all(struct session *s, const struct sending *list, size_t n);

/* tell.c */
enum outcome {
	OUTCOME_WAITS,
	OUTCOME_RECEIVED,
	OUTCOME_BROKER_REFUSED,
	OUTCOME_APPLIED,
	OUTCOME_NOT_APPLIED,
	OUTCOME_OPENED,
	OUTCOME_OPENED_LATE,
	OUTCOMES,
};
/* own: a request of the running command. */
enum outcome outcome_of(const StaffRequest *r, bool own);
const char *outcome_name(enum outcome o);
const char *outcome_text(enum outcome o, enum lang lang);
/*
 * The end of every command: tells what became of its requests, and of earlier ones that were
 * answered since; what was told is forgotten. Takes over `json` (an object), adds "results" and
 * prints it. OK unless a request of this command was refused or not applied, which is then told.
 */
MUST_USE enum err tell_requests(struct session *s, json_t *json);

/* The commands. */
enum err staff_queue(struct cli *c);
enum err staff_case(struct cli *c);
enum err staff_decide(struct cli *c);
enum err staff_ack(struct cli *c);
enum err staff_reveal(struct cli *c);
enum err staff_places(struct cli *c);
enum err staff_watch(struct cli *c);
enum err staff_suspend(struct cli *c);

#endif
