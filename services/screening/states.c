#include "services/screening/states.h"

#define NEUTRAL  false
#define NEGATIVE true
#define QUIET    false
#define TOLD     true

static const struct {
	bool negative;
	enum holds holds;
	enum turn turn;
} states[] = {
#define STATE(name, negative, holds, turn) [STATE__##name] = {negative, HOLDS_##holds, TURN_##turn},
#define TRANSITION(from, event, to, who, told)
#include "services/screening/states.def"
#undef STATE
#undef TRANSITION
};

static const struct transition transitions[] = {
#define STATE(name, negative, holds, turn)
#define TRANSITION(from, event, to, who, told)                                                     \
	{STATE__##from, EVENT__##event, STATE__##to, WHO_##who, told},
#include "services/screening/states.def"
#undef STATE
#undef TRANSITION
};
#define TRANSITIONS (sizeof(transitions) / sizeof(transitions[0]))

const struct transition *states_all(size_t *ret_n)
{
	*ret_n = TRANSITIONS;
	return transitions;
}

const struct transition *states_find(State from, Event event, enum who who, State kept)
{
	const struct transition *first = NULL;

	for (size_t i = 0; i < TRANSITIONS; i++) {
		const struct transition *t = &transitions[i];

		if (t->from != from || t->event != event || !(t->who & who))
			continue;
		if (t->to == kept)
			return t;
		if (!first)
			first = t;
	}
	return first;
}

bool state_negative(State state)
{
	return states[state].negative;
}

enum holds state_holds(State state)
{
	return states[state].holds;
}

enum turn state_turn(State state)
{
	return states[state].turn;
}

const char *state_name(State state)
{
	const ProtobufCEnumValue *v =
		protobuf_c_enum_descriptor_get_value(&state__descriptor, (int)state);

	return v ? v->name : "?";
}

const char *event_name(Event event)
{
	const ProtobufCEnumValue *v =
		protobuf_c_enum_descriptor_get_value(&event__descriptor, (int)event);

	return v ? v->name : "?";
}

bool event_is_decision(Event event)
{
	return event >= EVENT__SCREEN && event < EVENT__REQUEST_ESCALATION;
}
