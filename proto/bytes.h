/*
 * bytes.h - borrowed bytes (slice), owned bytes that grow (buf), and big-endian numbers, whose
 * byte order is also their order as keys.
 */
#ifndef HAVRE_PROTO_BYTES_H
#define HAVRE_PROTO_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "proto/err.h"

/* Borrowed: whoever hands it out says how long it stays valid. */
struct slice {
	const uint8_t *data;
	size_t len;
};

/* Owned: free with buf_free. `{0}` is a valid empty one. */
struct buf {
	uint8_t *data;
	size_t len, cap;
};

MUST_USE enum err buf_append(struct buf *b, const void *data, size_t len);
/* Wipes the bytes before it gives them back to the heap, and clears *b. */
void buf_free(struct buf *b);

/* gcc: the bytes may be written later; only their address is taken here. */
#if defined(__GNUC__) && !defined(__clang__)
__attribute__((access(none, 1)))
#endif
static inline struct slice
slice_of(const void *data, size_t len)
{
	return (struct slice){data, len};
}

static inline struct slice slice_str(const char *s)
{
	return (struct slice){(const uint8_t *)s, strlen(s)};
}

static inline struct slice slice_buf(const struct buf *b)
{
	return (struct slice){b->data, b->len};
}

/* Order of keys: bytewise, a prefix before what continues it. */
static inline int slice_cmp(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? memcmp(a.data, b.data, n) : 0;

	return c ? c : (a.len > b.len) - (a.len < b.len);
}

static inline bool slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && slice_cmp(a, b) == 0;
}

static inline void be64_put(uint8_t out[8], uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		out[i] = (uint8_t)v;
}

static inline uint64_t be64_get(const uint8_t in[8])
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | in[i];
	return v;
}

/*
 * A composite key: each piece is length-checked and joined; strings end with a NUL, so that "ab"
 * never runs into "abc". Keys are at most 511 bytes (LMDB's limit); a longer one sets `bad`, and
 * every store call refuses it with ERR_INVALID.
 */
struct key {
	uint8_t data[511];
	size_t len;
	bool bad;
};

void key_bytes(struct key *k, const void *data, size_t len);
void key_str(struct key *k, const char *s);
void key_u64(struct key *k, uint64_t v);
void key_u8(struct key *k, uint8_t v);

static inline struct slice key_slice(const struct key *k)
{
	return k->bad ? slice_of(NULL, SIZE_MAX) : slice_of(k->data, k->len);
}

/* out holds 2*len+1 characters. */
void hex_encode(char *out, const void *data, size_t len);
/* Exactly len bytes from 2*len lower-case digits. */
MUST_USE enum err hex_decode(uint8_t *out, size_t len, const char *hex);

#endif
