/*
 * json_rules.h - what a text may hold by the name of its field: the part of JSON's rules that also
 * binds messages that never were JSON.
 */
#ifndef HAVRE_PROTO_JSON_RULES_H
#define HAVRE_PROTO_JSON_RULES_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/fault.h"

/* The largest whole number that every reader of JSON keeps exact. */
#define JSON_NUMBER_MOST (INT64_C(1) << 53)

/* The bytes that one value of the field takes in its message or its list. */
size_t field_size(const ProtobufCFieldDescriptor *field);
/* An int64 named *_at: milliseconds in the message, RFC 3339 in JSON. */
bool field_is_time(const ProtobufCFieldDescriptor *field);
/* FAULT_COUNT when the text is right for that field: a date for *_on, a country for *_country, no
 * control character but tab and line feed in any. An empty text is right everywhere. */
enum fault_code field_text_fault(const ProtobufCFieldDescriptor *field, const char *text);

#endif
