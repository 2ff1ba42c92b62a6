/* vector_json.h - bytes as hexadecimal JSON, and the file that holds it, for test_vectors.c. */
#ifndef HAVRE_TEST_VECTOR_JSON_H
#define HAVRE_TEST_VECTOR_JSON_H

#include <jansson.h>

#include "wire_sample.h"

static inline json_t *hex(const void *data, size_t len)
{
	char *text = malloc(2 * len + 1);
	json_t *j;

	assert_non_null(text);
	hex_encode(text, data, len);
	j = json_string(text);
	free(text);
	return j;
}

static inline json_t *hex_buf(struct buf *b)
{
	json_t *j = hex(b->data, b->len);

	buf_free(b);
	return j;
}

static inline json_t *hex_list(const struct slice *pieces, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, hex(pieces[i].data, pieces[i].len));
	return list;
}

static inline json_t *hash_list(const naive_hash *hashes, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, hex(hashes[i], HASH_LEN));
	return list;
}

/* free() it. */
static inline char *read_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	char *text = NULL;
	size_t len = 0;

	if (!f)
		return NULL;
	if (getdelim(&text, &len, 0, f) < 0) {
		free(text);
		text = NULL;
	}
	(void)fclose(f);
	return text;
}

#endif
