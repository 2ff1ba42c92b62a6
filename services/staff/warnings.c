/* Warnings of the broker and of intake: kept until they are over, shown above all else. */
#include <stdlib.h>

#include "proto/json.h"
#include "services/common/trust/warning_words.h"
#include "services/staff/view.h"

/* What is told once, and is never over, is shown for a day. */
#define EVENT_MS INT64_C(86400000)

static struct key warning_key(const Warning *w)
{
	struct key k = {0};

	key_u8(&k, (uint8_t)w->code);
	key_str(&k, w->about);
	return k;
}

enum err on_warning(struct step *s, const ProtobufCMessage *m)
{
	const Warning *w = (const Warning *)m;
	struct key k = warning_key(w);
	enum err e;

	if (w->over)
		e = step_delete(s, STAFF_WARNINGS, key_slice(&k));
	else
		e = record_put(s, STAFF_WARNINGS, key_slice(&k), m);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	staff_moved(s, !w->over);
	return OK;
}

struct gather {
	struct step *s;
	struct warnings *list;
};

static enum err keep(void *arg, struct slice key, struct slice value)
{
	const struct gather *g = arg;
	ProtobufCMessage *m;
	Warning **more;
	const Warning *w;

	(void)value;
	TRY(record_get(g->s, STAFF_WARNINGS, key, &warning__descriptor, &m));
	w = (const Warning *)m;
	more = realloc(g->list->list, (g->list->n + 1) * sizeof(Warning *));
	if (more)
		g->list->list = more;
	if (more && !(warning_is_event(w) && w->raised_at < step_now(g->s) - EVENT_MS))
		g->list->list[g->list->n++] = (Warning *)m;
	else
		protobuf_c_message_free_unpacked(m, NULL);
	return more ? OK : ERR_NOMEM;
}

static enum err gather_all(struct step *s, void *arg)
{
	struct gather g = {s, arg};

	return step_each(s, STAFF_WARNINGS, (struct slice){0}, keep, &g);
}

enum err warnings_load(struct node *n, struct warnings *ret)
{
	struct warnings list = {NULL, 0};
	enum err e = node_read(n, gather_all, &list);

	if (e == OK)
		*ret = list;
	else
		warnings_free(&list);
	return e;
}

void warnings_free(struct warnings *w)
{
	for (size_t i = 0; i < w->n; i++)
		warning__free_unpacked(w->list[i], NULL);
	free(w->list);
	*w = (struct warnings){NULL, 0};
}

void warnings_print(const struct warnings *w, enum lang lang, bool bold, FILE *out)
{
	static const char *const title[] = {"WARNINGS", "AVERTISSEMENTS"};

	if (!w->n)
		return;
	fprintf(out, "%s%s (%zu)\n", bold ? "\033[1m" : "", title[lang], w->n);
	for (size_t i = 0; i < w->n; i++) {
		struct buf text = {0};

		if (warning_says(w->list[i], lang, &text) == OK &&
			buf_append(&text, "\n    ", 5) == OK &&
			warning_advice(w->list[i], lang, &text) == OK)
			fprintf(out, "! %.*s\n", (int)text.len, (const char *)text.data);
		buf_free(&text);
	}
	fprintf(out, "%s\n", bold ? "\033[0m" : "");
}

enum err warnings_json(const struct warnings *w, json_t *o)
{
	json_t *list = json_array();

	for (size_t i = 0; i < w->n; i++) {
		json_t *one;

		if (message_to_json(&w->list[i]->base, &one) != OK) {
			json_decref(list);
			return ERR_NOMEM;
		}
		json_array_append_new(list, one);
	}
	return json_object_set_new(o, "warnings", list) ? ERR_NOMEM : OK;
}
