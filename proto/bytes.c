#include "proto/bytes.h"

#include <sodium.h>
#include <stdlib.h>

enum err buf_append(struct buf *b, const void *data, size_t len)
{
	if (len > SIZE_MAX / 2 - b->len)
		return ERR_NOMEM;
	if (b->len + len > b->cap) {
		size_t cap = (b->len + len) * 2;
		uint8_t *p = malloc(cap);

		if (!p)
			return ERR_NOMEM;
		if (b->len)
			memcpy(p, b->data, b->len);
		if (b->data)
			sodium_memzero(b->data, b->cap);
		free(b->data);
		b->data = p;
		b->cap = cap;
	}
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	return OK;
}

void buf_free(struct buf *b)
{
	if (b->data)
		sodium_memzero(b->data, b->cap);
	free(b->data);
	*b = (struct buf){0};
}

void key_bytes(struct key *k, const void *data, size_t len)
{
	if (k->bad || len > sizeof(k->data) - k->len) {
		k->bad = true;
		return;
	}
	if (len)
		memcpy(k->data + k->len, data, len);
	k->len += len;
}

void key_str(struct key *k, const char *s)
{
	key_bytes(k, s, strlen(s) + 1);
}

void key_u64(struct key *k, uint64_t v)
{
	uint8_t b[8];

	be64_put(b, v);
	key_bytes(k, b, sizeof(b));
}

void key_u8(struct key *k, uint8_t v)
{
	key_bytes(k, &v, 1);
}

void hex_encode(char *out, const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[p[i] >> 4];
		*out++ = digits[p[i] & 15];
	}
	*out = 0;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum err hex_decode(uint8_t *out, size_t len, const char *hex)
{
	if (strlen(hex) != 2 * len)
		return ERR_INVALID;
	for (size_t i = 0; i < 2 * len; i++)
		if (digit(hex[i]) < 0)
			return ERR_INVALID;
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)((unsigned)digit(hex[2 * i]) << 4 |
				   (unsigned)digit(hex[2 * i + 1]));
	return OK;
}
