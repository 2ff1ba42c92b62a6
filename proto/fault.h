/*
 * fault.h - what is wrong with what somebody sent: a path, a stable code, words in English and
 * French, never the value itself. The codes and their words are faults.def.
 */
#ifndef HAVRE_PROTO_FAULT_H
#define HAVRE_PROTO_FAULT_H

#include <stddef.h>

#include "proto/err.h"

enum fault_code {
#define FAULT(name, en, fr) FAULT_##name,
#include "proto/faults.def"
#undef FAULT
	FAULT_COUNT
};

struct fault {
	char path[128]; /* persons[2].identity.born_on: entries count from 0; "" is the whole */
	enum fault_code code;
	const struct ProtobufCEnumDescriptor *list; /* NOT_IN_LIST: what it may be; else NULL */
};

#define FAULTS_MOST 64

/* `{0}` is an empty list. `more` counts those beyond FAULTS_MOST. */
struct faults {
	struct fault list[FAULTS_MOST];
	size_t n, more;
};

/* printf-style path. */
void fault_add(struct faults *f, enum fault_code code, const char *path, ...)
	__attribute__((format(printf, 3, 4)));
/* FAULT_NOT_IN_LIST: the value 0 of the type is never one of the list. */
void fault_add_list(struct faults *f, const char *path, const struct ProtobufCEnumDescriptor *list);
/* A path that grows and shrinks while a message is walked through. `{0}` is that of the whole; what
 * does not fit is cut off. Each step returns the former length, which fault_path_back() takes. */
struct fault_path {
	char text[128];
	size_t len;
};
size_t fault_path_name(struct fault_path *p, const char *name);
size_t fault_path_index(struct fault_path *p, size_t i);
void fault_path_back(struct fault_path *p, size_t len);

/* Adds those of `more` that are not about a place that *f tells a fault of already: above it, in it
 * or below it. */
void fault_add_others(struct faults *f, const struct faults *more);
const char *fault_name(enum fault_code code);
/* The words, and for NOT_IN_LIST the list: "the value is not one of the list: EN, FR". Free it;
 * NULL: out of memory. */
char *fault_words(const struct fault *fault, enum lang lang);
const char *fault_text(enum fault_code code, enum lang lang);
/* FAULT_COUNT when there is none of that name. */
enum fault_code fault_find(const char *name);

#endif
