#include "services/common/store/recover.h"

#include <limits.h>
#include <stdio.h>

#include "proto/envelope.h"
#include "proto/strict.h"
#include "services/common/base/file.h"
#include "services/common/base/log.h"
#include "services/common/records.pb-c.h"

#define FILE_MOST 4096

static ProtobufCBinaryData bytes_of(const void *data, size_t len)
{
	return (ProtobufCBinaryData){len, (uint8_t *)data};
}

/* --- the signed word --- */

enum err recover_sign(const Recover *r, const struct keyring *admin, struct buf *ret)
{
	SignedRecover s = SIGNED_RECOVER__INIT;
	uint8_t signature[SIG_LEN];
	struct buf inner = {0};
	struct slice piece;
	enum err e = strict_pack(&r->base, &inner);

	piece = slice_buf(&inner);
	if (e == OK)
		e = crypto_sign_pieces(signature, "recover", &piece, 1, keyring_sign_seed(admin));
	if (e == OK) {
		s.recover = bytes_of(inner.data, inner.len);
		s.signer = (char *)keyring_principal(admin);
		s.key_id = bytes_of(keyring_key_id(admin), KEY_ID_LEN);
		s.signature = bytes_of(signature, SIG_LEN);
		e = strict_pack(&s.base, ret);
	}
	buf_free(&inner);
	return e;
}

/* Lengths, and that one epoch follows the other. */
static bool is_sound(const Recover *r)
{
	return principal_name_valid(r->principal) && r->was.len == EPOCH_LEN &&
	       r->store.len == EPOCH_LEN && r->was_epoch > 0 && r->epoch > r->was_epoch &&
	       (r->root.len == 0 || r->root.len == HASH_LEN) &&
	       memcmp(r->was.data, r->store.data, EPOCH_LEN) != 0;
}

static enum err check_signer(
	const SignedRecover *s, const struct registry *registry, const Recover *r)
{
	struct slice piece = slice_of(s->recover.data, s->recover.len);
	const Principal *p = registry_find(registry, s->signer);
	const Key *key;

	if (s->key_id.len != KEY_ID_LEN)
		return ERR_MALFORMED;
	TRY(registry_key(registry, s->signer, s->key_id.data, r->at, &key));
	if (!p || !(roles_of(p) & ROLE_BIT(ROLE__ADMIN)))
		return ERR_NOT_PERMITTED;
	return crypto_verify_pieces(
		s->signature.data, s->signature.len, "recover", &piece, 1, key->sign_key.data);
}

enum err recover_open(struct slice bytes, const struct registry *registry, Recover **ret)
{
	ProtobufCMessage *outer, *inner = NULL;
	const SignedRecover *s;
	enum err e;

	TRY(strict_unpack(&signed_recover__descriptor, bytes, &outer));
	s = (const SignedRecover *)outer;
	e = strict_unpack(&recover__descriptor, slice_of(s->recover.data, s->recover.len), &inner);
	if (e == OK && !is_sound((Recover *)inner))
		e = ERR_MALFORMED;
	if (e == OK)
		e = check_signer(s, registry, (Recover *)inner);
	protobuf_c_message_free_unpacked(outer, NULL);
	if (e == OK)
		*ret = (Recover *)inner;
	else if (inner)
		protobuf_c_message_free_unpacked(inner, NULL);
	return e;
}

enum err recover_read(struct slice bytes, Recover **ret)
{
	ProtobufCMessage *outer, *inner = NULL;
	const SignedRecover *s;
	enum err e;

	if (strict_unpack(&signed_recover__descriptor, bytes, &outer) != OK)
		return ERR_CORRUPT;
	s = (const SignedRecover *)outer;
	e = strict_unpack(&recover__descriptor, slice_of(s->recover.data, s->recover.len), &inner);
	protobuf_c_message_free_unpacked(outer, NULL);
	if (e != OK)
		return e == ERR_NOMEM ? e : ERR_CORRUPT;
	*ret = (Recover *)inner;
	return OK;
}

void recover_epochs(const Recover *r, struct epoch *ret_was, struct epoch *ret_next)
{
	memcpy(ret_was->store, r->was.data, EPOCH_LEN);
	ret_was->number = r->was_epoch;
	memcpy(ret_next->store, r->store.data, EPOCH_LEN);
	ret_next->number = r->epoch;
}

/* --- at a start --- */

