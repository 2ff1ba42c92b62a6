#include "services/intake/intake.h"

#include <stdlib.h>
#include <string.h>

#include "services/common/referral/case_number.h"
#include "services/common/base/log.h"
#include "services/common/referral/referral_check.h"
#include "services/common/referral/threat_words.h"

static void reference_token(
	const struct step *s, const char *partner, const char *reference, uint8_t ret[32])
{
	struct key k = {0};

	key_str(&k, partner);
	key_str(&k, reference);
	step_blind(s, "reference", key_slice(&k), ret);
}

/* What the form alone does not show. */
static enum err check_here(struct step *s, const Referral *r, bool urgent_lane, struct faults *f)
{
	const Principal *partner = registry_find(step_registry(s), step_sender(s));
	const Agreement *a = partner ? partner->agreement : NULL;
	bool agreed = !a || !a->n_areas;
	uint8_t token[32];
	struct slice known;
	enum err e;

	for (size_t i = 0; a && i < a->n_areas; i++)
		agreed = agreed || strcmp(a->areas[i], r->location_country) == 0;
	if (!agreed && protection_is_empty(r->protection)) /* an urgent one is for a person */
		fault_add(f, FAULT_AREA_NOT_AGREED, "location_country");
	if (urgent_lane && protection_is_empty(r->protection))
		fault_add(f, FAULT_LANE_NEEDS_THREAT, "protection.threats");
	reference_token(s, step_sender(s), r->reference, token);
	e = step_get(s, INTAKE_REFERENCES, slice_of(token, sizeof(token)), &known);
	if (e == OK)
		fault_add(f, FAULT_REFERENCE_USED, "reference");
	return e == ERR_NOT_FOUND ? OK : e;
}

/* A number that no case has yet. */
static enum err new_case_number(struct step *s, char number[CASE_NUMBER_SIZE])
{
	uint8_t random[8];
	struct slice taken;
	enum err e;

	do {
		step_random(s, random, sizeof(random));
		case_number_make(random, number);
		e = step_get(s, INTAKE_ENTRIES, slice_str(number), &taken);
	} while (e == OK);
	return e == ERR_NOT_FOUND ? OK : e;
}

/*
 * R25.1(7): ages are locked on the day of the first referral. A partner that completes a returned
 * case links it; the same person in both keeps the first day.
 */
static enum err lock_times(struct step *s, const Referral *r, IntakeEntry *entry)
{
	for (size_t i = 0; i < r->n_linked_cases; i++) {
		IntakeEntry *first = NULL;
		IntakeVault *v = NULL;
		bool same = false;
		enum err e = entry_load(s, r->linked_cases[i], &first);

		if (e == ERR_NOT_FOUND)
			continue;
		if (e == OK && strcmp(first->partner, step_sender(s)) == 0)
			e = vault_load(s, r->linked_cases[i], &v);
		if (e == OK && v)
			e = duplicates_likely(r, v->referral, &same);
		if (e == OK && same && first->lock_at < entry->lock_at) {
			entry->lock_at = first->lock_at;
			entry->made_at = first->made_at;
		}
		vault_free(v);
		if (first)
			intake_entry__free_unpacked(first, NULL);
		TRY(e);
	}
	return OK;
}

static enum err new_entry(struct step *s, const Referral *r, IntakeEntry **ret)
{
	char number[CASE_NUMBER_SIZE];
	IntakeEntry *entry;
	enum err e;

	TRY(new_case_number(s, number));
	entry = message_new(&intake_entry__descriptor);
	if (!entry)
		return ERR_NOMEM;
	e = set_text(&entry->case_number, number);
	if (e == OK)
		e = set_text(&entry->partner, step_sender(s));
	if (e == OK)
		e = set_bytes(&entry->submission, step_cause(s), MSG_ID_LEN);
	if (e == OK) {
		entry->received_at = step_now(s);
		entry->lock_at = step_now(s);
		entry->made_at = r->made_at;
		entry->persons = (uint32_t)r->n_persons;
		entry->urgent = !protection_is_empty(r->protection);
		e = lock_times(s, r, entry);
	}
	if (e != OK) {
		intake_entry__free_unpacked(entry, NULL);
		return e;
	}
	*ret = entry;
	return OK;
}

/* Into the vault, and the marks by which it is found again. */
static enum err keep(struct step *s, const IntakeEntry *entry, const Referral *r)
{
	IntakeVault v = INTAKE_VAULT__INIT;
	uint8_t token[32];

	v.referral = (Referral *)r;
	TRY(vault_save(s, entry->case_number, &v));
	reference_token(s, entry->partner, r->reference, token);
	return step_put(s, INTAKE_REFERENCES, slice_of(token, sizeof(token)),
		slice_str(entry->case_number));
}

/* The registered case goes on: urgent first, then the hold or the facts. */
static enum err pass_on(struct step *s, IntakeEntry *entry, const Referral *r)
{
	if (entry->urgent) /* 3 */
		TRY(tell_threat(s, entry, r, r->protection));
	TRY(duplicates_propose(s, entry, r));
	if (entry->n_likely) {
		/* the partner hears of a registration like any other: a name tried out must not
		 * tell whether it is known here */
		entry->state = STATE__REGISTERED;
		TRY(tell_outcome(s, entry, EVENT__REGISTER, REASON__NO_REASON));
		entry->state = STATE__DUPLICATE_HOLD;
		entry->held_once = true;
		entry->held_at = step_now(s);
		log_info("DUPLICATE-HELD", "case=%s candidates=%zu", entry->case_number,
			entry->n_likely);
	} else {
		entry->state = STATE__REGISTERED;
		TRY(tell_facts(s, entry, r)); /* 2 */
	}
	return entry_save(s, entry);
}

static enum err submit(struct step *s, const Referral *r, bool urgent_lane)
{
	struct faults faults = {0};
	IntakeEntry *entry = NULL;
	enum err e = referral_check(r, step_now(s), &faults);

	if (e != OK && e != ERR_INVALID)
		return e;
	TRY(check_here(s, r, urgent_lane, &faults));
	if (faults.n) {
		uint8_t n = (uint8_t)faults.n;

		log_info("REFERRAL-REJECTED", "from=%s faults=%zu", step_sender(s), faults.n);
		TRY(step_put(
			s, INTAKE_REJECTED, slice_of(step_cause(s), MSG_ID_LEN), slice_of(&n, 1)));
		if (urgent_lane)
			TRY(tell_urgent_rejected(s, KIND_SUBMIT_URGENT, &faults));
		return tell_rejected(s, &faults);
	}
	TRY(new_entry(s, r, &entry));
	e = keep(s, entry, r);
	if (e == OK)
		e = pass_on(s, entry, r);
	if (e == OK)
		log_info("REFERRAL-REGISTERED", "case=%s from=%s persons=%u", entry->case_number,
			step_sender(s), entry->persons);
	intake_entry__free_unpacked(entry, NULL);
	return e;
}

enum err on_submit(struct step *s, const ProtobufCMessage *m)
{
	return submit(s, (const Referral *)m, false);
}

enum err on_submit_urgent(struct step *s, const ProtobufCMessage *m)
{
	return submit(s, (const Referral *)m, true);
}
