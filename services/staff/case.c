#include "services/staff/case_view.h"

#include "proto/json.h"
#include "proto/words.h"
#include "services/staff/actions.h"
#include "services/staff/show.h"

static void say_standing(const struct cli *c, const char *number, const CaseAnswer *a)
{
	cli_say(c, "%s, version %u: %s\n", "%s, version %u : %s\n", number, a->case_version,
		word(&state__descriptor, (int)a->state, c->lang));
	if (a->protection)
		cli_say(c, "%s\n", "%s\n",
			word(&protection__descriptor, (int)a->protection, c->lang));
}

static void say_facts(const struct cli *c, const Facts *f)
{
	if (!f)
		return;
	show_title(c, "FACTS", "FAITS");
	show_fields(c, &f->base, shown_facts, 2);
	if (f->claim)
		show_fields(c, &f->claim->base, shown_claim, 2);
	if (f->protection)
		show_fields(c, &f->protection->base, shown_protection, 2);
	for (size_t i = 0; i < f->n_members; i++) {
		cli_say(c, "\n", "\n");
		show_fields(c, &f->members[i]->base, shown_member, 4);
	}
}

static void say_advice(const struct cli *c, const CaseAnswer *a)
{
	if (a->n_advice)
		show_title(c, "ADVICE (a person decides)", "AVIS (une personne décide)");
	for (size_t i = 0; i < a->n_advice; i++) {
		const Advice *d = a->advice[i];

		cli_say(c, "  [%s] %s\n      %s, version %u; %s\n",
			"  [%s] %s\n      %s, version %u; %s\n",
			word(&finding__descriptor, (int)d->finding, c->lang),
			!d->words            ? ""
			: c->lang == LANG_FR ? d->words->fr
					     : d->words->en,
			d->rule, d->rule_version, d->citation);
	}
}

static void say_history(const struct cli *c, const CaseAnswer *a)
{
	if (a->n_history)
		show_title(c, "HISTORY", "HISTORIQUE");
	for (size_t i = 0; i < a->n_history; i++) {
		const Change *h = a->history[i];
		char when[32];

		time_format(h->at, when);
		cli_say(c, "  %u  %s  %s  (%s > %s; %s)\n", "  %u  %s  %s  (%s > %s; %s)\n",
			h->case_version, when, word(&event__descriptor, (int)h->event, c->lang),
			word(&state__descriptor, (int)h->from, c->lang),
			word(&state__descriptor, (int)h->to, c->lang), h->actor);
		for (size_t k = 0; k < h->n_reasons; k++)
			cli_say(c, "        - %s\n", "        - %s\n",
				word(&reason__descriptor, (int)h->reasons[k], c->lang));
	}
}

static void say_places(const struct cli *c, const CaseAnswer *a)
{
	if (!a->arrival_year)
		return;
	show_title(c, "PLACES", "PLACES");
	cli_say(c, "  %u: %u reserved, %u consumed\n", "  %u : %u réservées, %u utilisées\n",
		a->arrival_year, a->places_reserved, a->places_consumed);
}

static void say_action(const struct cli *c, const struct action *a)
{
	if (a)
		cli_say(c, "  %-22s %s\n", "  %-22s %s\n", a->word,
			word(&event__descriptor, (int)a->event, c->lang));
}

static void say_possible(const struct cli *c, const struct case_view *v)
{
	const struct action *a;

	if (v->answer->n_possible || v->alert)
		show_title(c, "MAY BE DECIDED NOW", "PEUT ÊTRE DÉCIDÉ MAINTENANT");
	for (size_t i = 0; i < v->answer->n_possible; i++)
		say_action(c, action_of(v->answer->possible[i]));
	for (unsigned i = 0; v->alert && (a = action_on_protection(v->alert->protection, i)); i++)
		say_action(c, a);
}

static void say_protection(const struct cli *c, const struct case_view *v)
{
	if (v->alert || v->no_alerts != OK)
		show_title(c, "URGENT PROTECTION (a version of its own)",
			"PROTECTION D’URGENCE (a sa propre version)");
	if (v->no_alerts != OK)
		cli_say(c, "  (%s)\n", "  (%s)\n", err_text(v->no_alerts, c->lang));
	if (v->alert)
		show_fields(c, &v->alert->base, shown_alert, 2);
}

static void say_hold(const struct cli *c, const Hold *h)
{
	if (!h)
		return;
	show_title(c, "HELD: PERHAPS THE SAME PERSON", "RETENU : PEUT-ÊTRE LA MÊME PERSONNE");
	for (size_t i = 0; i < h->n_likely; i++)
		cli_say(c, "  as in %s: decide %s same|not-same --with %s\n",
			"  que dans %s : decide %s same|not-same --with %s\n", h->likely[i],
			h->case_number, h->likely[i]);
}

static void say_case(const struct cli *c, const char *number, const struct case_view *v)
{
	if (v->answer->result == OK)
		say_standing(c, number, v->answer);
	else
		cli_say(c, "%s\n", "%s\n", number);
	say_facts(c, v->answer->facts);
	say_hold(c, v->hold);
	say_advice(c, v->answer);
	say_history(c, v->answer);
	say_places(c, v->answer);
	say_protection(c, v);
	say_possible(c, v);
}

/* The answer, with "alert" and "hold", and "result" by name. */
static enum err case_json(const char *number, const struct case_view *v, json_t **ret)
{
	json_t *json, *part;

	TRY(message_to_json(&v->answer->base, &json));
	json_object_set_new(json, "case_number", json_string(number));
	json_object_set_new(json, "result", json_string(err_name((enum err)v->answer->result)));
	if (v->alert && message_to_json(&v->alert->base, &part) == OK)
		json_object_set_new(json, "alert", part);
	if (v->hold && message_to_json(&v->hold->base, &part) == OK)
		json_object_set_new(json, "hold", part);
	if (v->no_alerts != OK)
		json_object_set_new(
			json, "missing", json_pack("{s:s}", "alert", err_name(v->no_alerts)));
	*ret = json;
	return OK;
}

/* One case, told at once; its JSON joins the others. */
static enum err tell_case(struct session *s, const char *number, json_t *cases)
{
	struct case_view v = {NULL};
	json_t *json = NULL;
	enum err e = case_view_load(s, number, &v);

	if (e == OK)
		e = case_json(number, &v, &json);
	if (e == OK) {
		say_case(s->c, number, &v);
		json_array_append_new(cases, json);
	}
	case_view_free(&v);
	return e;
}

enum err staff_case(struct cli *c)
{
	struct session s = {.c = c};
	json_t *cases = json_array(), *json;
	enum err e = session_open(c, &s);

	for (int i = 0; e == OK && i < c->n_operands; i++)
		e = tell_case(&s, c->operands[i], cases);
	if (e == OK) {
		/* one case is told as itself, several as a list */
		json = c->n_operands == 1 ? json_incref(json_array_get(cases, 0))
					  : json_pack("{s:O}", "cases", cases);
		e = tell_requests(&s, json);
	}
	json_decref(cases);
	session_close(&s);
	return e;
}