static enum err path_of(const char *home, const char *name, char ret[PATH_MAX])
{
	return snprintf(ret, PATH_MAX, "%s/%s", home, name) < PATH_MAX ? OK : ERR_INVALID;
}

static enum err enter(
	const struct recovery *r, struct txn *t, const Recover *word, struct slice bytes)
{
	struct epoch was, next;

	recover_epochs(word, &was, &next);
	if (r->also)
		TRY(r->also(t, word, r->arg));
	TRY(epoch_enter(t, r->table, &next, bytes));
	log_warn("STORE-RECOVERED", "epoch=%llu", (unsigned long long)next.number);
	return OK;
}

/* ERR_STALE: it is about another epoch of this store, or about another store. */
static enum err use_word(const struct recovery *r, struct txn *t, struct slice bytes)
{
	struct epoch now = {.number = 0}, was, next;
	Recover *word;
	enum err e;

	TRY(recover_open(bytes, r->registry, &word));
	recover_epochs(word, &was, &next);
	e = epoch_load(t, r->table, &now);
	if (e == OK && epoch_same(&now, &next)) /* it did its work at an earlier start */
		e = epoch_check(t, r->table);
	else if (e == ERR_NOT_FOUND ||
		 (e == OK &&
			 (!epoch_same(&now, &was) || strcmp(word->principal, r->principal) != 0)))
		e = ERR_STALE;
	else if (e == OK)
		e = enter(r, t, word, bytes);
	recover__free_unpacked(word, NULL);
	return e;
}

static enum err look(const struct recovery *r, struct txn *t, bool *ret_used)
{
	struct buf bytes = {0};
	char path[PATH_MAX];
	struct epoch ignored;
	enum err e;

	TRY(path_of(r->home, RECOVER_FILE, path));
	e = file_read(path, FILE_MOST, &bytes);
	if (e == OK)
		e = use_word(r, t, slice_buf(&bytes));
	buf_free(&bytes);
	*ret_used = e == OK;
	if (e == ERR_CORRUPT || (e != OK && (int)e >= 100))
		log_error("RECOVER-REFUSED", "why=%s", err_name(e));
	else if (e != OK && e != ERR_NOT_FOUND)
		return e;
	return epoch_begin(t, r->table, r->principal, &ignored);
}

/* After the commit: who dies in between puts it away at the next start. */
static enum err put_away(const char *home)
{
	char path[PATH_MAX], used[PATH_MAX];

	TRY(path_of(home, RECOVER_FILE, path));
	TRY(path_of(home, RECOVER_USED, used));
	return file_rename(path, used);
}

enum err recovery_run(const struct recovery *r)
{
	bool used = false;
	struct txn *t;
	enum err e;

	TRY(store_begin(r->store, TXN_WRITE, &t));
	e = look(r, t, &used);
	if (e == OK) {
		TRY(txn_commit(&t));
		return used ? put_away(r->home) : OK;
	}
	txn_abort(&t);
	return e;
}

/* --- HOME/safe --- */

enum err safe_read(const char *home, struct safe *ret)
{
	const StoredSafe *s;
	ProtobufCMessage *m;
	struct buf bytes = {0};
	char path[PATH_MAX];
	enum err e;

	TRY(path_of(home, SAFE_FILE, path));
	TRY(file_read(path, FILE_MOST, &bytes));
	e = strict_unpack(&stored_safe__descriptor, slice_buf(&bytes), &m);
	buf_free(&bytes);
	if (e != OK)
		return e == ERR_NOMEM ? e : ERR_CORRUPT;
	s = (const StoredSafe *)m;
	if (s->store.len == EPOCH_LEN) {
		memcpy(ret->epoch.store, s->store.data, EPOCH_LEN);
		ret->epoch.number = s->epoch;
		ret->done = s->done;
		ret->at = s->at;
	} else {
		e = ERR_CORRUPT;
	}
	protobuf_c_message_free_unpacked(m, NULL);
	return e;
}

enum err safe_write(const char *home, const struct safe *s)
{
	StoredSafe m = STORED_SAFE__INIT;
	struct buf bytes = {0};
	char path[PATH_MAX];
	enum err e;

	TRY(path_of(home, SAFE_FILE, path));
	m.store = bytes_of(s->epoch.store, EPOCH_LEN);
	m.epoch = s->epoch.number;
	m.done = s->done;
	m.at = s->at;
	e = strict_pack(&m.base, &bytes);
	if (e == OK)
		e = file_replace(path, slice_buf(&bytes), 0644);
	buf_free(&bytes);
	return e;
}
