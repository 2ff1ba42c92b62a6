/*
 * json.h - protobuf messages to and from JSON, by descriptor: one piece of code for every message.
 *
 *   names        as in the .proto files            enums   their names
 *   bytes        lower-case hexadecimal            at, *_at RFC 3339 date-time with an offset
 *   64-bit       numbers (up to 2^53)              *_on    "YYYY-MM-DD", checked to exist
 *   *_country    two capital letters, ISO 3166
 *
 * An enum's value 0 says "not given" and has no name on the way in: it is left out. Messages with a
 * oneof are for machines and have no JSON.
 *
 * A default value (0, "", false, empty list) is left out on the way out, and may be left out on the
 * way in: what must be there is a rule of whoever reads it, not of the form.
 */
#ifndef HAVRE_PROTO_JSON_H
#define HAVRE_PROTO_JSON_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

#include "proto/bytes.h"
#include "proto/fault.h"

/* Every bad field is added to *faults, with its path; ERR_INVALID when there is one, and *ret
 * stays untouched. protobuf_c_message_free_unpacked(*ret). */
MUST_USE enum err json_to_message(const json_t *json, const ProtobufCMessageDescriptor *type,
	struct faults *faults, ProtobufCMessage **ret);
/* The same from text: not JSON at all, duplicate names, over 4 MiB: fault NOT_JSON. */
MUST_USE enum err json_text_to_message(struct slice text, const ProtobufCMessageDescriptor *type,
	struct faults *faults, ProtobufCMessage **ret);
/*
 * The same, but OK also when fields were bad: the draft is what could be read, without them. For
 * telling at once all that is wrong; never to be sent. ERR_INVALID: not JSON at all.
 */
MUST_USE enum err json_to_draft(const json_t *json, const ProtobufCMessageDescriptor *type,
	struct faults *faults, ProtobufCMessage **ret);
MUST_USE enum err json_text_to_draft(struct slice text, const ProtobufCMessageDescriptor *type,
	struct faults *faults, ProtobufCMessage **ret);
/* *ret: json_decref it. ERR_INVALID when the message cannot be told exactly: a number beyond 2^53,
 * a value that its list does not have, a text that is not UTF-8. */
MUST_USE enum err message_to_json(const ProtobufCMessage *m, json_t **ret);

/* Civil dates and times. */
MUST_USE enum err date_parse(const char *text, int *ret_year, int *ret_month, int *ret_day);
MUST_USE enum err time_parse(const char *rfc3339, int64_t *ret_ms);
/* out holds at least 25 characters: "2026-03-01T12:00:00.000Z". */
void time_format(int64_t ms, char out[32]);
bool country_valid(const char *alpha2);

#endif
