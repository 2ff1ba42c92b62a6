/* The view as text. */
#include "services/staff/view.h"

#include <string.h>

#include "proto/words.h"
#include "services/common/cli/cli_help.h"

#define MINUTE  INT64_C(60000)
#define R(role) ROLE_BIT(ROLE__##role)

/* A text in both languages. */
struct words {
	const char *by[2];
};

void span_text(int64_t ms, enum lang lang, char ret[32])
{
	static const char *const days[] = {"d", "j"};
	long long minutes = ms > 0 ? ms / MINUTE : 0;

	if (minutes < 60)
		snprintf(ret, 32, "%lld min", minutes);
	else if (minutes < 48LL * 60)
		snprintf(ret, 32, "%lld h %02lld min", minutes / 60, minutes % 60);
	else
		snprintf(ret, 32, "%lld %s", minutes / (24LL * 60), days[lang]);
}

void rung_text(unsigned rung, enum lang lang, char ret[128])
{
	static const role_set rungs[] = {
#define RUNG(number, roles, field) [number] = (roles),
#include "services/urgent/ladder.def"
#undef RUNG
	};
	role_set roles = rung < sizeof(rungs) / sizeof(rungs[0]) ? rungs[rung] : 0;

	ret[0] = '\0';
	for (int role = ROLE__OFFICER; role <= ROLE__DIRECTOR; role++)
		if (roles & ROLE_BIT(role)) {
			if (ret[0])
				strncat(ret, ", ", 127 - strlen(ret));
			strncat(ret, word(&role__descriptor, role, lang), 127 - strlen(ret));
		}
}

/* As wide as that, in characters, and never less than one space to the next; 0: the last one. */
static void cell(FILE *out, const char *text, int width)
{
	int pad = width - cli_columns(text);

	fprintf(out, "%s%*s", text, !width ? 0 : pad > 1 ? pad : 1, "");
}

static void cell_number(FILE *out, uint32_t n, int width)
{
	fprintf(out, "%-*u", width, n);
}

/* What a part says of itself when it did not answer. */
static void say_missing(FILE *out, enum err why, enum lang lang)
{
	fprintf(out, " (%s)", err_text(why, lang));
}

/* --- alerts --- */

static void print_danger(FILE *out, const AlertEntry *a, enum lang lang)
{
	static const struct words detained = {{"detained", "en détention"}};
	static const struct words removal = {{"removal on", "renvoi le"}};

	for (size_t i = 0; i < a->n_threats; i++)
		fprintf(out, "    - %s\n",
			word(&threat_code__descriptor, (int)a->threats[i], lang));
	if (a->detained)
		fprintf(out, "    - %s\n", detained.by[lang]);
	if (*a->removal_on)
		fprintf(out, "    - %s %s\n", removal.by[lang], a->removal_on);
}

static void print_alert(FILE *out, const AlertEntry *a, int64_t now, enum lang lang)
{
	static const struct words rung = {{"rung", "échelon"}};
	static const struct words within = {{"answer within", "répondre d’ici"}};
	static const struct words overdue = {{"OVERDUE by", "EN RETARD de"}};
	int64_t left = a->next_rung_at - now;
	char who[128], span[32];

	rung_text(a->rung, lang, who);
	span_text(left < 0 ? -left : left, lang, span);
	fprintf(out, "! ");
	cell(out, a->case_number, 17);
	fprintf(out, "%s %u: %s; %s %s\n", rung.by[lang], a->rung, who,
		(left < 0 ? overdue : within).by[lang], span);
	print_danger(out, a, lang);
}

static void print_alerts(const struct view *v, int64_t now, enum lang lang, bool bold, FILE *out)
{
	static const struct words title = {{"BURNING ALERTS", "ALERTES EN COURS"}};
	static const struct words old = {
		{"; this is what came until then", "; voici ce qui était arrivé jusque-là"}};

	fprintf(out, "%s%s", bold && v->alerts->n_alerts ? "\033[1m" : "", title.by[lang]);
	if (v->why[VIEW_ALERTS] == OK)
		fprintf(out, " (%zu)", v->alerts->n_alerts);
	else
		fprintf(out, " (?)"); /* none that is known is not none */
	if (v->why[VIEW_ALERTS] != OK) {
		say_missing(out, v->why[VIEW_ALERTS], lang);
		fprintf(out, "%s", old.by[lang]);
	}
	fprintf(out, "\n");
	for (size_t i = 0; i < v->alerts->n_alerts; i++)
		print_alert(out, v->alerts->alerts[i], now, lang);
	fprintf(out, "%s\n", bold && v->alerts->n_alerts ? "\033[0m" : "");
}

