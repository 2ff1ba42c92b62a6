/*
 * config.h - the configuration of every program, from the table config.def: `havre.conf` in the
 * home folder, in the form of inih ("[section]", "key = value"). What is not in the file has the
 * default of its row; what is not in the table, or not for this program, is refused. PROGRAM_ADMIN
 * looks after every program's home and takes every row. inih sets the longest line: 197 bytes.
 */
#ifndef HAVRE_CONFIG_H
#define HAVRE_CONFIG_H

#include <stdio.h>

#include "proto/err.h"

enum program {
	PROGRAM_BROKER,
	PROGRAM_INTAKE,
	PROGRAM_SCREENING,
	PROGRAM_URGENT,
	PROGRAM_NOTIFY,
	PROGRAM_RELAY,
	PROGRAM_CLIENT,
	PROGRAM_STAFF,
	PROGRAM_ADMIN,
};

/* What a row's TYPE is in C: STRING, LEVEL (a name that log_level_find knows), SANDBOX ("required"
 * or "available") and PATH are owned text (a PATH is joined to the home folder already), NUMBER and
 * SECONDS are long. */
#define CONFIG_STRING  char *
#define CONFIG_LEVEL   char *
#define CONFIG_SANDBOX char *
#define CONFIG_PATH    char *
#define CONFIG_NUMBER  long
#define CONFIG_SECONDS long

struct config {
	char *home;
#define CONFIG(programs, section, key, field, TYPE, def, least, most, en, fr) CONFIG_##TYPE field;
#include "services/common/base/config.def"
#undef CONFIG
};

/*
 * Reads HOME/havre.conf (a missing file means all defaults). Every mistake is written to `errors`
 * with its line, its key and words in `lang`; ERR_INVALID when there is one. config_free(ret).
 */
MUST_USE enum err config_load(
	const char *home, enum program program, FILE *errors, enum lang lang, struct config *ret);
void config_free(struct config *c);
/* An example file with every key of the program, its default and its words. */
void config_example(enum program program, enum lang lang, FILE *out);

#endif
