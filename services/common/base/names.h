/*
 * names.h - what a principal may be called.
 */
#ifndef HAVRE_NAMES_H
#define HAVRE_NAMES_H

#include <stdbool.h>

#define NAME_MOST 48

/* a-z, 0-9 and "-", 1 to NAME_MOST characters. */
bool name_valid(const char *name);

#endif
