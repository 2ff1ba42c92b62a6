/* The rows of T_CASE_KEYS and T_BUCKETS. */
#include "services/common/keys/case_rows.h"

#include <sodium.h>

#define NONCE_LEN crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_LEN   crypto_aead_xchacha20poly1305_ietf_ABYTES
#define WRAP_LEN  (NONCE_LEN + CASE_KEY_LEN + TAG_LEN)
_Static_assert(8 + WRAP_LEN == CASE_ROW_LEN, "a row of T_CASE_KEYS");

enum err bucket_row_unpack(struct slice key, struct slice value, struct bucket_row *ret)
{
	if (key.len != 8 || value.len != 16)
		return ERR_CORRUPT;
	*ret = (struct bucket_row){
		be64_get(key.data), be64_get(value.data), be64_get(value.data + 8)};
	return OK;
}

enum err bucket_row_get(struct txn *t, uint64_t number, struct bucket_row *ret)
{
	struct slice value;
	uint8_t key[8];

	be64_put(key, number);
	TRY(txn_get(t, T_BUCKETS, slice_of(key, sizeof(key)), &value));
	return bucket_row_unpack(slice_of(key, sizeof(key)), value, ret);
}

enum err bucket_row_put(struct txn *t, const struct bucket_row *row)
{
	uint8_t key[8], value[16];

	be64_put(key, row->number);
	be64_put(value, row->generation);
	be64_put(value + 8, row->cases);
	return txn_put(t, T_BUCKETS, slice_of(key, sizeof(key)), slice_of(value, sizeof(value)));
}

enum err bucket_row_newest(struct txn *t, struct bucket_row *ret)
{
	struct slice key, value;

	TRY(txn_prev(t, T_BUCKETS, (struct slice){0}, &key, &value));
	return bucket_row_unpack(key, value, ret);
}

void case_hash(const uint8_t key[BUCKET_KEY_LEN], const char *use, const char *case_number,
	const uint8_t input[CASE_KEY_LEN], uint8_t *ret, size_t len)
{
	crypto_generichash_state st;

	crypto_generichash_init(&st, key, BUCKET_KEY_LEN, len);
	crypto_generichash_update(&st, (const uint8_t *)use, strlen(use) + 1);
	crypto_generichash_update(&st, (const uint8_t *)case_number, strlen(case_number) + 1);
	crypto_generichash_update(&st, input, CASE_KEY_LEN);
	crypto_generichash_final(&st, ret, len);
	sodium_memzero(&st, sizeof(st));
}

static void about_case(const char *case_number, uint64_t bucket, struct key *ret)
{
	*ret = (struct key){0};
	key_u64(ret, bucket);
	key_str(ret, case_number);
}

/* The nonce comes from all that is wrapped: a step that is done again gives the same bytes, and one
 * with another result has another nonce. */
enum err case_row_put(struct txn *t, const char *case_number, uint64_t bucket,
	const uint8_t bucket_key[BUCKET_KEY_LEN], const uint8_t case_key[CASE_KEY_LEN])
{
	uint8_t row[CASE_ROW_LEN], *nonce = row + 8;
	struct key about;

	about_case(case_number, bucket, &about);
	be64_put(row, bucket);
	case_hash(bucket_key, "nonce", case_number, case_key, nonce, NONCE_LEN);
	crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + NONCE_LEN, NULL, case_key, CASE_KEY_LEN,
		about.data, about.len, NULL, nonce, bucket_key);
	return txn_put(t, T_CASE_KEYS, slice_str(case_number), slice_of(row, sizeof(row)));
}

enum err case_row_open(const char *case_number, struct slice row,
	const uint8_t bucket_key[BUCKET_KEY_LEN], uint8_t ret[CASE_KEY_LEN])
{
	struct key about;

	about_case(case_number, be64_get(row.data), &about);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(ret, NULL, NULL, row.data + 8 + NONCE_LEN,
		    WRAP_LEN - NONCE_LEN, about.data, about.len, row.data + 8, bucket_key) != 0)
		return ERR_CORRUPT;
	return OK;
}

enum err bucket_rest_find(
	const BucketRest *rest, const char *case_number, uint8_t ret[CASE_KEY_LEN])
{
	for (size_t i = 0; i < rest->n_cases; i++)
		if (strcmp(rest->cases[i]->case_number, case_number) == 0) {
			memcpy(ret, rest->cases[i]->key.data, CASE_KEY_LEN);
			return OK;
		}
	return ERR_NOT_FOUND;
}
