#include "services/common/node/posted.h"

#include <assert.h>
#include <stdlib.h>

enum err posted_open(size_t most, struct posted *ret)
{
	struct posted p = {.list = calloc(most, sizeof(*p.list)), .most = most};

	if (!p.list)
		return ERR_NOMEM;
	*ret = p;
	return OK;
}

void posted_free(struct posted *p)
{
	free(p->list);
	*p = (struct posted){0};
}

void posted_clear(struct posted *p)
{
	*p = (struct posted){.list = p->list, .most = p->most};
}

bool posted_room(const struct posted *p)
{
	return p->n < p->most;
}

void posted_add(struct posted *p, uint64_t place, const uint8_t id[MSG_ID_LEN], int64_t answer_by)
{
	struct posted_entry *entry = &p->list[p->n];

	assert(posted_room(p) && place > p->last);
	*entry = (struct posted_entry){.place = place, .answer_by = answer_by};
	memcpy(entry->id, id, MSG_ID_LEN);
	p->last = place;
	p->n++;
}

static struct posted_entry *find(struct posted *p, const uint8_t id[MSG_ID_LEN])
{
	for (size_t i = 0; i < p->n; i++)
		if (memcmp(p->list[i].id, id, MSG_ID_LEN) == 0)
			return &p->list[i];
	return NULL;
}

void posted_remove(struct posted *p, const uint8_t id[MSG_ID_LEN])
{
	struct posted_entry *entry = find(p, id);

	if (entry)
		*entry = p->list[--p->n];
}

void posted_busy(struct posted *p, const uint8_t id[MSG_ID_LEN], int64_t not_before)
{
	struct posted_entry *entry = find(p, id);

	if (!entry)
		return;
	if (p->put_off == 0 || entry->place < p->put_off)
		p->put_off = entry->place;
	*entry = p->list[--p->n];
	posted_wait(p, not_before);
}

void posted_wait(struct posted *p, int64_t not_before)
{
	if (not_before > p->not_before)
		p->not_before = not_before;
}

static bool answers_missing(const struct posted *p)
{
	return p->put_off && p->n > 0;
}

bool posted_go(struct posted *p, int64_t now)
{
	if (answers_missing(p) || now < p->not_before)
		return false;
	if (p->put_off)
		p->last = p->put_off - 1;
	p->put_off = 0;
	p->not_before = 0;
	return true;
}

static int64_t first_due(const struct posted *p)
{
	int64_t due = INT64_MAX;

	for (size_t i = 0; i < p->n; i++)
		if (p->list[i].answer_by < due)
			due = p->list[i].answer_by;
	return due;
}

bool posted_overdue(const struct posted *p, int64_t now)
{
	return first_due(p) <= now;
}

int64_t posted_next(const struct posted *p)
{
	int64_t due = first_due(p);

	return p->not_before && !answers_missing(p) && p->not_before < due ? p->not_before : due;
}
