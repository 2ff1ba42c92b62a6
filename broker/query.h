/*
 * query.h - questions on their way: who asked whom, so that the answer finds back. Never stored.
 */
#ifndef HAVRE_BROKER_QUERY_H
#define HAVRE_BROKER_QUERY_H

#include "broker/tables.h"

#define QUERIES_MOST     1024
#define QUERIES_OF_ONE   64 /* asker */
#define QUERY_EXPIRES_MS 60000

struct query {
	uint8_t id[MSG_ID_LEN];
	char asker[NAME_SIZE], asked[NAME_SIZE];
	uint64_t conn; /* the asker's connection */
	int64_t until;
};

/* `{0}` is an empty table. */
struct queries {
	struct query list[QUERIES_MOST];
	size_t n;
};

/* Asked again by the same asker: takes the place of the first. ERR_BUSY: the table is full,
 * or the asker has too many in it. */
MUST_USE enum err queries_add(struct queries *q, const struct query *one, int64_t now);
/* An answer: `asked` answers `asker`'s question. Removes it. ERR_NOT_ASKED. */
MUST_USE enum err queries_answer(struct queries *q, const char *asker, const char *asked,
	const uint8_t id[MSG_ID_LEN], int64_t now, uint64_t *ret_conn);

#endif
