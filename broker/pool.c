/* The verifying threads. A lane's jobs stay in one list in the order of arrival, from when they
 * are given until they are taken: the oldest is taken as soon as it is judged. */
#include "broker/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct queue {
	struct job *first, *last;
	struct job *waiting; /* the first that no thread has begun */
	size_t n, bytes;
};

struct pool {
	struct who *who;
	size_t most;
	int fd;
	pthread_mutex_t lock;
	pthread_cond_t given;
	bool stop;
	struct queue lanes[LANES];
	unsigned n_threads;
	pthread_t threads[];
};

/* The order in which lanes are served. */
static const enum lane serve[LANES] = {LANE_URGENT, LANE_ROUTINE};

void job_free(struct job **jp)
{
	if (*jp && (*jp)->frame)
		frame__free_unpacked((*jp)->frame, NULL);
	free(*jp);
	*jp = NULL;
}

static void wake(const struct pool *p)
{
	uint64_t one = 1;

	/* Cannot fail but when the count is at its end: readable already. */
	(void)!write(p->fd, &one, sizeof one);
}

/* Called with the lock held. */
static struct job *next_waiting(struct pool *p)
{
	for (size_t i = 0; i < LANES; i++) {
		struct queue *q = &p->lanes[serve[i]];
		struct job *j = q->waiting;

		if (j) {
			q->waiting = j->next;
			return j;
		}
	}
	return NULL;
}

static void judge(struct who *who, struct job *j)
{
	const struct registry *r = who_lock(who);

	verify(r, &j->from, j->via, j->at, j->envelope, &j->verdict);
	if (j->receipt)
		verify_receipt(r, j->broker, j->receipt, j->envelope, &j->verdict);
	who_unlock(who);
}

/* Called with the lock held, which is open while the job is judged. false: there was none. */
static bool work(struct pool *p)
{
	struct job *j = next_waiting(p);

	if (!j)
		return false;
	pthread_mutex_unlock(&p->lock);
	judge(p->who, j);
	pthread_mutex_lock(&p->lock);
	j->done = true;
	if (p->lanes[j->from.lane].first == j)
		wake(p);
	return true;
}

bool pool_work(struct pool *p)
{
	bool worked;

	pthread_mutex_lock(&p->lock);
	worked = work(p);
	pthread_mutex_unlock(&p->lock);
	return worked;
}

static void *run(void *arg)
{
	struct pool *p = arg;

	pthread_mutex_lock(&p->lock);
	while (!p->stop)
		if (!work(p))
			pthread_cond_wait(&p->given, &p->lock);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

enum err pool_open(struct who *who, unsigned threads, size_t most, struct pool **ret)
{
	struct pool *p = calloc(1, sizeof *p + threads * sizeof p->threads[0]);

	if (!p)
		return ERR_NOMEM;
	p->who = who;
	p->most = most;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->given, NULL);
	p->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	while (p->fd >= 0 && p->n_threads < threads) {
		if (pthread_create(&p->threads[p->n_threads], NULL, run, p) != 0)
			break;
		p->n_threads++;
	}
	if (p->fd < 0 || p->n_threads < threads) {
		pool_free(&p);
		return ERR_IO;
	}
	*ret = p;
	return OK;
}

void pool_free(struct pool **pp)
{
	struct pool *p = *pp;

	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->given);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->n_threads; i++)
		pthread_join(p->threads[i], NULL);
	for (size_t i = 0; i < LANES; i++)
		for (struct job *j = p->lanes[i].first, *next; j; j = next) {
			next = j->next;
			job_free(&j);
		}
	if (p->fd >= 0)
		close(p->fd);
	pthread_cond_destroy(&p->given);
	pthread_mutex_destroy(&p->lock);
	free(p);
	*pp = NULL;
}

int pool_fd(const struct pool *p)
{
	return p->fd;
}

enum err pool_give(struct pool *p, struct job **jp)
{
	struct job *j = *jp;
	struct queue *q = &p->lanes[j->from.lane];
	enum err e = ERR_BUSY;

	pthread_mutex_lock(&p->lock);
	if (q->n < p->most && q->bytes < POOL_BYTES_MOST) {
		j->next = NULL;
		j->done = false;
		*(q->last ? &q->last->next : &q->first) = j;
		q->last = j;
		if (!q->waiting)
			q->waiting = j;
		q->n++;
		q->bytes += j->envelope.len;
		pthread_cond_signal(&p->given);
		*jp = NULL;
		e = OK;
	}
	pthread_mutex_unlock(&p->lock);
	return e;
}

/* Called with the lock held. */
static struct job *take_done(struct pool *p)
{
	for (size_t i = 0; i < LANES; i++) {
		struct queue *q = &p->lanes[serve[i]];
		struct job *j = q->first;

		if (!j || !j->done)
			continue;
		q->first = j->next;
		if (!q->first)
			q->last = NULL;
		q->n--;
		q->bytes -= j->envelope.len;
		return j;
	}
	return NULL;
}

struct job *pool_take(struct pool *p)
{
	struct job *j;
	uint64_t count;

	pthread_mutex_lock(&p->lock);
	j = take_done(p);
	/* Emptied under the lock, and only when nothing is left: no wake is lost. */
	if (!j)
		(void)!read(p->fd, &count, sizeof count);
	pthread_mutex_unlock(&p->lock);
	return j;
}
