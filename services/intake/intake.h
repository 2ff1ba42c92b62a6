/*
 * intake.h - the service that takes referrals (steps 1, 2 and 3 of the picture). It checks the
 * form and the consent, gives the case number, keeps identities and narratives in its vault,
 * proposes duplicates, and passes on facts without an identity.
 */
#ifndef HAVRE_INTAKE_H
#define HAVRE_INTAKE_H

#include "proto/case.pb-c.h"
#include "proto/fault.h"
#include "services/common/engine/service.h"
#include "services/common/base/message.h"
#include "services/intake/records.pb-c.h"

extern const struct service intake_service;

enum {
	INTAKE_ENTRIES,    /* case number -> IntakeEntry */
	INTAKE_VAULT,      /* case number -> IntakeVault, encrypted */
	INTAKE_TOKENS,     /* blind token, case number -> nothing */
	INTAKE_PAIRS,      /* two case numbers that a person said are not the same -> officer */
	INTAKE_REFERENCES, /* blind token of (partner, reference) -> case number */
	INTAKE_REJECTED,   /* id of a rejected submission -> number of faults (1 byte) */
	INTAKE_OPENED,     /* time, case number -> IntakeOpened */
};

/* entry.c: load (ERR_NOT_FOUND), save. */
MUST_USE enum err entry_load(struct step *s, const char *case_number, IntakeEntry **ret);
MUST_USE enum err entry_save(struct step *s, const IntakeEntry *entry);
/* The case itself, or the one under which it goes on after its merges. */
MUST_USE enum err entry_load_merged(struct step *s, const char *case_number, IntakeEntry **ret);
/* Withdrawn, revoked or merged: nothing more is done under this number. */
bool entry_has_left(const IntakeEntry *entry);
MUST_USE enum err vault_load(struct step *s, const char *case_number, IntakeVault **ret);
/* Wiped; NULL is accepted. */
void vault_free(IntakeVault *v);
MUST_USE enum err vault_save(struct step *s, const char *case_number, const IntakeVault *v);

/* tell.c: what intake tells the others. */
MUST_USE enum err tell_rejected(struct step *s, const struct faults *faults);
/* People and alert receivers, with the codes of the faults: somebody may be in danger. */
MUST_USE enum err tell_urgent_rejected(struct step *s, enum kind kind, const struct faults *faults);
MUST_USE enum err tell_outcome(
	struct step *s, const IntakeEntry *entry, Event event, Reason reason);
/* To this partner: its referral is withdrawn, and the case goes on for another one's. */
MUST_USE enum err tell_part_withdrawn(struct step *s, const IntakeEntry *entry, Reason reason);
/* To this partner, who withdrew it: its report of a danger was taken all the same. */
MUST_USE enum err tell_risk_taken(struct step *s, const IntakeEntry *entry);
/* 2. Codes and derived values to screening. */
MUST_USE enum err tell_facts(struct step *s, IntakeEntry *entry, const Referral *r);
/* 3. To urgent, directly and before anything else. `entry` is the case that goes on: after a merge
 * the other one, whose partner is told. */
MUST_USE enum err tell_threat(
	struct step *s, const IntakeEntry *entry, const Referral *r, ProtectionRequest *request);
/* 2. The case leaves. */
MUST_USE enum err tell_exit(struct step *s, const IntakeEntry *entry, Event event, Reason reason);
MUST_USE enum err tell_officer(
	struct step *s, const char *case_number, Event event, enum err result, State state);

/* duplicates.c: writes the case's tokens; adds to entry->likely every earlier case that may hold
 * the same person. Cases that the same partner linked itself are left out. */
MUST_USE enum err duplicates_propose(struct step *s, IntakeEntry *entry, const Referral *r);
/* Is anybody of `a` likely to be somebody of `b`? */
MUST_USE enum err duplicates_likely(const Referral *a, const Referral *b, bool *ret);

/* The handlers. */
enum err on_submit(struct step *s, const ProtobufCMessage *m);
enum err on_submit_urgent(struct step *s, const ProtobufCMessage *m);
enum err on_risk(struct step *s, const ProtobufCMessage *m);
enum err on_withdraw(struct step *s, const ProtobufCMessage *m);
enum err on_decide_duplicate(struct step *s, const ProtobufCMessage *m);
enum err on_open_identity(struct step *s, const ProtobufCMessage *m);
enum err on_ask_holds(
	struct step *s, const ProtobufCMessage *question, ProtobufCMessage **ret_answer);

#endif
