/* A new danger for a case that the partner referred before. */
#include "services/intake/intake.h"

#include <stdlib.h>
#include <string.h>

#include "services/common/referral/referral_check.h"

/*
 * A danger is heard of whatever may still go on: of a merged case, under another number, and from a
 * partner who withdrew its own referral, while the case goes on for another's. That one learns so
 * that the case goes on, and nothing else of it: a life is worth more than that.
 */
static bool is_referred(const IntakeEntry *entry)
{
	return !entry_has_left(entry) || entry->state == STATE__DUPLICATE_MERGED;
}

/* The sender's own case, and one that may stand; else a fault that says what to do. */
static enum err own_case(
	struct step *s, const char *case_number, struct faults *faults, IntakeEntry **ret)
{
	IntakeEntry *entry;
	bool own;
	enum err e = entry_load(s, case_number, &entry);

	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	own = e == OK && strcmp(entry->partner, step_sender(s)) == 0;
	if (own && is_referred(entry)) {
		*ret = entry;
		return OK;
	}
	/* an unknown case reads like somebody else's: nobody can try out numbers */
	fault_add(faults, own ? FAULT_RISK_CASE_HAS_LEFT : FAULT_NOT_YOUR_CASE, "case_number");
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
	vault_free(v);
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
		fault_add(faults, FAULT_RISK_CASE_HAS_LEFT, "case_number");
		e = ERR_INVALID;
	} else {
		e = keep_risk(s, entry, r, goes_on);
		/* of the case it is told nothing any more: of its report it is */
		if (e == OK && entry->withdrawn)
			e = tell_risk_taken(s, entry);
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
		e = own_case(s, r->case_number, &faults, &entry);
	if (e == OK)
		e = pass_on_risk(s, entry, r, &faults);
	if (entry)
		intake_entry__free_unpacked(entry, NULL);
	if (e != ERR_INVALID)
		return e;
	/* somebody may be in danger: people are told as well as the partner */
	TRY(tell_urgent_rejected(s, KIND_REPORT_RISK, &faults));
	return tell_rejected(s, &faults);
}
