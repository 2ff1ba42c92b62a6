/* `havre-admin verify`: opens the homes, and says what the checks found. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/admin/admin.h"
#include "services/admin/draft.h"
#include "services/admin/homes.h"
#include "services/admin/verify.h"
#include "services/common/base/civil.h"

/* clang-format off */
const struct cli_option verify_options[] = {
	CLI_OPTION("homes", "DIR", "the folder of the home folders, one for each principal",
		"le dossier des dossiers personnels, un par entité"),
	CLI_END,
};

static const struct {
	const char *name;
	const char *words[2]; /* of one width */
} results[] = {
	[RESULT_OK] = {"ok", {"ok         ", "respecté   "}},
	[RESULT_BROKEN] = {"broken", {"BROKEN     ", "ROMPU      "}},
	[RESULT_NOT_CHECKED] = {"not checked", {"not checked", "non vérifié"}},
};
/* clang-format on */

struct opened {
	struct parts *list;
	char (*names)[NAME_MAX + 1]; /* of the folders */
	size_t n;
};

static bool has_home(const char *homes, const char *name, char folder[PATH_MAX])
{
	struct config config = {0};
	struct stat st;
	FILE *nowhere;
	bool has;

	if (*name == '.' || join_path(homes, name, folder) != OK || stat(folder, &st) != 0 ||
		!S_ISDIR(st.st_mode))
		return false;
	/* a configuration that is wrong is told when the home is opened */
	nowhere = fopen("/dev/null", "w");
	if (!nowhere)
		return true;
	has = config_load(folder, PROGRAM_ADMIN, nowhere, LANG_EN, &config) != OK ||
	      (access(config.key_file, F_OK) == 0 && has_store(config.store_path));
	fclose(nowhere);
	config_free(&config);
	return has;
}

static enum err open_one(struct cli *c, const char *homes, const char *name, struct opened *o)
{
	struct parts *p = &o->list[o->n];
	char folder[PATH_MAX];
	enum err e;

	if (!has_home(homes, name, folder))
		return OK;
	snprintf(o->names[o->n++], sizeof(o->names[0]), "%s", name);
	e = parts_open(folder, draft_now(), c->lang, stderr, p);
	return e == OK ? OK : cli_fail(c, e, p->about);
}

static enum err open_all(struct cli *c, const char *homes, struct opened *o)
{
	struct dirent **entries;
	int n = scandir(homes, &entries, NULL, alphasort);
	enum err e = OK;

	if (n < 0)
		return cli_fail(c, ERR_NOT_FOUND, homes);
	o->list = calloc((size_t)n + 1, sizeof(*o->list));
	o->names = calloc((size_t)n + 1, sizeof(*o->names));
	if (!o->list || !o->names)
		e = ERR_NOMEM;
	for (int i = 0; i < n; i++) {
		if (e == OK)
			e = open_one(c, homes, entries[i]->d_name, o);
		free(entries[i]);
	}
	free(entries);
	return e;
}

static void close_all(struct opened *o)
{
	for (size_t i = 0; i < o->n; i++)
		parts_free(&o->list[i]);
	free(o->list);
	free(o->names);
}

/* --- words --- */

static void say_check(const struct cli *c, const struct verify *v, enum check check)
{
	const struct tally *t = &v->tallies[check];
	enum result r = verify_result(v, check);
	const char *note = r == RESULT_NOT_CHECKED ? check_why_not(v, check, c->lang) : t->note;

	printf("%-4s %s  %s\n", check_id(check), results[r].words[c->lang],
		check_words(check, c->lang));
	if (*note)
		printf("%18s%s\n", "", note);
	for (unsigned i = 0; i < t->found && i < FINDINGS_KEPT; i++)
		printf("%18s- %s\n", "", t->first[i]);
	if (t->found > FINDINGS_KEPT)
		printf(c->lang == LANG_FR ? "%18s- et %u autres\n" : "%18s- and %u more\n", "",
			t->found - FINDINGS_KEPT);
}

static void say_counts(const struct cli *c, const struct verify *v)
{
	const struct tallied *n = &v->counts;

	cli_say(c,
		"\n%" PRIu64 " referrals: %" PRIu64 " accepted, %" PRIu64 " rejected, %" PRIu64
		" held as likely duplicates; %" PRIu64 " persons\n",
		"\n%" PRIu64 " demandes : %" PRIu64 " acceptées, %" PRIu64 " rejetées, %" PRIu64
		" retenues comme doublons probables; %" PRIu64 " personnes\n",
		n->entries + n->rejected, n->accepted, n->rejected, n->duplicates_held, n->persons);
	cli_say(c,
		"places of %u: %u, of which %u reserved, %u consumed, %u free; %u persons wait\n",
		"places de %u : %u, dont %u réservées, %u utilisées, %u libres; %u personnes "
		"attendent\n",
		n->year, n->cap, n->reserved, n->consumed, n->free, n->waitlisted_persons);
	cli_say(c,
		"urgent: %" PRIu64 " raised, %" PRIu64 " acknowledged; %" PRIu64
		" notices delivered\n",
		"urgences : %" PRIu64 " signalées, %" PRIu64 " prises en charge; %" PRIu64
		" avis remis\n",
		n->urgent_raised, n->urgent_acknowledged, n->notices_delivered);
	cli_say(c, "messages on their way: %" PRIu64 "\n", "messages en route : %" PRIu64 "\n",
		v->waiting);
	if (v->differences)
		cli_say(c, "done again differently after a restore, for a person: %" PRIu64 "\n",
			"refait autrement après une restauration, pour une personne : %" PRIu64
			"\n",
			v->differences);
}

