#include "services/common/set_text.h"

#include <protobuf-c/protobuf-c.h>
#include <stdlib.h>
#include <string.h>

enum err set_text(char **field, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return ERR_NOMEM;
	if (*field != protobuf_c_empty_string)
		free(*field);
	*field = copy;
	return OK;
}
