#include "services/screening/cases.h"
#include "services/screening/ledger.h"
#include "services/screening/verify.h"
#include "services/screening/waiting.h"

struct case_check {
	struct step *s;
	verify_report *report;
	void *arg;
	const char *case_number;
	State state; /* where the history is */
	uint32_t version;
};

static void found(const struct case_check *k, const char *invariant, const char *why)
{
	k->report(k->arg, &(struct verify_finding){invariant, k->case_number, why});
}

/* The row of the table that this change used; NULL: there is none. */
static const struct transition *row_of(const Change *c)
{
	size_t n;
	const struct transition *t = states_all(&n);

	for (size_t i = 0; i < n; i++, t++)
		if (t->from == c->from && t->event == c->event && t->to == c->to)
			return t;
	return NULL;
}

static enum err check_change(void *arg, const Change *c)
{
	struct case_check *k = arg;
	bool protection = c->event >= EVENT__REQUEST_ESCALATION;
	const struct transition *t = row_of(c);
	bool by_person = t && t->who == WHO_PERSON;

	if (c->from != k->state || (protection && c->from != c->to))
		found(k, "I9", "a change does not follow from the one before");
	if (c->case_version != k->version && c->case_version != k->version + 1)
		found(k, "I9", "a version is missing");
	if (!protection && !t)
		found(k, "I9", "the table of states has no such change");
	if (c->cause.len != MSG_ID_LEN)
		found(k, "I9", "a change does not name its cause");
	if ((state_negative(c->to) || by_person) && !protection && !cases_officer(k->s, c->actor))
		found(k, "I5", "a decision that no officer made");
	if (state_negative(c->to) && !protection && c->n_reasons == 0)
		found(k, "I5", "a negative state without a reason");
	k->state = c->to;
	k->version = c->case_version;
	return OK;
}

/* What the case waits for, as (persons, pending); zero when it does not wait. */
static enum err waits_for(
	struct step *s, const ScreeningCase *c, uint32_t *ret_persons, bool *ret_pending)
{
	struct key place = {0};
	ScreeningWaiting *w;
	enum err e;

	order_key(&place, c);
	*ret_persons = 0;
	*ret_pending = false;
	e = waiting_get(s, key_slice(&place), &w);
	if (e == ERR_NOT_FOUND)
		return OK;
	if (e != OK)
		return e;
	*ret_persons = w->persons;
	*ret_pending = w->pending;
	screening_waiting__free_unpacked(w, NULL);
	return OK;
}

static enum err check_places(struct case_check *k, const ScreeningCase *c)
{
	bool reserved = state_holds(c->state) == HOLDS_RESERVED;
	bool waits = state_turn(c->state) == TURN_PLACES, pending;
	struct household h;
	uint32_t waiting;

	TRY(ledger_household(k->s, c->case_number, &h));
	TRY(waits_for(k->s, c, &waiting, &pending));
	if (reserved != (h.reserved > 0))
		found(k, "I4", "the reservation does not fit the state");
	if (state_holds(c->state) == HOLDS_CONSUMED && h.consumed != c->persons)
		found(k, "I4", "not the whole household has arrived");
	if (reserved && h.reserved + waiting != c->persons)
		found(k, "I4", "not the whole household has places or waits for them");
	if (waits && (waiting != c->persons || pending))
		found(k, "I4", "not the whole household waits");
	if (waiting && !waits && !(reserved && pending))
		found(k, "I4", "waits for places in a state that needs none");
	return OK;
}

static enum err check_case(void *arg, struct slice key, struct slice value)
{
	struct case_check *k = arg;
	char number[64];
	ScreeningCase *c;
	enum err e;

	(void)value;
	if (key.len >= sizeof(number))
		return ERR_CORRUPT;
	memcpy(number, key.data, key.len);
	number[key.len] = 0;
	TRY(cases_load(k->s, number, &c));
	k->case_number = number;
	k->state = STATE__NO_STATE;
	k->version = 0;
	e = cases_history(k->s, c, check_change, k);
	if (e == ERR_NOT_FOUND) {
		found(k, "I9", "a change is missing");
		e = OK;
	} else if (e == OK && (k->state != c->state || k->version != c->version)) {
		found(k, "I9", "the history does not lead to the present state");
	}
	if (e == OK)
		e = check_places(k, c);
	screening_case__free_unpacked(c, NULL);
	return e;
}

enum err cases_verify(struct step *s, verify_report *report, void *arg)
{
	struct case_check k = {.s = s, .report = report, .arg = arg};

	return step_each(s, T_CASES, (struct slice){0}, check_case, &k);
}
