/* The registry behind a lock that prefers the writer: a reload must not wait for ever. */
#include "broker/who.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct who {
	pthread_rwlock_t lock;
	struct registry *now;
};

enum err who_open(struct registry **registry, struct who **ret)
{
	struct who *w = malloc(sizeof *w);
	pthread_rwlockattr_t attr;

	if (!w)
		return ERR_NOMEM;
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&w->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
	w->now = *registry;
	*registry = NULL;
	*ret = w;
	return OK;
}

void who_free(struct who **wp)
{
	struct who *w = *wp;

	if (!w)
		return;
	registry_free(&w->now);
	pthread_rwlock_destroy(&w->lock);
	free(w);
	*wp = NULL;
}

const struct registry *who_lock(struct who *w)
{
	int failed = pthread_rwlock_rdlock(&w->lock);

	assert(!failed);
	(void)failed;
	return w->now;
}

void who_unlock(struct who *w)
{
	pthread_rwlock_unlock(&w->lock);
}

void who_replace(struct who *w, struct registry **registry)
{
	struct registry *old;
	int failed = pthread_rwlock_wrlock(&w->lock);

	assert(!failed);
	(void)failed;
	old = w->now;
	w->now = *registry;
	*registry = NULL;
	pthread_rwlock_unlock(&w->lock);
	registry_free(&old);
}

const struct registry *who_now(const struct who *w)
{
	return w->now;
}
