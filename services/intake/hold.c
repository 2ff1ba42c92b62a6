/* A hold and the person's word on it: "same" or "not the same". */
#include "services/intake/intake.h"

#include <stdlib.h>
#include <string.h>

#include "services/common/base/log.h"

static struct key pair_key(const char *a, const char *b)
{
	bool first = strcmp(a, b) < 0;
	struct key k = {0};

	key_str(&k, first ? a : b);
	key_str(&k, first ? b : a);
	return k;
}

static size_t find_likely(const IntakeEntry *entry, const char *other)
{
	size_t i = 0;

	while (i < entry->n_likely && strcmp(entry->likely[i], other) != 0)
		i++;
	return i;
}

/* Released when no candidate is left: the facts go to screening. */
static enum err release(struct step *s, IntakeEntry *entry, const Referral *r, size_t i)
{
	free(entry->likely[i]);
	entry->likely[i] = entry->likely[--entry->n_likely];
	if (entry->n_likely)
		return OK;
	entry->state = STATE__REGISTERED;
	return tell_facts(s, entry, r); /* 2 */
}

static enum err not_same(struct step *s, IntakeEntry *entry, const Referral *r, size_t i)
{
	struct key k = pair_key(entry->case_number, entry->likely[i]);

	TRY(step_put(s, INTAKE_PAIRS, key_slice(&k), slice_str(step_sender(s))));
	return release(s, entry, r, i);
}

#define THREATS_MOST 8

/* Adds one request to the others; the newest date of a removal holds. */
static void ask_too(const ProtectionRequest *p, ProtectionRequest *all)
{
	for (size_t i = 0; p && i < p->n_threats; i++) {
		size_t k = 0;

		while (k < all->n_threats && all->threats[k] != p->threats[i])
			k++;
		if (k == all->n_threats && k < THREATS_MOST)
			all->threats[all->n_threats++] = p->threats[i];
	}
	if (p && *p->removal_on)
		all->removal_on = p->removal_on;
	all->detained = all->detained || (p && p->detained);
}

/* An urgent request goes on under the other's number, with all that was ever asked for. */
static enum err hand_on_threat(struct step *s, const IntakeEntry *goes_on, const IntakeVault *v)
{
	ThreatCode threats[THREATS_MOST];
	ProtectionRequest all = PROTECTION_REQUEST__INIT;

	all.threats = threats;
	ask_too(v->referral->protection, &all);
	for (size_t i = 0; i < v->n_reports; i++)
		ask_too(v->reports[i]->protection, &all);
	return tell_threat(s, goes_on, v->referral, &all);
}

static enum err add_merged(IntakeEntry *goes_on, const char *number)
{
	char *copy = strdup(number);
	enum err e = copy ? list_add(&goes_on->merged, &goes_on->n_merged, copy) : ERR_NOMEM;

	if (e != OK)
		free(copy);
	return e;
}

static enum err merge(struct step *s, IntakeEntry *entry, const IntakeVault *v,
	IntakeEntry *goes_on, Reason reason)
{
	entry->state = STATE__DUPLICATE_MERGED;
	TRY(set_text(&entry->merged_into, goes_on->case_number));
	TRY(add_merged(goes_on, entry->case_number));
	for (size_t i = 0; i < entry->n_merged; i++)
		TRY(add_merged(goes_on, entry->merged[i]));
	TRY(entry_save(s, goes_on));
	if (entry->urgent)
		TRY(hand_on_threat(s, goes_on, v));
	return tell_exit(s, entry, EVENT__MERGE_DUPLICATE, reason);
}

/* The other case goes on. When it has left the stream meanwhile, this one does: a person who was
 * referred twice is not lost because one of the two referrals was withdrawn. */
static enum err same(
	struct step *s, IntakeEntry *entry, const IntakeVault *v, size_t i, Reason reason)
{
	IntakeEntry *goes_on;
	enum err e;

