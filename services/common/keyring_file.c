#include <sodium.h>
#include <stdlib.h>

#include "proto/keyfile.pb-c.h"
#include "proto/strict.h"
#include "services/common/file.h"
#include "services/common/keyring_secrets.h"

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

/*
 * The key of the file's box. Without a passphrase it is zero: then the mode of the file is the
 * whole protection, and the box finds damage.
 */
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

/* Packs the secrets straight from the keyring into locked memory. */
static enum err pack_secrets(const struct keyring *k, uint8_t **ret, size_t *ret_len)
{
	Secrets s = SECRETS__INIT;
	BoxSecret box[EPOCHS_MOST], *refs[EPOCHS_MOST];
	void *p = NULL;

	s.sign_seed = bytes_of(k->sign_seed, sizeof(k->sign_seed));
	s.transport_secret = bytes_of(k->transport_secret, sizeof(k->transport_secret));
	s.step_key = bytes_of(k->step_key, sizeof(k->step_key));
	s.store_key = bytes_of(k->store_key, sizeof(k->store_key));
	for (size_t i = 0; i < k->n_box; i++) {
		box_secret__init(&box[i]);
		box[i].epoch = k->box[i].epoch;
		box[i].box_secret = bytes_of(k->box[i].secret, BOX_SK_LEN);
		refs[i] = &box[i];
	}
	s.n_box_secrets = k->n_box;
	s.box_secrets = refs;
	*ret_len = secrets__get_packed_size(&s);
	TRY(locked_alloc(*ret_len, &p));
	secrets__pack(&s, p);
	*ret = p;
	return OK;
}

static enum err seal_secrets(
	const struct keyring *k, KeyFile *f, struct slice passphrase, struct buf *box)
{
	uint8_t key[FILE_KEY_LEN], *plain = NULL, *cipher = NULL;
	struct buf header = {0};
	size_t len = 0;
	enum err e;

	TRY(pack_secrets(k, &plain, &len));
	e = file_key(f, passphrase, key);
	if (e == OK)
		e = header_of(f, &header);
	if (e == OK && !(cipher = malloc(len + TAG_LEN)))
		e = ERR_NOMEM;
	if (e == OK) {
		crypto_aead_xchacha20poly1305_ietf_encrypt(cipher, NULL, plain, len, header.data,
			header.len, NULL, f->nonce.data, key);
		e = buf_append(box, cipher, len + TAG_LEN);
	}
	free(cipher);
	buf_free(&header);
	sodium_memzero(key, sizeof(key));
	sodium_free(plain);
	return e;
}

enum err keyring_save(const struct keyring *k, const char *path, struct slice passphrase)
{
	uint8_t salt[SALT_LEN], nonce[NONCE_LEN];
	struct buf box = {0}, file = {0};
	KeyFile f = KEY_FILE__INIT;
	enum err e;

	randombytes_buf(salt, sizeof(salt));
	randombytes_buf(nonce, sizeof(nonce));
	f.version = FILE_VERSION;
	f.principal = (char *)k->principal;
	f.key_id = bytes_of(k->key_id, KEY_ID_LEN);
	f.nonce = bytes_of(nonce, sizeof(nonce));
	if (passphrase.len) {
		f.salt = bytes_of(salt, sizeof(salt));
		f.opslimit = OPS_MOST;
		f.memlimit = MEM_MOST;
	}
	e = seal_secrets(k, &f, passphrase, &box);
	f.box = bytes_of(box.data, box.len);
	if (e == OK)
		e = strict_pack(&f.base, &file);
	if (e == OK)
		e = file_create(path, slice_buf(&file), 0600);
	buf_free(&file);
	buf_free(&box);
	return e;
}

static bool file_sound(const KeyFile *f)
{
	bool open = !f->salt.len && !f->opslimit && !f->memlimit;
	bool locked = f->salt.len == SALT_LEN && f->opslimit >= OPS_LEAST &&
		      f->opslimit <= OPS_MOST && f->memlimit >= MEM_LEAST &&
		      f->memlimit <= MEM_MOST;

	return f->version == FILE_VERSION && name_valid(f->principal) &&
	       f->key_id.len == KEY_ID_LEN && f->nonce.len == NONCE_LEN && f->box.len > TAG_LEN &&
	       (open || locked);
}

