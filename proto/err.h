/*
 * err.h - the one error enum. Every function that can fail returns it, and every result must be
 * used. Out-parameters come last, are named ret_..., and stay untouched on failure.
 */
#ifndef HAVRE_PROTO_ERR_H
#define HAVRE_PROTO_ERR_H

enum err {
#define ERR(name, number, en, fr) ERR_##name = number,
#include "proto/err.def"
#undef ERR
};

/* OK stands for success in conditions: `if (e != OK) return e;` */
#define OK ERR_OK

#define MUST_USE __attribute__((warn_unused_result))

/* Return the error of a failed call from the function that made it. */
#define TRY(call)                                                                                  \
	do {                                                                                       \
		enum err try_result_ = (call);                                                     \
		if (try_result_ != OK)                                                             \
			return try_result_;                                                        \
	} while (0)

enum lang { LANG_EN, LANG_FR };

/* The stable name ("BAD_SIGNATURE"), for logs and JSON. "UNKNOWN" for a number not in the list. */
const char *err_name(enum err e);

/* The words for a person. Static storage. */
const char *err_text(enum err e, enum lang lang);

#endif
