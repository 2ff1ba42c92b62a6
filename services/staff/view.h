/*
 * view.h - what waits for somebody: warnings, burning alerts, then cases held as perhaps the same
 * person, then the queue. For `queue` and `watch`.
 */
#ifndef HAVRE_STAFF_VIEW_H
#define HAVRE_STAFF_VIEW_H

#include <stdio.h>

#include "proto/trust.pb-c.h"
#include "services/staff/staff.h"

enum view_part { VIEW_ALERTS, VIEW_HOLDS, VIEW_QUEUE, VIEW_PARTS };

/* Of the inbox: what is not over. */
struct warnings {
	Warning **list;
	size_t n;
};

struct view {
	struct warnings warnings;
	AlertsAnswer *alerts;     /* never NULL: of the inbox when the service did not answer */
	HoldsAnswer *holds;       /* NULL: no answer */
	QueueAnswer *queue;       /* NULL: no answer */
	enum err why[VIEW_PARTS]; /* OK: answered */
};

/* Asks all three, within that time each; what does not answer is noted in `why`. Any other error
 * means that the node failed. view_free(ret). */
MUST_USE enum err view_load(
	struct session *s, State state, uint32_t limit, int64_t within_ms, struct view *ret);
void view_free(struct view *v);
/* The first of `why` that is not OK. */
enum err view_result(const struct view *v);

/* bold: alerts in the terminal's bold. */
void view_print(const struct view *v, int64_t now, enum lang lang, bool bold, FILE *out);
/* {"warnings", "alerts", "holds", "queue", "total", "missing"}: a part that is missing is named
 * there with its error; "alerts" is then what came to the inbox. */
MUST_USE enum err view_json(const struct view *v, json_t **ret);

/* warnings.c. warnings_free(ret). */
MUST_USE enum err warnings_load(struct node *n, struct warnings *ret);
void warnings_free(struct warnings *w);
void warnings_print(const struct warnings *w, enum lang lang, bool bold, FILE *out);
/* Adds "warnings" to the object. */
MUST_USE enum err warnings_json(const struct warnings *w, json_t *o);

/* "12 min", "5 h 03 min", "4 d": how long, in one language. */
void span_text(int64_t ms, enum lang lang, char ret[32]);
/* Whom the rung of the ladder calls: "officer, supervisor". */
void rung_text(unsigned rung, enum lang lang, char ret[128]);

#endif
