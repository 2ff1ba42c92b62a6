#include "services/screening/screening.h"

#include "services/screening/places.h"

static const char *const tables[] = {
	[T_CASES] = "cases",
	[T_FACTS] = "facts",
	[T_HISTORY] = "history",
	[T_QUEUE] = "queue",
	[T_WAITING] = "waiting",
	[T_LEDGER] = "ledger",
	[T_YEARS] = "years",
	[T_SHARES] = "shares",
	[T_HOUSEHOLDS] = "households",
	[T_EARLY] = "early",
	[T_META] = "meta",
	NULL,
};

static const struct route routes[] = {
	ON(SEND_FACTS, on_facts),
	ON(SEND_EXIT, on_exit_case),
	ON(PROTECTION_CHANGED, on_protection_changed),
	ON(DECIDE_CASE, on_decide),
	ON(CLOSE_YEAR, on_close_year),
	{0},
};

static const struct query_route queries[] = {
	ON_QUERY(ASK_QUEUE, TELL_QUEUE, on_ask_queue),
	ON_QUERY(ASK_CASE, TELL_CASE, on_ask_case),
	ON_QUERY(ASK_PLACES, TELL_PLACES, on_ask_places),
	{0},
};

static const struct timer_route timers[] = {
	{"year end", on_year_end},
	{0},
};

const struct service screening_service = {
	.name = "screening",
	.program = PROGRAM_SCREENING,
	.tables = tables,
	.routes = routes,
	.queries = queries,
	.timers = timers,
	.on_start = screening_start,
};
