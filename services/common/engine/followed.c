/* The recoveries of the log that a lane has followed: what it and a recovered log have in common
 * ends where the first one begins that only one of them had. PROTOCOL.md, section 19, says why. */
#include "services/common/engine/engine_internal.h"

#define ENTRY_LEN 16

static struct key row_key(enum lane lane)
{
	struct key k = {0};

	key_str(&k, "followed");
	key_u8(&k, (uint8_t)lane);
	return k;
}

enum err followed_load(struct txn *t, enum lane lane, struct followed *ret)
{
	struct key k = row_key(lane);
	struct followed f = {.n = 0};
	struct slice v;
	enum err err = txn_get(t, T_STATE, key_slice(&k), &v);

	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	if (err == OK && (v.len % ENTRY_LEN != 0 || v.len > sizeof(f.list)))
		return ERR_CORRUPT;
	for (; err == OK && f.n * ENTRY_LEN < v.len; f.n++) {
		const uint8_t *at = v.data + f.n * ENTRY_LEN;

		f.list[f.n] = (struct recovered){be64_get(at), be64_get(at + 8)};
	}
	*ret = f;
	return OK;
}

enum err followed_save(struct txn *t, enum lane lane, const struct followed *f)
{
	uint8_t bytes[RECOVERS_MOST * ENTRY_LEN];
	struct key k = row_key(lane);

	for (size_t i = 0; i < f->n; i++) {
		be64_put(bytes + i * ENTRY_LEN, f->list[i].epoch);
		be64_put(bytes + i * ENTRY_LEN + 8, f->list[i].from);
	}
	return txn_put(t, T_STATE, key_slice(&k), slice_of(bytes, f->n * ENTRY_LEN));
}

bool followed_has(const struct followed *f, uint64_t epoch)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->list[i].epoch == epoch)
			return true;
	return false;
}

/* The last epoch that both had. */
static uint64_t common(
	const struct followed *own, uint64_t last, const struct followed *said, uint64_t was)
{
	uint64_t found = last < was ? last : was;

	if (said->n == 0 || followed_has(said, last))
		return last;
	for (size_t i = 0; i < own->n; i++)
		if (own->list[i].epoch > found && followed_has(said, own->list[i].epoch))
			found = own->list[i].epoch;
	return found;
}

static void least_after(const struct followed *f, uint64_t epoch, uint64_t *least)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->list[i].epoch > epoch && f->list[i].from < *least)
			*least = f->list[i].from;
}

uint64_t followed_until(
	const struct followed *own, uint64_t last, const struct followed *said, uint64_t was)
{
	uint64_t epoch = common(own, last, said, was), least = UINT64_MAX;

	least_after(own, epoch, &least);
	least_after(said, epoch, &least);
	return least;
}

/* Those that it covers say nothing more. */
static void add(struct followed *f, struct recovered r)
{
	while (f->n && f->list[f->n - 1].from >= r.from)
		f->n--;
	if (f->n == RECOVERS_MOST) { /* two become one, which says rather too much */
		f->list[1].from = f->list[0].from;
		memmove(f->list, f->list + 1, --f->n * sizeof(f->list[0]));
	}
	f->list[f->n++] = r;
}

void followed_add(struct followed *own, uint64_t last, const struct followed *said, uint64_t was)
{
	uint64_t epoch = common(own, last, said, was);

	while (own->n && own->list[own->n - 1].epoch > epoch)
		own->n--;
	for (size_t i = 0; i < said->n; i++)
		if (said->list[i].epoch > epoch)
			add(own, said->list[i]);
}
