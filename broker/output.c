/* The list of frames to send. */
#include "broker/output.h"

#include <stdlib.h>

enum err outputs_add(struct outputs *l, uint64_t conn, const Frame *f)
{
	size_t len = frame__get_packed_size(f);
	struct output *o = malloc(sizeof *o + len);

	if (!o)
		return ERR_NOMEM;
	o->next = NULL;
	o->conn = conn;
	o->len = frame__pack(f, o->frame);
	if (l->last)
		l->last->next = o;
	else
		l->first = o;
	l->last = o;
	l->bytes += len;
	return OK;
}

struct output *outputs_take(struct outputs *l)
{
	struct output *o = l->first;

	if (!o)
		return NULL;
	l->first = o->next;
	if (!l->first)
		l->last = NULL;
	l->bytes -= o->len;
	return o;
}

void outputs_move(struct outputs *to, struct outputs *from)
{
	if (!from->first)
		return;
	if (to->last)
		to->last->next = from->first;
	else
		to->first = from->first;
	to->last = from->last;
	to->bytes += from->bytes;
	*from = (struct outputs){0};
}

void outputs_clear(struct outputs *l)
{
	struct output *o;

	while ((o = outputs_take(l)))
		free(o);
}
