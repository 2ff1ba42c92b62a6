/*
 * cases.h - the row of a case, its history, and its place in the queue. Every change goes through
 * the table of states; what the table does not have is refused.
 */
#ifndef HAVRE_SCREENING_CASES_H
#define HAVRE_SCREENING_CASES_H

#include "services/screening/screening.h"
#include "services/screening/states.h"

/* ERR_NOT_FOUND also for what is not a case number. screening_case__free_unpacked(*ret). */
MUST_USE enum err cases_load(struct step *s, const char *case_number, ScreeningCase **ret);
/* The sealed facts. facts__free_unpacked(*ret). */
MUST_USE enum err cases_facts(struct step *s, const char *case_number, Facts **ret);
/* Writes the row, and the case's turn in the queue. */
MUST_USE enum err cases_save(struct step *s, const ScreeningCase *c);

struct change {
	Event event;
	enum who who;
	const char *actor; /* a principal; an officer's for WHO_PERSON */
	const Reason *reasons;
	size_t n_reasons;
	SealedNote *note;
	uint32_t persons; /* the new size of the household; 0: as it was */
};

/*
 * One transition: state, version, history, row, queue, and the outcome for the partner. The places
 * are not touched. ERR_NO_TRANSITION: refused, logged, nothing changed.
 */
MUST_USE enum err cases_apply(struct step *s, ScreeningCase *c, const struct change *change);
/* The protection axis moved: the case changes its place in the queue and in the waiting list. */
MUST_USE enum err cases_protect(struct step *s, ScreeningCase *c, Protection to);

/* Is this principal one who may decide? */
bool cases_officer(struct step *s, const char *name);

/* `each` for every change of a case, oldest first. */
typedef enum err each_change(void *arg, const Change *change);
MUST_USE enum err cases_history(
	struct step *s, const ScreeningCase *c, each_change *each, void *arg);

#endif