/* --- holds --- */

static void print_holds(const struct view *v, int64_t now, enum lang lang, FILE *out)
{
	static const struct words title = {
		{"HELD: PERHAPS THE SAME PERSON", "RETENUS : PEUT-ÊTRE LA MÊME PERSONNE"}};
	static const struct words as = {{"as in", "que dans"}};

	fprintf(out, "%s", title.by[lang]);
	if (!v->holds)
		say_missing(out, v->why[VIEW_HOLDS], lang);
	else
		fprintf(out, " (%zu)", v->holds->n_holds);
	fprintf(out, "\n");
	for (size_t i = 0; v->holds && i < v->holds->n_holds; i++) {
		const Hold *h = v->holds->holds[i];
		char span[32];

		span_text(now - h->held_at, lang, span);
		fprintf(out, "  ");
		cell(out, h->case_number, 17);
		cell(out, span, 14);
		cell(out, h->partner, 22);
		fprintf(out, "%s", as.by[lang]);
		for (size_t k = 0; k < h->n_likely; k++)
			fprintf(out, "%s %s", k ? "," : "", h->likely[k]);
		fprintf(out, "\n");
	}
	fprintf(out, "\n");
}

/* --- the queue --- */

static const struct column {
	int width;
	struct words title;
} columns[] = {
	{17, {{"CASE", "DOSSIER"}}},
	{9, {{"VERSION", "VERSION"}}},
	{9, {{"PERSONS", "PERS."}}},
	{17, {{"PRIORITY", "PRIORITÉ"}}},
	{9, {{"MARKERS", "FACTEURS"}}},
	{9, {{"FLAGS", "SIGNALÉS"}}},
	{14, {{"WAITING", "ATTENTE"}}},
	{22, {{"PARTNER", "PARTENAIRE"}}},
	{0, {{"STATE", "ÉTAT"}}},
};

static void print_entry(FILE *out, const QueueEntry *q, int64_t now, enum lang lang)
{
	char span[32];

	span_text(now - q->received_at, lang, span);
	fprintf(out, "  ");
	cell(out, q->case_number, columns[0].width);
	cell_number(out, q->case_version, columns[1].width);
	cell_number(out, q->persons, columns[2].width);
	cell(out, word(&priority__descriptor, (int)q->priority, lang), columns[3].width);
	cell_number(out, q->markers, columns[4].width);
	cell_number(out, q->flags, columns[5].width);
	cell(out, span, columns[6].width);
	cell(out, q->partner, columns[7].width);
	fprintf(out, "%s", word(&state__descriptor, (int)q->state, lang));
	if (q->protection)
		fprintf(out, " / %s", word(&protection__descriptor, (int)q->protection, lang));
	fprintf(out, "\n");
}

static void print_queue(const struct view *v, int64_t now, enum lang lang, FILE *out)
{
	static const struct words title = {{"QUEUE", "FILE"}}, of = {{"of", "sur"}},
				  more = {{"... and more", "... et d’autres"}};

	fprintf(out, "%s", title.by[lang]);
	if (!v->queue) {
		say_missing(out, v->why[VIEW_QUEUE], lang);
		fprintf(out, "\n");
		return;
	}
	fprintf(out, " (%zu %s %u)\n", v->queue->n_entries, of.by[lang], v->queue->total);
	if (!v->queue->n_entries)
		return;
	fprintf(out, "  ");
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		cell(out, columns[i].title.by[lang], columns[i].width);
	fprintf(out, "\n");
	for (size_t i = 0; i < v->queue->n_entries; i++)
		print_entry(out, v->queue->entries[i], now, lang);
	if (v->queue->n_entries < v->queue->total)
		fprintf(out, "  %s: queue --limit %u\n", more.by[lang], v->queue->total);
}

void view_print(const struct view *v, int64_t now, enum lang lang, bool bold, FILE *out)
{
	warnings_print(&v->warnings, lang, bold, out);
	print_alerts(v, now, lang, bold, out);
	print_holds(v, now, lang, out);
	print_queue(v, now, lang, out);
}
