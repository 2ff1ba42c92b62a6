#include "services/common/keys/secret_file.h"

#include <sodium.h>
#include <stdlib.h>

#include "proto/strict.h"
#include "services/common/base/file.h"
#include "services/common/keys/locked.h"
#include "services/common/base/names.h"

#define FILE_VERSION 1
#define FILE_MOST    (64 * 1024)
#define SALT_LEN     crypto_pwhash_argon2id_SALTBYTES
#define NONCE_LEN    crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_LEN      crypto_aead_xchacha20poly1305_ietf_ABYTES
#define FILE_KEY_LEN crypto_aead_xchacha20poly1305_ietf_KEYBYTES

/* What Argon2id may cost: the more that a file is written with, and the least and the most that
 * one is read with. Nobody's file makes this process take gigabytes. */
#define OPS_LEAST crypto_pwhash_argon2id_OPSLIMIT_INTERACTIVE
#define OPS_MOST  crypto_pwhash_argon2id_OPSLIMIT_MODERATE
#define MEM_LEAST crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE
#define MEM_MOST  crypto_pwhash_argon2id_MEMLIMIT_MODERATE

static ProtobufCBinaryData bytes(const void *data, size_t len)
{
	return (ProtobufCBinaryData){.len = len, .data = (uint8_t *)data};
}

/* The key of the box: zero without a passphrase. */
static enum err file_key(const KeyFile *f, struct slice passphrase, uint8_t ret[FILE_KEY_LEN])
{
	if (!f->salt.len) {
		memset(ret, 0, FILE_KEY_LEN);
		return OK;
	}
	if (crypto_pwhash_argon2id(ret, FILE_KEY_LEN, (const char *)passphrase.data, passphrase.len,
		    f->salt.data, f->opslimit, (size_t)f->memlimit,
		    crypto_pwhash_argon2id_ALG_ARGON2ID13))
		return ERR_NOMEM;
	return OK;
}

/* All of the file but the box: what the box is bound to. */
static enum err header_of(const KeyFile *f, struct buf *out)
{
	KeyFile header = *f;

	header.box = (ProtobufCBinaryData){0};
	return strict_pack(&header.base, out);
}

static enum err seal(
	const KeyFile *f, struct slice secret, struct slice passphrase, struct buf *box)
{
	uint8_t key[FILE_KEY_LEN], *cipher = malloc(secret.len + TAG_LEN);
	struct buf header = {0};
	enum err e;

	if (!cipher)
		return ERR_NOMEM;
	e = file_key(f, passphrase, key);
	if (e == OK)
		e = header_of(f, &header);
	if (e == OK) {
		crypto_aead_xchacha20poly1305_ietf_encrypt(cipher, NULL, secret.data, secret.len,
			header.data, header.len, NULL, f->nonce.data, key);
		e = buf_append(box, cipher, secret.len + TAG_LEN);
	}
	free(cipher);
	buf_free(&header);
	sodium_memzero(key, sizeof(key));
	return e;
}

enum err secret_file_write(const char *path, const struct secret_name *name, struct slice secret,
	struct slice passphrase, bool replace)
{
	uint8_t salt[SALT_LEN], nonce[NONCE_LEN];
	struct buf box = {0}, file = {0};
	KeyFile f = KEY_FILE__INIT;
	enum err e;

	randombytes_buf(salt, sizeof(salt));
	randombytes_buf(nonce, sizeof(nonce));
	f.version = FILE_VERSION;
	f.principal = (char *)name->principal;
	f.key_id = bytes(name->id, KEY_ID_LEN);
	f.share = name->share;
	f.nonce = bytes(nonce, sizeof(nonce));
	if (passphrase.len) {
		f.salt = bytes(salt, sizeof(salt));
		f.opslimit = OPS_MOST;
		f.memlimit = MEM_MOST;
	}
	e = seal(&f, secret, passphrase, &box);
	f.box = bytes(box.data, box.len);
	if (e == OK)
		e = strict_pack(&f.base, &file);
	if (e == OK)
		e = replace ? file_replace_wiping(path, slice_buf(&file), 0600)
			    : file_create(path, slice_buf(&file), 0600);
	buf_free(&file);
	buf_free(&box);
	return e;
}

static bool file_sound(const KeyFile *f, bool share)
{
	bool open = !f->salt.len && !f->opslimit && !f->memlimit;
	bool locked = f->salt.len == SALT_LEN && f->opslimit >= OPS_LEAST &&
		      f->opslimit <= OPS_MOST && f->memlimit >= MEM_LEAST &&
		      f->memlimit <= MEM_MOST;

	return f->version == FILE_VERSION && name_valid(f->principal) &&
	       f->key_id.len == KEY_ID_LEN && f->nonce.len == NONCE_LEN && f->box.len > TAG_LEN &&
	       (bool)f->share == share && (open || locked);
}

enum err secret_file_read(const char *path, bool share, KeyFile **ret)
{
	ProtobufCMessage *m = NULL;
	struct buf b = {0};
	enum err e;

	TRY(file_read_secret(path, FILE_MOST, &b));
	e = strict_unpack(&key_file__descriptor, slice_buf(&b), &m);
	buf_free(&b);
	if (e == ERR_NOMEM)
		return e;
	if (e != OK)
		return ERR_CORRUPT;
	if (!file_sound((KeyFile *)m, share)) {
		protobuf_c_message_free_unpacked(m, NULL);
		return ERR_CORRUPT;
	}
	*ret = (KeyFile *)m;
	return OK;
}

enum err secret_file_open(const KeyFile *f, struct slice passphrase, uint8_t **ret, size_t *ret_len)
{
	uint8_t key[FILE_KEY_LEN] = {0};
	size_t len = f->box.len - TAG_LEN;
	struct buf header = {0};
	void *plain = NULL;
	enum err e;

	if (f->salt.len && !passphrase.len)
		return ERR_PASSPHRASE;
	TRY(locked_alloc(len, &plain));
	e = header_of(f, &header);
	if (e == OK)
		e = file_key(f, passphrase, key);
	if (e == OK && crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, f->box.data,
			       f->box.len, header.data, header.len, f->nonce.data, key))
		e = f->salt.len ? ERR_PASSPHRASE : ERR_CORRUPT;
	sodium_memzero(key, sizeof(key));
	buf_free(&header);
	if (e != OK) {
		sodium_free(plain);
		return e;
	}
	*ret = plain;
	*ret_len = len;
	return OK;
}
