/*
 * catalogue.h - the table of catalogue.def: what kinds of message exist, who may send each to
 * whom, in which lane, how large. A row is the whole permission.
 */
#ifndef HAVRE_PROTO_CATALOGUE_H
#define HAVRE_PROTO_CATALOGUE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/err.h"
#include "proto/registry.pb-c.h"

enum kind {
#define KIND(number, name, step, Body, body, from, to, lane, cls, most) KIND_##name = number,
#include "proto/catalogue.def"
#undef KIND
};

enum lane { LANE_ROUTINE, LANE_URGENT };
#define LANES 2
enum kind_class { CLASS_DURABLE, CLASS_QUERY };

/* A set of roles: bit n stands for role n. */
typedef uint32_t role_set;
#define ROLE_BIT(role) ((role_set)1 << (role))

struct kind_row {
	enum kind kind;
	const char *name;
	int step;
	const ProtobufCMessageDescriptor *body;
	role_set from, to;
	enum lane lane;
	enum kind_class cls;
	uint32_t most; /* bytes of the packed body, before padding */
};

/* The largest envelope of any kind, in bytes; a frame is at most FRAME_MOST. */
#define ENVELOPE_MOST (1280u * 1024)
#define FRAME_MOST    (ENVELOPE_MOST + 4096u)

/* NULL when there is no such kind. */
const struct kind_row *catalogue_find(uint32_t kind);
const struct kind_row *catalogue_find_name(const char *name);
/* All rows, in the order of the file. */
const struct kind_row *catalogue_rows(unsigned *ret_count);
/* The set of a registry entry's roles. */
role_set roles_of(const Principal *p);
const char *lane_name(enum lane lane);

#endif
