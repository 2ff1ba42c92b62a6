/*
 * threat_words.h - the part of referral_check.h about R138: each threat that is asked for has its
 * narrative, and no threat is told that is not asked for, because codes alone are acted on.
 */
#ifndef HAVRE_THREAT_WORDS_H
#define HAVRE_THREAT_WORDS_H

#include <stdbool.h>

#include "proto/fault.h"
#include "proto/referral.pb-c.h"

/* The case's narrative may hold a threat's words, or that of any one member. */
void threat_words_check(const Referral *r, struct faults *faults);
void risk_words_check(const RiskReport *r, struct faults *faults);
/* Neither a threat nor a detention nor a date of removal: nobody needs to hear of it at once. */
bool protection_is_empty(const ProtectionRequest *p);
/* NULL, or nothing but blanks. */
bool is_blank(const char *text);

#endif
