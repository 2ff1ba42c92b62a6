/*
 * states.h - the state machine of a case, from the table states.def. Pure functions.
 */
#ifndef HAVRE_SCREENING_STATES_H
#define HAVRE_SCREENING_STATES_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/codes.pb-c.h"

/* Sets: a transition for either has both bits. */
enum who { WHO_MACHINE = 1, WHO_PERSON = 2, WHO_EITHER = 3 };
enum holds { HOLDS_NONE, HOLDS_RESERVED, HOLDS_CONSUMED };
enum turn { TURN_PERSON, TURN_PLACES, TURN_OTHER, TURN_DONE };

struct transition {
	State from;
	Event event;
	State to;
	enum who who;
	bool told;
};

/* NULL: refused. kept: the approval that a roll-over kept, or NO_STATE. */
const struct transition *states_find(State from, Event event, enum who who, State kept);
/* The whole table. */
const struct transition *states_all(size_t *ret_n);

bool state_negative(State state);
enum holds state_holds(State state);
enum turn state_turn(State state);
const char *state_name(State state);
const char *event_name(Event event);

/* Is it one that an officer sends to screening in a Decision? */
bool event_is_decision(Event event);

#endif
