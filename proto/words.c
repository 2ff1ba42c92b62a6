#include "proto/words.h"

#include "proto/case.pb-c.h"
#include "proto/codes.pb-c.h"
#include "proto/registry.pb-c.h"
#include "proto/trust.pb-c.h"

const char *word(const ProtobufCEnumDescriptor *type, int value, enum lang lang)
{
	static const struct {
		const ProtobufCEnumDescriptor *type;
		int value;
		const char *words[2];
	} rows[] = {
#define WORD(type, value, en, fr) {&type##__descriptor, value, {en, fr}},
#include "proto/words.def"
#undef WORD
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].type == type && rows[i].value == value)
			return rows[i].words[lang];
	return "?";
}