	TRY(entry_load_merged(s, entry->likely[i], &goes_on));
	if (entry_has_left(goes_on))
		e = release(s, entry, v->referral, i);
	else
		e = merge(s, entry, v, goes_on, reason);
	intake_entry__free_unpacked(goes_on, NULL);
	return e;
}

static enum err apply(struct step *s, IntakeEntry *entry, const DuplicateDecision *d, size_t i)
{
	IntakeVault *v;
	enum err e;

	TRY(set_text(&entry->decided_by, step_sender(s)));
	TRY(vault_load(s, entry->case_number, &v));
	e = d->same ? same(s, entry, v, i, d->reason) : not_same(s, entry, v->referral, i);
	vault_free(v);
	TRY(e);
	log_info("DUPLICATE-DECIDED", "case=%s same=%d by=%s", entry->case_number, d->same,
		step_sender(s));
	return entry_save(s, entry);
}

enum err on_decide_duplicate(struct step *s, const ProtobufCMessage *m)
{
	const DuplicateDecision *d = (const DuplicateDecision *)m;
	Event event = d->same ? EVENT__MERGE_DUPLICATE : EVENT__NOT_A_DUPLICATE;
	IntakeEntry *entry = NULL;
	enum err e = entry_load(s, d->case_number, &entry), result = OK;
	State state;
	size_t i;

	if (e == ERR_NOT_FOUND)
		return tell_officer(s, d->case_number, event, ERR_UNKNOWN_CASE, STATE__NO_STATE);
	if (e != OK)
		return e;
	i = find_likely(entry, d->other_case);
	if (entry->state != STATE__DUPLICATE_HOLD || i == entry->n_likely)
		result = ERR_NO_TRANSITION;
	else if (d->same && d->reason == REASON__NO_REASON)
		result = ERR_REASON_MISSING;
	else
		e = apply(s, entry, d, i);
	state = entry->state;
	intake_entry__free_unpacked(entry, NULL);
	return e == OK ? tell_officer(s, d->case_number, event, result, state) : e;
}

#define HOLDS_MOST 500

static enum err hold_of(IntakeEntry *entry, Hold **ret)
{
	Hold *h = message_new(&hold__descriptor);

	if (!h)
		return ERR_NOMEM;
	/* moved: the entry is freed without them */
	h->case_number = entry->case_number;
	h->partner = entry->partner;
	h->likely = entry->likely;
	h->n_likely = entry->n_likely;
	h->held_at = entry->held_at;
	entry->case_number = NULL;
	entry->partner = NULL;
	entry->likely = NULL;
	entry->n_likely = 0;
	*ret = h;
	return OK;
}

static enum err list_hold(void *arg, struct slice key, struct slice value)
{
	HoldsAnswer *a = arg;
	ProtobufCMessage *m =
		protobuf_c_message_unpack(&intake_entry__descriptor, NULL, value.len, value.data);
	IntakeEntry *entry = (IntakeEntry *)m;
	enum err e = OK;

	(void)key;
	if (!entry)
		return ERR_CORRUPT;
	if (entry->state == STATE__DUPLICATE_HOLD && a->n_holds < HOLDS_MOST) {
		e = hold_of(entry, &a->holds[a->n_holds]);
		if (e == OK)
			a->n_holds++;
	}
	intake_entry__free_unpacked(entry, NULL);
	return e;
}

enum err on_ask_holds(
	struct step *s, const ProtobufCMessage *question, ProtobufCMessage **ret_answer)
{
	HoldsAnswer *a = message_new(&holds_answer__descriptor);
	enum err e = ERR_NOMEM;

	(void)question;
	if (!a)
		return ERR_NOMEM;
	a->holds = calloc(HOLDS_MOST, sizeof(Hold *));
	if (a->holds)
		e = step_each(s, INTAKE_ENTRIES, (struct slice){0}, list_hold, a);
	if (e != OK) {
		holds_answer__free_unpacked(a, NULL);
		return e;
	}
	*ret_answer = &a->base;
	return OK;
}
