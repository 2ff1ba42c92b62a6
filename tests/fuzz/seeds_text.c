/* Seeds that are text: JSON, configuration, what a person types, names in several scripts. */
#include "tests/fuzz/full.h"
#include "tests/fuzz/seeds.h"

#include <stdlib.h>

#include "proto/case.pb-c.h"
#include "proto/json.h"
#include "services/client/records.pb-c.h"
#include "services/common/base/config.h"

static void json_of(const char *name, int first, const ProtobufCMessageDescriptor *type)
{
	ProtobufCMessage *m = full_message(type);
	json_t *json = NULL;
	char *text;

	HOLDS(message_to_json(m, &json) == OK);
	text = json_dumps(json, JSON_INDENT(1));
	write_text("json", name, first, text);
	free(text);
	json_decref(json);
	protobuf_c_message_free_unpacked(m, NULL);
}

/* Once this was read, and could not be packed. */
static void long_list(void)
{
	struct buf b = {0};

	HOLDS(buf_append(&b, "\0{\"linked_cases\":[", 18) == OK);
	for (int i = 0; i < STRICT_ELEMENTS_MOST; i++)
		HOLDS(buf_append(&b, "\"\",", 3) == OK);
	HOLDS(buf_append(&b, "\"\"]}", 4) == OK);
	write_seed("json", "long-list", -1, slice_buf(&b));
	buf_free(&b);
}

void seeds_text(void)
{
	long_list();
	json_of("referral", 0, &referral__descriptor);
	json_of("risk", 1, &risk_report__descriptor);
	json_of("withdrawal", 2, &withdrawal__descriptor);
	json_of("proof", 3, &client_proof__descriptor);
	write_text("config", "admin", 8,
		"[log]\nlevel = debug\n[broker]\nname = broker\nqueue = 64\n\n# nothing\n");
	write_text("config", "wrong", 0, "[nothing]\na = b\n[broker\nqueue = -1\nqueue\n");
	write_text("config", "endpoints", PROGRAM_BROKER,
		"[broker]\nroutine = tcp://[::1]:5570\nurgent = tcp://*:5571\n");
	write_text("config", "relay", PROGRAM_RELAY,
		"[relay]\ntype = webhook\nurl = https://user@example.org:8443/hook?a=b\n");
	write_text("config", "wrong-endpoint", PROGRAM_INTAKE,
		"[broker]\nroutine = tcp://broker.example.org\n");
	write_text("passphrase", "line", -1, "an invented passphrase\r\nanother line\n");
	write_text("passphrase", "empty", -1, "\n");
	write_text("passphrase", "no-end", -1, "an invented passphrase");
	write_text("passphrase", "accents", -1, "  une phrase inventée, répétée  \n");
	write_text("text", "date", -1, "2024-02-29");
	write_text("text", "time", -1, "2026-03-01T12:00:00.000+05:30");
	write_text("text", "case", -1, "HV-2222-3333-4");
	write_text("text", "user", -1, "partner-a/0123456789abcdef");
	write_text("text", "hex", -1, "0123456789abcdef");
	write_text("text", "sample", -1, "havre_outbox_messages{process=\"intake\"} 3\n");
	write_text("text", "sample-label", -1,
		"havre_connected{process=\"intake\",lane=\"urgent\"} -1");
	write_text("text", "sample-control", -1,
		"havre_connected{process=\"intake\",lane=\"\x1b[2J\"} 1");
	write_text("skeleton", "latin", -1,
		"Daw Mar\xc3\xad"
		"a-Jos\xc3\xa9 O\xe2\x80\x99Neil al-Masri");
	write_text("skeleton", "arabic", -1,
		"\xd9\x85\xd8\xad\xd9\x85\xd8\xaf \xd8\xb9\xd9\x84\xd9\x8a");
	write_text("skeleton", "cyrillic", -1, "\xd0\x90\xd0\xbd\xd0\xbd\xd0\xb0");
	write_text("skeleton", "burmese", -1, "\xe1\x80\x92\xe1\x80\xb1\xe1\x80\xab\xe1\x80\xba");
}
