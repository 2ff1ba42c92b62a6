/* What a partner sends about a case that it referred before. */
#include "services/intake/intake.h"

#include <stdlib.h>
#include <string.h>

#include "services/common/referral_check.h"

static bool has_left(const IntakeEntry *entry)
{
	return entry->state != STATE__REGISTERED && entry->state != STATE__DUPLICATE_HOLD;
}

/* The sender's own case, still in the stream; else a fault that says why not. */
static enum err own_case(
	struct step *s, const char *case_number, struct faults *faults, IntakeEntry **ret)
{
	IntakeEntry *entry;
	enum err e = entry_load(s, case_number, &entry);

	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	if (e == OK && strcmp(entry->partner, step_sender(s)) == 0 && !has_left(entry)) {
		*ret = entry;
		return OK;
	}
	if (e == OK && strcmp(entry->partner, step_sender(s)) == 0)
		fault_add(faults, FAULT_CASE_HAS_LEFT, "case_number");
	else /* an unknown case reads like somebody else's: nobody can try out numbers */
		fault_add(faults, FAULT_NOT_YOUR_CASE, "case_number");
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

static enum err keep_risk(struct step *s, IntakeEntry *entry, const RiskReport *r)
{
	IntakeVault *v;
	enum err e;

	TRY(vault_load(s, entry->case_number, &v));
	e = add_report(v, r);
	if (e == OK)
		e = vault_save(s, entry->case_number, v);
	if (e == OK) /* 3 */
		e = tell_threat(s, entry, v->referral, r->protection, entry->case_number);
	intake_vault__free_unpacked(v, NULL);
	entry->urgent = true;
	return e == OK ? entry_save(s, entry) : e;
}

enum err on_risk(struct step *s, const ProtobufCMessage *m)
{
	const RiskReport *r = (const RiskReport *)m;
	struct faults faults = {0};
	IntakeEntry *entry = NULL;
	enum err e = risk_report_check(r, step_now(s), &faults);

	if (e == OK)
		e = own_case(s, r->case_number, &faults, &entry);
	if (e == ERR_INVALID)
		return tell_rejected(s, &faults);
	if (e == OK)
		e = keep_risk(s, entry, r);
	if (entry)
		intake_entry__free_unpacked(entry, NULL);
	return e;
}

enum err on_withdraw(struct step *s, const ProtobufCMessage *m)
{
	const Withdrawal *w = (const Withdrawal *)m;
	Event event = w->consent_revoked ? EVENT__REVOKE_CONSENT : EVENT__WITHDRAW_CASE;
	struct faults faults = {0};
	IntakeEntry *entry = NULL;
	enum err e = withdrawal_check(w, step_now(s), &faults);

	if (e == OK)
		e = own_case(s, w->case_number, &faults, &entry);
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
