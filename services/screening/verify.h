/*
 * verify.h - checks of screening's store for `havre-admin verify`. They only read. A finding names
 * the invariant (design, section 9), where (a case number, a year, an entry's number) and why; no
 * personal data.
 */
#ifndef HAVRE_SCREENING_VERIFY_H
#define HAVRE_SCREENING_VERIFY_H

#include "services/screening/screening.h"

struct verify_finding {
	const char *invariant; /* "I3" */
	const char *where;
	const char *why; /* English, for operators */
};
typedef void verify_report(void *arg, const struct verify_finding *finding);

/*
 * I3 reserved + consumed <= cap, and used <= allotment, at every entry; the balances follow from
 * the entries. I4 a household is one entry: reserved, adjusted, released and consumed whole, in one
 * year at a time. OK: the check ran; `report` was called for everything that is wrong.
 */
MUST_USE enum err ledger_verify(struct step *s, verify_report *report, void *arg);

/*
 * I4 the places of each case fit its state and its size. I5 no negative state without an officer.
 * I9 every change follows from the one before by the table, names its cause, and leads to the
 * present state.
 */
MUST_USE enum err cases_verify(struct step *s, verify_report *report, void *arg);

#endif
