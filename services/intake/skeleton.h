/*
 * skeleton.h - names reduced to what survives another spelling: transliterated to Latin letters
 * (ICU), without accents, particles and honorifics, then to a consonant skeleton. "Mohammed" and
 * "Muhammad" give the same; so do a name in its script and most of its transliterations.
 * tests/data/name-vectors.json has test vectors.
 */
#ifndef HAVRE_INTAKE_SKELETON_H
#define HAVRE_INTAKE_SKELETON_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/err.h"
#include "proto/referral.pb-c.h"

#define SKELETON_SIZE  24
#define SKELETONS_MOST 24

/* The distinct skeletons of a person's names: of each part, and of whole names written as one. */
struct skeletons {
	char part[SKELETONS_MOST][SKELETON_SIZE];
	size_t n_parts;
	char whole[SKELETONS_MOST][SKELETON_SIZE];
	size_t n_wholes;
};

/* ERR_NOMEM. Names that have no letter give no skeleton. */
MUST_USE enum err skeletons_of(const Identity *id, struct skeletons *ret);
/* One name: lower-case Latin letters with single spaces. out holds `size` bytes. */
MUST_USE enum err name_to_latin(const char *utf8, char *out, size_t size);
/* One part of a Latin name to its skeleton. */
void skeleton_of_part(const char *latin, char out[SKELETON_SIZE]);

#endif
