#include "services/screening/ledger.h"

#include <assert.h>
#include <stdlib.h>

/* Years and persons are far below this: differences of either always fit an int32_t. */
static_assert(INT32_MAX > 100000, "the largest cap");

void ledger_year_key(struct key *k, uint32_t year)
{
	key_u64(k, year);
}

void ledger_share_key(struct key *k, uint32_t year, const char *partner)
{
	key_u64(k, year);
	key_str(k, partner);
}

/* A balance, or `none` when there is no row yet. */
static enum err balance(struct step *s, int table, const struct key *key,
	const ProtobufCMessageDescriptor *type, void *ret, void (*copy)(const void *row, void *ret))
{
	ProtobufCMessage *row;
	enum err e = record_get(s, table, key_slice(key), type, &row);

	if (e == ERR_NOT_FOUND)
		return OK;
	if (e != OK)
		return e;
	copy(row, ret);
	protobuf_c_message_free_unpacked(row, NULL);
	return OK;
}

static void copy_year(const void *row, void *ret)
{
	const ScreeningYear *y = row;
	struct room *r = ret;

	r->reserved = y->reserved;
	r->consumed = y->consumed;
}

static void copy_share(const void *row, void *ret)
{
	((struct room *)ret)->used = ((const ScreeningShare *)row)->used;
}

static void copy_household(const void *row, void *ret)
{
	const ScreeningHousehold *h = row;

	*(struct household *)ret = (struct household){h->year, h->reserved, h->consumed};
}

static void find_allotment(struct step *s, const char *partner, uint32_t year, struct room *r)
{
	const Principal *p = registry_find(step_registry(s), partner);

	for (size_t i = 0; p && p->agreement && i < p->agreement->n_shares; i++) {
		if (p->agreement->shares[i]->year != year)
			continue;
		r->limited = true;
		r->allotment = p->agreement->shares[i]->persons;
		return;
	}
}

enum err ledger_room(struct step *s, const char *partner, uint32_t year, struct room *ret)
{
	const struct config *c = step_context(s);
	struct room r = {.cap = (uint32_t)c->cap};
	struct key by_year = {0}, by_share = {0};

	ledger_year_key(&by_year, year);
	ledger_share_key(&by_share, year, partner);
	TRY(balance(s, T_YEARS, &by_year, &screening_year__descriptor, &r, copy_year));
	TRY(balance(s, T_SHARES, &by_share, &screening_share__descriptor, &r, copy_share));
	find_allotment(s, partner, year, &r);
	/* a cap that was lowered since leaves less than nothing */
	if (r.reserved + r.consumed < r.cap)
		r.free = r.cap - r.reserved - r.consumed;
	*ret = r;
	return OK;
}

bool room_in_year(const struct room *r, uint32_t persons)
{
	return persons <= r->free;
}

bool room_in_allotment(const struct room *r, uint32_t persons)
{
	return !r->limited || (r->used <= r->allotment && persons <= r->allotment - r->used);
}

bool room_possible(const struct room *r, uint32_t persons)
{
	return persons + (uint64_t)r->consumed <= r->cap &&
	       (!r->limited || persons <= r->allotment);
}

enum err ledger_household(struct step *s, const char *case_number, struct household *ret)
{
	struct household h = {0};
	struct key k = {0};

	key_str(&k, case_number);
	TRY(balance(s, T_HOUSEHOLDS, &k, &screening_household__descriptor, &h, copy_household));
	*ret = h;
	return OK;
}

static enum err next_number(struct step *s, uint64_t *ret)
{
	struct slice last, value;
	enum err e = step_prev(s, T_LEDGER, (struct slice){0}, &last, &value);

	if (e == ERR_NOT_FOUND)
		*ret = 1;
	else if (e == OK && last.len == 8)
		*ret = be64_get(last.data) + 1;
	else
		return e == OK ? ERR_CORRUPT : e;
	return OK;
}

static enum err append(struct step *s, const struct claim *c, const struct room *r, ScreeningOp op,
	int32_t persons)
{
	ScreeningEntry entry = SCREENING_ENTRY__INIT;
	struct key k = {0};
	uint64_t number;

	TRY(next_number(s, &number));
	key_u64(&k, number);
	entry.op = op;
	entry.case_number = (char *)c->case_number;
	entry.partner = (char *)c->partner;
	entry.year = c->year;
	entry.persons = persons;
	entry.cause = (ProtobufCBinaryData){MSG_ID_LEN, (uint8_t *)step_cause(s)};
	entry.at = step_now(s);
	entry.cap = r->cap;
	entry.limited = r->limited;
	entry.allotment = r->allotment;
	return record_put(s, T_LEDGER, key_slice(&k), &entry.base);
}

