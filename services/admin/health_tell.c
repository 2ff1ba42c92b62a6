/* `havre-admin health` and `havre-admin metrics`: from the metrics.prom of every process. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/admin/admin.h"
#include "services/admin/draft.h"
#include "services/admin/health.h"
#include "services/common/base/config.h"
#include "services/common/base/file.h"
#include "services/common/keys/keyring.h"
#include "services/common/trust/registry.h"

#define FILE_MOST (1024 * 1024)
#define PROCESSES                                                                                  \
	(ROLE_BIT(ROLE__BROKER) | ROLE_BIT(ROLE__INTAKE) | ROLE_BIT(ROLE__SCREENING) |             \
		ROLE_BIT(ROLE__URGENT_SERVICE) | ROLE_BIT(ROLE__NOTIFY) |                          \
		ROLE_BIT(ROLE__ALERT_RECEIVER))

/* clang-format off */
const struct cli_option health_options[] = {
	CLI_OPTION("homes", "DIR", "the folder of the home folders, one for each principal",
		"le dossier des dossiers personnels, un par entité"),
	CLI_END,
};

static const struct {
	const char *name, *words[2];
} levels[] = {
	[HEALTH_OK] = {"ok", {"ok", "en ordre"}},
	[HEALTH_ATTENTION] = {"attention", {"attention", "attention"}},
	[HEALTH_BAD] = {"bad", {"BAD", "PANNE"}},
};
/* clang-format on */

/* --- the homes of processes --- */

/* Whose home is it? "": of nobody that is looked at: a person's key opens with a passphrase, or has
 * none of the roles. */
static enum err process_of(const struct config *c, char ret[SAMPLE_TEXT])
{
	struct keyring *k = NULL;
	struct registry *r = NULL;
	const Principal *p;
	bool locked = false;
	enum err e = keyring_needs_passphrase(c->key_file, &locked);

	if (e != OK || locked)
		return e;
	e = keyring_load(c->key_file, (struct slice){0}, &k);
	if (e == OK)
		e = registry_load(c->registry_file, c->root_file, 0, 0, &r);
	if (e == OK) {
		p = registry_find(r, keyring_principal(k));
		if (p && (roles_of(p) & PROCESSES))
			snprintf(ret, SAMPLE_TEXT, "%s", p->name);
	}
	registry_free(&r);
	keyring_free(&k);
	return e;
}

/* `name`: of the principal. */
typedef enum err each_home(void *arg, const char *name, const char *folder);

struct walk {
	struct cli *c;
	const char *homes;
	each_home *each;
	void *arg;
};

static enum err walk_one(const struct walk *w, const char *name)
{
	char folder[PATH_MAX], process[SAMPLE_TEXT] = "";
	struct config config;
	struct stat st;
	enum err e;

	if (*name == '.' ||
		snprintf(folder, sizeof(folder), "%s/%s", w->homes, name) >= (int)sizeof(folder) ||
		stat(folder, &st) != 0 || !S_ISDIR(st.st_mode))
		return OK;
	e = config_load(folder, PROGRAM_ADMIN, stderr, w->c->lang, &config);
	if (e != OK)
		return cli_fail(w->c, e, folder);
	if (access(config.key_file, F_OK) == 0) /* else it is no home */
		e = process_of(&config, process);
	config_free(&config);
	if (e != OK)
		return cli_fail(w->c, e, folder);
	return *process ? w->each(w->arg, process, folder) : OK;
}

static enum err walk_homes(struct cli *c, each_home *each, void *arg)
{
	struct walk w = {.c = c, .each = each, .arg = arg};
	struct dirent **entries;
	enum err e = OK;
	int n;

	TRY(cli_required(c, "homes", &w.homes));
	n = scandir(w.homes, &entries, NULL, alphasort);
	if (n < 0)
		return cli_fail(c, ERR_NOT_FOUND, w.homes);
	for (int i = 0; i < n; i++) {
		if (e == OK)
			e = walk_one(&w, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return e;
}

/* The lines of HOME/metrics.prom; OK with no line when there is no such file. */
static enum err read_lines(const char *folder, struct buf *ret)
{
	char path[PATH_MAX];
	enum err e;

	if (snprintf(path, sizeof(path), "%s/%s", folder, METRICS_FILE) >= (int)sizeof(path))
		return ERR_INVALID;
	e = file_read(path, FILE_MOST, ret);
	if (e == ERR_NOT_FOUND)
		e = OK;
	return e == OK ? buf_append(ret, "", 1) : e;
}

/* Who writes a home's numbers tells of itself only. */
static bool sample_of(const char *line, const char *name, struct sample *ret)
{
	struct sample s;

	if (!sample_parse(line, &s) || strcmp(s.process, name) != 0)
		return false;
	*ret = s;
	return true;
}

/* --- health --- */

struct health {
	struct cli *c;
	int64_t now; /* seconds */
	enum health_level worst, of_home;
	json_t *homes, *findings;
};

static void tell_finding(struct health *h, const char *name, const struct sample *s,
	enum health_level level, const struct health_row *row)
{
	const struct cli *c = h->c;

	if (level > h->of_home)
		h->of_home = level;
	if (!c->json)
		printf("%-16s %-10s %s%s%s%s (%s)\n%-16s %-10s → %s\n", name,
			levels[level].words[c->lang], row->words[c->lang], *s->label ? " (" : "",
			s->label, *s->label ? ")" : "", row->id, "", "", row->to_do[c->lang]);
	json_array_append_new(h->findings,
		json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:s}", "id", row->id, "level",
			levels[level].name, "label", s->label, "value", (json_int_t)s->value,
			"message_en", row->words[LANG_EN], "message_fr", row->words[LANG_FR],
			"do_en", row->to_do[LANG_EN], "do_fr", row->to_do[LANG_FR]));
}

