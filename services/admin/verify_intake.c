/* Intake: every referral is a case or a rejection (I2), a merge has an officer's word (I5), the
 * time of receipt is the broker's (I11). */
#include <inttypes.h>

#include "proto/strict.h"
#include "services/admin/verify.h"
#include "services/intake/intake.h"

/* The officer's message that intake processed. */
static bool has_decided(const struct verify *v, const struct home *intake, const char *officer)
{
	for (uint64_t i = 0; i < v->size; i++)
		if (v->log[i].row.kind == KIND_DECIDE_DUPLICATE &&
			strcmp(v->log[i].row.sender, officer) == 0 &&
			is_processed(intake, &v->log[i]))
			return true;
	return false;
}

static enum err check_entry(struct verify *v, const IntakeEntry *e)
{
	const struct home *intake = verify_home(v, R(INTAKE));
	struct logged *m;
	bool kept;

	TRY(verify_find(v, e->partner, slice_of(e->submission.data, e->submission.len), &m));
	TRY(receipt_kept(v, m, e->received_at, &kept));
	if (!kept)
		found(v, FOUND_RECEIPT_DIFFERS, "%s", e->case_number);
	if (e->state != STATE__DUPLICATE_MERGED)
		return OK;
	if (!is_staff(v, e->decided_by))
		found(v, FOUND_NOT_STAFF, "%s", e->case_number);
	else if (!has_decided(v, intake, e->decided_by))
		found(v, FOUND_NO_WORD, "%s", e->case_number);
	return OK;
}

static enum err entry_row(void *arg, struct slice key, struct slice value)
{
	struct verify *v = arg;
	const IntakeEntry *entry;
	ProtobufCMessage *m;
	enum err e;

	(void)key;
	if (strict_unpack(&intake_entry__descriptor, value, &m) != OK)
		return ERR_CORRUPT;
	entry = (const IntakeEntry *)m;
	v->counts.entries++;
	v->counts.duplicates_held += entry->held_once;
	v->counts.accepted += !entry->held_once;
	v->counts.persons += entry->persons;
	e = check_entry(v, entry);
	protobuf_c_message_free_unpacked(m, NULL);
	return e;
}

enum err check_intake(struct verify *v)
{
	struct home *intake = verify_home(v, R(INTAKE));
	uint64_t processed = 0, kept;

	TRY(step_each(intake->step, INTAKE_ENTRIES, (struct slice){0}, entry_row, v));
	TRY(step_count(intake->step, INTAKE_REJECTED, &v->counts.rejected));
	for (uint64_t i = 0; i < v->size; i++)
		processed += (v->log[i].row.kind == KIND_SUBMIT_REFERRAL ||
				     v->log[i].row.kind == KIND_SUBMIT_URGENT) &&
			     is_processed(intake, &v->log[i]);
	kept = v->counts.entries + v->counts.rejected;
	if (processed != kept)
		found(v, FOUND_REFERRALS_DIFFER, "%" PRIu64 " / %" PRIu64, processed, kept);
	checked(v, CHECK_11, "%" PRIu64 " cases compared with the log",
		"%" PRIu64 " dossiers comparés au journal", v->counts.entries);
	return OK;
}
