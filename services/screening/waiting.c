#include "services/screening/waiting.h"

#include "services/screening/ledger.h"

/* rank, markers, time of receipt */
#define ORDER_HEAD (1 + 1 + 8)

static uint8_t protection_rank(Protection p)
{
	static const uint8_t ranks[] = {
		[PROTECTION__PROTECTION_NONE] = 0,
		[PROTECTION__UPP_DECLINED] = 0,
		[PROTECTION__ESCALATION_REQUESTED] = 1,
		[PROTECTION__EMERGENCY_CONFIRMED] = 2,
		[PROTECTION__UPP_ACCEPTED] = 3,
	};

	return ranks[p];
}

void order_key(struct key *k, const ScreeningCase *c)
{
	key_u8(k, UINT8_MAX - protection_rank(c->protection));
	key_u8(k, (uint8_t)(UINT8_MAX - (c->markers < UINT8_MAX ? c->markers : UINT8_MAX)));
	key_u64(k, (uint64_t)c->received_at);
	key_str(k, c->case_number);
}

const char *order_case(struct slice key)
{
	return (const char *)key.data + ORDER_HEAD;
}

enum err waiting_put(struct step *s, struct slice place, const ScreeningWaiting *w)
{
	return record_put(s, T_WAITING, place, &w->base);
}

enum err waiting_get(struct step *s, struct slice place, ScreeningWaiting **ret)
{
	ProtobufCMessage *m;

	TRY(record_get(s, T_WAITING, place, &screening_waiting__descriptor, &m));
	*ret = (ScreeningWaiting *)m;
	return OK;
}

enum err waiting_remove(struct step *s, struct slice place)
{
	enum err e = step_delete(s, T_WAITING, place);

	return e == ERR_NOT_FOUND ? OK : e;
}

/* The entry after *at, which becomes its place. ERR_NOT_FOUND: no more. */
static enum err next(struct step *s, struct key *at, ScreeningWaiting **ret)
{
	struct slice key, value;

	TRY(step_next(s, T_WAITING, key_slice(at), true, &key, &value));
	*at = (struct key){0};
	key_bytes(at, key.data, key.len);
	return waiting_get(s, key_slice(at), ret);
}

/* What a candidate for places is compared with. */
struct candidate {
	struct slice place;
	const ScreeningWaiting *w;
	uint32_t passes_most;
};

/* Would serving the candidate take room that `w`, who stands before it, waits for? */
static enum err takes_room_of(
	struct step *s, const struct candidate *c, const ScreeningWaiting *w, bool *ret)
{
	struct room r;

	*ret = false;
	if (w->year != c->w->year)
		return OK;
	TRY(ledger_room(s, w->partner, w->year, &r));
	*ret = room_possible(&r, w->persons) &&
	       (!room_in_year(&r, w->persons) || strcmp(w->partner, c->w->partner) == 0);
	return OK;
}

/* Walks those before the candidate: is a place saved for one of them? Or, to `count`, each of them
 * is passed over once more. */
static enum err walk_before(struct step *s, const struct candidate *c, bool count, bool *ret_saved)
{
	struct key at = {0};
	bool saved = false;

	while (!saved) {
		ScreeningWaiting *w;
		bool takes;
		enum err e = next(s, &at, &w);

		if (e == ERR_NOT_FOUND)
			break;
		if (e != OK)
			return e;
		if (slice_cmp(slice_of(at.data, at.len), c->place) >= 0) {
			screening_waiting__free_unpacked(w, NULL);
			break;
		}
		e = takes_room_of(s, c, w, &takes);
		if (e == OK && takes && count) {
			w->passes++;
			e = waiting_put(s, key_slice(&at), w);
		}
		saved = takes && !count && w->passes >= c->passes_most;
		screening_waiting__free_unpacked(w, NULL);
		if (e != OK)
			return e;
	}
	if (ret_saved)
		*ret_saved = saved;
	return OK;
}

static enum err take_places(struct step *s, const ScreeningWaiting *w, bool *ret_done)
{
	struct claim claim = {w->case_number, w->partner, w->year, w->persons};

	if (w->pending)
		return ledger_adjust(s, w->case_number, (int32_t)w->persons, ret_done);
	return ledger_reserve(s, &claim, ret_done);
}

/* Everybody before it does not fit, or would have been served. */
static enum err try_one(
	struct step *s, const struct key *place, const ScreeningWaiting *w, waiting_served *served)
{
	const struct config *config = step_context(s);
	struct candidate c = {slice_of(place->data, place->len), w, (uint32_t)config->passes};
	struct room r;
	bool saved, done = false;

	TRY(ledger_room(s, w->partner, w->year, &r));
	if (!room_in_year(&r, w->persons) || !room_in_allotment(&r, w->persons))
		return OK;
	TRY(walk_before(s, &c, false, &saved));
	if (saved)
		return OK;
	TRY(walk_before(s, &c, true, NULL));
	TRY(take_places(s, w, &done));
	if (!done)
		return ERR_CORRUPT;
	TRY(waiting_remove(s, key_slice(place)));
	return served(s, w);
}

enum err waiting_serve(struct step *s, uint32_t year, waiting_served *served)
{
	struct key at = {0};

	for (;;) {
		ScreeningWaiting *w;
		struct room r;
		enum err e;

		TRY(ledger_room(s, "", year, &r));
		if (r.free == 0)
			return OK;
		e = next(s, &at, &w);
		if (e == ERR_NOT_FOUND)
			return OK;
		if (e != OK)
			return e;
		if (w->year == year)
			e = try_one(s, &at, w, served);
		screening_waiting__free_unpacked(w, NULL);
		if (e != OK)
			return e;
	}
}

enum err waiting_roll(struct step *s, uint32_t year)
{
	struct key at = {0};
	ScreeningWaiting *w;
	enum err e;

	while ((e = next(s, &at, &w)) == OK) {
		if (w->year == year) {
			w->year++;
			e = waiting_put(s, key_slice(&at), w);
		}
		screening_waiting__free_unpacked(w, NULL);
		if (e != OK)
			return e;
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err waiting_totals(struct step *s, uint32_t year, struct waiting_totals *ret)
{
	struct waiting_totals t = {0};
	struct key at = {0};
	ScreeningWaiting *w;
	enum err e;

	while ((e = next(s, &at, &w)) == OK) {
		if (w->year == year && w->pending) {
			t.pending += w->persons;
		} else if (w->year == year) {
			t.persons += w->persons;
			t.cases++;
		}
		screening_waiting__free_unpacked(w, NULL);
	}
	if (e != ERR_NOT_FOUND)
		return e;
	*ret = t;
	return OK;
}
