/* Opening an identity: on a signed, reasoned request, logged for ever before it is answered. */
#include "services/intake/intake.h"

#include "services/common/base/log.h"

static enum err log_opening(struct step *s, const OpenIdentity *q, enum err result)
{
	IntakeOpened o = INTAKE_OPENED__INIT;
	struct key k = {0};

	o.case_number = q->case_number;
	o.officer = (char *)step_sender(s);
	o.reason = q->reason;
	o.at = step_now(s);
	o.cause = (ProtobufCBinaryData){MSG_ID_LEN, (uint8_t *)step_cause(s)};
	o.result = result;
	key_u64(&k, (uint64_t)step_now(s));
	key_bytes(&k, step_cause(s), MSG_ID_LEN);
	return record_put(s, INTAKE_OPENED, key_slice(&k), &o.base);
}

/* Every report is small, and there is no end of them: the oldest are left out of a full answer. */
static void make_fit(IdentityOpened *o)
{
	size_t most = catalogue_find(KIND_IDENTITY_OPENED)->most;

	while (o->n_reports && protobuf_c_message_get_packed_size(&o->base) > most) {
		o->reports++;
		o->n_reports--;
	}
}

static enum err answer(struct step *s, const OpenIdentity *q, enum err result, const IntakeVault *v)
{
	IdentityOpened o = IDENTITY_OPENED__INIT;
	const Referral *r = v ? v->referral : NULL;

	o.case_number = q->case_number;
	o.result = result;
	if (r) {
		o.reference = r->reference;
		o.persons = r->persons;
		o.n_persons = r->n_persons;
		o.narrative = r->narrative;
		o.consent = r->consent;
		o.reports = v->reports;
		o.n_reports = v->n_reports;
		make_fit(&o);
	}
	return step_send_known(s, KIND_IDENTITY_OPENED, step_sender(s), &o.base);
}

/* What the person took back is opened for nobody. */
static enum err consent_is_revoked(struct step *s, const char *case_number, bool *ret)
{
	IntakeEntry *entry;
	enum err e = entry_load(s, case_number, &entry);

	*ret = false;
	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	*ret = entry->state == STATE__CONSENT_REVOKED;
	intake_entry__free_unpacked(entry, NULL);
	return OK;
}

enum err on_open_identity(struct step *s, const ProtobufCMessage *m)
{
	const OpenIdentity *q = (const OpenIdentity *)m;
	IntakeVault *v = NULL;
	enum err e, result = OK;
	bool revoked;

	TRY(consent_is_revoked(s, q->case_number, &revoked));
	if (q->reason == REASON__NO_REASON) {
		result = ERR_REASON_MISSING;
	} else if (revoked) {
		result = ERR_CONSENT_WITHDRAWN;
	} else {
		e = vault_load(s, q->case_number, &v);
		if (e == ERR_NOT_FOUND)
			result = ERR_UNKNOWN_CASE;
		else if (e != OK)
			return e;
	}
	e = log_opening(s, q, result);
	if (e == OK)
		e = answer(s, q, result, v);
	vault_free(v);
	if (e == OK)
		log_info("IDENTITY-OPENED", "case=%s by=%s reason=%d result=%s",
			result == OK ? q->case_number : "-", step_sender(s), (int)q->reason,
			err_name(result));
	return e;
}