static enum err read_key_file(const char *path, KeyFile **ret)
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
	if (!file_sound((KeyFile *)m)) {
		protobuf_c_message_free_unpacked(m, NULL);
		return ERR_CORRUPT;
	}
	*ret = (KeyFile *)m;
	return OK;
}

/* Memory for unpacking: handed out once, given back all together. */
struct arena {
	uint8_t *data;
	size_t len, used;
};

static void *arena_alloc(void *data, size_t size)
{
	struct arena *a = data;
	size_t at = (a->used + 15) & ~(size_t)15;

	if (at > a->len || size > a->len - at)
		return NULL;
	a->used = at + size;
	return a->data + at;
}

static void arena_free(void *data, void *p)
{
	(void)data, (void)p;
}

static bool take_key(uint8_t *to, size_t len, const ProtobufCBinaryData *from)
{
	if (from->len != len)
		return false;
	memcpy(to, from->data, len);
	return true;
}

static bool take_secrets(struct keyring *k, const Secrets *s)
{
	if (s->n_box_secrets > EPOCHS_MOST)
		return false;
	for (size_t i = 0; i < s->n_box_secrets; i++) {
		k->box[i].epoch = s->box_secrets[i]->epoch;
		if (!take_key(k->box[i].secret, BOX_SK_LEN, &s->box_secrets[i]->box_secret))
			return false;
	}
	k->n_box = s->n_box_secrets;
	return take_key(k->sign_seed, sizeof(k->sign_seed), &s->sign_seed) &&
	       take_key(k->transport_secret, sizeof(k->transport_secret), &s->transport_secret) &&
	       take_key(k->step_key, sizeof(k->step_key), &s->step_key) &&
	       take_key(k->store_key, sizeof(k->store_key), &s->store_key);
}

/* The plain secrets and their unpacked form are in locked memory, too. */
static enum err unpack_secrets(struct keyring *k, struct slice plain)
{
	struct arena arena = {.len = FILE_MOST};
	ProtobufCAllocator allocator = {arena_alloc, arena_free, &arena};
	void *p = NULL;
	Secrets *s;
	bool sound;

	TRY(locked_alloc(arena.len, &p));
	arena.data = p;
	s = secrets__unpack(&allocator, plain.len, plain.data);
	sound = s && take_secrets(k, s);
	sodium_free(p);
	return sound ? OK : ERR_CORRUPT;
}

static enum err open_secrets(struct keyring *k, const KeyFile *f, struct slice passphrase)
{
	uint8_t key[FILE_KEY_LEN] = {0};
	size_t len = f->box.len - TAG_LEN;
	struct buf header = {0};
	void *plain = NULL;
	enum err e;

	TRY(locked_alloc(len, &plain));
	e = header_of(f, &header);
	if (e == OK)
		e = file_key(f, passphrase, key);
	if (e == OK && crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, f->box.data,
			       f->box.len, header.data, header.len, f->nonce.data, key))
		e = f->salt.len ? ERR_PASSPHRASE : ERR_CORRUPT;
	sodium_memzero(key, sizeof(key));
	buf_free(&header);
	if (e == OK)
		e = unpack_secrets(k, slice_of(plain, len));
	sodium_free(plain);
	return e;
}

static enum err keyring_from_file(const KeyFile *f, struct slice passphrase, struct keyring **ret)
{
	struct keyring *k = NULL;
	enum err e;

	if (f->salt.len && !passphrase.len)
		return ERR_PASSPHRASE;
	TRY(keyring_alloc(f->principal, &k));
	e = open_secrets(k, f, passphrase);
	if (e == OK) {
		keyring_finish(k);
		if (sodium_memcmp(k->key_id, f->key_id.data, KEY_ID_LEN))
			e = ERR_CORRUPT;
	}
	if (e != OK) {
		keyring_free(&k);
		return e;
	}
	*ret = k;
	return OK;
}

enum err keyring_load(const char *path, struct slice passphrase, struct keyring **ret)
{
	KeyFile *f = NULL;
	enum err e;

	TRY(read_key_file(path, &f));
	e = keyring_from_file(f, passphrase, ret);
	protobuf_c_message_free_unpacked(&f->base, NULL);
	return e;
}

enum err keyring_needs_passphrase(const char *path, bool *ret)
{
	KeyFile *f = NULL;

	TRY(read_key_file(path, &f));
	*ret = f->salt.len > 0;
	protobuf_c_message_free_unpacked(&f->base, NULL);
	return OK;
}
