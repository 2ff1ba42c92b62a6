#include "tests/bench/pack.h"

#include <stdlib.h>

#include "services/common/base/file.h"

#define PACK_MOST ((size_t)2 << 30)
#define LENGTH    8 /* before each envelope */

enum err pack_add(FILE *out, struct slice envelope)
{
	uint8_t length[LENGTH];

	be64_put(length, envelope.len);
	if (fwrite(length, LENGTH, 1, out) != 1 || fwrite(envelope.data, envelope.len, 1, out) != 1)
		return ERR_IO;
	return OK;
}

/* Counts with a list of NULL. */
static enum err cut(struct slice all, struct slice *list, size_t *ret_n)
{
	size_t n = 0;

	for (size_t at = 0; at < all.len; n++) {
		uint64_t len = all.len - at < LENGTH ? UINT64_MAX : be64_get(all.data + at);

		if (len > all.len - at - LENGTH)
			return ERR_CORRUPT;
		if (list)
			list[n] = slice_of(all.data + at + LENGTH, len);
		at += LENGTH + len;
	}
	*ret_n = n;
	return n ? OK : ERR_CORRUPT;
}

enum err pack_read(const char *path, struct pack *ret)
{
	struct pack p = {0};
	enum err e = file_read(path, PACK_MOST, &p.bytes);

	if (e == OK)
		e = cut(slice_buf(&p.bytes), NULL, &p.n);
	if (e == OK) {
		p.list = calloc(p.n, sizeof(*p.list));
		e = p.list ? cut(slice_buf(&p.bytes), p.list, &p.n) : ERR_NOMEM;
	}
	if (e == OK)
		*ret = p;
	else
		pack_free(&p);
	return e;
}

void pack_free(struct pack *p)
{
	buf_free(&p->bytes);
	free(p->list);
	*p = (struct pack){0};
}
