#include "services/intake/intake.h"

#include "proto/wipe.h"

enum err entry_load(struct step *s, const char *case_number, IntakeEntry **ret)
{
	ProtobufCMessage *m;

	TRY(record_get(s, INTAKE_ENTRIES, slice_str(case_number), &intake_entry__descriptor, &m));
	*ret = (IntakeEntry *)m;
	return OK;
}

enum err entry_save(struct step *s, const IntakeEntry *entry)
{
	return record_put(s, INTAKE_ENTRIES, slice_str(entry->case_number), &entry->base);
}

enum err vault_load(struct step *s, const char *case_number, IntakeVault **ret)
{
	ProtobufCMessage *m;

	TRY(case_get(s, INTAKE_VAULT, slice_str(case_number), case_number,
		&intake_vault__descriptor, &m));
	*ret = (IntakeVault *)m;
	return OK;
}

void vault_free(IntakeVault *v)
{
	message_wipe(v ? &v->base : NULL);
}

enum err vault_save(struct step *s, const char *case_number, const IntakeVault *v)
{
	return case_put(s, INTAKE_VAULT, slice_str(case_number), case_number, &v->base);
}

bool entry_has_left(const IntakeEntry *entry)
{
	return entry->state != STATE__REGISTERED && entry->state != STATE__DUPLICATE_HOLD;
}

/* A case is merged into an earlier one only: the row ends. */
enum err entry_load_merged(struct step *s, const char *case_number, IntakeEntry **ret)
{
	IntakeEntry *entry, *next;

	TRY(entry_load(s, case_number, &entry));
	while (entry->state == STATE__DUPLICATE_MERGED) {
		enum err e = entry_load(s, entry->merged_into, &next);

		intake_entry__free_unpacked(entry, NULL);
		TRY(e);
		entry = next;
	}
	*ret = entry;
	return OK;
}
