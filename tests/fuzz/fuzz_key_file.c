/* A key file as it comes (first byte even), or any secrets in a file whose box is right. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/people.h"

#include "proto/keyfile.pb-c.h"
#include "services/common/keys/keyring.h"

#define TAG_LEN   crypto_aead_xchacha20poly1305_ietf_ABYTES
#define NONCE_LEN crypto_aead_xchacha20poly1305_ietf_NPUBBYTES

/* A key file without a passphrase: its box is under a key of zeros. */
static struct buf boxed(struct slice secrets)
{
	static const uint8_t zero[crypto_aead_xchacha20poly1305_ietf_KEYBYTES],
		nonce[NONCE_LEN] = {1};
	const struct person p = partner();
	uint8_t *box = malloc(secrets.len + TAG_LEN);
	KeyFile f = KEY_FILE__INIT;
	struct buf header, out;

	f.version = 1;
	f.principal = (char *)p.name;
	f.key_id = bytes_of(p.reader.key_id, KEY_ID_LEN);
	f.nonce = bytes_of(nonce, NONCE_LEN);
	header = packed(&f.base);
	crypto_aead_xchacha20poly1305_ietf_encrypt(
		box, NULL, secrets.data, secrets.len, header.data, header.len, NULL, nonce, zero);
	f.box = bytes_of(box, secrets.len + TAG_LEN);
	out = packed(&f.base);
	buf_free(&header);
	free(box);
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size);
	struct keyring *k = UNTOUCHED;
	struct buf ours = {0};
	const char *path;

	if (fuzz_choice(&in) & 1) {
		ours = boxed(in);
		in = slice_buf(&ours);
	}
	path = fuzz_file("key", in);
	if (keyring_load(path, (struct slice){0}, &k) == OK) {
		HOLDS(principal_name_valid(keyring_principal(k)));
		keyring_free(&k);
	} else {
		HOLDS(k == UNTOUCHED);
	}
	buf_free(&ours);
	return 0;
}
