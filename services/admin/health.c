#include "services/admin/health.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NEVER INT64_MIN

enum measure { OVER, UNDER, AGE, LEFT };

static const struct health_row rows[] = {
#define HEALTH(id, metric, label, measure, attention, bad, en, fr, do_en, do_fr)                   \
	{#id, METRIC_##metric, label, measure, attention, bad, {en, fr}, {do_en, do_fr}},
#include "services/admin/health.def"
#undef HEALTH
};

static const struct metric_row *find_metric(const char *name)
{
	for (int i = 0; i < METRICS; i++)
		if (strcmp(metric_rows[i].name, name) == 0)
			return &metric_rows[i];
	return NULL;
}

/* Copies what stands between `before` and `after`, and gives what follows; NULL: not so. */
static const char *between(
	const char *text, const char *before, const char *after, char *ret, size_t room)
{
	size_t head = strlen(before), len;
	const char *end;

	if (!text || strncmp(text, before, head) != 0)
		return NULL;
	end = strstr(text + head, after);
	len = end ? (size_t)(end - text) - head : room;
	if (len >= room)
		return NULL;
	memcpy(ret, text + head, len);
	ret[len] = 0;
	return end + strlen(after);
}

/* Nothing that a terminal or a collector would take for more than a text. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~' || *text == '\\')
			return false;
	return true;
}

static bool read_value(const char *text, int64_t *ret)
{
	char *end;
	long long value;

	if (*text != '-' && (*text < '0' || *text > '9'))
		return false;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno || end == text || (*end && *end != '\n'))
		return false;
	*ret = value;
	return true;
}

bool sample_parse(const char *line, struct sample *ret)
{
	struct sample s = {0};
	char name[SAMPLE_TEXT], label[SAMPLE_TEXT] = "";
	const char *rest = between(line, "", "{", name, sizeof(name));

	rest = between(rest, "process=\"", "\"", s.process, sizeof(s.process));
	if (rest && *rest == ',') {
		rest = between(rest, ",", "=\"", label, sizeof(label));
		rest = between(rest, "", "\"", s.label, sizeof(s.label));
	}
	if (!rest || strncmp(rest, "} ", 2) != 0)
		return false;
	s.row = find_metric(name);
	if (!s.row || strcmp(s.row->label, label) != 0 || !is_plain(s.process) ||
		!is_plain(s.label) || !read_value(rest + 2, &s.value))
		return false;
	*ret = s;
	return true;
}

static bool reaches(enum measure measure, int64_t value, int64_t limit, int64_t now)
{
	if (limit == NEVER)
		return false;
	switch (measure) {
	case OVER:
		return value >= limit;
	case UNDER:
		return value <= limit;
	case AGE:
		return now - value >= limit;
	case LEFT:
		return value - now <= limit;
	}
	return false;
}

enum health_level health_of(const struct sample *s, int64_t now, const struct health_row **ret_row)
{
	enum health_level worst = HEALTH_OK;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct health_row *r = &rows[i];
		enum measure m = (enum measure)r->measure;
		enum health_level level = HEALTH_OK;

		if (&metric_rows[r->metric] != s->row ||
			(*r->label && strcmp(r->label, s->label) != 0))
			continue;
		if (reaches(m, s->value, r->attention, now))
			level = HEALTH_ATTENTION;
		if (reaches(m, s->value, r->bad, now))
			level = HEALTH_BAD;
		if (level > worst) {
			worst = level;
			*ret_row = r;
		}
	}
	return worst;
}

const struct health_row *health_silent(void)
{
	return &rows[0];
}
