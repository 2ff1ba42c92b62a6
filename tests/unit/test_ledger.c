/* Goal: whatever happens in whatever order, no year has more places than its cap, no partner more
 * than its allotment, and no household is split (I3, I4); and the checks of the store see damage.
 */
#include "services/screening/ledger.h"
#include "tests/unit/screening_rig.h"

#define FAMILIES 40
#define CAP      23

/* splitmix64: the same sequence on every machine. */
static uint64_t seed;
static unsigned roll(unsigned n)
{
	uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (unsigned)((z ^ z >> 31) % n);
}

/* ---- the ledger alone, against a model ---- */

static const char *const partners[] = {"partner-a", "partner-b", "partner-c"};
#define YEARS 2
static const uint32_t allotments[] = {9, 0, UINT32_MAX}; /* the last one has none */

struct family {
	unsigned partner, year, reserved, consumed;
};
struct model {
	struct family families[FAMILIES];
	unsigned refused, done[5];
};

static unsigned used(const struct model *m, unsigned year, int partner)
{
	unsigned n = 0;

	for (unsigned i = 0; i < FAMILIES; i++)
		if (m->families[i].year == year &&
			(partner < 0 || m->families[i].partner == (unsigned)partner))
			n += m->families[i].reserved + m->families[i].consumed;
	return n;
}

static bool fits(const struct model *m, const struct family *f, unsigned year, unsigned more)
{
	return used(m, year, -1) + more <= CAP &&
	       used(m, year, (int)f->partner) + (uint64_t)more <= allotments[f->partner];
}

static enum err random_reserve(struct step *s, struct model *m, unsigned i)
{
	struct family *f = &m->families[i];
	struct number n = number(i);
	unsigned year = roll(YEARS), persons = 1 + roll(8);
	struct claim c = {n.text, partners[f->partner], 2026 + year, persons};
	bool done, want = fits(m, f, year, persons);

	if (f->reserved || f->consumed)
		return OK;
	TRY(ledger_reserve(s, &c, &done));
	assert_int_equal(done, want);
	if (done)
		*f = (struct family){f->partner, year, persons, 0};
	m->refused += !done;
	m->done[0] += done;
	return OK;
}

static enum err random_adjust(struct step *s, struct model *m, unsigned i)
{
	struct family *f = &m->families[i];
	struct number n = number(i);
	int by = (int)roll(9) - 4;
	bool done, want;

	if (!f->reserved || (int)f->reserved + by < 1)
		return OK;
	want = by <= 0 || fits(m, f, f->year, (unsigned)by);
	TRY(ledger_adjust(s, n.text, by, &done));
	assert_int_equal(done, want);
	if (done)
		f->reserved = (unsigned)((int)f->reserved + by);
	m->refused += !done;
	m->done[1] += done;
	return OK;
}

static enum err random_end(struct step *s, struct model *m, unsigned i, bool consume)
{
	struct family *f = &m->families[i];
	struct number n = number(i);
	enum err e = consume ? ledger_consume(s, n.text) : ledger_release(s, n.text);

	assert_int_equal(e, f->reserved ? OK : ERR_NOT_FOUND);
	if (consume)
		f->consumed += f->reserved;
	m->done[consume ? 3 : 2] += f->reserved > 0;
	f->reserved = 0;
	return OK;
}

/* The reservation of a year to the next one in one step, or not at all. */
static enum err random_roll_over(struct step *s, struct model *m, unsigned i)
{
	struct family *f = &m->families[i], was = *f;
	struct number n = number(i);
	struct claim c = {n.text, partners[f->partner], 2027, was.reserved};
	bool done;

	if (!was.reserved || was.year != 0)
		return OK;
	TRY(ledger_release(s, n.text));
	f->reserved = 0;
	TRY(ledger_reserve(s, &c, &done));
	if (done)
		*f = (struct family){was.partner, 1, was.reserved, 0};
	m->done[4] += done;
	return OK;
}

static enum err random_step(struct step *s, void *arg)
{
	struct model *m = arg;
	unsigned i = roll(FAMILIES);

	switch (roll(12)) {
	case 0:
		return random_end(s, m, i, true);
	case 1:
	case 2:
		return random_end(s, m, i, false);
	case 3:
		return random_roll_over(s, m, i);
	case 4:
	case 5:
	case 6:
		return random_adjust(s, m, i);
	default:
		return random_reserve(s, m, i);
	}
}

static enum err compare(struct step *s, void *arg)
{
	const struct model *m = arg;

