/*
 * set_text.h - strings of generated messages: a field that was never set points to one shared empty
 * string, which must not be freed.
 */
#ifndef HAVRE_SET_TEXT_H
#define HAVRE_SET_TEXT_H

#include "proto/err.h"

/* A copy of `value` in place of *field. ERR_NOMEM: *field is as it was. */
MUST_USE enum err set_text(char **field, const char *value);

#endif
