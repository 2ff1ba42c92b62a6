/*
 * notify.h - the service that tells the partner (step 6 of the picture): every change that it may
 * know becomes one bilingual, signed notice. After closure or opt-out nothing more is sent.
 *
 * A step tells one reader. What several are to hear, since several partners referred the person,
 * goes to this service's own mailbox once for each: to one whose only key is suspended nothing can
 * be sealed, its step is held until the lift, and the others are told at once.
 */
#ifndef HAVRE_NOTIFY_H
#define HAVRE_NOTIFY_H

#include "services/common/engine/service.h"

extern const struct service notify_service;

/* The tables of its store. */
enum { NOTIFY_CASES /* case number -> NotifyCase */ };

#endif
