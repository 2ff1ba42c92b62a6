#include "proto/json.h"
#include "services/staff/actions.h"
#include "services/staff/show.h"
#include "services/staff/staff.h"

static void say_allotments(const struct cli *c, const PlacesAnswer *p)
{
	if (p->n_allotments)
		show_title(c, "ALLOTMENTS, in persons", "PARTS DES PARTENAIRES, en personnes");
	for (size_t i = 0; i < p->n_allotments; i++)
		cli_say(c, "  %-24s %u used of %u\n", "  %-24s %u utilisées sur %u\n",
			p->allotments[i]->partner, p->allotments[i]->used,
			p->allotments[i]->persons);
}

static enum err show_year(struct session *s, uint32_t year)
{
	PlacesQuery q = PLACES_QUERY__INIT;
	ProtobufCMessage *m;
	json_t *json;
	enum err e;

	q.year = year;
	TRY(session_ask(s, KIND_ASK_PLACES, &q.base, &m));
	show_fields(s->c, m, shown_places, 2);
	say_allotments(s->c, (const PlacesAnswer *)m);
	e = message_to_json(m, &json);
	protobuf_c_message_free_unpacked(m, NULL);
	return e == OK ? tell_requests(s, json) : e;
}

/* What is left over goes to the next year: of supervisors and directors only. */
static enum err close_year(struct session *s, uint32_t year)
{
	YearClose body = YEAR_CLOSE__INIT;
	struct sending one = {KIND_CLOSE_YEAR, EVENT__NO_EVENT, "", &body.base};

	body.year = year;
	TRY(send_all(s, &one, 1));
	return tell_requests(s, json_object());
}

static enum err read_year(struct cli *c, uint32_t *ret)
{
	char *end;
	long year;

	if (!c->n_operands)
		return OK;
	year = strtol(c->operands[0], &end, 10);
	if (*end || year < 2000 || year > 9999)
		return cli_fail(c, ERR_USAGE, c->operands[0]);
	*ret = (uint32_t)year;
	return OK;
}

enum err staff_places(struct cli *c)
{
	struct session s = {.c = c};
	uint32_t year = 0;
	long closing = 0;
	enum err e;

	TRY(read_year(c, &year));
	TRY(cli_number(c, "close-year", 2000, 9999, &closing));
	if (year && closing)
		return cli_fail(c, ERR_USAGE, "--close-year");
	e = session_open(c, &s);
	if (e == OK)
		e = closing ? close_year(&s, (uint32_t)closing) : show_year(&s, year);
	session_close(&s);
	return e;
}
