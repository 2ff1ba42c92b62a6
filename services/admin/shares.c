#include "services/admin/shares.h"

#include <sodium.h>
#include <stdlib.h>

#include "proto/strict.h"
#include "services/common/keys/locked.h"
#include "services/common/cli/home.h"
#include "services/common/keys/secret_file.h"

#define SHARE_PRINCIPAL "recovery"

static enum err save(const char *path, const Share *s, struct slice phrase)
{
	struct secret_name name = {SHARE_PRINCIPAL, s->recovery_key.data, true};
	size_t len = share__get_packed_size(s);
	void *packed = NULL;
	enum err e;

	TRY(locked_alloc(len, &packed));
	share__pack(s, packed);
	e = secret_file_write(path, &name, slice_of(packed, len), phrase, false);
	sodium_free(packed);
	return e;
}

enum err share_save(struct cli *c, const char *path, const Share *s)
{
	struct passphrase *p = NULL;
	enum err e = OK;

	if (c->passphrase_file || cli_flag(c, "passphrase")) {
		cli_say(c, "share %u of %u\n", "part %u de %u\n", s->number, s->shares);
		e = home_passphrase(c, true, &p);
	}
	if (e == OK)
		e = save(path, s, passphrase_slice(p));
	passphrase_free(&p);
	return e == OK || c->told ? e : cli_fail(c, e, path);
}

static enum err unpack_share(const KeyFile *f, struct slice phrase, Share **ret)
{
	ProtobufCMessage *m = NULL;
	uint8_t *plain = NULL;
	size_t len = 0;
	enum err e;

	TRY(secret_file_open(f, phrase, &plain, &len));
	e = strict_unpack(&share__descriptor, slice_of(plain, len), &m);
	sodium_free(plain);
	if (e != OK)
		return e == ERR_NOMEM ? e : ERR_CORRUPT;
	*ret = (Share *)m;
	return OK;
}

static enum err load(struct cli *c, const char *path, Share **ret)
{
	struct passphrase *p = NULL;
	KeyFile *f = NULL;
	enum err e;

	e = secret_file_read(path, true, &f);
	if (e == OK && f->salt.len)
		e = home_passphrase(c, false, &p);
	if (e == OK)
		e = unpack_share(f, passphrase_slice(p), ret);
	passphrase_free(&p);
	if (f)
		key_file__free_unpacked(f, NULL);
	return e == OK || c->told ? e : cli_fail(c, e, path);
}

static void share_free(Share *s)
{
	if (s && s->part.data)
		sodium_memzero(s->part.data, s->part.len);
	share__free_unpacked(s, NULL);
}

enum err shares_join(struct cli *c, uint8_t ret_secret[RECOVERY_KEY_LEN])
{
	Share *shares[SHARES_MOST] = {NULL};
	const char *path;
	size_t n = 0;
	enum err e = OK;

	while (e == OK && n < SHARES_MOST && (path = cli_value_at(c, "share", n))) {
		e = load(c, path, &shares[n]);
		n += e == OK;
	}
	if (e == OK) {
		e = escrow_join((const Share *const *)shares, n, ret_secret);
		if (e != OK && e != ERR_NOMEM)
			e = cli_fail(c, ERR_SHARES, NULL);
	}
	for (size_t i = 0; i < n; i++)
		share_free(shares[i]);
	return e;
}
