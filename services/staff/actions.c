#include "services/staff/actions.h"

#include <ctype.h>
#include <string.h>

#define VERSION ACTION_VERSION
#define NOTE    ACTION_NOTE
#define YEAR    ACTION_YEAR
#define PERSONS ACTION_PERSONS
#define WITH    ACTION_WITH
const struct action staff_actions[] = {
#define ACTION(word, event, kind, options) {word, EVENT__##event, KIND_##kind, options},
#include "services/staff/actions.def"
#undef ACTION
	{NULL, EVENT__NO_EVENT, KIND_DECIDE_CASE, 0},
};
#undef VERSION
#undef NOTE
#undef YEAR
#undef PERSONS
#undef WITH

const struct action *action_find(const char *word)
{
	for (const struct action *a = staff_actions; a->word; a++)
		if (strcmp(a->word, word) == 0)
			return a;
	return NULL;
}

const struct action *action_of(Event event)
{
	for (const struct action *a = staff_actions; a->word; a++)
		if (a->event == event)
			return a;
	return NULL;
}

const struct action *action_on_protection(Protection now, unsigned i)
{
	static const struct {
		Protection from;
		Event event;
	} axes[] = {
#define AXIS(from, event, to) {PROTECTION__##from, EVENT__##event},
#include "services/urgent/protection.def"
#undef AXIS
	};

	for (size_t k = 0; k < sizeof(axes) / sizeof(axes[0]); k++) {
		const struct action *a = action_of(axes[k].event);

		if (a && axes[k].from == now && i-- == 0)
			return a;
	}
	return NULL;
}

enum err coded_find(const ProtobufCEnumDescriptor *type, const char *text, int *ret)
{
	const ProtobufCEnumValue *value;
	char name[64];
	size_t i;

	for (i = 0; text[i] && i < sizeof(name) - 1; i++)
		name[i] = text[i] == '-' ? '_' : (char)toupper((unsigned char)text[i]);
	name[i] = '\0';
	value = text[i] ? NULL : protobuf_c_enum_descriptor_get_value_by_name(type, name);
	if (!value || value->value == 0)
		return ERR_INVALID;
	*ret = value->value;
	return OK;
}

void coded_word(const char *name, char ret[64])
{
	size_t i;

	for (i = 0; name[i] && i < 63; i++)
		ret[i] = name[i] == '_' ? '-' : (char)tolower((unsigned char)name[i]);
	ret[i] = '\0';
}
