#include "services/common/base/descriptors.h"

#include <sys/resource.h>

enum err descriptors_ready(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return ERR_IO;
	if (limit.rlim_cur >= DESCRIPTORS_LEAST)
		return OK;
	if (limit.rlim_max < DESCRIPTORS_LEAST)
		return ERR_DESCRIPTORS;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) ? ERR_DESCRIPTORS : OK;
}
