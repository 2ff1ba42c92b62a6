/* The recovery key: made in parts, and used when a machine is lost. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "services/admin/admin.h"
#include "services/admin/draft.h"
#include "services/admin/keys.h"
#include "services/admin/shares.h"
#include "services/common/keys/buckets.h"
#include "services/common/keys/locked.h"
#include "services/common/base/file.h"

/* clang-format off */
const struct cli_option escrow_new_options[] = {
	CLI_OPTION("shares", "N", "how many custodians: 2 to 16", "combien de dépositaires : 2 à 16"),
	CLI_OPTION("threshold", "K", "how many of them recover: 2 to N", "combien d’entre eux suffisent : 2 à N"),
	CLI_OPTION("out", "DIR", "the folder for share-1 .. share-N and recovery.pub", "le dossier de share-1 .. share-N et recovery.pub"),
	CLI_FLAG("passphrase", "ask for a passphrase for each share (or --passphrase-file)",
		"demander une phrase de passe pour chaque part (ou --passphrase-file)"),
	CLI_END,
};

const struct cli_option escrow_recover_options[] = {
	CLI_OPTION("share", "FILE", "a custodian’s share; several times", "la part d’un dépositaire; plusieurs fois"),
	CLI_OPTION("escrow", "DIR", "the escrow folder of the lost machine", "le dossier escrow de la machine perdue"),
	CLI_OPTION("epoch", "N", "the box epoch of the new key (the newest that was lost)", "l’époque de la nouvelle clé (la dernière perdue)"),
	CLI_END,
};
/* clang-format on */

/* --- new --- */

static enum err make_folder(struct cli *c, const char *path)
{
	if (mkdir(path, 0700) && errno != EEXIST)
		return cli_fail(c, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, path);
	return OK;
}

static enum err in_folder(struct cli *c, const char *folder, const char *name, char ret[PATH_MAX])
{
	return snprintf(ret, PATH_MAX, "%s/%s", folder, name) < PATH_MAX
		       ? OK
		       : cli_fail(c, ERR_INVALID, folder);
}

static enum err save_public(struct cli *c, const char *out, const uint8_t key[RECOVERY_KEY_LEN])
{
	char hex[2 * RECOVERY_KEY_LEN + 2], path[PATH_MAX];
	enum err e;

	TRY(in_folder(c, out, "recovery.pub", path));
	hex_encode(hex, key, RECOVERY_KEY_LEN);
	memcpy(hex + 2 * RECOVERY_KEY_LEN, "\n", 2);
	e = file_create(path, slice_str(hex), 0644);
	if (e != OK)
		return cli_fail(c, e, path);
	cli_say(c, "recovery key: %s\nput it into the registry: havre-admin registry recovery\n",
		"clé de secours : %s\nà mettre dans le registre : havre-admin registry recovery\n",
		path);
	cli_json(c, json_pack("{s:s#, s:s}", "recovery_key", hex, (int)(2 * RECOVERY_KEY_LEN),
			    "file", path));
	return OK;
}

static enum err save_shares(
	struct cli *c, const char *out, const Share shares[], unsigned n, const uint8_t key[])
{
	char path[PATH_MAX], name[32];

	TRY(make_folder(c, out));
	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "share-%u", i + 1);
		TRY(in_folder(c, out, name, path));
		TRY(share_save(c, path, &shares[i]));
	}
	return save_public(c, out, key);
}

enum err escrow_new(struct cli *c)
{
	uint8_t key[RECOVERY_KEY_LEN];
	Share shares[SHARES_MOST];
	void *parts = NULL;
	const char *out = NULL, *given = NULL;
	long n = 0, threshold = 0;
	enum err e;

	TRY(cli_required(c, "out", &out));
	TRY(cli_required(c, "shares", &given));
	TRY(cli_required(c, "threshold", &given));
	TRY(cli_number(c, "shares", 2, SHARES_MOST, &n));
	TRY(cli_number(c, "threshold", 2, n, &threshold));
	TRY(locked_alloc(SHARES_MOST * RECOVERY_KEY_LEN, &parts));
	e = escrow_split((unsigned)n, (unsigned)threshold, shares, parts, key);
	if (e == OK)
		e = save_shares(c, out, shares, (unsigned)n, key);
	sodium_free(parts);
	return e;
}

/* --- recover --- */

struct recovery {
	struct cli *c;
	const char *from;
	const uint8_t *secret;
	struct keyring *keys;
	unsigned buckets;
};

/* *ret: sodium_free */
static enum err open_copy(const struct recovery *r, const char *name, uint8_t **ret,
	size_t *ret_len, EscrowFile **file)
{
	char path[PATH_MAX];
	struct buf b = {0};
	EscrowFile *f = NULL;
	enum err e;

	TRY(in_folder(r->c, r->from, name, path));
	e = file_read(path, ESCROW_FILE_MOST, &b);
	if (e == OK)
		e = escrow_unpack(slice_buf(&b), &f);
	if (e == OK && strcmp(f->name, name) != 0)
		e = ERR_CORRUPT;
	if (e == OK)
		e = escrow_open(f, r->secret, ret, ret_len);
	buf_free(&b);
	if (e == OK) {
		*file = f;
		return OK;
	}
	if (f)
		escrow_file__free_unpacked(f, NULL);
	return cli_fail(r->c, e == ERR_BAD_SIGNATURE ? ERR_SHARES : e, path);
}

