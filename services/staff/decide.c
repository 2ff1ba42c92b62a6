/* 7. What a person decides, on a version of the case that the person has looked at. */
#include "proto/words.h"
#include "services/common/case_number.h"
#include "services/staff/actions.h"
#include "services/staff/note.h"

#define REASONS_MOST 16

struct order {
	const struct action *action;
	const char *case_number, *other;
	Reason reasons[REASONS_MOST];
	size_t n_reasons;
	long version, year, persons;
};

static enum err find_action(struct cli *c, const char *text, const struct action **ret)
{
	*ret = action_find(text);
	if (*ret)
		return OK;
	cli_fail(c, ERR_USAGE, text);
	for (const struct action *a = staff_actions; !c->json && a->word; a++)
		fprintf(stderr, "  %-22s %s\n", a->word,
			word(&event__descriptor, (int)a->event, c->lang));
	return ERR_USAGE;
}

/* Which options belong to which actions: given where it means nothing, or missing where it must be
 * there, an option is a mistake. */
static const struct {
	const char *option;
	unsigned takes;
	bool must;
} rules[] = {
	{"version", ACTION_VERSION, true},
	{"note-file", ACTION_NOTE, false},
	{"year", ACTION_YEAR, false},
	{"persons", ACTION_PERSONS, true},
	{"with", ACTION_WITH, true},
};

static enum err check_options(struct cli *c, const struct action *a)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		bool takes = a->options & rules[i].takes, given = cli_value(c, rules[i].option);
		char option[32];

		if (given ? takes : !(takes && rules[i].must))
			continue;
		snprintf(option, sizeof(option), "--%s", rules[i].option);
		return cli_fail(c, ERR_USAGE, option);
	}
	return OK;
}

static enum err read_reasons(struct cli *c, struct order *o)
{
	const char *text;

	while ((text = cli_value_at(c, "reason", o->n_reasons))) {
		int value;

		if (o->n_reasons == REASONS_MOST ||
			(o->action->kind == KIND_DECIDE_DUPLICATE && o->n_reasons))
			return cli_fail(c, ERR_USAGE, "--reason");
		if (coded_find(&reason__descriptor, text, &value) != OK)
			return session_bad_word(c, text, &reason__descriptor);
		o->reasons[o->n_reasons++] = (Reason)value;
	}
	return OK;
}

static enum err read_order(struct cli *c, struct order *o)
{
	o->case_number = c->operands[0];
	TRY(find_action(c, c->operands[1], &o->action));
	TRY(check_options(c, o->action));
	TRY(read_reasons(c, o));
	TRY(cli_number(c, "version", 1, UINT32_MAX, &o->version));
	TRY(cli_number(c, "year", 2000, 9999, &o->year));
	TRY(cli_number(c, "persons", 1, 1000, &o->persons));
	o->other = cli_value(c, "with");
	if (!case_number_valid(o->case_number))
		return cli_fail(c, ERR_INVALID, o->case_number);
	if (o->other && !case_number_valid(o->other))
		return cli_fail(c, ERR_INVALID, o->other);
	return OK;
}

static enum err send_duplicate(struct session *s, const struct order *o)
{
	DuplicateDecision d = DUPLICATE_DECISION__INIT;
	struct sending one = {KIND_DECIDE_DUPLICATE, o->action->event, o->case_number, &d.base};

	d.case_number = (char *)o->case_number;
	d.other_case = (char *)o->other;
	d.same = o->action->event == EVENT__MERGE_DUPLICATE;
	d.reason = o->n_reasons ? o->reasons[0] : REASON__NO_REASON;
	return send_all(s, &one, 1);
}

static enum err send_decision(struct session *s, struct order *o, const struct buf *sealed)
{
	SealedNote note = SEALED_NOTE__INIT;
	Decision d = DECISION__INIT;
	struct sending one = {o->action->kind, o->action->event, o->case_number, &d.base};

	d.case_number = (char *)o->case_number;
	d.case_version = (uint32_t)o->version;
	d.event = o->action->event;
	d.reasons = o->reasons;
	d.n_reasons = o->n_reasons;
	d.arrival_year = (uint32_t)o->year;
	d.persons = (uint32_t)o->persons;
	note.sealed = (ProtobufCBinaryData){sealed->len, sealed->data};
	if (sealed->len)
		d.note = &note;
	return send_all(s, &one, 1);
}

enum err staff_decide(struct cli *c)
{
	const char *note = cli_value(c, "note-file");
	struct session s = {.c = c};
	struct order o = {NULL};
	struct buf sealed = {0};
	enum err e;

	TRY(read_order(c, &o));
	e = session_open(c, &s);
	if (e == OK && note)
		e = note_from_file(&s, note, o.case_number, &sealed);
	if (e == OK)
		e = o.action->kind == KIND_DECIDE_DUPLICATE ? send_duplicate(&s, &o)
							    : send_decision(&s, &o, &sealed);
	if (e == OK)
		e = tell_requests(&s, json_object());
	buf_free(&sealed);
	session_close(&s);
	return e;
}
