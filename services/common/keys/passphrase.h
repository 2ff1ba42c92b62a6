/*
 * passphrase.h - a passphrase, read from a file or asked on the terminal, in locked memory.
 */
#ifndef HAVRE_PASSPHRASE_H
#define HAVRE_PASSPHRASE_H

#include "proto/bytes.h"

#define PASSPHRASE_MOST 1024

struct passphrase;

/* The first line of a file of mode 0600. ERR_PERMISSIONS, ERR_NOT_FOUND; ERR_PASSPHRASE: empty or
 * longer than PASSPHRASE_MOST bytes. */
MUST_USE enum err passphrase_from_file(const char *path, struct passphrase **ret);
/* From the terminal of this process, without echo; `twice` for a new one. ERR_PASSPHRASE: there is
 * no terminal, nothing was typed, it was interrupted, or the second differs. */
MUST_USE enum err passphrase_ask(enum lang lang, bool twice, struct passphrase **ret);
/* The same on a terminal that is open. */
MUST_USE enum err passphrase_ask_on(int tty, enum lang lang, bool twice, struct passphrase **ret);
/* From the file when there is one, else from the terminal. */
MUST_USE enum err passphrase_get(
	const char *file, enum lang lang, bool twice, struct passphrase **ret);
/* Wipes it. */
void passphrase_free(struct passphrase **pp);

/* As long as the passphrase; {0} for NULL. */
struct slice passphrase_slice(const struct passphrase *p);

#endif
