/* JSON of a partner's file; the first byte says what it should be. What is read is written as JSON
 * that says the same. */
#include "tests/fuzz/fuzz.h"

#include "proto/json.h"
#include "services/client/records.pb-c.h"
#include "services/common/referral/referral_check.h"

#define NOW INT64_C(1772366400000)

static const ProtobufCMessageDescriptor *const types[] = {&referral__descriptor,
	&risk_report__descriptor, &withdrawal__descriptor, &client_proof__descriptor};

static void check(const ProtobufCMessage *m)
{
	struct faults faults = {0};
	enum err e = OK;

	if (m->descriptor == &referral__descriptor)
		e = referral_check((const Referral *)m, NOW, &faults);
	else if (m->descriptor == &risk_report__descriptor)
		e = risk_report_check((const RiskReport *)m, NOW, &faults);
	else if (m->descriptor == &withdrawal__descriptor)
		e = withdrawal_check((const Withdrawal *)m, NOW, &faults);
	HOLDS((e == ERR_INVALID) == (faults.n > 0));
}

static void told_again(const ProtobufCMessage *m)
{
	struct faults faults = {0};
	ProtobufCMessage *same = NULL;
	struct buf bytes = {0};
	json_t *json = NULL;

	HOLDS(strict_pack(m, &bytes) == OK);
	HOLDS(message_to_json(m, &json) == OK);
	HOLDS(json_to_message(json, m->descriptor, &faults, &same) == OK);
	fuzz_same(same, slice_buf(&bytes));
	protobuf_c_message_free_unpacked(same, NULL);
	json_decref(json);
	buf_free(&bytes);
}

static void read_draft(struct slice in, const ProtobufCMessageDescriptor *type)
{
	struct faults faults = {0};
	ProtobufCMessage *draft = UNTOUCHED;

	if (json_text_to_draft(in, type, &faults, &draft) != OK) {
		HOLDS(draft == UNTOUCHED && faults.n == 1);
		return;
	}
	check(draft);
	protobuf_c_message_free_unpacked(draft, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size);
	const ProtobufCMessageDescriptor *type =
		types[fuzz_choice(&in) % (sizeof(types) / sizeof(types[0]))];
	struct faults faults = {0};
	ProtobufCMessage *m = UNTOUCHED;

	read_draft(in, type);
	if (json_text_to_message(in, type, &faults, &m) == OK) {
		HOLDS(faults.n == 0);
		check(m);
		told_again(m);
		protobuf_c_message_free_unpacked(m, NULL);
	} else {
		HOLDS(m == UNTOUCHED && faults.n > 0);
	}
	return 0;
}
