/*
 * case_view.h - one case as all services see it: screening has its facts and its state, the urgent
 * service its protection, and intake a hold before screening has heard of it.
 */
#ifndef HAVRE_STAFF_CASE_VIEW_H
#define HAVRE_STAFF_CASE_VIEW_H

#include "services/staff/staff.h"

struct case_view {
	CaseAnswer *answer;      /* never NULL; `result` UNKNOWN_CASE: screening does not know it */
	const AlertEntry *alert; /* NULL: it never asked for protection, or no_alerts */
	const Hold *hold;        /* asked for only when screening does not know the case */
	enum err no_alerts;      /* OK: the urgent service answered */
	AlertsAnswer *alerts;
	HoldsAnswer *holds;
};

/* Tells what went wrong: nobody answered (69), nobody knows the case (65). case_view_free(ret). */
MUST_USE enum err case_view_load(struct session *s, const char *case_number, struct case_view *ret);
void case_view_free(struct case_view *v);
/* The referring partner; NULL: not known. */
const char *case_view_partner(const struct case_view *v);

#endif