static void look_at_lines(struct health *h, const char *name, char *text)
{
	const struct health_row *row;
	struct sample s;
	char *rest = NULL;
	bool any = false;

	for (char *l = strtok_r(text, "\n", &rest); l; l = strtok_r(NULL, "\n", &rest)) {
		enum health_level level;

		if (!sample_of(l, name, &s))
			continue;
		any = true;
		level = health_of(&s, h->now, &row);
		if (level != HEALTH_OK)
			tell_finding(h, name, &s, level, row);
		/* The numbers of a process that is gone say nothing of now. */
		if (level == HEALTH_BAD && row == health_silent())
			return;
	}
	if (!any)
		tell_finding(h, name, &(struct sample){0}, HEALTH_BAD, health_silent());
}

static enum err look_at(void *arg, const char *name, const char *folder)
{
	struct health *h = arg;
	struct buf lines = {0};
	enum err e = read_lines(folder, &lines);

	if (e != OK)
		return cli_fail(h->c, e, folder);
	h->of_home = HEALTH_OK;
	h->findings = json_array();
	look_at_lines(h, name, (char *)lines.data);
	buf_free(&lines);
	if (h->of_home == HEALTH_OK && !h->c->json)
		printf("%-16s %s\n", name, levels[HEALTH_OK].words[h->c->lang]);
	if (h->of_home > h->worst)
		h->worst = h->of_home;
	json_array_append_new(h->homes, json_pack("{s:s, s:s, s:o}", "name", name, "health",
						levels[h->of_home].name, "findings", h->findings));
	return OK;
}

enum err admin_health(struct cli *c)
{
	struct health h = {.c = c, .now = draft_now() / 1000, .homes = json_array()};
	enum err e = walk_homes(c, look_at, &h);

	if (e == OK && json_array_size(h.homes) == 0)
		e = cli_fail(c, ERR_NOT_FOUND, cli_value(c, "homes"));
	if (e != OK || !c->json) {
		json_decref(h.homes);
	} else {
		cli_json(c,
			json_pack("{s:s, s:o}", "health", levels[h.worst].name, "homes", h.homes));
	}
	if (e == OK && h.worst == HEALTH_BAD) {
		c->told = true;
		return ERR_IO; /* 70: somebody must look at it */
	}
	return e;
}

/* --- metrics --- */

/* All that were read: struct sample, one after another. */
struct samples {
	struct buf all;
};

static enum err add_samples(void *arg, const char *name, const char *folder)
{
	struct samples *all = arg;
	struct buf lines = {0};
	struct sample s;
	char *rest = NULL;
	enum err e;

	TRY(read_lines(folder, &lines));
	e = OK;
	for (char *l = strtok_r((char *)lines.data, "\n", &rest); e == OK && l;
		l = strtok_r(NULL, "\n", &rest))
		if (sample_of(l, name, &s))
			e = buf_append(&all->all, &s, sizeof(s));
	buf_free(&lines);
	return e;
}

static void print_sample(const struct sample *s)
{
	if (*s->row->label)
		printf("%s{process=\"%s\",%s=\"%s\"} %" PRId64 "\n", s->row->name, s->process,
			s->row->label, s->label, s->value);
	else
		printf("%s{process=\"%s\"} %" PRId64 "\n", s->row->name, s->process, s->value);
}

/* A metric's samples stand together, whoever they are of. */
static json_t *print_metric(
	const struct cli *c, const struct metric_row *row, const struct samples *all)
{
	const struct sample *list = (const struct sample *)all->all.data;
	size_t n = all->all.len / sizeof(*list);
	json_t *json = json_array();
	bool first = true;

	for (size_t i = 0; i < n; i++) {
		const struct sample *s = &list[i];

		if (s->row != row)
			continue;
		if (!c->json && first)
			printf("# HELP %s %s\n# TYPE %s %s\n", row->name, row->words[LANG_EN],
				row->name, row->type);
		first = false;
		if (!c->json)
			print_sample(s);
		json_array_append_new(
			json, json_pack("{s:s, s:s, s:I}", "process", s->process, "label", s->label,
				      "value", (json_int_t)s->value));
	}
	return json;
}

enum err admin_metrics(struct cli *c)
{
	struct samples t = {0};
	json_t *metrics = json_object();
	enum err e = walk_homes(c, add_samples, &t);

	for (int i = 0; e == OK && i < METRICS; i++)
		json_object_set_new(
			metrics, metric_rows[i].name, print_metric(c, &metric_rows[i], &t));
	buf_free(&t.all);
	if (e == OK && c->json)
		cli_json(c, metrics);
	else
		json_decref(metrics);
	return e;
}
