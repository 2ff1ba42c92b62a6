/* The simulator's command line. */
#include "tests/sim/sim.h"

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PLANT_SEEDS 60

static const char usage[] =
	"usage: sim [--seeds A..B | --seed N] [--referrals N] [--crashes N] [--cheap] [--trace]\n"
	"           [--every N] [--repeat] [--planted] [--plant NAME]\n"
	"  --every    look at the whole after every N commits, until a store is lost\n"
	"  --cheap    cheap signatures and seals: several times as many worlds an hour\n"
	"  --repeat   run each seed twice: both runs must be the same\n"
	"  --planted  every bug on purpose must be found by its invariant\n";

struct job {
	struct options o;
	uint64_t first, last;
	bool repeat, planted;
};

struct result {
	bool sound;
	char invariant[8], failure[240];
	struct trace trace;
	struct counts counts;
	int64_t lasted;
};

/* Written before each world, for who ends within it. */
static char last_words[96];

static void say_last_words(void)
{
	(void)!write(STDERR_FILENO, last_words, strlen(last_words));
}

static void on_abort(int signal_number)
{
	(void)signal_number;
	say_last_words();
}

/* Of the sanitizers, when they are linked. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void catch_death(void)
{
	signal(SIGABRT, on_abort);
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(say_last_words);
}

static struct result run(uint64_t seed, const struct options *o)
{
	struct sim *s = calloc(1, sizeof(*s));
	struct result r;

	if (!s)
		abort();
	snprintf(last_words, sizeof(last_words), "seed=%" PRIu64 " ended the simulator\n", seed);
	r.sound = sim_run(seed, o, s);
	memcpy(r.invariant, s->invariant, sizeof(r.invariant));
	memcpy(r.failure, s->failure, sizeof(r.failure));
	r.trace = s->trace;
	r.counts = s->counts;
	r.lasted = s->now;
	sim_free(s);
	free(s);
	return r;
}

static void tell_failure(
	const char *self, uint64_t seed, const struct options *o, const struct result *r, bool same)
{
	char every[24] = "";

	if (o->every)
		snprintf(every, sizeof(every), " --every %u", o->every);
	printf("seed=%" PRIu64 " %s %s\n", seed, r->invariant, r->failure);
	printf("  again: %s --seed %" PRIu64 " --referrals %u --crashes %u%s%s%s%s --trace  (%s)\n",
		self, seed, o->referrals, o->crashes, o->cheap ? " --cheap" : "", every,
		o->plant < PLANTS ? " --plant " : "",
		o->plant < PLANTS ? plant_rows[o->plant].name : "",
		same ? "it repeats exactly" : "IT DOES NOT REPEAT");
}

/* A failure is run again, to see that it repeats. */
static bool run_seed(const char *self, const struct job *j, uint64_t seed, struct counts *sum)
{
	struct result r = run(seed, &j->o), again = r;
	struct options quiet = j->o;
	bool same;

	quiet.print = false;
	if (!r.sound || j->repeat)
		again = run(seed, &quiet);
	same = again.trace.hash == r.trace.hash && again.trace.events == r.trace.events;
	sum->crashes += r.counts.crashes;
	sum->cuts += r.counts.cuts;
	sum->jumps += r.counts.jumps;
	sum->commits += r.counts.commits;
	sum->frames += r.counts.frames;
	sum->cases += r.counts.cases;
	sum->receipts += r.counts.receipts;
	sum->losses += r.counts.losses;
	sum->fenced += r.counts.fenced;
	sum->stopped += r.counts.stopped;
	sum->suspensions += r.counts.suspensions;
	if (!r.sound)
		tell_failure(self, seed, &j->o, &r, same);
	else if (!same)
		printf("seed=%" PRIu64 " does not repeat\n", seed);
	else if (j->first == j->last)
		printf("seed=%" PRIu64 " trace=%016" PRIx64 " events=%" PRIu64 " lasted=%" PRId64
		       " ms\n",
			seed, r.trace.hash, r.trace.events, r.lasted);
	return r.sound && same;
}

