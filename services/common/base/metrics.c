#include "services/common/base/metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/statvfs.h>

#include "services/common/trust/registry.h"
#include "services/common/store/store.h"

#define GAUGE   "gauge"
#define COUNTER "counter"

const struct metric_row metric_rows[METRICS] = {
#define METRIC(id, name, type, label, en, fr) [METRIC_##id] = {name, type, label, {en, fr}},
#include "services/common/base/metrics.def"
#undef METRIC
};

static void add_line(struct metrics *m, const char *line, int len, size_t room)
{
	if (m->err == OK && (len < 0 || (size_t)len >= room))
		m->err = ERR_INVALID;
	if (m->err == OK)
		m->err = buf_append(&m->text, line, (size_t)len);
}

void metrics_add(struct metrics *m, enum metric which, const char *label, int64_t value)
{
	const struct metric_row *row = &metric_rows[which];
	char line[512];
	int len;

	assert(!label == !*row->label); /* a label is given exactly when the row has one */
	if (m->last != row) {
		len = snprintf(line, sizeof(line), "# HELP %s %s\n# TYPE %s %s\n", row->name,
			row->words[LANG_EN], row->name, row->type);
		add_line(m, line, len, sizeof(line));
		m->last = row;
	}
	len = label ? snprintf(line, sizeof(line), "%s{process=\"%s\",%s=\"%s\"} %" PRId64 "\n",
			      row->name, m->process, row->label, label, value)
		    : snprintf(line, sizeof(line), "%s{process=\"%s\"} %" PRId64 "\n", row->name,
			      m->process, value);
	add_line(m, line, len, sizeof(line));
}

/* Who reads it sees the old text or the new one, never a part. */
static enum err replace(const char *path, const struct buf *text)
{
	char beside[PATH_MAX];
	FILE *f;
	bool good;

	if (snprintf(beside, sizeof(beside), "%s.tmp", path) >= (int)sizeof(beside))
		return ERR_INVALID;
	f = fopen(beside, "we");
	if (!f)
		return ERR_IO;
	good = fwrite(text->data, 1, text->len, f) == text->len;
	good = fclose(f) == 0 && good;
	return good && rename(beside, path) == 0 ? OK : ERR_IO;
}

enum err metrics_write(struct metrics *m, const char *home)
{
	char path[PATH_MAX];
	enum err e = m->err;

	if (snprintf(path, sizeof(path), "%s/%s", home, METRICS_FILE) >= (int)sizeof(path))
		e = ERR_INVALID;
	if (e == OK)
		e = replace(path, &m->text);
	buf_free(&m->text);
	return e;
}

void metrics_common(struct metrics *m, int64_t started_at, int64_t now,
	const struct registry *registry, struct store *store, const char *store_path)
{
	struct statvfs disk;

	metrics_add(m, METRIC_WRITTEN, NULL, now / 1000);
	metrics_add(m, METRIC_STARTED, NULL, started_at / 1000);
	metrics_add(m, METRIC_INFO, HAVRE_VERSION, 1);
	metrics_add(m, METRIC_REGISTRY, NULL, (int64_t)registry_message(registry)->version);
	metrics_add(m, METRIC_EXPIRES, NULL, registry_message(registry)->expires_at / 1000);
	metrics_add(m, METRIC_STORE_FILL, NULL, store_fill_percent(store));
	if (statvfs(store_path, &disk) == 0)
		metrics_add(m, METRIC_DISK_FREE, NULL,
			(int64_t)((uint64_t)disk.f_bavail * disk.f_frsize));
}
