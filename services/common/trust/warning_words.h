/*
 * warning_words.h - what a person reads of a Warning: for the relays and for havre-staff.
 */
#ifndef HAVRE_WARNING_WORDS_H
#define HAVRE_WARNING_WORDS_H

#include "proto/bytes.h"
#include "proto/trust.pb-c.h"

/* What happened, or that it is over: one sentence. Appends to *out. */
MUST_USE enum err warning_says(const Warning *w, enum lang lang, struct buf *out);
/* What to do about it; nothing when it is over. */
MUST_USE enum err warning_advice(const Warning *w, enum lang lang, struct buf *out);
/* It tells of one event, and nothing ever stands it down. */
bool warning_is_event(const Warning *w);

#endif