static int run_seeds(const char *self, const struct job *j)
{
	struct counts sum = {0};
	uint64_t failed = 0;

	for (uint64_t seed = j->first; seed <= j->last; seed++)
		failed += !run_seed(self, j, seed, &sum);
	printf("seeds=%" PRIu64 " failed=%" PRIu64 " cases=%u crashes=%u cuts=%u clock_jumps=%u "
	       "commits=%u frames=%u receipts=%u losses=%u fenced=%u stopped=%u suspensions=%u\n",
		j->last - j->first + 1, failed, sum.cases, sum.crashes, sum.cuts, sum.jumps,
		sum.commits, sum.frames, sum.receipts, sum.losses, sum.fenced, sum.stopped,
		sum.suspensions);
	return failed ? 1 : 0;
}

/* In some world the bug has no chance to show: another one is tried. */
static bool is_found(const struct job *j, enum plant plant)
{
	struct options o = j->o;
	unsigned others = 0;

	o.plant = plant;
	for (uint64_t seed = j->first; seed < j->first + PLANT_SEEDS; seed++) {
		struct result r = run(seed, &o);

		if (r.sound)
			continue;
		if (strcmp(r.invariant, plant_rows[plant].invariant) == 0) {
			printf("%-16s found by %s, seed=%" PRIu64 ": %s\n", plant_rows[plant].name,
				r.invariant, seed, r.failure);
			return true;
		}
		others++;
		printf("%-16s seed=%" PRIu64 " %s %s\n", plant_rows[plant].name, seed, r.invariant,
			r.failure);
	}
	printf("%-16s NOT FOUND by %s (%u times by others)\n", plant_rows[plant].name,
		plant_rows[plant].invariant, others);
	return false;
}

static int run_planted(const struct job *j)
{
	unsigned missed = 0;

	for (int plant = 0; plant < PLANTS; plant++)
		missed += !is_found(j, (enum plant)plant);
	printf("planted=%d missed=%u\n", PLANTS, missed);
	return missed ? 1 : 0;
}

static bool read_seeds(const char *text, struct job *j)
{
	char *end;

	j->first = j->last = strtoull(text, &end, 10);
	if (strncmp(end, "..", 2) == 0)
		j->last = strtoull(end + 2, &end, 10);
	return *end == 0 && j->first <= j->last;
}

static bool read_plant(const char *text, struct job *j)
{
	for (int i = 0; i < PLANTS; i++)
		if (strcmp(plant_rows[i].name, text) == 0)
			j->o.plant = (enum plant)i;
	return j->o.plant < PLANTS;
}

static bool read_number(const char *text, unsigned *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	*ret = (unsigned)n;
	return *end == 0 && n <= 100000;
}

static bool read_options(int argc, char **argv, struct job *j)
{
	static const struct option options[] = {
		{"seed", required_argument, NULL, 's'},
		{"seeds", required_argument, NULL, 's'},
		{"referrals", required_argument, NULL, 'r'},
		{"crashes", required_argument, NULL, 'c'},
		{"plant", required_argument, NULL, 'p'},
		{"every", required_argument, NULL, 'e'},
		{"trace", no_argument, NULL, 't'},
		{"cheap", no_argument, NULL, 'C'},
		{"repeat", no_argument, NULL, 'R'},
		{"planted", no_argument, NULL, 'P'},
		{0},
	};
	bool good = true;
	int o;

	while (good && (o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		good = o == 's'   ? read_seeds(optarg, j)
		       : o == 'r' ? read_number(optarg, &j->o.referrals)
		       : o == 'c' ? read_number(optarg, &j->o.crashes)
		       : o == 'e' ? read_number(optarg, &j->o.every)
		       : o == 'p' ? read_plant(optarg, j)
				  : o != '?';
		j->o.print = j->o.print || o == 't';
		j->o.cheap = j->o.cheap || o == 'C';
		j->repeat = j->repeat || o == 'R';
		j->planted = j->planted || o == 'P';
	}
	return good && optind == argc;
}

int main(int argc, char **argv)
{
	struct job j = {
		.o = {.referrals = 8, .crashes = 3, .plant = PLANTS}, .first = 1, .last = 100};

	if (!read_options(argc, argv, &j)) {
		fputs(usage, stderr);
		return 64;
	}
	/* what it draws once, it draws before any world */
	chance_for_sodium(0);
	if (sodium_init() < 0)
		return 70;
	setvbuf(stdout, NULL, _IOLBF, 0);
	catch_death();
	return j.planted ? run_planted(&j) : run_seeds(argv[0], &j);
}
