#include "services/common/base/civil.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/json.h"

#define ZONES "/usr/share/zoneinfo/"

/* Is it a name below the folder of zones, and the file one of them? */
static bool zone_exists(const char *name, char path[PATH_MAX])
{
	char magic[4] = "";
	FILE *f;

	if (!*name || *name == '/' || *name == '.' || strstr(name, "/.") ||
		snprintf(path, PATH_MAX, "%s%s", ZONES, name) >= PATH_MAX)
		return false;
	f = fopen(path, "rbe");
	if (!f)
		return false;
	if (fread(magic, 1, sizeof(magic), f) != sizeof(magic))
		magic[0] = 0;
	fclose(f);
	return memcmp(magic, "TZif", sizeof(magic)) == 0;
}

enum err civil_setup(const char *time_zone)
{
	char path[PATH_MAX], value[PATH_MAX + 1];

	if (!zone_exists(time_zone, path))
		return ERR_INVALID;
	/* ":path" is that very file, whatever TZDIR says */
	snprintf(value, sizeof(value), ":%s", path);
	if (setenv("TZ", value, 1))
		return ERR_NOMEM;
	tzset();
	return OK;
}

static struct tm civil_of(int64_t ms)
{
	time_t t = (time_t)(ms / 1000 - (ms % 1000 < 0));
	struct tm tm = {0};

	localtime_r(&t, &tm);
	return tm;
}

void civil_date(int64_t ms, char ret[11])
{
	struct tm tm = civil_of(ms);

	if (strftime(ret, 11, "%Y-%m-%d", &tm) != 10)
		memcpy(ret, "0000-00-00", 11);
}

int civil_year(int64_t ms)
{
	return civil_of(ms).tm_year + 1900;
}

int64_t civil_year_start(int year)
{
	struct tm tm = {.tm_year = year - 1900, .tm_mday = 1, .tm_isdst = -1};

	return (int64_t)mktime(&tm) * 1000;
}

enum err civil_age(const char *born_on, const char *on, unsigned *ret_years)
{
	int by, bm, bd, y, m, d;

	TRY(date_parse(born_on, &by, &bm, &bd));
	TRY(date_parse(on, &y, &m, &d));
	/* dates of this form are in order when their texts are */
	if (strcmp(on, born_on) < 0)
		return ERR_INVALID;
	*ret_years = (unsigned)(y - by - (m < bm || (m == bm && d < bd)));
	return OK;
}
