#include "services/common/keys/locked.h"

#include <sodium.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "services/common/base/log.h"

/* sodium_malloc hands out unlocked memory past the limit without a word: ask again; the kernel
 * itself, for the sanitizers make mlock do nothing. */
enum err locked_alloc(size_t len, void **ret)
{
	void *p;

	if (sodium_init() < 0)
		return ERR_NOMEM;
	len = (len + 15) &
	      ~(size_t)15; /* its end is at the end of a page: the start is aligned so */
	p = sodium_malloc(len);
	if (!p)
		return ERR_NOMEM;
	if (syscall(SYS_mlock, p, len) != 0) {
		log_error("KEYRING-NOT-LOCKED", "bytes=%zu why=memlock", len);
		sodium_free(p);
		return ERR_NOMEM;
	}
	sodium_memzero(p, len);
	*ret = p;
	return OK;
}
