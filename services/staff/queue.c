#include <stdio.h>

#include "services/staff/actions.h"
#include "services/staff/view.h"

enum err staff_queue(struct cli *c)
{
	const char *text = cli_value(c, "state");
	int state = STATE__NO_STATE;
	struct session s = {.c = c};
	struct view v = {NULL};
	json_t *json = NULL;
	int64_t within_ms;
	long limit = 50;
	enum err e, missing = OK;

	TRY(cli_number(c, "limit", 1, 200, &limit));
	TRY(home_wait(c, 10, &within_ms));
	if (text && coded_find(&state__descriptor, text, &state) != OK)
		return session_bad_word(c, text, &state__descriptor);
	e = session_open(c, &s);
	if (e == OK)
		e = view_load(&s, (State)state, (uint32_t)limit, within_ms, &v);
	if (e == OK)
		e = view_json(&v, &json);
	if (e == OK) {
		missing = view_result(&v);
		if (!c->json)
			view_print(&v, node_now(), c->lang, false, stdout);
		e = tell_requests(&s, json);
	}
	view_free(&v);
	session_close(&s);
	if (e != OK)
		return e;
	c->told = true; /* what is missing is named in its place */
	return missing;
}
