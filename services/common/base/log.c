#include "services/common/base/log.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proto/json.h"

#define LINE_MOST 1024

static const char *const level_names[] = {
	[LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};

/* Written once by log_setup, before any thread. */
static struct {
	const char *program;
	enum log_level least;
} setup = {"havre", LOG_INFO};

void log_setup(const char *program, enum log_level least)
{
	setup.program = program;
	setup.least = least;
}

enum err log_level_find(const char *name, enum log_level *ret)
{
	for (int i = LOG_DEBUG; i <= LOG_ERROR; i++)
		if (strcmp(level_names[i], name) == 0) {
			*ret = (enum log_level)i;
			return OK;
		}
	return ERR_INVALID;
}

/* Whatever a value holds, an event stays one line. */
static void flatten(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

__attribute__((format(printf, 3, 0))) static void log_line(
	enum log_level level, const char *id, const char *fmt, va_list args)
{
	char line[LINE_MOST + 2], at[32];
	struct timespec ts;
	int n, more;

	if (level < setup.least)
		return;
	clock_gettime(CLOCK_REALTIME, &ts);
	time_format((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000, at);
	n = snprintf(line, LINE_MOST, "%s level=%s prog=%s id=%s ", at, level_names[level],
		setup.program, id);
	if (n < 0 || n >= LINE_MOST)
		return;
	more = vsnprintf(line + n, (size_t)(LINE_MOST - n), fmt, args);
	if (more < 0)
		return;
	n = (int)strlen(line);
	while (line[n - 1] == ' ')
		n--;
	line[n] = 0;
	flatten(line);
	line[n++] = '\n';
	/* one write: lines of several threads do not mix; there is nobody to tell that it failed */
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return;
}

#define LOG_FUNCTION(name, level)                                                                  \
	void name(const char *id, const char *fmt, ...)                                            \
	{                                                                                          \
		va_list args;                                                                      \
                                                                                                   \
		va_start(args, fmt);                                                               \
		log_line(level, id, fmt, args);                                                    \
		va_end(args);                                                                      \
	}

LOG_FUNCTION(log_debug, LOG_DEBUG)
LOG_FUNCTION(log_info, LOG_INFO)
LOG_FUNCTION(log_warn, LOG_WARN)
LOG_FUNCTION(log_error, LOG_ERROR)
