/*
 * notify.h - the service that tells the partner (step 6 of the picture): every change that it may
 * know becomes one bilingual, signed notice. After closure or opt-out nothing more is sent.
 */
#ifndef HAVRE_NOTIFY_H
#define HAVRE_NOTIFY_H

#include "services/common/engine/service.h"

extern const struct service notify_service;

/* The tables of its store. */
enum { NOTIFY_CASES /* case number -> NotifyCase */ };

#endif
