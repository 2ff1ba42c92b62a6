/* One world: it begins, one event follows the other, and it comes to rest. */
#include "tests/sim/sim.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define DAY         INT64_C(86400000)
#define EVENTS_MOST 3000000
#define QUIET_MOST  (INT64_C(2) * 3600 * 1000)
#define REST_MS     500
#define LOOK_EVERY  100 /* commits */

void sim_must(enum err e, const char *what)
{
	if (e == OK)
		return;
	fprintf(stderr, "sim: %s: %s\n", what, err_name(e));
	abort();
}

void sim_found(struct sim *s, const char *invariant, const char *fmt, ...)
{
	va_list args;

	if (*s->failure)
		return;
	snprintf(s->invariant, sizeof(s->invariant), "%s", invariant);
	va_start(args, fmt);
	vsnprintf(s->failure, sizeof(s->failure), fmt, args);
	va_end(args);
	trace(s, "FOUND %s %s", invariant, s->failure);
}

/* Some worlds see a year end; every partner may have its share of places. */
static void plan(struct sim *s)
{
	const int64_t new_year = INT64_C(1798779600000); /* 2027-01-01T00:00 in Toronto */

	faults_plan(s);
	s->start = FIXTURE_NOW + chance_between(&s->chance, 0, 30 * DAY);
	if (chance_one_in(&s->chance, 4))
		s->start = new_year - chance_between(&s->chance, 0, s->chaos_ends);
	s->plant_at = s->chaos_ends / 3;
	partners_plan(s);
	for (int i = 0; i < OFFICERS; i++)
		s->officers[i].at = chance_between(&s->chance, 500, 5000);
}

static void give_share(struct sim *s, const char *partner)
{
	Agreement *a = fixture_principal(s->fixture, partner)->agreement;
	YearShare *share = malloc(sizeof(*share));

	a->shares = malloc(sizeof(YearShare *));
	if (!share || !a->shares)
		abort();
	year_share__init(share);
	share->year = 2026;
	share->persons = (uint32_t)chance_between(&s->chance, 2, 8);
	a->shares[0] = share;
	a->n_shares = 1;
}

static void begin(struct sim *s)
{
	s->chance = (struct chance){s->seed};
	chance_for_sodium(s->seed ^ UINT64_C(0x5eed5eed5eed5eed));
	s->nowhere = fopen("/dev/null", "w");
	if (!s->nowhere)
		abort();
	s->fixture = fixture_make();
	if (chance_one_in(&s->chance, 2))
		give_share(s, "partner-a");
	trust_begin(s);
	plan(s);
	for (int i = 0; i < PROCESSES; i++) {
		process_make(s, (enum who_is)i);
		s->processes[i].wake_at = i == BROKER ? 0 : chance_between(&s->chance, 1, 2000);
	}
}

void sim_free(struct sim *s)
{
	for (int i = 0; i < PROCESSES; i++)
		process_free(&s->processes[i]);
	wires_free(s);
	fixture_free(&s->fixture);
	if (s->nowhere)
		fclose(s->nowhere);
	free(s->acts);
	trust_free(s);
	free(s->log);
	free(s->lost_rows);
	*s = (struct sim){0};
}

/* No more faults: clocks are right again, whoever was to die lives. */
static void end_chaos(struct sim *s)
{
	trace(s, "the quiet begins");
	s->quiet = true;
	for (int i = 0; i < PROCESSES; i++) {
		s->processes[i].ahead = 0;
		s->processes[i].fuse = 0;
	}
	if (!s->lost) /* what was lost is on its way still */
		check_whole(s);
}

static struct process *next_process(struct sim *s)
{
	struct process *next = &s->processes[0];

	for (int i = 1; i < PROCESSES; i++)
		if (s->processes[i].wake_at < next->wake_at)
			next = &s->processes[i];
	return next;
}

/* The people before the programs, when both are due. */
static void step(struct sim *s)
{
	struct process *p = next_process(s);
	int64_t at = p->wake_at;

	if (partners_next(s) < at)
		at = partners_next(s);
	if (officers_next(s) < at)
		at = officers_next(s);
	if (backup_next(s) < at)
		at = backup_next(s);
	if (s->suspension.at < at)
		at = s->suspension.at;
	if (!s->quiet && s->fault_at < at)
		at = s->fault_at;
	if (!s->quiet && s->chaos_ends < at)
		at = s->chaos_ends;
	if (at > s->now)
		s->now = at;
	if (!s->quiet && s->now >= s->chaos_ends)
		end_chaos(s);
	faults_act(s);
	backup_act(s);
	trust_act(s);
	partners_act(s);
	officers_act(s);
	plant_act(s);
	if (p->wake_at <= s->now)
		process_turn(p);
	wires_tidy(s);
}

static bool over(struct sim *s, int64_t *look_at)
{
	const char *why = "";

	if (*s->failure)
		return true;
	if (!s->quiet || s->now < *look_at)
		return false;
	*look_at = s->now + REST_MS;
	if (rest_reached(s, &why))
		return true;
	if (s->now > s->chaos_ends + QUIET_MOST || s->trace.events > EVENTS_MOST)
		sim_found(s, "REST", "%s", why);
	return false;
}

/* The whole in the midst of the work, in half of the worlds unless all was asked for: it takes its
 * time. */
static void look(struct sim *s, unsigned *looked)
{
	unsigned every = s->o.every ? s->o.every : LOOK_EVERY;

	if (s->lost || s->counts.commits < *looked + every ||
		(!s->o.every && (s->quiet || s->seed % 2 != 0)))
		return;
	*looked = s->counts.commits;
	check_whole(s);
}

bool sim_run(uint64_t seed, const struct options *o, struct sim *s)
{
	unsigned looked = 0;
	int64_t look_at = 0;

	*s = (struct sim){.seed = seed, .o = *o};
	s->trace.print = o->print;
	cheap_crypto(o->cheap);
	begin(s);
	while (!over(s, &look_at)) {
		step(s);
		look(s, &looked);
	}
	if (!*s->failure) {
		rest_check(s);
		check_whole(s);
	}
	return !*s->failure;
}