/* The newest epoch of the newest key that was lost: so the new key can be written to at once. */
static enum err new_keys(struct recovery *r, const char *principal, struct slice readers)
{
	struct keyring *k = NULL;
	long epoch = 0;

	TRY(cli_number(r->c, "epoch", 1, UINT32_MAX - 1, &epoch));
	TRY(keyring_recover(principal, readers, epoch ? (uint32_t)epoch : 1, &k));
	if (!epoch) {
		uint32_t lost = keyring_newest_epoch(k, keyring_id_at(k, 1));

		keyring_free(&k);
		TRY(keyring_recover(principal, readers, lost, &k));
	}
	r->keys = k;
	return OK;
}

static enum err recover_keys(struct recovery *r)
{
	uint8_t *readers = NULL;
	EscrowFile *f = NULL;
	size_t len = 0;
	enum err e = open_copy(r, ESCROW_KEYS, &readers, &len, &f);

	if (e != OK || !f)
		return e;
	e = new_keys(r, f->principal, slice_of(readers, len));
	sodium_free(readers);
	escrow_file__free_unpacked(f, NULL);
	return e == OK || r->c->told ? e : cli_fail(r->c, e, ESCROW_KEYS);
}

/* A bucket of another store would open nothing: it is not taken. */
static enum err write_bucket(struct recovery *r, uint64_t number, struct slice file)
{
	uint8_t key[BUCKET_KEY_LEN];
	char name[BUCKET_NAME_MOST + 16], path[PATH_MAX];
	uint64_t generation;
	enum err e = bucket_file_open(file, keyring_store_key(r->keys), number, &generation, key);

	sodium_memzero(key, sizeof(key));
	memcpy(name, "buckets/", 9);
	bucket_name(number, name + 8);
	TRY(cli_path(r->c, name, path));
	if (e == OK)
		e = file_replace(path, file, 0600);
	if (e != OK)
		return cli_fail(r->c, e, path);
	r->buckets++;
	return OK;
}

static enum err recover_bucket(struct recovery *r, const char *name)
{
	EscrowFile *f = NULL;
	uint8_t *file = NULL;
	size_t len = 0;
	enum err e;

	TRY(open_copy(r, name, &file, &len, &f));
	e = write_bucket(r, strtoull(name, NULL, 10), slice_of(file, len));
	sodium_free(file);
	escrow_file__free_unpacked(f, NULL);
	return e;
}

static enum err recover_buckets(struct recovery *r)
{
	struct dirent **names = NULL;
	char path[PATH_MAX];
	enum err e;
	int n;

	TRY(make_folder(r->c, r->c->home));
	TRY(cli_path(r->c, "buckets", path));
	TRY(make_folder(r->c, path));
	n = scandir(r->from, &names, NULL, alphasort);
	if (n < 0)
		return cli_fail(r->c, ERR_NOT_FOUND, r->from);
	e = OK;
	for (int i = 0; i < n; i++) {
		const char *name = names[i]->d_name;

		if (e == OK && *name && !name[strspn(name, "0123456789")])
			e = recover_bucket(r, name);
		free(names[i]);
	}
	free(names);
	return e;
}

/* The key file last: without it nothing starts there. */
static enum err save_keys(struct recovery *r)
{
	struct buf request = {0};
	char path[PATH_MAX];
	enum err e;

	TRY(cli_path(r->c, "key", path));
	e = keyring_request(r->keys, "", "", draft_now(), &request);
	if (e == OK)
		e = keyring_save(r->keys, path, (struct slice){0});
	if (e != OK)
		cli_fail(r->c, e, path);
	else
		e = keys_made(r->c, r->keys, slice_buf(&request));
	buf_free(&request);
	return e;
}

enum err escrow_recover(struct cli *c)
{
	struct recovery r = {.c = c};
	void *secret = NULL;
	const char *share = NULL;
	enum err e;

	TRY(cli_required(c, "share", &share));
	TRY(cli_required(c, "escrow", &r.from));
	TRY(locked_alloc(RECOVERY_KEY_LEN, &secret));
	r.secret = secret;
	e = shares_join(c, secret);
	if (e == OK)
		e = recover_keys(&r);
	if (e == OK)
		e = recover_buckets(&r);
	if (e == OK)
		e = save_keys(&r);
	if (e == OK)
		cli_say(c, "buckets recovered: %u\n", "compartiments récupérés : %u\n", r.buckets);
	sodium_free(secret);
	keyring_free(&r.keys);
	return e;
}
