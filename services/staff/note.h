/*
 * note.h - written reasons: free text for the partner and for intake's vault, and for nobody
 * between them.
 */
#ifndef HAVRE_STAFF_NOTE_H
#define HAVRE_STAFF_NOTE_H

#include "services/staff/staff.h"

/* The text of a file ("-": standard input), without the line ends behind it. ERR_NOT_FOUND;
 * ERR_TOO_LARGE; ERR_INVALID: no text. buf_free(ret), also after an error. */
MUST_USE enum err note_read(const char *path, struct buf *ret);
/* The text of the file ("-": standard input), sealed to the referring partner of the case and to
 * intake. Needs the network, to learn who the partner is. Tells what went wrong. *ret: buf_free. */
MUST_USE enum err note_from_file(
	struct session *s, const char *path, const char *case_number, struct buf *ret);

#endif
