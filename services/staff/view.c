#include "services/staff/view.h"

#include <stdlib.h>

#include "proto/json.h"

/* --- loading --- */

struct inbox {
	struct step *s;
	AlertsAnswer *list;
};

static enum err keep_alert(void *arg, struct slice key, struct slice value)
{
	struct inbox *in = arg;
	AlertEntry **more, *one = malloc(sizeof(*one));
	ProtobufCMessage *m = NULL;
	Alert *a;
	enum err e;

	(void)value;
	more = realloc(in->list->alerts, (in->list->n_alerts + 1) * sizeof(AlertEntry *));
	if (more)
		in->list->alerts = more;
	e = one && more ? case_get(in->s, STAFF_ALERTS, key, STAFF_CASE, &alert__descriptor, &m)
			: ERR_NOMEM;
	if (e != OK) {
		free(one);
		return e;
	}
	a = (Alert *)m;
	alert_entry__init(one);
	/* moved: the alert is freed without them */
	one->case_number = a->case_number;
	one->removal_on = a->removal_on;
	one->threats = a->threats;
	one->n_threats = a->n_threats;
	a->case_number = a->removal_on = (char *)protobuf_c_empty_string;
	a->threats = NULL;
	a->n_threats = 0;
	one->rung = a->rung;
	one->raised_at = a->raised_at;
	one->next_rung_at = a->due_at;
	one->detained = a->detained;
	one->protection = PROTECTION__ESCALATION_REQUESTED;
	in->list->alerts[in->list->n_alerts++] = one;
	protobuf_c_message_free_unpacked(m, NULL);
	return OK;
}

static enum err list_inbox(struct step *s, void *arg)
{
	struct inbox *in = arg;

	in->s = s;
	return step_each(s, STAFF_ALERTS, (struct slice){0}, keep_alert, in);
}

static enum err load_inbox(struct node *n, AlertsAnswer **ret)
{
	struct inbox in = {NULL, malloc(sizeof(*in.list))};
	enum err e;

	if (!in.list)
		return ERR_NOMEM;
	alerts_answer__init(in.list);
	e = node_read(n, list_inbox, &in);
	if (e == OK)
		*ret = in.list;
	else
		alerts_answer__free_unpacked(in.list, NULL);
	return e;
}

/* Nobody there, or a signed no: the other parts are still worth showing. */
static bool unanswered(enum err e)
{
	return e == ERR_UNREACHABLE || e == ERR_TIMEOUT || (int)e >= 100;
}

enum err view_load(
	struct session *s, State state, uint32_t limit, int64_t within_ms, struct view *ret)
{
	AlertsQuery alerts = ALERTS_QUERY__INIT;
	HoldsQuery holds = HOLDS_QUERY__INIT;
	QueueQuery queue = QUEUE_QUERY__INIT;
	const struct {
		enum kind kind;
		const ProtobufCMessage *question;
	} parts[VIEW_PARTS] = {
		[VIEW_ALERTS] = {KIND_ASK_ALERTS, &alerts.base},
		[VIEW_HOLDS] = {KIND_ASK_HOLDS, &holds.base},
		[VIEW_QUEUE] = {KIND_ASK_QUEUE, &queue.base},
	};
	ProtobufCMessage *answers[VIEW_PARTS] = {NULL};
	struct view v = {.alerts = NULL};
	enum err e = OK;

	queue.limit = limit;
	queue.state = state;
	for (int i = 0; i < VIEW_PARTS && e == OK; i++) {
		/* no network: the others need not wait for it again */
		v.why[i] = i && v.why[i - 1] == ERR_UNREACHABLE
				   ? ERR_UNREACHABLE
				   : node_ask(s->n, parts[i].kind, parts[i].question, within_ms,
					     &answers[i]);
		if (v.why[i] != OK && !unanswered(v.why[i]))
			e = v.why[i];
	}
	v.alerts = (AlertsAnswer *)answers[VIEW_ALERTS];
	v.holds = (HoldsAnswer *)answers[VIEW_HOLDS];
	v.queue = (QueueAnswer *)answers[VIEW_QUEUE];
	if (e == OK && !v.alerts)
		e = load_inbox(s->n, &v.alerts);
	if (e == OK)
		e = warnings_load(s->n, &v.warnings);
	if (e == OK)
		*ret = v;
	else
		view_free(&v);
	return e;
}

void view_free(struct view *v)
{
	if (v->alerts)
		alerts_answer__free_unpacked(v->alerts, NULL);
	if (v->holds)
		holds_answer__free_unpacked(v->holds, NULL);
	if (v->queue)
		queue_answer__free_unpacked(v->queue, NULL);
	warnings_free(&v->warnings);
	*v = (struct view){.alerts = NULL};
}

enum err view_result(const struct view *v)
{
	for (int i = 0; i < VIEW_PARTS; i++)
		if (v->why[i] != OK)
			return v->why[i];
	return OK;
}

/* --- as JSON --- */

/* The list of a message, always there. */
static enum err take_list(const ProtobufCMessage *m, const char *list, json_t *o, const char *name)
{
	json_t *json, *found;

	if (!m)
		return json_object_set_new(o, name, json_null()) ? ERR_NOMEM : OK;
	TRY(message_to_json(m, &json));
	found = json_object_get(json, list);
	json_object_set_new(o, name, found ? json_incref(found) : json_array());
	json_decref(json);
	return OK;
}

enum err view_json(const struct view *v, json_t **ret)
{
	static const char *const names[VIEW_PARTS] = {"alerts", "holds", "queue"};
	json_t *o = json_object(), *missing = json_object();
	enum err e;

	e = take_list(&v->alerts->base, "alerts", o, "alerts");
	if (e == OK)
		e = warnings_json(&v->warnings, o);
	if (e == OK)
		e = take_list(v->holds ? &v->holds->base : NULL, "holds", o, "holds");
	if (e == OK)
		e = take_list(v->queue ? &v->queue->base : NULL, "entries", o, "queue");
	if (v->queue)
		json_object_set_new(o, "total", json_integer(v->queue->total));
	for (int i = 0; i < VIEW_PARTS; i++)
		if (v->why[i] != OK)
			json_object_set_new(missing, names[i], json_string(err_name(v->why[i])));
	json_object_set_new(o, "missing", missing);
	if (e == OK)
		*ret = o;
	else
		json_decref(o);
	return e;
}
