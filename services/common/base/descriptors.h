/*
 * descriptors.h - how many files a process may have open. libzmq aborts when none is left while it
 * starts, so that every program looks first.
 */
#ifndef HAVRE_DESCRIPTORS_H
#define HAVRE_DESCRIPTORS_H

#include "proto/err.h"

/* What any program can start and work with; the broker needs one more for each connection. */
#define DESCRIPTORS_LEAST 64

/* Raises a lower limit as far as it is permitted. ERR_DESCRIPTORS: that is not enough. */
MUST_USE enum err descriptors_ready(void);

#endif