	for (unsigned year = 0; year < YEARS; year++)
		for (unsigned p = 0; p < 3; p++) {
			struct room r;

			TRY(ledger_room(s, partners[p], 2026 + year, &r));
			assert_int_equal(r.reserved + r.consumed, used(m, year, -1));
			assert_int_equal(r.used, used(m, year, (int)p));
			assert_int_equal(r.free, CAP - used(m, year, -1));
			assert_true(r.reserved + r.consumed <= CAP);
			assert_true(!r.limited || r.used <= allotments[p]);
		}
	for (unsigned i = 0; i < FAMILIES; i++) {
		struct number n = number(i);
		struct household h;

		TRY(ledger_household(s, n.text, &h));
		assert_int_equal(h.reserved, m->families[i].reserved);
		assert_int_equal(h.consumed, m->families[i].consumed);
	}
	return OK;
}

static enum err verify_ledger(struct step *s, void *arg)
{
	return ledger_verify(s, note_finding, arg);
}

static void the_ledger_follows_its_model(void **state)
{
	struct findings found = {0};
	struct model m = {0};

	(void)state;
	drive_config(d)->cap = CAP;
	for (unsigned p = 0; p < 2; p++)
		for (unsigned year = 0; year < YEARS; year++)
			give_allotment(partners[p], 2026 + year, allotments[p]);
	seed = 2026;
	for (unsigned i = 0; i < FAMILIES; i++)
		m.families[i].partner = roll(3);
	for (unsigned i = 0; i < 3000; i++) {
		run(random_step, &m);
		run(compare, &m);
	}
	run(verify_ledger, &found);
	assert_int_equal(found.n, 0);
	/* the sequence did all of it, and came to the limits */
	for (unsigned i = 0; i < 5; i++)
		assert_true(m.done[i] > 3);
	assert_true(m.refused > 50);
}

/* ---- the whole service: families, decisions, races, exits, births, a year's end ---- */

static void must_hold_limits(void)
{
	for (uint32_t year = 2026; year <= 2028; year++) {
		const PlacesAnswer *p = ask_places(year);

		assert_true(p->reserved + p->consumed <= CAP);
		assert_int_equal(p->free, CAP - p->reserved - p->consumed);
		for (size_t i = 0; i < p->n_allotments; i++)
			if (p->allotments[i]->persons)
				assert_true(p->allotments[i]->used <= p->allotments[i]->persons);
	}
}

/* Two officers decide on the same version: one of them is stale. */
static void race(unsigned i, const CaseAnswer *a, Event event, uint32_t size)
{
	struct number n = number(i);
	Decision one = decision(&n, a->case_version, event), two = one;
	enum err first;

	one.persons = two.persons = size;
	first = (enum err)send_decision(&one)->result;
	assert_true(first == OK || first == ERR_NO_TRANSITION);
	assert_int_equal(send_decision(&two)->result, first == OK ? ERR_STALE : first);
}

static void random_decision(unsigned i)
{
	const CaseAnswer *a = ask(i);
	Event event;

	if (a->n_possible == 0)
		return;
	event = a->possible[roll((unsigned)a->n_possible)];
	/* most cases go on, so that places are fought for */
	if (roll(4) && a->state == STATE__HUMAN_REVIEW)
		event = EVENT__RECOMMEND;
	race(i, a, event, 1 + roll(7));
}

static void random_event(unsigned *cases)
{
	unsigned i;

	if (*cases < FAMILIES && roll(3) == 0) {
		new_case_of(partners[roll(3)], *cases, 1 + roll(6));
		(*cases)++;
		return;
	}
	i = roll(*cases ? *cases : 1);
	switch (*cases ? roll(16) : 99) {
	case 0:
		leave(i, roll(2) ? EVENT__WITHDRAW_CASE : EVENT__REVOKE_CONSENT);
		break;
	case 1:
		protect(i, 1 + (Protection)roll(4));
		break;
	case 99:
		break;
	default:
		random_decision(i);
	}
}

static void one_history(uint64_t with)
{
	unsigned cases = 0;

	seed = with;
	drive_config(d)->cap = CAP;
	give_allotment("partner-a", 2026, 8);
	give_allotment("partner-a", 2027, 5);
	give_allotment("partner-b", 2027, 12);
	for (unsigned i = 0; i < 240; i++) {
		if (i == 120)
			close_year(2026);
		random_event(&cases);
		if (i % 6 == 0 || i == 120) {
			must_hold_limits();
			must_verify();
		}
		drive_forget(d);
	}
	must_verify();
}

static void no_history_breaks_the_limits(void **state)
{
	for (uint64_t with = 1; with <= 5; with++) {
		one_history(with);
		rig_teardown(state);
		rig_setup(state);
	}
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_ledger_follows_its_model),
		TEST(no_history_breaks_the_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
