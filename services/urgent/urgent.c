#include "services/urgent/urgent.h"

static const char *const tables[] = {[URGENT_CASES] = "cases", [URGENT_CROWDS] = "crowds", NULL};

static const struct route routes[] = {
	ON(SEND_THREAT, on_threat),
	ON(ACKNOWLEDGE_ALERT, on_acknowledge),
	ON(DECIDE_PROTECTION, on_decide_protection),
	ON(SEND_EXIT, on_urgent_exit),
	{0},
};

static const struct query_route queries[] = {
	ON_QUERY(ASK_ALERTS, TELL_ALERTS, on_ask_alerts),
	{0},
};

static const struct timer_route timers[] = {
	{"climb", ladder_climb},
	{"decision", ladder_decision_overdue},
	{0},
};

const struct service urgent_service = {
	.name = "urgent",
	.program = PROGRAM_URGENT,
	.tables = tables,
	.routes = routes,
	.queries = queries,
	.timers = timers,
};
