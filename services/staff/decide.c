/* 7. What a person decides, on a version of the case that the person has looked at. */
#include <stdlib.h>

#include "proto/words.h"
#include "services/common/referral/case_number.h"
#include "services/staff/actions.h"
#include "services/staff/note.h"

#define REASONS_MOST 16
#define TARGETS_MOST 200

/* A case, and the version of it that the person has looked at. */
struct target {
	char case_number[CASE_NUMBER_SIZE];
	long version;
};

/* One action on one case; or the same on several, each named CASE@VERSION. */
struct order {
	const struct action *action;
	const char *other;
	struct target targets[TARGETS_MOST];
	size_t n_targets;
	Reason reasons[REASONS_MOST];
	size_t n_reasons;
	long year, persons;
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
	if (c->n_operands > 2 && (a->options & (ACTION_WITH | ACTION_PERSONS)))
		return cli_fail(c, ERR_USAGE, a->word); /* these are said of one case only */
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		bool takes = a->options & rules[i].takes, given = cli_value(c, rules[i].option);
		bool must = rules[i].must, several = c->n_operands > 2;
		char option[32];

		if (rules[i].takes == ACTION_VERSION) /* CASE@VERSION stands for it */
			must = !several && !strchr(c->operands[0], '@');
		else
			takes = takes && !several; /* what is said of one case only */
		if (given ? takes : !(takes && must))
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

static enum err read_target(struct cli *c, const char *text, struct order *o)
{
	struct target *t = &o->targets[o->n_targets];
	const char *at = strchr(text, '@');
	size_t len = at ? (size_t)(at - text) : strlen(text);
	char *end = NULL;

	if (o->n_targets == TARGETS_MOST || len >= sizeof(t->case_number))
		return cli_fail(c, ERR_INVALID, text);
	memcpy(t->case_number, text, len);
	t->case_number[len] = 0;
	if (!case_number_valid(t->case_number))
		return cli_fail(c, ERR_INVALID, text);
	for (size_t i = 0; i < o->n_targets; i++)
		if (strcmp(o->targets[i].case_number, t->case_number) == 0)
			return cli_fail(c, ERR_USAGE, text);
	if (at) {
		t->version = strtol(at + 1, &end, 10);
		if (end == at + 1 || *end || t->version < 1 || t->version > UINT32_MAX)
			return cli_fail(c, ERR_USAGE, text);
	} else {
		TRY(cli_number(c, "version", 1, UINT32_MAX, &t->version));
	}
	if ((o->action->options & ACTION_VERSION) && !t->version)
		return cli_fail(c, ERR_USAGE, text);
	o->n_targets++;
	return OK;
}

static enum err read_order(struct cli *c, struct order *o)
{
	TRY(find_action(c, c->operands[c->n_operands - 1], &o->action));
	TRY(check_options(c, o->action));
	TRY(read_reasons(c, o));
	for (int i = 0; i < c->n_operands - 1; i++)
		TRY(read_target(c, c->operands[i], o));
	TRY(cli_number(c, "year", 2000, 9999, &o->year));
	TRY(cli_number(c, "persons", 1, 1000, &o->persons));
	o->other = cli_value(c, "with");
	if (o->other && !case_number_valid(o->other))
		return cli_fail(c, ERR_INVALID, o->other);
	return OK;
}

static enum err send_duplicate(struct session *s, const struct order *o)
{
	DuplicateDecision d = DUPLICATE_DECISION__INIT;
	const char *held = o->targets[0].case_number;
	struct sending one = {KIND_DECIDE_DUPLICATE, o->action->event, held, &d.base};

	d.case_number = (char *)held;
	d.other_case = (char *)o->other;
	d.same = o->action->event == EVENT__MERGE_DUPLICATE;
	d.reason = o->n_reasons ? o->reasons[0] : REASON__NO_REASON;
	return send_all(s, &one, 1);
}

static enum err send_decision(struct session *s, struct order *o, const struct buf *sealed)
{
	SealedNote note = SEALED_NOTE__INIT;
	Decision d[TARGETS_MOST];
	struct sending list[TARGETS_MOST];

	note.sealed = (ProtobufCBinaryData){sealed->len, sealed->data};
	for (size_t i = 0; i < o->n_targets; i++) {
		const struct target *t = &o->targets[i];

		decision__init(&d[i]);
		d[i].case_number = (char *)t->case_number;
		d[i].case_version = (uint32_t)t->version;
		d[i].event = o->action->event;
		d[i].reasons = o->reasons;
		d[i].n_reasons = o->n_reasons;
		d[i].arrival_year = (uint32_t)o->year;
		d[i].persons = (uint32_t)o->persons;
		d[i].note = sealed->len ? &note : NULL;
		list[i] = (struct sending){
			o->action->kind, o->action->event, t->case_number, &d[i].base};
	}
	return send_all(s, list, o->n_targets);
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
		e = note_from_file(&s, note, o.targets[0].case_number, &sealed);
	if (e == OK)
		e = o.action->kind == KIND_DECIDE_DUPLICATE ? send_duplicate(&s, &o)
							    : send_decision(&s, &o, &sealed);
	if (e == OK)
		e = tell_requests(&s, json_object());
	buf_free(&sealed);
	session_close(&s);
	return e;
}
