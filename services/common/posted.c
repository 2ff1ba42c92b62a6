#include "services/common/posted.h"

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
	p->n = 0;
	p->last = 0;
}

bool posted_room(const struct posted *p)
{
	return p->n < p->most;
}

void posted_add(struct posted *p, uint64_t place, const uint8_t id[MSG_ID_LEN], int64_t again_at)
{
	struct posted_entry *entry = &p->list[p->n];

	assert(posted_room(p) && place > p->last);
	*entry = (struct posted_entry){.place = place, .again_at = again_at};
	memcpy(entry->id, id, MSG_ID_LEN);
	p->last = place;
	p->n++;
}

struct posted_entry *posted_find(struct posted *p, const uint8_t id[MSG_ID_LEN])
{
	for (size_t i = 0; i < p->n; i++)
		if (memcmp(p->list[i].id, id, MSG_ID_LEN) == 0)
			return &p->list[i];
	return NULL;
}

void posted_remove(struct posted *p, const uint8_t id[MSG_ID_LEN])
{
	struct posted_entry *entry = posted_find(p, id);

	if (entry)
		*entry = p->list[--p->n];
}

struct posted_entry *posted_soonest(struct posted *p)
{
	struct posted_entry *soonest = p->n ? &p->list[0] : NULL;

	for (size_t i = 1; i < p->n; i++)
		if (p->list[i].again_at < soonest->again_at)
			soonest = &p->list[i];
	return soonest;
}
