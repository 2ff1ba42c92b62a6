/*
 * referral_check.h - the rules of form that a partner's messages keep. `havre check` applies them
 * before sending and intake applies them again: the same table, so that what is checked at the desk
 * is not sent back later.
 *
 * They say what must be there and what contradicts itself, no more. Somebody who is still in the
 * home country, in Canada already, or convicted has a referral of good form: what follows from that
 * is for people to decide.
 */
#ifndef HAVRE_REFERRAL_CHECK_H
#define HAVRE_REFERRAL_CHECK_H

#include "proto/fault.h"
#include "proto/referral.pb-c.h"
#include "services/common/referral/bounds.h"

/* Everything that is wrong is added to *faults; ERR_INVALID when there is something. now_ms decides
 * what is past: the present for a client, the step's time for a service. */
MUST_USE enum err referral_check(const Referral *r, int64_t now_ms, struct faults *faults);
MUST_USE enum err risk_report_check(const RiskReport *r, int64_t now_ms, struct faults *faults);
MUST_USE enum err withdrawal_check(const Withdrawal *w, int64_t now_ms, struct faults *faults);

/* The bounds of every field of the three messages (referral_bounds.c). */
const struct bound *referral_bounds(size_t *ret_count);

#endif
