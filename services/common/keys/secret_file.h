/*
 * secret_file.h - a small file of mode 0600 with a secret in a box: a key file, or a custodian's
 * share. With a passphrase the box is under Argon2id; without, the mode of the file is the whole
 * protection, and the box finds damage. What it says in clear is bound to the box.
 */
#ifndef HAVRE_SECRET_FILE_H
#define HAVRE_SECRET_FILE_H

#include "proto/crypto.h"
#include "proto/keyfile.pb-c.h"

struct secret_name {
	const char *principal;
	const uint8_t *id; /* KEY_ID_LEN */
	bool share;        /* else a key file */
};

/* Whole or not at all. replace: takes the place of the file, whose bytes are overwritten; else
 * ERR_EXISTS when there is one. */
MUST_USE enum err secret_file_write(const char *path, const struct secret_name *name,
	struct slice secret, struct slice passphrase, bool replace);
/* What it says in clear. ERR_NOT_FOUND, ERR_PERMISSIONS; ERR_CORRUPT: not such a file.
 * protobuf_c_message_free_unpacked. */
MUST_USE enum err secret_file_read(const char *path, bool share, KeyFile **ret);
/* *ret: locked, sodium_free. ERR_PASSPHRASE: wrong or missing. ERR_CORRUPT. */
MUST_USE enum err secret_file_open(
	const KeyFile *f, struct slice passphrase, uint8_t **ret, size_t *ret_len);

#endif
