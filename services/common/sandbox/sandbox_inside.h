/*
 * sandbox_inside.h - what the files of the sandbox share. Not for its users.
 */
#ifndef HAVRE_SANDBOX_INSIDE_H
#define HAVRE_SANDBOX_INSIDE_H

#include <stddef.h>
#include <stdint.h>

#include "services/common/sandbox/sandbox.h"

#ifdef __has_feature
#define HAS_FEATURE(x) __has_feature(x)
#else
#define HAS_FEATURE(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || HAS_FEATURE(address_sanitizer)
#define SANITIZED_BUILD 1
#else
#define SANITIZED_BUILD 0
#endif

/* What a program may need; every program has EVERY. */
enum need {
	EVERY = 1 << 0,
	LISTEN = 1 << 1,    /* on the broker's endpoints */
	CONNECT = 1 << 2,   /* to the broker's endpoints */
	DELIVER = 1 << 3,   /* by libcurl, to the relay's URL */
	RESOLVE = 1 << 4,   /* names of hosts; of the configuration, not of the program */
	PERSON = 1 << 5,    /* a terminal, and files for others */
	ALL_FILES = 1 << 6, /* looks after all homes */
	SANITIZED = 1 << 7, /* of the build, not of the program */
};

#define PORT_DNS   53
#define PORTS_MOST 8

enum port_use { BIND, TO };

struct sandbox_port {
	enum port_use use;
	uint16_t number; /* 0: any that is free */
};

struct sandbox_plan {
	unsigned needs; /* of enum need */
	struct sandbox_port ports[PORTS_MOST];
	size_t n_ports;
};

/* ERR_INVALID: an endpoint that cannot be read. */
MUST_USE enum err sandbox_plan(
	enum program program, const struct config *c, struct sandbox_plan *ret);

enum place_access { READ, FOLDER_OF, WRITE };

#define LANDLOCK_NEWEST 6 /* the newest version of the kernel's interface that is used */

struct landlock {
	int abi; /* 0: this kernel has none, and the calls do nothing */
	int fd;
};

/* All return ERR_SANDBOX with errno set. `newest`: LANDLOCK_NEWEST; a test takes less. */
MUST_USE enum err landlock_open(int newest, struct landlock *ret);
/* What is not there gives nothing and is no error. */
MUST_USE enum err landlock_allow(struct landlock *l, const char *path, enum place_access access);
MUST_USE enum err landlock_allow_port(struct landlock *l, const struct sandbox_port *port);
MUST_USE enum err landlock_enter(const struct landlock *l);
void landlock_close(struct landlock *l);

/* ERR_SANDBOX with errno set. */
MUST_USE enum err seccomp_enter(unsigned needs);

#endif