static void say_left_out(const struct cli *c, const struct opened *o)
{
	bool any = false;

	for (size_t i = 0; i < o->n; i++) {
		if (!o->list[i].locked)
			continue;
		if (!any)
			cli_say(c, "left out, their keys need a passphrase:",
				"omis, leurs clés demandent une phrase de passe :");
		cli_say(c, " %s", " %s", o->names[i]);
		any = true;
	}
	if (any)
		cli_say(c, "\n", "\n");
}

static void say_all(const struct cli *c, const struct verify *v, const struct opened *o)
{
	for (int i = 0; i < CHECKS; i++)
		say_check(c, v, (enum check)i);
	say_counts(c, v);
	say_left_out(c, o);
	cli_say(c, "invariants: %s\n", "invariants : %s\n",
		verify_broken(v)     ? results[RESULT_BROKEN].words[c->lang]
		: c->lang == LANG_FR ? "respectés"
				     : "ok");
}

/* --- JSON --- */

static json_t *detail_json(const struct verify *v, enum check check)
{
	const struct tally *t = &v->tallies[check];
	const char *why = check_why_not(v, check, v->lang);
	char text[FINDINGS_KEPT * FINDING_SIZE + 64];
	size_t len = 0;

	if (!t->found)
		return json_string(*why ? why : t->note);
	for (unsigned i = 0; i < t->found && i < FINDINGS_KEPT; i++)
		len += (size_t)snprintf(
			text + len, sizeof(text) - len, "%s%s", i ? "; " : "", t->first[i]);
	if (t->found > FINDINGS_KEPT)
		snprintf(text + len, sizeof(text) - len, "; +%u", t->found - FINDINGS_KEPT);
	return json_string(text);
}

static json_t *checks_json(const struct verify *v)
{
	json_t *list = json_array();

	for (int i = 0; i < CHECKS; i++) {
		enum check check = (enum check)i;

		json_array_append_new(list,
			json_pack("{s:s, s:s, s:s, s:s, s:o}", "id", check_id(check), "result",
				results[verify_result(v, check)].name, "en",
				check_words(check, LANG_EN), "fr", check_words(check, LANG_FR),
				"detail", detail_json(v, check)));
	}
	return list;
}

static json_t *counts_json(const struct tallied *n)
{
	json_t *places = json_pack("{s:i, s:i, s:i, s:i, s:i}", "year", (int)n->year, "cap",
		(int)n->cap, "reserved", (int)n->reserved, "consumed", (int)n->consumed, "free",
		(int)n->free);
	uint64_t referrals = n->entries + n->rejected;

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o, s:i, s:I, s:I, s:I}", "referrals",
		(json_int_t)referrals, "accepted", (json_int_t)n->accepted, "rejected",
		(json_int_t)n->rejected, "duplicates_held", (json_int_t)n->duplicates_held,
		"persons", (json_int_t)n->persons, "places", places, "waitlisted_persons",
		(int)n->waitlisted_persons, "urgent_raised", (json_int_t)n->urgent_raised,
		"urgent_acknowledged", (json_int_t)n->urgent_acknowledged, "notices_delivered",
		(json_int_t)n->notices_delivered);
}

static json_t *all_json(const struct verify *v, const struct opened *o)
{
	json_t *left_out = json_array();

	for (size_t i = 0; i < o->n; i++)
		if (o->list[i].locked)
			json_array_append_new(left_out, json_string(o->names[i]));
	return json_pack("{s:s, s:o, s:I, s:I, s:o, s:o}", "invariants",
		results[verify_broken(v) ? RESULT_BROKEN : RESULT_OK].name, "checks",
		checks_json(v), "waiting", (json_int_t)v->waiting, "differences",
		(json_int_t)v->differences, "counts", counts_json(&v->counts), "left_out",
		left_out);
}

static enum err tell(struct cli *c, const struct verify *v, const struct opened *o)
{
	if (c->json)
		cli_json(c, all_json(v, o));
	else
		say_all(c, v, o);
	if (!verify_broken(v))
		return OK;
	c->told = true;
	return ERR_IO; /* ends with 70 */
}

/* The year of places is a civil one. */
static enum err use_zone(const struct opened *o)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->list[i].roles & R(BROKER))
			return civil_setup(o->list[i].config.time_zone);
	return ERR_NOT_FOUND;
}

enum err admin_verify(struct cli *c)
{
	struct opened o = {0};
	struct verify *v = NULL;
	const char *homes;
	enum err e;

	TRY(cli_required(c, "homes", &homes));
	e = open_all(c, homes, &o);
	if (e == OK) {
		e = use_zone(&o);
		if (e == OK)
			e = verify_new(o.list, o.n, draft_now(), c->lang, &v);
		if (e == OK)
			e = verify_run(v);
		e = e == OK ? tell(c, v, &o) : cli_fail(c, e, homes);
	}
	verify_free(&v);
	close_all(&o);
	return e;
}