/* The only place that writes: one entry, and the three balances that follow from it. */
static enum err post(struct step *s, const struct claim *c, const struct room *r, ScreeningOp op,
	int32_t persons, struct household now)
{
	ScreeningYear year = SCREENING_YEAR__INIT;
	ScreeningShare share = SCREENING_SHARE__INIT;
	ScreeningHousehold household = SCREENING_HOUSEHOLD__INIT;
	bool consume = op == SCREENING_OP__SCREENING_CONSUME;
	struct key k = {0}, by_share = {0}, by_case = {0};

	TRY(append(s, c, r, op, persons));
	year.reserved = r->reserved + (uint32_t)(consume ? -persons : persons);
	year.consumed = r->consumed + (uint32_t)(consume ? persons : 0);
	share.used = r->used + (uint32_t)(consume ? 0 : persons);
	household.partner = (char *)c->partner;
	household.year = c->year;
	household.reserved = now.reserved;
	household.consumed = now.consumed;
	ledger_year_key(&k, c->year);
	ledger_share_key(&by_share, c->year, c->partner);
	key_str(&by_case, c->case_number);
	TRY(record_put(s, T_YEARS, key_slice(&k), &year.base));
	TRY(record_put(s, T_SHARES, key_slice(&by_share), &share.base));
	return record_put(s, T_HOUSEHOLDS, key_slice(&by_case), &household.base);
}

enum err ledger_reserve(struct step *s, const struct claim *c, bool *ret_done)
{
	struct household h;
	struct room r;

	TRY(ledger_household(s, c->case_number, &h));
	assert(h.reserved == 0 && h.consumed == 0 && c->persons > 0);
	TRY(ledger_room(s, c->partner, c->year, &r));
	if (!room_in_year(&r, c->persons) || !room_in_allotment(&r, c->persons)) {
		*ret_done = false;
		return OK;
	}
	h.reserved = c->persons;
	TRY(post(s, c, &r, SCREENING_OP__SCREENING_RESERVE, (int32_t)c->persons, h));
	*ret_done = true;
	return OK;
}

/* The row of a household that has places: what it has, and its year's room. */
static enum err open_row(struct step *s, const char *case_number, ScreeningHousehold **ret,
	struct household *ret_now, struct room *ret_room)
{
	ProtobufCMessage *m;
	ScreeningHousehold *h;
	struct key k = {0};
	enum err e;

	key_str(&k, case_number);
	TRY(record_get(s, T_HOUSEHOLDS, key_slice(&k), &screening_household__descriptor, &m));
	h = (ScreeningHousehold *)m;
	e = h->reserved ? ledger_room(s, h->partner, h->year, ret_room) : ERR_NOT_FOUND;
	if (e != OK) {
		protobuf_c_message_free_unpacked(m, NULL);
		return e;
	}
	*ret_now = (struct household){h->year, h->reserved, h->consumed};
	*ret = h;
	return OK;
}

enum err ledger_adjust(struct step *s, const char *case_number, int32_t difference, bool *ret_done)
{
	ScreeningHousehold *row;
	struct household h;
	struct claim c;
	struct room r;
	bool done;
	enum err e = OK;

	TRY(open_row(s, case_number, &row, &h, &r));
	assert(difference > 0 || (uint32_t)-difference < h.reserved);
	c = (struct claim){case_number, row->partner, row->year, 0};
	done = difference <= 0 || (room_in_year(&r, (uint32_t)difference) &&
					  room_in_allotment(&r, (uint32_t)difference));
	h.reserved += (uint32_t)difference;
	if (done)
		e = post(s, &c, &r, SCREENING_OP__SCREENING_ADJUST, difference, h);
	if (e == OK)
		*ret_done = done;
	screening_household__free_unpacked(row, NULL);
	return e;
}

/* Ends a reservation: released, or consumed. */
static enum err end(struct step *s, const char *case_number, ScreeningOp op)
{
	ScreeningHousehold *row;
	struct household h;
	struct claim c;
	struct room r;
	int32_t persons;
	enum err e;

	TRY(open_row(s, case_number, &row, &h, &r));
	c = (struct claim){case_number, row->partner, row->year, 0};
	persons = (int32_t)h.reserved;
	if (op == SCREENING_OP__SCREENING_CONSUME)
		h.consumed = h.reserved;
	else
		persons = -persons;
	h.reserved = 0;
	e = post(s, &c, &r, op, persons, h);
	screening_household__free_unpacked(row, NULL);
	return e;
}

enum err ledger_release(struct step *s, const char *case_number)
{
	return end(s, case_number, SCREENING_OP__SCREENING_RELEASE);
}

enum err ledger_consume(struct step *s, const char *case_number)
{
	return end(s, case_number, SCREENING_OP__SCREENING_CONSUME);
}
