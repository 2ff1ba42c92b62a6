/*
 * client.h - the `havre` command of a partner: a service like the others, with a durable outbox
 * and inbox in the home folder, that runs until its work is done. What was queued without a
 * network is delivered by the next call that finds one, exactly once.
 */
#ifndef HAVRE_CLIENT_H
#define HAVRE_CLIENT_H

#include "proto/case.pb-c.h"
#include "services/client/records.pb-c.h"
#include "services/common/cli/home.h"

extern const struct service client_service;

enum {
	CLIENT_SUBMISSIONS, /* message id -> ClientSubmission, encrypted */
	CLIENT_PROOFS,      /* message id -> ClientProof */
	CLIENT_INBOX,       /* time, message id -> Notice, encrypted */
};

/* Everything of one client is under one key of its store. */
#define CLIENT_CASE "client"

MUST_USE enum err submission_load(
	struct step *s, const uint8_t id[MSG_ID_LEN], ClientSubmission **ret);
MUST_USE enum err submission_save(struct step *s, const ClientSubmission *c);

/* The packed referral of a JSON file, checked; tells every fault. Free with referral__free_unpacked
 * (or the type's own). */
MUST_USE enum err client_read(struct cli *c, const char *path,
	const ProtobufCMessageDescriptor *type, ProtobufCMessage **ret);

/* The commands. */
enum err client_check(struct cli *c);
enum err client_submit(struct cli *c);
enum err client_risk(struct cli *c);
enum err client_withdraw(struct cli *c);
enum err client_status(struct cli *c);
enum err client_inbox(struct cli *c);
enum err client_outbox(struct cli *c);
enum err client_prove(struct cli *c);

#endif
