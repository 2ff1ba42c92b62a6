#include "services/staff/staff.h"

#include <stdio.h>

#include "services/staff/actions.h"

enum err session_open(struct cli *c, struct session *s)
{
	*s = (struct session){.c = c};
	s->context.seen = &s->seen;
	return home_open(c, &staff_service, &s->context, &s->n);
}

void session_close(struct session *s)
{
	node_free(&s->n);
	buf_free(&s->seen.opened);
}

enum err session_ask(
	struct session *s, enum kind kind, const ProtobufCMessage *question, ProtobufCMessage **ret)
{
	int64_t within_ms;
	enum err e;

	TRY(home_wait(s->c, 10, &within_ms));
	e = node_ask(s->n, kind, question, within_ms, ret);
	return e == OK ? OK : cli_fail(s->c, e, NULL);
}

enum err session_bad_word(struct cli *c, const char *word, const ProtobufCEnumDescriptor *type)
{
	char name[64];

	cli_fail(c, ERR_USAGE, word);
	for (unsigned i = 0; !c->json && i < type->n_values; i++)
		if (type->values[i].value) {
			coded_word(type->values[i].name, name);
			fprintf(stderr, "  %s\n", name);
		}
	return ERR_USAGE;
}
