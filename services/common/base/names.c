#include "services/common/base/names.h"

#include <string.h>

bool name_valid(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return len >= 1 && len <= NAME_MOST && name[len] == 0;
}
