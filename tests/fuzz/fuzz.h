/*
 * fuzz.h - what the fuzz targets share. A target, fuzz_NAME.c, is one function that gets the bytes
 * of anybody. In every build run_seeds.c gives it the files of corpus/NAME; with HAVRE_FUZZ
 * libFuzzer gives it whatever it can think of. make_seeds.c makes the files.
 */
#ifndef HAVRE_FUZZ_H
#define HAVRE_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "proto/bytes.h"
#include "proto/strict.h"

/* libFuzzer's names. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must be so for any bytes. */
#define HOLDS(what)                                                                                \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #what);  \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* An out-parameter starts as this, and still is when the bytes were refused. */
extern char fuzz_untouched;
#define UNTOUCHED ((void *)&fuzz_untouched)

/* The message's one encoding is exactly these bytes. */
void fuzz_same(const ProtobufCMessage *m, struct slice bytes);
/* The path of a file of this process, mode 0600, that holds the bytes; static storage. */
const char *fuzz_file(const char *name, struct slice bytes);
/* The folder that it is in. */
const char *fuzz_folder(void);

/* Every type of message that comes from outside; NULL: no more. */
const ProtobufCMessageDescriptor *fuzz_type(size_t i);
size_t fuzz_types(void);

/* The first byte chooses: takes it off. 0 when there is none. */
static inline uint8_t fuzz_choice(struct slice *in)
{
	uint8_t first = in->len ? in->data[0] : 0;

	if (in->len)
		*in = slice_of(in->data + 1, in->len - 1);
	return first;
}

#endif
