/*
 * case_number.h - case numbers: HV-XXXX-XXXX-C. Eight random characters and a check character of an
 * alphabet of 31 without the lookalikes 0 O 1 I U: a number says nothing about a case, and
 * one wrong character, or two that changed places, always show.
 */
#ifndef HAVRE_CASE_NUMBER_H
#define HAVRE_CASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#define CASE_NUMBER_SIZE 15 /* with the NUL at the end */

/* Some 8.5e11 numbers: whoever makes one still checks that it is not used already. */
void case_number_make(const uint8_t random[8], char out[CASE_NUMBER_SIZE]);
/* Exactly as made: capital letters, with the hyphens. */
bool case_number_valid(const char *text);

#endif
