/*
 * locked.h - memory for secrets: locked, checked to be locked, wiped when freed.
 */
#ifndef HAVRE_LOCKED_H
#define HAVRE_LOCKED_H

#include "proto/err.h"

#include <stddef.h>

/* Zeroed, aligned for everything. sodium_free wipes it. ERR_NOMEM: also when it cannot be locked,
 * which is logged. */
MUST_USE enum err locked_alloc(size_t len, void **ret);

#endif
