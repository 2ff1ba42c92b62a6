/* What a partner sends about a case that it referred before. */
#include "services/intake/intake.h"

#include <stdlib.h>
#include <string.h>

#include "services/common/referral/referral_check.h"

/* What a partner may still send about its case. */
typedef bool open_to(const IntakeEntry *entry);

static bool in_the_stream(const IntakeEntry *entry)
{
	return !entry_has_left(entry);
}

/* A danger is heard of a merged case as well: it goes on under another number. */
static bool is_referred(const IntakeEntry *entry)
{
	return in_the_stream(entry) || entry->state == STATE__DUPLICATE_MERGED;
}

/* A consent can be revoked at any time, once. */
static bool has_consent(const IntakeEntry *entry)
{
	return entry->state != STATE__CONSENT_REVOKED;
}

/* The sender's own case, and one that is open to this; else a fault that says why not. */
static enum err own_case(struct step *s, const char *case_number, open_to *open,
	struct faults *faults, IntakeEntry **ret)
{
	IntakeEntry *entry;
	bool own;
	enum err e = entry_load(s, case_number, &entry);

	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	own = e == OK && strcmp(entry->partner, step_sender(s)) == 0;
	if (own && open(entry)) {
		*ret = entry;
		return OK;
	}
	/* an unknown case reads like somebody else's: nobody can try out numbers */
	fault_add(faults, own ? FAULT_CASE_HAS_LEFT : FAULT_NOT_YOUR_CASE, "case_number");
	if (e == OK)
		intake_entry__free_unpacked(entry, NULL);
	return ERR_INVALID;
}

static enum err add_report(IntakeVault *v, const RiskReport *r)
{
	ProtobufCMessage *copy;
	enum err e;

	TRY(message_copy(&r->base, &copy));
	e = list_add(&v->reports, &v->n_reports, copy);
	if (e != OK)
		protobuf_c_message_free_unpacked(copy, NULL);
	return e;
}

static enum err keep_risk(
	struct step *s, IntakeEntry *entry, const RiskReport *r, const IntakeEntry *goes_on)
{
	IntakeVault *v;
	enum err e;

	TRY(vault_load(s, entry->case_number, &v));
	e = add_report(v, r);
	if (e == OK)
		e = vault_save(s, entry->case_number, v);
	if (e == OK) /* 3 */
		e = tell_threat(s, goes_on, v->referral, r->protection);
	intake_vault__free_unpacked(v, NULL);
	entry->urgent = true;
	return e == OK ? entry_save(s, entry) : e;
}

/* Under the number under which the case goes on. */
static enum err pass_on_risk(
	struct step *s, IntakeEntry *entry, const RiskReport *r, struct faults *faults)
{
	IntakeEntry *goes_on;
	enum err e;

	TRY(entry_load_merged(s, entry->case_number, &goes_on));
	if (entry_has_left(goes_on)) {
		fault_add(faults, FAULT_CASE_HAS_LEFT, "case_number");
		e = ERR_INVALID;
	} else {
		e = keep_risk(s, entry, r, goes_on);
	}
	intake_entry__free_unpacked(goes_on, NULL);
	return e;
}

enum err on_risk(struct step *s, const ProtobufCMessage *m)
{
	const RiskReport *r = (const RiskReport *)m;
	struct faults faults = {0};
	IntakeEntry *entry = NULL;
	enum err e = risk_report_check(r, step_now(s), &faults);

	if (e == OK)
		e = own_case(s, r->case_number, is_referred, &faults, &entry);
	if (e == OK)
		e = pass_on_risk(s, entry, r, &faults);
	if (entry)
		intake_entry__free_unpacked(entry, NULL);
	return e == ERR_INVALID ? tell_rejected(s, &faults) : e;
}

enum err on_withdraw(struct step *s, const ProtobufCMessage *m)
{
	const Withdrawal *w = (const Withdrawal *)m;
	Event event = w->consent_revoked ? EVENT__REVOKE_CONSENT : EVENT__WITHDRAW_CASE;
	struct faults faults = {0};
	IntakeEntry *entry = NULL;
	enum err e = withdrawal_check(w, step_now(s), &faults);

	if (e == OK)
		e = own_case(s, w->case_number, w->consent_revoked ? has_consent : in_the_stream,
			&faults, &entry);
	if (e == ERR_INVALID)
		return tell_rejected(s, &faults);
	if (e == OK) {
		entry->state = w->consent_revoked ? STATE__CONSENT_REVOKED : STATE__WITHDRAWN;
		e = tell_exit(s, entry, event, w->reason);
	}
	if (e == OK)
		e = entry_save(s, entry);
	if (entry)
		intake_entry__free_unpacked(entry, NULL);
	return e;
}
