/*
 * referral_changes.h - for the tests of the rules of form: a right referral, and what is found when
 * one field of it is changed.
 */
#ifndef HAVRE_TESTS_REFERRAL_CHANGES_H
#define HAVRE_TESTS_REFERRAL_CHANGES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/json.h"
#include "services/common/referral/referral_check.h"

/* Invented people. */
static const char family[] =
	"{'reference':'AB-1','made_at':'2026-01-10T12:00:00Z','language':'EN','route':'HRD_STREAM',"
	"'refugee_class':'CONVENTION_REFUGEE_ABROAD','home_country':'MM','location_country':'TH',"
	"'priority':'NORMAL','primary_category':'LEGAL_AND_PHYSICAL_PROTECTION','case_size':4,"
	"'persons':["
	"{'number':1,'relationship':'PRINCIPAL_APPLICANT','accompanying':true,'identity':"
	"{'family_name':'A','born_on':'1990-01-01','birth_country':'MM','address':'Somewhere'}},"
	"{'number':2,'relationship':'COMMON_LAW_PARTNER','separation':'BY_PENAL_CONTROL','identity'"
	":"
	"{'given_names':'B','born_on':'1985-01-01','birth_country':'MM'}},"
	"{'number':3,'relationship':'CHILD','accompanying':true,'hidden_from':[1],'identity':"
	"{'family_name':'C','born_on':'2008-01-10','birth_country':'MM'}},"
	"{'number':4,'relationship':'GRANDCHILD','accompanying':true,'identity':"
	"{'family_name':'D','born_on':'2025-12-01','birth_country':'TH'}}],"
	"'claim':{'grounds':['POLITICAL_OPINION'],'defender_of':['LAWYER']},"
	"'consent':{'form':'SIGNED','given_on':'2026-01-09','scopes':['SHARE_WITH_DEPARTMENT'],"
	"'persons':[1,3]},"
	"'declaration':{'caseworker':'CW-7','declared_on':'2026-01-10','interviewed':true},"
	"'narrative':{'persecution':'Words.','need_for_resettlement':'Words.'}}";

#define NOW "2026-01-15T12:00:00Z"

/* The JSON above with ' for ". */
static json_t *from_quotes(const char *text)
{
	char *copy = strdup(text);
	json_t *json;

	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	json = json_loads(copy, JSON_DECODE_ANY, NULL);
	assert_non_null(json);
	free(copy);
	return json;
}

/* Steps to a part, which it makes when it is not there: "persons[1].identity". */
static json_t *step_to(json_t *at, const char *name, size_t len)
{
	char key[64];
	const char *index = memchr(name, '[', len);
	size_t n = index ? (size_t)(index - name) : len;

	snprintf(key, sizeof(key), "%.*s", (int)n, name);
	if (!json_object_get(at, key))
		json_object_set_new(at, key, json_object());
	at = json_object_get(at, key);
	return index ? json_array_get(at, strtoul(index + 1, NULL, 10)) : at;
}

/* Sets the field at the path; takes it away when the value is NULL. */
static void change(json_t *at, const char *path, const char *value)
{
	const char *dot;

	for (; (dot = strchr(path, '.')); path = dot + 1)
		at = step_to(at, path, (size_t)(dot - path));
	if (value)
		json_object_set_new(at, path, from_quotes(value));
	else
		assert_int_equal(json_object_del(at, path), 0);
}

static enum err check(const ProtobufCMessage *m, struct faults *faults)
{
	int64_t now;

	assert_int_equal(time_parse(NOW, &now), OK);
	if (m->descriptor == &referral__descriptor)
		return referral_check((const Referral *)m, now, faults);
	if (m->descriptor == &risk_report__descriptor)
		return risk_report_check((const RiskReport *)m, now, faults);
	return withdrawal_check((const Withdrawal *)m, now, faults);
}

static void expect(const ProtobufCMessageDescriptor *type, const json_t *json, const char *name,
	const char *expected)
{
	struct faults faults = {0};
	ProtobufCMessage *m;
	char told[1024] = "";

	if (json_to_message(json, type, &faults, &m) != OK)
		fail_msg("%s: the test's JSON has a fault at %s", name, faults.list[0].path);
	assert_int_equal(check(m, &faults), expected[0] ? ERR_INVALID : OK);
	for (size_t i = 0; i < faults.n; i++) {
		size_t n = strlen(told);

		snprintf(told + n, sizeof(told) - n, "%s%s %s", i ? ", " : "", faults.list[i].path,
			fault_name(faults.list[i].code));
	}
	if (strcmp(told, expected) != 0)
		fail_msg("%s: expected <%s>, got <%s>", name, expected, told);
	protobuf_c_message_free_unpacked(m, NULL);
}

struct change {
	const char *path, *value, *expected;
	const char *also_path, *also_value; /* a second change, or NULL */
};

static void try_changes(const ProtobufCMessageDescriptor *type, const char *text,
	const struct change *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		json_t *json = from_quotes(text);

		change(json, rows[i].path, rows[i].value);
		if (rows[i].also_path)
			change(json, rows[i].also_path, rows[i].also_value);
		expect(type, json, rows[i].path, rows[i].expected);
		json_decref(json);
	}
}

#define TRY_CHANGES(type, text, rows)                                                              \
	try_changes(&type##__descriptor, text, rows, sizeof(rows) / sizeof((rows)[0]))

#endif
