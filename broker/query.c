/* The table of pending questions. It is small: a walk costs less than the verification of the
 * message that it is for. */
#include "broker/query.h"

static struct query *find(struct queries *q, const char *asker, const uint8_t id[MSG_ID_LEN])
{
	for (size_t i = 0; i < q->n; i++)
		if (memcmp(q->list[i].id, id, MSG_ID_LEN) == 0 &&
			strcmp(q->list[i].asker, asker) == 0)
			return &q->list[i];
	return NULL;
}

static size_t count_of(const struct queries *q, const char *asker)
{
	size_t n = 0;

	for (size_t i = 0; i < q->n; i++)
		n += strcmp(q->list[i].asker, asker) == 0;
	return n;
}

static void expire(struct queries *q, int64_t now)
{
	for (size_t i = 0; i < q->n;)
		if (q->list[i].until <= now)
			q->list[i] = q->list[--q->n];
		else
			i++;
}

enum err queries_add(struct queries *q, const struct query *one, int64_t now)
{
	struct query *place;

	expire(q, now);
	place = find(q, one->asker, one->id);
	if (!place) {
		if (q->n == QUERIES_MOST || count_of(q, one->asker) >= QUERIES_OF_ONE)
			return ERR_BUSY;
		place = &q->list[q->n++];
	}
	*place = *one;
	place->until = now + QUERY_EXPIRES_MS;
	return OK;
}

enum err queries_answer(struct queries *q, const char *asker, const char *asked,
	const uint8_t id[MSG_ID_LEN], int64_t now, uint64_t *ret_conn)
{
	struct query *one;

	expire(q, now);
	one = find(q, asker, id);
	if (!one || strcmp(one->asked, asked) != 0)
		return ERR_NOT_ASKED;
	*ret_conn = one->conn;
	*one = q->list[--q->n];
	return OK;
}
