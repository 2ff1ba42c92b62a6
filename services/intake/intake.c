#include "services/intake/intake.h"

static const char *const tables[] = {
	[INTAKE_ENTRIES] = "entries",
	[INTAKE_VAULT] = "vault",
	[INTAKE_TOKENS] = "tokens",
	[INTAKE_PAIRS] = "pairs",
	[INTAKE_REFERENCES] = "references",
	[INTAKE_REJECTED] = "rejected",
	[INTAKE_OPENED] = "opened",
	NULL,
};

static const struct route routes[] = {
	ON(SUBMIT_REFERRAL, on_submit),
	ON(SUBMIT_URGENT, on_submit_urgent),
	ON(REPORT_RISK, on_risk),
	ON(WITHDRAW_REFERRAL, on_withdraw),
	ON(DECIDE_DUPLICATE, on_decide_duplicate),
	ON(OPEN_IDENTITY, on_open_identity),
	{0},
};

static const struct query_route queries[] = {
	ON_QUERY(ASK_HOLDS, TELL_HOLDS, on_ask_holds),
	{0},
};

const struct service intake_service = {
	.name = "intake",
	.program = PROGRAM_INTAKE,
	.tables = tables,
	.routes = routes,
	.queries = queries,
};
