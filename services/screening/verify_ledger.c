#include <stdio.h>

#include "services/common/store/omap.h"
#include "services/screening/ledger.h"
#include "services/screening/verify.h"

/* The balances as they follow from the entries: years and partners' shares by the store's own keys,
 * households by case. */
struct counts {
	uint32_t year, reserved, consumed;
};

struct ledger_check {
	struct step *s;
	verify_report *report;
	void *arg;
	struct omap years, shares, households;
	uint64_t expected; /* the number of the next entry */
	enum err failed;
};

static void found(struct ledger_check *k, const char *invariant, const char *where, const char *why)
{
	k->report(k->arg, &(struct verify_finding){invariant, where, why});
}

static struct counts counts_of(const struct omap *m, struct slice key)
{
	const struct omap_entry *e = omap_get(m, key);
	struct counts c = {0};

	if (e)
		memcpy(&c, e->value.data, sizeof(c));
	return c;
}

static enum err set_counts(struct omap *m, struct slice key, const struct counts *c)
{
	return omap_set(m, key, slice_of(c, sizeof(*c)), 0);
}

/* I4: what may be done with a household, in the state that it is in. */
static const char *household_fault(const ScreeningEntry *e, const struct counts *h)
{
	bool open = h->reserved > 0;

	if (e->op != SCREENING_OP__SCREENING_RESERVE && (!open || h->year != e->year))
		return "nothing is reserved for this household in this year";
	switch (e->op) {
	case SCREENING_OP__SCREENING_RESERVE:
		return open || h->consumed ? "reserved twice" : e->persons <= 0 ? "nobody" : NULL;
	case SCREENING_OP__SCREENING_ADJUST:
		return (int64_t)h->reserved + e->persons < 1 ? "nobody is left" : NULL;
	case SCREENING_OP__SCREENING_RELEASE:
		return (int64_t)h->reserved + e->persons ? "released in part" : NULL;
	case SCREENING_OP__SCREENING_CONSUME:
		return (int64_t)h->reserved - e->persons ? "consumed in part" : NULL;
	default:
		return "no such operation";
	}
}

static enum err post(struct omap *m, struct slice key, const ScreeningEntry *e, struct counts *ret)
{
	struct counts c = counts_of(m, key);
	bool consume = e->op == SCREENING_OP__SCREENING_CONSUME;

	c.year = e->year;
	c.reserved += (uint32_t)(consume ? -e->persons : e->persons);
	c.consumed += (uint32_t)(consume ? e->persons : 0);
	*ret = c;
	return set_counts(m, key, &c);
}

/* I3, at this entry: only what takes places is held against the limits of its time. */
static enum err replay(struct ledger_check *k, const ScreeningEntry *e, const char *where)
{
	bool takes = e->persons > 0 && e->op != SCREENING_OP__SCREENING_CONSUME;
	struct key by_year = {0}, by_share = {0}, by_case = {0};
	struct counts year, share, household;
	const char *fault;

	ledger_year_key(&by_year, e->year);
	ledger_share_key(&by_share, e->year, e->partner);
	key_str(&by_case, e->case_number);
	household = counts_of(&k->households, key_slice(&by_case));
	fault = household_fault(e, &household);
	if (fault)
		found(k, "I4", where, fault);
	if (e->cause.len != MSG_ID_LEN)
		found(k, "I9", where, "the entry does not name its cause");
	TRY(post(&k->households, key_slice(&by_case), e, &household));
	TRY(post(&k->years, key_slice(&by_year), e, &year));
	TRY(post(&k->shares, key_slice(&by_share), e, &share));
	if (takes && (uint64_t)year.reserved + year.consumed > e->cap)
		found(k, "I3", where, "more places than the year has");
	if (takes && e->limited && (uint64_t)share.reserved + share.consumed > e->allotment)
		found(k, "I3", where, "more places than the partner's allotment has");
	return OK;
}

static enum err replay_entry(void *arg, struct slice key, struct slice value)
{
	struct ledger_check *k = arg;
	char where[40] = "ledger";
	ProtobufCMessage *m;
	enum err e;

	(void)value;
	if (key.len == 8)
		snprintf(
			where, sizeof(where), "entry %llu", (unsigned long long)be64_get(key.data));
	if (key.len != 8 || be64_get(key.data) != k->expected++)
		found(k, "I9", where, "the entries are not numbered without a gap");
	TRY(record_get(k->s, T_LEDGER, key, &screening_entry__descriptor, &m));
	e = replay(k, (const ScreeningEntry *)m, where);
	protobuf_c_message_free_unpacked(m, NULL);
	return e;
}

/* A row of a balance, in one form. */
static void counts_in(int table, const ProtobufCMessage *m, struct counts *ret)
{
	if (table == T_YEARS) {
		ret->reserved = ((const ScreeningYear *)m)->reserved;
		ret->consumed = ((const ScreeningYear *)m)->consumed;
	} else if (table == T_SHARES) {
		ret->reserved = ((const ScreeningShare *)m)->used;
	} else {
		ret->year = ((const ScreeningHousehold *)m)->year;
		ret->reserved = ((const ScreeningHousehold *)m)->reserved;
		ret->consumed = ((const ScreeningHousehold *)m)->consumed;
	}
}

static void name_row(int table, struct slice key, char *out, size_t size)
{
	if (table == T_HOUSEHOLDS)
		snprintf(out, size, "%.*s", (int)key.len, (const char *)key.data);
	else if (key.len >= 8)
		snprintf(out, size, "year %llu", (unsigned long long)be64_get(key.data));
}

/* Every balance that the entries give is the one that is stored, and there is no other. */
static enum err compare(
	struct ledger_check *k, int table, const ProtobufCMessageDescriptor *type, struct omap *map)
{
	const struct omap_entry *e = omap_next(map, (struct slice){0}, false);
	uint64_t rows;

	for (; e; e = omap_next(map, e->key, true)) {
		struct counts want = counts_of(map, e->key), have = {0};
		char where[96] = "";
		ProtobufCMessage *m;
		enum err err = record_get(k->s, table, e->key, type, &m);

		if (err != OK && err != ERR_NOT_FOUND)
			return err;
		if (err == OK) {
			counts_in(table, m, &have);
			protobuf_c_message_free_unpacked(m, NULL);
		}
		if (table == T_SHARES)
			want = (struct counts){.reserved = want.reserved + want.consumed};
		if (table != T_HOUSEHOLDS)
			want.year = 0;
		name_row(table, e->key, where, sizeof(where));
		if (memcmp(&want, &have, sizeof(want)) != 0)
			found(k, "I3", where, "the balance does not follow from the entries");
	}
	TRY(step_count(k->s, table, &rows));
	if (rows != map->count)
		found(k, "I3", "balances", "there is a balance without an entry");
	return OK;
}

enum err ledger_verify(struct step *s, verify_report *report, void *arg)
{
	struct ledger_check k = {.s = s, .report = report, .arg = arg, .expected = 1};
	enum err e = step_each(s, T_LEDGER, (struct slice){0}, replay_entry, &k);

	if (e == OK)
		e = compare(&k, T_YEARS, &screening_year__descriptor, &k.years);
	if (e == OK)
		e = compare(&k, T_SHARES, &screening_share__descriptor, &k.shares);
	if (e == OK)
		e = compare(&k, T_HOUSEHOLDS, &screening_household__descriptor, &k.households);
	omap_clear(&k.years);
	omap_clear(&k.shares);
	omap_clear(&k.households);
	return e;
}
